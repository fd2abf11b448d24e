import { EvaluationFailure, invalidValue, typeFailure } from './failure.ts'
import type { Long, Value } from './value.ts'

export const LONG_MIN = -9_223_372_036_854_775_808n
export const LONG_MAX = 9_223_372_036_854_775_807n

/** The one form of an integer, or undefined when it takes more than 64 bits. */
export function longOf(value: bigint): Long | undefined {
  if (value < LONG_MIN || value > LONG_MAX) return undefined
  const near = Number(value)
  return Number.isSafeInteger(near) ? near : value
}

/** The value if it is an integer; fails otherwise. */
export function asLong(value: Value): Long {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return value
    throw invalidValue(value)
  }
  if (typeof value === 'bigint') return value
  throw typeFailure(['long'], value)
}

/** The sum, difference or product of two integers, or undefined when it takes more than 64 bits. */
export function addLong(a: Long, b: Long): Long | undefined {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    if (Number.isSafeInteger(sum)) return sum
  }
  return longOf(BigInt(a) + BigInt(b))
}

export function subtractLong(a: Long, b: Long): Long | undefined {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b
    if (Number.isSafeInteger(difference)) return difference
  }
  return longOf(BigInt(a) - BigInt(b))
}

/** A product of doubles that is a safe integer is exact: were it rounded, it would be larger than any safe integer. */
export function multiplyLong(a: Long, b: Long): Long | undefined {
  if (typeof a === 'number' && typeof b === 'number') {
    const product = a * b
    if (Number.isSafeInteger(product)) return product === 0 ? 0 : product
  }
  return longOf(BigInt(a) * BigInt(b))
}

export function negateLong(a: Long): Long | undefined {
  return typeof a === 'number' ? 0 - a : longOf(-a)
}

/** The quotient, rounded towards zero. */
export function divideLong(a: Long, by: number): Long {
  if (typeof a === 'number') return Math.trunc(a / by) + 0
  return longOf(a / BigInt(by)) ?? a
}

/** The remainder of a division rounded down, so never negative. */
export function remainderLong(a: Long, by: number): number {
  const remainder = typeof a === 'number' ? a % by : Number(a % BigInt(by))
  return remainder < 0 ? remainder + by : remainder + 0
}

export function overflow(verb: 'add' | 'subtract' | 'multiply', a: Long, b: Long): EvaluationFailure {
  return new EvaluationFailure('overflow', `integer overflow while attempting to ${verb} the values \`${a}\` and \`${b}\``)
}

export function negationOverflow(a: Long): EvaluationFailure {
  return new EvaluationFailure('overflow', `integer overflow while attempting to negate the value \`${a}\``)
}
