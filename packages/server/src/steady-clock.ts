import type { Clock } from '@tidegate/kernel'

/** The longest delay that Node's timers hold without wrapping round. */
const LONGEST_MS = 2_147_000_000

/** A clock whose time does not go back. */
export interface SteadyClock extends Clock {
  /** From now on it is at least this late: a journal may be ahead of the clock that its next server starts with. */
  notBefore(timeMs: number): void
}

/**
 * Creates a clock that follows the machine's as long as that goes forward, and goes on by the monotonic one when the machine's is set
 * back. Journal time never goes back, so whoever waits for a time on it would otherwise wait until the machine has caught up.
 *
 * A machine that was an hour ahead by mistake stays so for this clock, as it does for the journal.
 */
export function createSteadyClock(clock: Pick<Clock, 'nowMs' | 'monotonicMs'>): SteadyClock {
  let anchor = { timeMs: clock.nowMs(), atMs: clock.monotonicMs() }

  function nowMs(): number {
    const monotonicMs = clock.monotonicMs()
    const machineMs = clock.nowMs()
    const steadyMs = Math.floor(anchor.timeMs + monotonicMs - anchor.atMs)
    if (machineMs < steadyMs) return steadyMs
    anchor = { timeMs: machineMs, atMs: monotonicMs }
    return machineMs
  }

  return {
    nowMs,
    monotonicMs: clock.monotonicMs,
    notBefore(timeMs) {
      if (nowMs() < timeMs) anchor = { timeMs, atMs: clock.monotonicMs() }
    },
    at(timeMs, callback) {
      let timer: NodeJS.Timeout
      const arm = (): void => {
        const delayMs = Math.min(Math.max(0, timeMs - nowMs()), LONGEST_MS)
        timer = setTimeout(() => (nowMs() >= timeMs ? callback() : arm()), delayMs)
      }
      arm()
      return () => clearTimeout(timer)
    },
  }
}
