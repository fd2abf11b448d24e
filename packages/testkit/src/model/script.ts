import type { JsonObject, ModelFailureCode, ModelUsage } from '@tidegate/kernel'

/** What a scripted model says on one turn: the same words for the fake and for the server double. */
export type ScriptedReply = ScriptedText | ScriptedCalls | ScriptedRefusal | ScriptedFailure | ScriptedSilence

interface Said {
  /** Tokens to report; null for an endpoint that does not say. 10 and 5 unless told. */
  readonly usage?: Pick<ModelUsage, 'inputTokens' | 'outputTokens'> | null
  /** Waits this long before the answer. */
  readonly delayMs?: number
}

export interface ScriptedText extends Said {
  readonly kind: 'text'
  readonly text: string
}

export interface ScriptedCalls extends Said {
  readonly kind: 'calls'
  readonly calls: readonly ScriptedCall[]
  readonly text?: string
}

export interface ScriptedRefusal extends Said {
  readonly kind: 'refused'
  readonly text: string
}

export interface ScriptedFailure extends Said {
  readonly kind: 'failed'
  /** `timeout` and `stopped` are silence: the caller's own limit decides. */
  readonly code: ModelFailureCode
  /** Whole seconds, because the wire knows nothing finer. */
  readonly retryAfterMs?: number
}

/** Never answers. */
export interface ScriptedSilence extends Said {
  readonly kind: 'silence'
}

/** One proposed call. Arguments given as text are sent as they are, however malformed. */
export interface ScriptedCall {
  readonly name: string
  readonly arguments: JsonObject | string
  /** `call-<turn>-<position>` unless told. */
  readonly callId?: string
}

/** What is said turn after turn: a list, or a function of what was asked and of the turn, counted from 0. */
export type Script<Request, Reply> = readonly Reply[] | ((request: Request, turn: number) => Reply)

/**
 * Picks the reply for a turn.
 *
 * @throws Error when a list has ended: the test asks more often than it says.
 */
export function pickReply<Request, Reply>(script: Script<Request, Reply>, request: Request, turn: number): Reply {
  if (typeof script === 'function') return script(request, turn)
  const reply = script[turn]
  if (reply === undefined)
    throw new Error(`The script of the model has ${script.length} replies and was asked for number ${turn + 1}.`)
  return reply
}

/** The calls of a reply with their ids and the text of their arguments. */
export function writeCalls(
  calls: readonly ScriptedCall[],
  turn: number,
): { callId: string; name: string; argumentsText: string }[] {
  return calls.map((call, position) => ({
    callId: call.callId ?? `call-${turn}-${position}`,
    name: call.name,
    argumentsText: typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments),
  }))
}

/** What is reported when the script does not say. */
export const SCRIPTED_USAGE = { inputTokens: 10, outputTokens: 5 } as const
