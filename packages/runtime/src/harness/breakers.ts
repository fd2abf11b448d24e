import {
  type Breaker,
  type BreakerLimits,
  type Clock,
  CLOSED_BREAKER,
  DEFAULT_BREAKER,
  foldBreaker,
  isOpen,
  type Log,
} from '@tidegate/kernel'
import type { Control } from '../control.ts'

/** Whether an attempt may begin. Whoever entered leaves when it is over. */
export type Entrance =
  | { readonly kind: 'entered'; readonly leave: () => void }
  | { readonly kind: 'held'; readonly over: Promise<void> }

/** Counts the failures of each operation; openings and closings are durable, counts are not. */
export interface BreakerPanel {
  /** Undefined when there is nothing to count, as nearly always. */
  count(operation: string, outcome: 'ok' | 'fault'): Promise<void> | undefined
  /** Begins an attempt. While the one attempt that decides over an open breaker is under way, everybody else waits for it. */
  enter(operation: string): Entrance
}

/** Creates the breakers of one process. A breaker that was open before a restart stays open for the rest of its time. */
export function createBreakerPanel(parts: { control: Control; clock: Clock; log: Log; limits?: BreakerLimits }): BreakerPanel {
  const { control, clock, log, limits = DEFAULT_BREAKER } = parts
  const breakers = new Map<string, Breaker>()
  const deciding = new Map<string, Promise<void>>()

  async function record(operation: string, outcome: 'ok' | 'fault', before: Breaker): Promise<void> {
    const openUntilMs = control.state.breakers[operation]
    const nowMs = clock.nowMs()
    const after = foldBreaker(before, outcome, nowMs, limits)
    breakers.set(operation, after)
    if (outcome === 'ok' && openUntilMs !== undefined) {
      await control.append([{ type: 'breaker.closed', operation }], { raisesEpoch: false })
      log({ level: 'info', message: `${operation} answers again; its breaker is closed` })
    } else if (isOpen(after.openUntilMs, nowMs) && !isOpen(openUntilMs, nowMs)) {
      await control.append([{ type: 'breaker.opened', operation, untilMs: after.openUntilMs, failures: after.failures }], {
        raisesEpoch: false,
      })
      log({ level: 'warning', message: `${operation} failed ${after.failures} times in a row; its breaker is open` })
    }
  }

  return {
    enter(operation) {
      const over = deciding.get(operation)
      if (over !== undefined) return { kind: 'held', over }
      if (control.state.breakers[operation] === undefined) return { kind: 'entered', leave: () => undefined }
      const { promise, resolve } = Promise.withResolvers<void>()
      deciding.set(operation, promise)
      const leave = (): void => {
        deciding.delete(operation)
        resolve()
      }
      return { kind: 'entered', leave }
    },
    count(operation, outcome) {
      const openUntilMs = control.state.breakers[operation]
      const before = breakers.get(operation) ?? recovered(openUntilMs, limits)
      const isQuiet = outcome === 'ok' && before.failures === 0 && openUntilMs === undefined
      return isQuiet ? undefined : record(operation, outcome, before)
    },
  }
}

/** A breaker of which the journal knows only that it opened and did not close: the next failure opens it again. */
function recovered(openUntilMs: number | undefined, { threshold }: BreakerLimits): Breaker {
  return openUntilMs === undefined ? CLOSED_BREAKER : { failures: threshold - 1, openUntilMs }
}
