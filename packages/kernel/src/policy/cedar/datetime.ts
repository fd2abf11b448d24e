import { extensionFailure } from './failure.ts'
import { addLong, divideLong, longOf, remainderLong, subtractLong } from './long.ts'
import { Datetime, Duration, type Long } from './value.ts'

const DATE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})/
const TIME = /^T([0-9]{2}):([0-9]{2}):([0-9]{2})/
const FRACTION_AND_ZONE = /^(?:\.([0-9]{3}))?(?:Z|([+-])([0-9]{2})([0-9]{2}))$/
const DURATION = /^(-)?(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?(?:([0-9]+)ms)?$/
const MILLISECONDS = [86_400_000n, 3_600_000n, 60_000n, 1000n, 1n]
const SECOND_MS = 1000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
/** No number of 64 bits has more digits, leading zeros aside. */
const MAX_DIGITS = 20

/**
 * Parses `2026-11-20`, or that with `T12:30:00Z`, `T12:30:00.250Z` or an offset such as `+0100` for the `Z`. Leap seconds and the
 * hour 24 do not exist.
 *
 * Fails with an evaluation failure, in Cedar's words: the form is checked first, then the meaning, both from left to right.
 */
export function parseDatetime(text: string): Datetime {
  const date = DATE.exec(text)
  if (date === null) throw failDatetime('invalid date pattern')
  if (date[0].length === text.length) return new Datetime(dateMs(date))
  const afterDate = text.slice(date[0].length)
  const time = TIME.exec(afterDate)
  if (time === null) throw failDatetime('invalid hour/minute/second pattern')
  const rest = FRACTION_AND_ZONE.exec(afterDate.slice(time[0].length))
  if (rest === null) throw failDatetime('invalid millisecond and/or offset pattern')
  const day = dateMs(date)
  const [hour, minute, second] = [Number(time[1]), Number(time[2]), Number(time[3])]
  if (hour > 23 || minute > 59 || second > 59) throw failDatetime(`invalid hour/minute/second: ${time[0].slice(1)}`)
  const [offsetHour, offsetMinute] = [Number(rest[3] ?? 0), Number(rest[4] ?? 0)]
  if (offsetHour > 23 || offsetMinute > 59) throw failDatetime(`invalid offset range: ${offsetHour}${offsetMinute}`)
  const offset = (rest[2] === '-' ? -1 : 1) * (offsetHour * HOUR_MS + offsetMinute * MINUTE_MS)
  return new Datetime(day + hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + Number(rest[1] ?? 0) - offset)
}

/**
 * Parses `1d2h3m4s5ms`: at least one part, in this order, with an optional minus in front.
 *
 * Fails with an evaluation failure, in Cedar's words.
 */
export function parseDuration(text: string): Duration {
  const match = DURATION.exec(text)
  const parts = match?.slice(2)
  if (parts === undefined || parts.every((part) => part === undefined)) throw failDuration('invalid duration pattern')
  const size = MILLISECONDS.reduce((sum, unit, index) => sum + unit * parseNumber(parts[index] ?? '0'), 0n)
  const ms = longOf(match?.[1] === undefined ? size : -size)
  if (ms === undefined) throw failDuration('Duration overflows internal representation')
  return new Duration(ms)
}

/** The point in time that is a duration later. */
export function offsetBy(datetime: Datetime, duration: Duration): Datetime {
  const epochMs = addLong(datetime.epochMs, duration.ms)
  if (epochMs !== undefined) return new Datetime(epochMs)
  throw extensionFailure('offset', `overflows when adding an offset: ${datetimeText(datetime)}+(${duration.ms}ms)`)
}

/** The time from the other point to this one. */
export function durationSince(datetime: Datetime, other: Datetime): Duration {
  const ms = subtractLong(datetime.epochMs, other.epochMs)
  if (ms !== undefined) return new Duration(ms)
  const message = `overflows when computing the duration between ${datetimeText(datetime)} and ${datetimeText(other)}`
  throw extensionFailure('durationSince', message)
}

/** Midnight (UTC) of the day. */
export function toDate(datetime: Datetime): Datetime {
  const epochMs = subtractLong(datetime.epochMs, remainderLong(datetime.epochMs, DAY_MS))
  if (epochMs !== undefined) return new Datetime(epochMs)
  throw extensionFailure('toDate', `overflows when computing the date of ${datetimeText(datetime)}`)
}

/** The time since midnight (UTC). */
export function toTime(datetime: Datetime): Duration {
  return new Duration(remainderLong(datetime.epochMs, DAY_MS))
}

/** How often the unit fits into the duration, rounded towards zero. */
export function durationIn(duration: Duration, unit: 'milliseconds' | 'seconds' | 'minutes' | 'hours' | 'days'): Long {
  const units = { milliseconds: 1, seconds: SECOND_MS, minutes: MINUTE_MS, hours: HOUR_MS, days: DAY_MS }
  return divideLong(duration.ms, units[unit])
}

/** As an expression of the language, which is how Cedar writes a point in time that was computed. */
export function datetimeText(datetime: Datetime): string {
  return `datetime("1970-01-01").offset(duration("${datetime.epochMs}ms"))`
}

/** Milliseconds since 1970 of a date in the Gregorian calendar, which is extended backwards to the year 0. */
function dateMs(match: RegExpExecArray): number {
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) throw failDatetime(`invalid date: ${match[0]}`)
  const before = year - 1
  const leapDays = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400)
  let days = before * 365 + leapDays - DAYS_TO_1970
  for (let earlier = 1; earlier < month; earlier += 1) days += daysOf(year, earlier)
  return (days + day - 1) * DAY_MS
}

/** Days from the first day of the year 1 to the first of 1970. */
const DAYS_TO_1970 = 719_162

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

function parseNumber(text: string): bigint {
  const digits = text.replace(/^0+(?=.)/, '')
  if (digits.length > MAX_DIGITS) throw failDuration('Duration overflows internal representation')
  return BigInt(digits)
}

function failDatetime(message: string) {
  return extensionFailure('datetime', message)
}

function failDuration(message: string) {
  return extensionFailure('duration', message)
}
