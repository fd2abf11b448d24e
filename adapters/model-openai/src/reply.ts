import {
  type FailedResult,
  MODEL_LIMITS,
  type ModelAccount,
  type ModelCall,
  type ModelResult,
  type ModelUsage,
} from '@tidegate/kernel'
import { createCallAssembly } from './call-assembly.ts'
import { createEchoGuard } from './echo-guard.ts'
import { classifyEndpointError, type Failure, isRecord, readEndpointError } from './failure.ts'

/**
 * Turns what an endpoint sends into a result.
 *
 * 1. It reads the chunks themselves and not what the SDK makes of them, because the SDK renames repeated call ids and drops pieces
 *    it cannot place.
 * 2. A reply has one choice, and ends with a finish reason that we know. Nothing but usage may follow it.
 * 3. Usage counts even when the reply is unusable: it was paid for.
 */
export interface ReplyReader {
  /** Takes one chunk of a stream, or the whole body; answers with a failure when the reply cannot be used any more. */
  take(chunk: unknown): Failure | undefined
  /** The result, once nothing more comes. */
  finish(): ModelResult
  /** The result when there is no answer, for whatever reason. */
  fail(failure: Failure): FailedResult
}

/** What the reader needs to know. */
export interface ReplySettings {
  readonly onText: ((piece: string) => void) | undefined
  readonly secret: string | undefined
}

const NO_USAGE: ModelUsage = { inputTokens: 0, outputTokens: 0, estimated: true }

/** Reads one reply. */
export function createReplyReader({ onText, secret }: ReplySettings): ReplyReader {
  const guard = createEchoGuard(secret)
  const calls = createCallAssembly()
  let text = ''
  let refusal = ''
  let usage = NO_USAGE
  let reportedModel: string | null = null
  let finishReason: string | null = null

  const emit = (piece: string): void => {
    if (piece !== '') onText?.(piece)
  }
  const takeMessage = (message: Record<string, unknown>): Failure | undefined => {
    const { content, refusal: declined, tool_calls: pieces, function_call: legacy } = message
    if (content !== undefined && content !== null && typeof content !== 'string') return broken('content that is not text')
    if (legacy !== undefined && legacy !== null) return broken('a call in the form that was replaced by tool_calls')
    const words = content ?? ''
    const declinedWords = typeof declined === 'string' ? declined : ''
    const hasCalls = Array.isArray(pieces) && pieces.length > 0
    if (finishReason !== null && (words !== '' || declinedWords !== '' || hasCalls)) return broken('more after its end')
    text += words
    refusal += declinedWords
    if (Math.max(text.length, refusal.length) > MODEL_LIMITS.textLength) return TEXT_TOO_LONG
    emit(guard.pass(words))
    const defect = calls.take(pieces)
    return defect === undefined ? undefined : broken(defect)
  }
  const takeChoice = (choice: unknown): Failure | undefined => {
    if (!isRecord(choice) || (choice.index ?? 0) !== 0) return broken('more than one choice')
    const message = choice.delta ?? choice.message ?? {}
    const failure = isRecord(message) ? takeMessage(message) : broken('a message that is not an object')
    if (failure !== undefined) return failure
    const reason = choice.finish_reason ?? ''
    if (typeof reason !== 'string' || (finishReason !== null && reason !== '' && reason !== finishReason))
      return broken('two ends')
    if (reason !== '') finishReason = reason.slice(0, 64)
    return undefined
  }
  const take = (chunk: unknown): Failure | undefined => {
    if (!isRecord(chunk)) return broken('something that is not JSON')
    const error = readEndpointError(chunk, undefined)
    if (error !== undefined) return classifyEndpointError(error, secret)
    usage = readUsage(chunk.usage) ?? usage
    reportedModel ??= readModelName(chunk.model, guard.isIn)
    if (!Array.isArray(chunk.choices)) return broken('no choices')
    if (chunk.choices.length > 1) return broken('more than one choice')
    return chunk.choices.length === 0 ? undefined : takeChoice(chunk.choices[0])
  }
  const account = (): ModelAccount => ({
    usage,
    reportedModel,
    finishReason: KNOWN_REASONS.has(finishReason ?? '') ? finishReason : null,
  })
  const fail = (failure: Failure): FailedResult => ({ kind: 'failed', ...failure, ...account() })
  const finish = (): ModelResult => {
    if (finishReason === null) return fail(UNFINISHED)
    if (!ENDS.has(finishReason)) return fail(ENDED_EARLY.get(finishReason) ?? broken('an end for an unknown reason'))
    const found = calls.finish()
    if (typeof found === 'string') return fail(broken(found))
    if (guard.isIn(text) || guard.isIn(refusal) || found.some((call) => echoes(call, guard.isIn))) return fail(ECHO)
    if (!text.isWellFormed() || !refusal.isWellFormed()) return fail(broken('text with an unpaired surrogate'))
    emit(guard.release())
    if (refusal.trim() !== '') return { kind: 'refused', text: refusal, ...account() }
    if (found.length > 0) return { kind: 'calls', calls: found, text, ...account() }
    if (finishReason === 'tool_calls') return fail(broken('the promise of tool calls, and none'))
    return text.trim() === '' ? fail(EMPTY) : { kind: 'text', text, ...account() }
  }
  return { take, finish, fail }
}

const ENDS: ReadonlySet<string> = new Set(['stop', 'tool_calls'])
const KNOWN_REASONS: ReadonlySet<string> = new Set([...ENDS, 'length', 'content_filter'])

const UNFINISHED: Failure = { code: 'cut_off', retry: 'safe', message: 'The answer of the endpoint stopped before its end.' }
const TEXT_TOO_LONG: Failure = { code: 'cut_off', retry: 'never', message: 'The model wrote more text than one reply may hold.' }
const EMPTY: Failure = { code: 'malformed', retry: 'safe', message: 'The model answered with nothing.' }
const ECHO: Failure = {
  code: 'malformed',
  retry: 'never',
  message: 'The reply repeats the API key and was thrown away. The endpoint may not be what it seems: replace the key.',
}

const ENDED_EARLY: ReadonlyMap<string, Failure> = new Map<string, Failure>([
  [
    'length',
    {
      code: 'cut_off',
      retry: 'never',
      message: 'The reply reached maxOutputTokens before its end. Allow more, or ask for less.',
    },
  ],
  [
    'content_filter',
    { code: 'content_filtered', retry: 'never', message: "The endpoint's content filter suppressed the reply." },
  ],
])

function broken(what: string): Failure {
  return { code: 'malformed', retry: 'safe', message: `The endpoint sent ${what}.` }
}

/** The parsed form is looked at too: an escape such as \u0073 hides a key in the source text. */
function echoes(call: ModelCall, isIn: (text: string) => boolean): boolean {
  return [call.callId, call.name, call.argumentsText, JSON.stringify(call.arguments)].some(isIn)
}

function readUsage(usage: unknown): ModelUsage | undefined {
  if (!isRecord(usage)) return undefined
  const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = usage
  return isCount(inputTokens) && isCount(outputTokens) ? { inputTokens, outputTokens, estimated: false } : undefined
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function readModelName(name: unknown, isSecret: (text: string) => boolean): string | null {
  if (typeof name !== 'string' || name === '' || isSecret(name)) return null
  return name.slice(0, MODEL_LIMITS.reportedModelLength).toWellFormed()
}
