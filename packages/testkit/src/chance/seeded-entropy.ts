import type { Entropy } from '@tidegate/kernel'

/** Chance that a seed repeats: numbers, choices, and bytes for the Entropy port. */
export interface Chance extends Entropy {
  /** 0 up to and not including 1. */
  next(): number
  /** A whole number from 0 up to and not including `below`. */
  below(below: number): number
  pick<T>(from: readonly T[]): T
  /** True about once in `times`. */
  oneIn(times: number): boolean
  /** Another sequence, so that drawing more here does not change what is drawn there. */
  fork(): Chance
}

/** Creates the sequence of a seed (mulberry32: small, fast, and good enough for choosing tests; never for keys). */
export function createChance(seed: number): Chance {
  let state = seed >>> 0

  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }

  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    next,
    below,
    bytes: (count) => Uint8Array.from({ length: count }, () => below(256)),
    pick(from) {
      const chosen = from[below(from.length)]
      if (chosen === undefined) throw new RangeError('There is nothing to pick from.')
      return chosen
    },
    oneIn: (times) => below(times) === 0,
    fork: () => createChance(below(0xffff_ffff)),
  }
}
