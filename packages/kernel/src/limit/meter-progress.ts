/** How far a journal is folded, when its entries may come a little out of order. */
export interface FoldProgress {
  /** Every entry before this index was added. */
  readonly next: number
  readonly isWhole: boolean
  add(index: number): void
}

/** So many entries may be ahead of a missing one; beyond that it is missing for good. */
const AHEAD_MAX = 10_000

/** Starts at an index: everything before it is there. */
export function createProgress(start: number): FoldProgress {
  const ahead = new Set<number>()
  let next = start
  let isLost = false
  return {
    get next() {
      return next
    },
    get isWhole() {
      return !isLost && ahead.size === 0
    },
    add(index) {
      if (index > next && !isLost) {
        isLost = ahead.size >= AHEAD_MAX
        if (isLost) ahead.clear()
        else ahead.add(index)
      }
      if (index === next) for (next += 1; ahead.delete(next); next++);
    },
  }
}
