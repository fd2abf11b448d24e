/** The part of an exchange that takes too long. */
export type Phase = 'connect' | 'headers' | 'body' | 'total'

/** Times the phases of one exchange. Its signal aborts when one of them, or the whole, or the caller's patience is over. */
export interface Watch {
  readonly signal: AbortSignal
  /** Starts the time of a phase; the one before it is over. */
  enter(phase: Phase, ms: number): void
  /** What ran out, once the signal has aborted; `total` when the caller gave up. */
  expired(): Phase | undefined
  /** Waits for a promise no longer than the signal allows; rejects when it aborts. */
  within<T>(promise: Promise<T>): Promise<T>
  end(): void
}

/** Starts a watch over an exchange of at most `totalMs`, which the caller's signal may end at any time. */
export function startWatch(caller: AbortSignal, totalMs: number): Watch {
  const controller = new AbortController()
  let phaseTimer: ReturnType<typeof setTimeout> | undefined
  let expired: Phase | undefined
  const expire = (phase: Phase) => {
    expired ??= phase
    controller.abort(new DOMException(`The time for ${phase} is up.`, 'TimeoutError'))
  }
  const onCaller = () => expire('total')
  const totalTimer = setTimeout(onCaller, totalMs)
  caller.addEventListener('abort', onCaller, { once: true })
  if (caller.aborted) onCaller()
  return {
    signal: controller.signal,
    enter(phase, ms) {
      clearTimeout(phaseTimer)
      phaseTimer = setTimeout(() => expire(phase), ms)
    },
    expired: () => expired,
    within: (promise) =>
      new Promise((resolve, reject) => {
        const stop = () => reject(controller.signal.reason)
        if (controller.signal.aborted) stop()
        controller.signal.addEventListener('abort', stop, { once: true })
        promise.then(resolve, reject).finally(() => controller.signal.removeEventListener('abort', stop))
      }),
    end() {
      clearTimeout(phaseTimer)
      clearTimeout(totalTimer)
      caller.removeEventListener('abort', onCaller)
    },
  }
}
