import type { Clock } from '@tidegate/kernel'

/** The longest delay that Node's timers hold without wrapping round. */
const LONGEST_MS = 2_147_000_000

/** The machine's clock. A timer that is further away than Node can count is set again on the way. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  at(timeMs, callback) {
    let timer: NodeJS.Timeout
    const arm = (): void => {
      const delay = Math.max(0, timeMs - Date.now())
      timer = setTimeout(() => (Date.now() >= timeMs ? callback() : arm()), Math.min(delay, LONGEST_MS))
    }
    arm()
    return () => clearTimeout(timer)
  },
}
