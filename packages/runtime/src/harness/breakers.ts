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

/** Counts the failures of each operation; openings and closings are durable, counts are not. */
export interface BreakerPanel {
  count(operation: string, outcome: 'ok' | 'fault'): Promise<void>
}

/** Creates the breakers of one process. A breaker that was open before a restart stays open for the rest of its time. */
export function createBreakerPanel(parts: { control: Control; clock: Clock; log: Log; limits?: BreakerLimits }): BreakerPanel {
  const { control, clock, log, limits = DEFAULT_BREAKER } = parts
  const breakers = new Map<string, Breaker>()

  return {
    async count(operation, outcome) {
      const before = breakers.get(operation) ?? CLOSED_BREAKER
      const openUntilMs = control.state.breakers[operation]
      if (outcome === 'ok' && before.failures === 0 && openUntilMs === undefined) return
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
    },
  }
}
