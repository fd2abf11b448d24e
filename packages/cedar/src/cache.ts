/** Keys longer than this are not worth keeping. */
const MAX_KEY_LENGTH = 4_096

/** A bounded map from questions to answers. */
export interface AnswerCache<T> {
  /** The answer to the question with this key: a kept one, or a new one, which is kept unless computing it throws. */
  answer(key: string, compute: () => T): T
  readonly size: number
}

/**
 * Creates a cache of at most `capacity` answers; the one that was put in first is the first to go. 0 keeps nothing.
 *
 * Exact as long as the key says everything that the answer depends on and the answer does not change with time.
 */
export function createAnswerCache<T>(capacity: number): AnswerCache<T> {
  const kept = new Map<string, T>()
  return {
    get size() {
      return kept.size
    },
    answer(key, compute) {
      const known = kept.get(key)
      if (known !== undefined) return known
      const answer = compute()
      if (capacity === 0 || key.length > MAX_KEY_LENGTH) return answer
      const oldest = kept.keys().next()
      if (kept.size >= capacity && !oldest.done) kept.delete(oldest.value)
      kept.set(key, answer)
      return answer
    },
  }
}
