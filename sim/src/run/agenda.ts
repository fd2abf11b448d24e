import { createVirtualClock, type VirtualClock } from '@tidegate/testkit'

/**
 * The time of one simulation: the virtual clock that Tidegate sees, and the world's own list of what comes next, which survives a
 * crash. World time is monotonic; the wall clock that Tidegate reads may jump.
 */
export interface Agenda {
  readonly clock: VirtualClock
  /** Monotonic milliseconds since the start. */
  nowMs(): number
  after(ms: number, callback: () => void): void
  /** Moves to what comes next and lets it happen; false when nothing comes any more, before the given time. */
  advance(untilMs?: number): boolean
}

interface Due {
  readonly atMs: number
  readonly order: number
  readonly callback: () => void
}

export function createAgenda(): Agenda {
  const clock = createVirtualClock()
  const startMs = clock.monotonicMs()
  const due: Due[] = []
  let order = 0

  const nowMs = (): number => clock.monotonicMs() - startMs
  const skewMs = (): number => clock.nowMs() - clock.monotonicMs()

  function moveTo(atMs: number): void {
    clock.advanceTo(Math.max(atMs, nowMs()) + startMs + skewMs())
  }

  return {
    clock,
    nowMs,
    after(ms, callback) {
      due.push({ atMs: nowMs() + Math.max(0, ms), order: order++, callback })
      due.sort((a, b) => a.atMs - b.atMs || a.order - b.order)
    },
    advance(untilMs = Number.POSITIVE_INFINITY) {
      const timerMs = clock.nextAtMs()
      const timerAtMs = timerMs === undefined ? Number.POSITIVE_INFINITY : timerMs - skewMs() - startMs
      const next = due[0]
      const atMs = Math.min(timerAtMs, next?.atMs ?? Number.POSITIVE_INFINITY)
      if (atMs === Number.POSITIVE_INFINITY || atMs > untilMs) return false
      if (next === undefined || timerAtMs < next.atMs) {
        moveTo(timerAtMs)
        return true
      }
      due.shift()
      if (next.atMs < timerAtMs) moveTo(next.atMs)
      next.callback()
      return true
    },
  }
}

/** Lets everything happen that can happen without time passing: all work of the system is in promises, and these all come first. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
