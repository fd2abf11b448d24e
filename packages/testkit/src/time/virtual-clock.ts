import type { Clock } from '@tidegate/kernel'

/** A clock that stands still until it is told to go on. */
export interface VirtualClock extends Clock {
  /** Moves to a time, calling back whatever is due on the way, in order of time. */
  advanceTo(timeMs: number): void
  /** When the next callback is due; undefined when there is none. */
  nextAtMs(): number | undefined
  /** Moves the wall clock alone, as NTP or a suspended machine would; timers keep their distance. */
  jump(deltaMs: number): void
  /** Forgets all callbacks, as a crash does. */
  forget(): void
}

interface Timer {
  readonly atMs: number
  readonly order: number
  readonly callback: () => void
}

/** Creates a clock that starts at the given time. */
export function createVirtualClock(startMs = Date.UTC(2026, 0, 5, 9)): VirtualClock {
  let nowMs = startMs
  let skewMs = 0
  let order = 0
  let timers: Timer[] = []

  const next = (): Timer | undefined => timers.toSorted((a, b) => a.atMs - b.atMs || a.order - b.order)[0]

  return {
    nowMs: () => nowMs + skewMs,
    monotonicMs: () => nowMs,
    at(timeMs, callback) {
      const timer = { atMs: timeMs - skewMs, order: order++, callback }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    advanceTo(timeMs) {
      for (let timer = next(); timer !== undefined && timer.atMs <= timeMs - skewMs; timer = next()) {
        const due = timer
        timers = timers.filter((other) => other !== due)
        nowMs = Math.max(nowMs, due.atMs)
        due.callback()
      }
      nowMs = Math.max(nowMs, timeMs - skewMs)
    },
    nextAtMs: () => {
      const timer = next()
      return timer === undefined ? undefined : timer.atMs + skewMs
    },
    jump(deltaMs) {
      skewMs += deltaMs
    },
    forget() {
      timers = []
    },
  }
}
