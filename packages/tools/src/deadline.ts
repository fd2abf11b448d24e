/** How long after the deadline an answer is still heard: whoever was interrupted may know better than a clock what happened. */
const GRACE_MS = 50

/** What became of work with a deadline. */
export type Timed<T> =
  | { readonly kind: 'answered'; readonly value: T }
  | { readonly kind: 'threw'; readonly error: unknown }
  | { readonly kind: 'late' }

/**
 * Runs work until its deadline: aborts its signal then, waits 50 ms for a last word, and gives it up.
 *
 * Never rejects. Work that is given up may go on in the background; nothing it answers or throws is heard any more.
 */
export function runUntil<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<Timed<T>> {
  const controller = new AbortController()
  return new Promise((resolve) => {
    let timer = setTimeout(() => {
      timer = setTimeout(() => resolve({ kind: 'late' }), GRACE_MS)
      controller.abort(new DOMException('The time for this call is up.', 'TimeoutError'))
    }, timeoutMs)
    const settle = (timed: Timed<T>) => {
      clearTimeout(timer)
      resolve(timed)
    }
    const started = async () => await work(controller.signal)
    started().then(
      (value) => settle({ kind: 'answered', value }),
      (error: unknown) => settle(controller.signal.aborted ? { kind: 'late' } : { kind: 'threw', error }),
    )
  })
}
