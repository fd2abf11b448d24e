import { extensionFailure } from './failure.ts'
import { longOf } from './long.ts'
import { Decimal } from './value.ts'

/** Digits of any script: Cedar's pattern takes them, and then fails to read them as a number. */
const DECIMAL = /^(-?\p{Nd}+)\.(\p{Nd}+)$/u
const MAX_FRACTION = 4
const SCALE = 10_000n
/** No integer part of 64 bits has more digits, leading zeros aside. */
const MAX_DIGITS = 19

/**
 * Parses `12.34`: digits on both sides of the point, four at most behind it, from -922337203685477.5808 to 922337203685477.5807.
 *
 * Fails with an evaluation failure, in Cedar's words.
 */
export function parseDecimal(text: string): Decimal {
  const match = DECIMAL.exec(text)
  const whole = match?.[1]
  const fraction = match?.[2]
  if (whole === undefined || fraction === undefined) throw fail(`\`${text}\` is not a well-formed decimal value`)
  const integer = parseInteger(whole)
  if (integer === undefined || longOf(integer * SCALE) === undefined) throw fail('overflow when converting to decimal')
  if (!isAscii(fraction) || fraction.length > MAX_FRACTION) {
    if (fraction.length * (isAscii(fraction) ? 1 : 2) > MAX_FRACTION)
      throw fail(`too many digits after the decimal in \`${text}\``)
    throw fail('overflow when converting to decimal')
  }
  const tail = BigInt(fraction.padEnd(MAX_FRACTION, '0'))
  const scaled = longOf(whole.startsWith('-') ? integer * SCALE - tail : integer * SCALE + tail)
  if (scaled === undefined) throw fail('overflow when converting to decimal')
  return new Decimal(scaled)
}

/** A decimal as text, with its four digits. */
export function decimalText(decimal: Decimal): string {
  const scaled = BigInt(decimal.scaled)
  const size = scaled < 0n ? -scaled : scaled
  return `${scaled < 0n ? '-' : ''}${size / SCALE}.${String(size % SCALE).padStart(MAX_FRACTION, '0')}`
}

function parseInteger(text: string): bigint | undefined {
  const digits = text.replace(/^-/, '').replace(/^0+(?=.)/, '')
  if (!isAscii(digits) || digits.length > MAX_DIGITS) return undefined
  return text.startsWith('-') ? -BigInt(digits) : BigInt(digits)
}

function isAscii(digits: string): boolean {
  return /^[0-9]+$/.test(digits)
}

function fail(message: string) {
  return extensionFailure('decimal', message)
}
