import type { RunState } from '../run/state.ts'
import type { Limits } from '../run/workflow.ts'

/** Which limit a run has used up, in words for people; undefined while it may go on. */
export function exhausted(
  state: Pick<RunState, 'spent' | 'openedAtMs' | 'waitedMs'>,
  limits: Limits,
  nowMs: number,
): string | undefined {
  const { spent } = state
  if (spent.steps >= limits.steps) return `used its ${limits.steps} steps`
  if (nowMs >= wallDeadlineMs(state, limits)) return `used its time of ${limits.wallMs} ms`
  if (spent.tokens >= limits.tokens && spent.tokens > 0) return `used its ${limits.tokens} tokens`
  if (spent.costMicros >= limits.costMicros && spent.costMicros > 0)
    return `used its budget of ${limits.costMicros / 1_000_000} for the model`
  return undefined
}

/** When the time of a run is used up, unless it waits for people or under a stop until then. */
export function wallDeadlineMs(state: Pick<RunState, 'openedAtMs' | 'waitedMs'>, limits: Limits): number {
  return state.openedAtMs + state.waitedMs + limits.wallMs
}

/** How long to wait before attempt number `attempt + 1`: doubling from 200 ms, never above 30 s. Deterministic, so that it replays. */
export function backoffMs(attempt: number, retryAfterMs = 0): number {
  return Math.min(30_000, Math.max(retryAfterMs, 200 * 2 ** Math.min(attempt - 1, 10)))
}
