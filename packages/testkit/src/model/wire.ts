import type { ScriptedReply } from './script.ts'
import { SCRIPTED_USAGE, writeCalls } from './script.ts'

/** A reply in OpenAI's chat completions: what a stream consists of, and the same in one piece. */
export interface WireReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Bodies of `data:` events, the last being `[DONE]`. Empty for an error. */
  readonly events: readonly string[]
  readonly body: string
  /** Break the connection after half of it. */
  readonly isCut: boolean
}

/** What a rendering depends on besides the reply. */
export interface WireSettings {
  readonly turn: number
  readonly model: string
  /** Length of the pieces into which text and arguments are cut. */
  readonly pieceLength: number
  readonly includeUsage: boolean
}

/** Renders a reply; undefined for silence. */
export function renderReply(reply: ScriptedReply, settings: WireSettings): WireReply | undefined {
  switch (reply.kind) {
    case 'silence':
      return undefined
    case 'failed':
      return renderFailure(reply, settings)
    case 'text':
      return complete(settings, { content: reply.text }, 'stop', reply)
    case 'refused':
      return complete(settings, { content: null, refusal: reply.text }, 'stop', reply)
    case 'calls': {
      const calls = writeCalls(reply.calls, settings.turn).map(({ callId, name, argumentsText }) => {
        return { id: callId, type: 'function' as const, function: { name, arguments: argumentsText } }
      })
      return complete(settings, { content: reply.text ?? null, tool_calls: calls }, 'tool_calls', reply)
    }
  }
}

const REFUSALS = {
  rate_limited: { status: 429, code: 'rate_limit_exceeded' },
  unavailable: { status: 503, code: 'server_error' },
  unauthorized: { status: 401, code: 'invalid_api_key' },
  context_too_long: { status: 400, code: 'context_length_exceeded' },
} as const

function renderFailure(reply: Extract<ScriptedReply, { kind: 'failed' }>, settings: WireSettings): WireReply | undefined {
  switch (reply.code) {
    case 'timeout':
    case 'stopped':
      return undefined
    case 'malformed':
      return { status: 200, headers: {}, events: ['{"choices": [{"delta"'], body: '{"choices": [{"delta"', isCut: false }
    case 'content_filtered':
      return complete(settings, { content: 'I would' }, 'content_filter', reply)
    case 'cut_off':
      return { ...complete(settings, { content: 'and so it goes on and on' }, 'stop', reply), isCut: true }
    default: {
      const { status, code } = REFUSALS[reply.code]
      const wait = reply.retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(reply.retryAfterMs / 1000)) }
      const body = JSON.stringify({ error: { message: 'Scripted.', type: 'scripted_error', param: null, code } })
      return { status, headers: wait, events: [], body, isCut: false }
    }
  }
}

interface WireMessage {
  readonly content: string | null
  readonly refusal?: string
  readonly tool_calls?: readonly WireCall[]
}

interface WireCall {
  readonly id: string
  readonly type: 'function'
  readonly function: { readonly name: string; readonly arguments: string }
}

function complete(settings: WireSettings, message: WireMessage, finishReason: string, { usage }: ScriptedReply): WireReply {
  const tokens = usage === null ? undefined : countTokens(usage ?? SCRIPTED_USAGE)
  const head = { id: `chatcmpl-${settings.turn}`, created: 1_700_000_000, model: settings.model }
  const choice = { index: 0, message: { role: 'assistant', ...message }, finish_reason: finishReason }
  const body = { ...head, object: 'chat.completion', choices: [choice], ...(tokens === undefined ? {} : { usage: tokens }) }
  const chunk = (delta: unknown, reason: string | null): string => {
    const choices = [{ index: 0, delta, finish_reason: reason }]
    return JSON.stringify({ ...head, object: 'chat.completion.chunk', choices })
  }
  const events = [
    chunk({ role: 'assistant', content: '' }, null),
    ...cut(message.content ?? '', settings.pieceLength).map((content) => chunk({ content }, null)),
    ...cut(message.refusal ?? '', settings.pieceLength).map((refusal) => chunk({ refusal }, null)),
    ...cutCalls(message.tool_calls ?? [], settings.pieceLength).map((piece) => chunk({ tool_calls: [piece] }, null)),
    chunk({}, finishReason),
  ]
  const hasUsage = settings.includeUsage && tokens !== undefined
  if (hasUsage) events.push(JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [], usage: tokens }))
  return { status: 200, headers: {}, events: [...events, '[DONE]'], body: JSON.stringify(body), isCut: false }
}

function countTokens({ inputTokens, outputTokens }: { readonly inputTokens: number; readonly outputTokens: number }): object {
  return { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: inputTokens + outputTokens }
}

/** Begins every call, then goes round, so that pieces of several calls alternate. */
function cutCalls(calls: readonly WireCall[], pieceLength: number): readonly object[] {
  const begun = calls.map((call, index) => ({
    index,
    id: call.id,
    type: call.type,
    function: { name: call.function.name, arguments: '' },
  }))
  const rows = calls.map((call) => cut(call.function.arguments, pieceLength))
  const longest = Math.max(0, ...rows.map((row) => row.length))
  const rounds = Array.from({ length: longest }, (_, round) =>
    rows.flatMap((row, index) => (row[round] === undefined ? [] : [{ index, function: { arguments: row[round] } }])),
  )
  return [...begun, ...rounds.flat()]
}

/** May part a surrogate pair, as real endpoints do. */
function cut(text: string, length: number): readonly string[] {
  return Array.from({ length: Math.ceil(text.length / length) }, (_, at) => text.slice(at * length, (at + 1) * length))
}
