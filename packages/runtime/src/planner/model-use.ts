import type {
  Clock,
  FailedResult,
  Json,
  JsonObject,
  Model,
  ModelCallRecord,
  ModelRequest,
  ModelResult,
  PlannerAnswer,
  RunState,
} from '@tidegate/kernel'

/** A model as planners use it: who answers, what that costs, and how long it may take. */
export interface ModelUse {
  readonly model: Model
  /** Measures how long a call took. */
  readonly clock: Pick<Clock, 'nowMs'>
  readonly price: ModelPrice
  /** The whole of one call. */
  readonly timeoutMs: number
  readonly maxOutputTokens: number
  /** 0 to 2; left out, the endpoint's own default. */
  readonly temperature?: number
}

/** Millionths of the currency of the budgets, per million tokens. */
export interface ModelPrice {
  readonly inputMicros: number
  readonly outputMicros: number
}

/** What one call of a planner's model gave. */
export interface ModelExchange {
  readonly result: ModelResult
  /** The record of the call, with the planner's own words about what became of the reply. */
  readonly record: (taken: string, request: Json) => ModelCallRecord
}

/** Failed calls in a row before a planner stops asking. */
const MAX_FAILED_CALLS = 5
const FIRST_BACKOFF_MS = 1_000
const MAX_BACKOFF_MS = 60_000
const MAX_ASKED_WAIT_MS = 600_000

/** Calls the model once and keeps account. Whatever the model does comes back as a result. */
export async function callModel(
  use: ModelUse,
  request: Pick<ModelRequest, 'system' | 'messages' | 'tools'>,
): Promise<ModelExchange> {
  const { model, clock, timeoutMs, maxOutputTokens, temperature } = use
  const startedMs = clock.nowMs()
  const sampling = temperature === undefined ? {} : { temperature }
  const result = await model.call({ ...request, timeoutMs, maxOutputTokens, ...sampling })
  const durationMs = Math.max(0, clock.nowMs() - startedMs)
  const record = (taken: string, summary: Json): ModelCallRecord => {
    const { inputTokens, outputTokens } = tokensOf(request, result)
    const costMicros = Math.ceil((inputTokens * use.price.inputMicros + outputTokens * use.price.outputMicros) / 1_000_000)
    return {
      model: model.id,
      inputTokens,
      outputTokens,
      costMicros,
      durationMs,
      result: result.kind,
      request: summary,
      reply: replyOf(result, taken),
    }
  }
  return { result, record }
}

/** An endpoint that does not count is counted for, generously: a budget that nobody draws on would be none. */
function tokensOf(
  request: Pick<ModelRequest, 'system' | 'messages' | 'tools'>,
  result: ModelResult,
): { inputTokens: number; outputTokens: number } {
  const { usage } = result
  if (!usage.estimated) return usage
  return {
    inputTokens: Math.ceil(JSON.stringify(request).length / 2),
    outputTokens: Math.ceil(JSON.stringify(replyOf(result, '')).length / 2),
  }
}

/** A reply as the run records it. `taken` is what the planner made of it; history is rebuilt from this. */
function replyOf(result: ModelResult, taken: string): JsonObject {
  switch (result.kind) {
    case 'calls': {
      const calls = result.calls.map(({ callId, name, argumentsText }) => ({ callId, name, argumentsText }))
      return { taken, kind: result.kind, text: result.text, calls }
    }
    case 'text':
    case 'refused':
      return { taken, kind: result.kind, text: result.text }
    case 'failed':
      return { taken, kind: result.kind, code: result.code, message: result.message }
  }
}

/**
 * What a planner answers when the model gave no reply: ask again later where that can help, with growing pauses and not forever,
 * and give up where it cannot. A model call has no effect on the world, so asking twice is safe.
 */
export function answerFailure(failure: FailedResult, state: RunState, usage: ModelCallRecord): PlannerAnswer {
  const reason = `the model did not answer (${failure.code}): ${failure.message}`
  const failedBefore = countLast(state, (reply) => reply.kind === 'failed')
  if (failure.retry === 'never' || failedBefore + 1 >= MAX_FAILED_CALLS) return { kind: 'give_up', reason, usage }
  const backoffMs = Math.min(FIRST_BACKOFF_MS * 2 ** failedBefore, MAX_BACKOFF_MS)
  const askedMs = Math.min(failure.retryAfterMs ?? 0, MAX_ASKED_WAIT_MS)
  return { kind: 'again', reason, afterMs: Math.max(backoffMs, askedMs), usage }
}

/** How many of the last calls of a run, without a gap, fulfil a condition. */
export function countLast(state: RunState, condition: (reply: JsonObject) => boolean): number {
  const others = state.modelCalls.findLastIndex(({ reply }) => !condition(asObject(reply)))
  return state.modelCalls.length - 1 - others
}

/** A recorded reply; one that retention erased is empty. */
export function asObject(value: Json): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}

/** Data as it is shown to a model: JSON without `<`, so that no data can pretend to end the data. */
export function quoteData(value: Json): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}
