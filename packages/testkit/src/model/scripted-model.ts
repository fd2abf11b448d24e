import {
  type Clock,
  type FailedResult,
  MODEL_LIMITS,
  type Model,
  type ModelAccount,
  type ModelFailureCode,
  type ModelRequest,
  type ModelResult,
  readModelCall,
} from '@tidegate/kernel'
import { pickReply, SCRIPTED_USAGE, type Script, type ScriptedCalls, type ScriptedReply, writeCalls } from './script.ts'

/** How to set up a scripted model. */
export interface ScriptedModelOptions {
  readonly script: Script<ModelRequest, ScriptedReply>
  /** `scripted/model` unless told. */
  readonly id?: string
  /** Runs delays and timeouts; the simulator gives its virtual clock. Real time unless told. */
  readonly clock?: Clock
}

/** A model that says what its script says, and remembers what it was asked. */
export interface ScriptedModel extends Model {
  /** Every request so far, oldest first, the failed ones too. */
  readonly requests: readonly ModelRequest[]
}

/**
 * Creates a model for tests and for the simulator: no network, no randomness, and the same contract as a real one, with its limits.
 *
 * Turns are counted in the order of the calls. Text is passed to `onText` in pieces of seven units.
 */
export function createScriptedModel({ script, id = 'scripted/model', clock = REAL_TIME }: ScriptedModelOptions): ScriptedModel {
  const requests: ModelRequest[] = []
  const call = async (request: ModelRequest): Promise<ModelResult> => {
    const turn = requests.length
    requests.push(request)
    const reply = pickReply(script, request, turn)
    const isSilent =
      reply.kind === 'silence' || (reply.kind === 'failed' && (reply.code === 'timeout' || reply.code === 'stopped'))
    const interruption = await wait(clock, isSilent ? undefined : (reply.delayMs ?? 0), request)
    if (interruption !== undefined)
      return fail(interruption, { ...NOTHING, usage: { inputTokens: 0, outputTokens: 0, estimated: true } })
    return answer(reply, request, turn, id)
  }
  return { id, requests, call }
}

const REAL_TIME: Clock = {
  nowMs: Date.now,
  monotonicMs: () => performance.now(),
  at: (timeMs, callback) => {
    const timer = setTimeout(callback, Math.max(0, timeMs - Date.now()))
    return () => clearTimeout(timer)
  },
}

/** Waits for the delay of the reply (forever, if there is none to come) or for what ends the call before it. */
function wait(clock: Clock, delayMs: number | undefined, request: ModelRequest): Promise<'timeout' | 'stopped' | undefined> {
  const { signal, timeoutMs } = request
  if (signal?.aborted === true) return Promise.resolve('stopped')
  if (delayMs === 0) return Promise.resolve(undefined)
  return new Promise((resolve) => {
    const start = clock.nowMs()
    const cancels: (() => void)[] = []
    const settle = (reason: 'timeout' | 'stopped' | undefined): void => {
      for (const cancel of cancels) cancel()
      resolve(reason)
    }
    const onAbort = (): void => settle('stopped')
    signal?.addEventListener('abort', onAbort)
    cancels.push(() => signal?.removeEventListener('abort', onAbort))
    cancels.push(clock.at(start + timeoutMs, () => settle('timeout')))
    if (delayMs !== undefined) cancels.push(clock.at(start + delayMs, () => settle(undefined)))
  })
}

const NOTHING = { reportedModel: null, finishReason: null } as const

const RETRY: Readonly<Record<ModelFailureCode, 'never' | 'safe'>> = {
  rate_limited: 'safe',
  timeout: 'safe',
  unavailable: 'safe',
  unauthorized: 'never',
  context_too_long: 'never',
  malformed: 'safe',
  cut_off: 'safe',
  content_filtered: 'never',
  stopped: 'never',
}

function fail(code: ModelFailureCode, account: ModelAccount, retryAfterMs?: number): FailedResult {
  const failure: FailedResult = { kind: 'failed', code, retry: RETRY[code], message: `Scripted: ${code}.`, ...account }
  return retryAfterMs === undefined ? failure : { ...failure, retryAfterMs }
}

function answer(reply: ScriptedReply, request: ModelRequest, turn: number, id: string): ModelResult {
  const usage =
    reply.usage === null
      ? { inputTokens: 0, outputTokens: 0, estimated: true }
      : { ...(reply.usage ?? SCRIPTED_USAGE), estimated: false }
  const account = (finishReason: string | null): ModelAccount => ({ usage, reportedModel: id, finishReason })
  switch (reply.kind) {
    case 'text':
      if (reply.text.length > MODEL_LIMITS.textLength) return fail('cut_off', account(null))
      if (reply.text.trim() === '') return fail('malformed', account('stop'))
      speak(reply.text, request)
      return { kind: 'text', text: reply.text, ...account('stop') }
    case 'calls':
      return answerWithCalls(reply, request, turn, account('tool_calls'))
    case 'refused':
      if (reply.text.length > MODEL_LIMITS.textLength) return fail('cut_off', account(null))
      return { kind: 'refused', text: reply.text, ...account('stop') }
    case 'failed':
      return fail(reply.code, { usage, ...NOTHING }, reply.retryAfterMs)
    case 'silence':
      return fail('timeout', { usage, ...NOTHING })
  }
}

function answerWithCalls(reply: ScriptedCalls, request: ModelRequest, turn: number, account: ModelAccount): ModelResult {
  const calls = writeCalls(reply.calls, turn)
  const isUsable = calls.every(
    ({ callId, name }) => /^[A-Za-z0-9_.-]{1,128}$/.test(name) && callId !== '' && callId.length <= MODEL_LIMITS.callIdLength,
  )
  const isUnique = new Set(calls.map(({ callId }) => callId)).size === calls.length
  if (calls.length === 0 || calls.length > MODEL_LIMITS.callsPerReply || !isUsable || !isUnique) return fail('malformed', account)
  const text = reply.text ?? ''
  if (text.length > MODEL_LIMITS.textLength) return fail('cut_off', account)
  speak(text, request)
  return {
    kind: 'calls',
    calls: calls.map(({ callId, name, argumentsText }) => readModelCall(callId, name, argumentsText)),
    text,
    ...account,
  }
}

function speak(text: string, { onText }: ModelRequest): void {
  for (const piece of text.match(/.{1,7}/gs) ?? []) onText?.(piece)
}
