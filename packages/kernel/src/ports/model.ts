import type { JsonObject } from '../canonical/json.ts'
import type { Origin } from '../label/origin.ts'
import type { ModelCall } from './model-call.ts'

export * from './model-call.ts'

/**
 * Proposes the next step of a run; it never acts. One call is one request to one model: no retries, no loop and no tools run
 * inside, because the harness owns the loop.
 *
 * The contract, which every adapter and every fake passes:
 *
 * 1. `call` never rejects for anything the model or its endpoint does: whatever comes back is a {@link ModelResult}. It rejects
 *    only when the caller's own `onText` throws.
 * 2. The model is assumed hostile, and so is its endpoint. What is returned is checked for shape and size ({@link MODEL_LIMITS})
 *    and for nothing else: a call may name a tool that was never offered, and its arguments may say anything (I9).
 * 3. Nothing is repaired. Arguments that are not one JSON object are reported as `malformed` on that call; a reply whose parts
 *    cannot be told apart (a missing or repeated call id, an unknown name format, an end without a finish reason) is `failed`.
 * 4. No part of the reply is returned from a `failed` call. Text already passed to `onText` is withdrawn by it.
 * 5. It ends within `timeoutMs`, and at once when `signal` aborts. Nothing of it goes on afterwards.
 * 6. A credential never appears in a result (I8): not in `message`, not in text that an endpoint echoes.
 * 7. Calls may overlap: an implementation holds no state between them.
 *
 * How long it took is measured by the caller, on the caller's clock.
 */
export interface Model {
  /** Which model this is, for the record: `<endpoint>/<name>`, as configured, never as the endpoint claims. */
  readonly id: string
  call(request: ModelRequest): Promise<ModelResult>
}

/** One request to a model. The caller is trusted; the texts inside are not. */
export interface ModelRequest {
  /** The standing instructions. Written by us, never by data. */
  readonly system: string
  /** The conversation, oldest first. Each `tool` message follows the assistant message that holds its call. */
  readonly messages: readonly ModelMessage[]
  /** What the model may propose. Empty: text only. */
  readonly tools: readonly ModelTool[]
  /** A positive whole number of tokens. A reply that reaches it is `cut_off`. */
  readonly maxOutputTokens: number
  /** 0 to 2. Left out: the endpoint's own default. */
  readonly temperature?: number
  /** The whole call, from start to the last byte: a positive whole number of milliseconds. */
  readonly timeoutMs: number
  /** Called with each piece of text, in order. Joined they are the `text` of a `text` or `calls` result; any other withdraws them. */
  readonly onText?: (piece: string) => void
  /** Ends the call as `stopped` when it aborts. */
  readonly signal?: ModelSignal
}

/** A tool as the model sees it. */
export interface ModelTool {
  /** `[A-Za-z0-9_.-]+`, unique within the request. */
  readonly name: string
  readonly description: string
  /** A JSON Schema whose type is `object`. It informs the model; it is not what protects the tool. */
  readonly inputSchema: JsonObject
}

/**
 * A piece of a message and who wrote it. Wire formats have no place for the label: adapters send the texts joined, in order,
 * and the label stays behind. Whoever composes the request may tell the model which part is data, but that is advice and protects
 * nothing; what protects is the check of the action that comes back.
 */
export interface LabelledText {
  readonly text: string
  /** Everybody who had a hand in it. */
  readonly origins: readonly Origin[]
}

/** One turn of the conversation. */
export type ModelMessage = UserMessage | AssistantMessage | ToolMessage

export interface UserMessage {
  readonly role: 'user'
  readonly content: readonly LabelledText[]
}

/** What the model said earlier, with the calls it proposed then. */
export interface AssistantMessage {
  readonly role: 'assistant'
  readonly content: readonly LabelledText[]
  readonly calls: readonly Pick<ModelCall, 'callId' | 'name' | 'argumentsText'>[]
}

/** What became of one call: an observation, a denial, or why its arguments were not understood. */
export interface ToolMessage {
  readonly role: 'tool'
  readonly callId: string
  readonly name: string
  readonly content: readonly LabelledText[]
}

/** What came of a call to the model. Look at `kind` first. */
export type ModelResult = CallsResult | TextResult | RefusedResult | FailedResult

/** What every result carries. */
export interface ModelAccount {
  readonly usage: ModelUsage
  /** The model the endpoint claims to have used, or null. A claim: it decides nothing. */
  readonly reportedModel: string | null
  /** The endpoint's own word for why it ended (`stop`, `tool_calls`, `length`), or null when it gave none. */
  readonly finishReason: string | null
}

/** Tokens as counted by the endpoint, which is a claim too. `estimated` is true when it did not say, and then both are 0. */
export interface ModelUsage {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly estimated: boolean
}

/** The model proposes at least one call. Call ids are unique within the reply. */
export interface CallsResult extends ModelAccount {
  readonly kind: 'calls'
  readonly calls: readonly ModelCall[]
  /** What it said beside the calls; often empty. */
  readonly text: string
}

/** The model answered with text alone; never empty. */
export interface TextResult extends ModelAccount {
  readonly kind: 'text'
  readonly text: string
}

/** The model declined, in its own words. Calls in the same reply are dropped. */
export interface RefusedResult extends ModelAccount {
  readonly kind: 'refused'
  readonly text: string
}

/** There is no answer. */
export interface FailedResult extends ModelAccount {
  readonly kind: 'failed'
  readonly code: ModelFailureCode
  /** `safe`: the same request may be sent again (a model call has no effect on the world). `never`: it would fail again. */
  readonly retry: 'never' | 'safe'
  /** How long the endpoint asks to be left alone, when it said so. */
  readonly retryAfterMs?: number
  /** For people: what happened and what to do. Never holds a secret, nor free text of the endpoint. */
  readonly message: string
}

/** Every code of a failed call. A code is API: added, never renamed. */
export const MODEL_FAILURE_CODES = [
  /** The endpoint asks to slow down, or a quota is used up (then `retry` is `never`). */
  'rate_limited',
  /** Connecting, the first byte, the gap between two, or the whole took too long. */
  'timeout',
  /** No connection, a server error, or no such model or address (then `retry` is `never`). */
  'unavailable',
  /** The credential is missing, unreadable, refused, or its account is not in order. */
  'unauthorized',
  /** The conversation does not fit into the model. */
  'context_too_long',
  /** The reply breaks the protocol or a limit, or the endpoint finds that the request does. */
  'malformed',
  /** The reply ended early: the connection broke, or it reached `maxOutputTokens` or a limit on text (then `retry` is `never`). */
  'cut_off',
  /** The endpoint's filter suppressed the request or the reply. */
  'content_filtered',
  /** The caller's signal aborted. */
  'stopped',
] as const

export type ModelFailureCode = (typeof MODEL_FAILURE_CODES)[number]

/** What of an `AbortSignal` a model needs, so that the kernel does not depend on a platform. Every `AbortSignal` is one. */
export interface ModelSignal {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}
