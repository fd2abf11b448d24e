/** How the choices of some variables are gone through. */
export interface Tour {
  /** For each variable the number of its choice; 0 is the neutral one. */
  readonly points: Iterable<readonly number[]>
  /** True when every combination is among them. */
  readonly exhaustive: boolean
}

/**
 * Goes through combinations of choices, at most `budget` of them: all, when they are that few; otherwise the neutral one, every single
 * choice, every pair, and then a spread over the rest. Deterministic: the same sizes give the same points.
 */
export function tourOf(sizes: readonly number[], budget: number): Tour {
  const total = sizes.reduce((product, size) => product * size, 1)
  if (total <= budget) return { points: everyPoint(sizes, total), exhaustive: true }
  return { points: limited(somePoints(sizes, total), budget), exhaustive: false }
}

function* everyPoint(sizes: readonly number[], total: number): Generator<readonly number[]> {
  for (let n = 0; n < total; n += 1) yield pointAt(sizes, n)
}

function* somePoints(sizes: readonly number[], total: number): Generator<readonly number[]> {
  const neutral = sizes.map(() => 0)
  yield neutral
  for (const [i, size] of sizes.entries()) for (let a = 1; a < size; a += 1) yield neutral.with(i, a)
  for (const [i, size] of sizes.entries()) {
    for (const [j, other] of sizes.slice(i + 1).entries()) {
      for (let a = 1; a < size; a += 1) for (let b = 1; b < other; b += 1) yield neutral.with(i, a).with(i + 1 + j, b)
    }
  }
  // A step that shares no factor with small sizes spreads over all combinations; sizes are small numbers.
  const step = Math.max(1, Math.floor(total * 0.618_033_988_75)) | 1
  for (let n = 0, at = step % total; n < total; n += 1, at = (at + step) % total) yield pointAt(sizes, at)
}

function* limited(points: Iterable<readonly number[]>, budget: number): Generator<readonly number[]> {
  let left = budget
  for (const point of points) {
    if (left <= 0) return
    left -= 1
    yield point
  }
}

function pointAt(sizes: readonly number[], index: number): readonly number[] {
  let rest = index
  return sizes.map((size) => {
    const choice = rest % size
    rest = Math.floor(rest / size)
    return choice
  })
}
