import { durationIn, durationSince, offsetBy, parseDatetime, parseDuration, toDate, toTime } from './datetime.ts'
import { parseDecimal } from './decimal.ts'
import { typeFailure } from './failure.ts'
import { IpAddr, isInRange, isLoopback, isMulticast, parseIp } from './ip.ts'
import { Datetime, Decimal, Duration, type Value } from './value.ts'

/** An extension function: how many values it takes, and what it makes of them. `predicate` says that it answers yes or no. */
export type ExtensionFunction =
  | { readonly arity: 1; readonly predicate: boolean; readonly call: (value: Value) => Value }
  | { readonly arity: 2; readonly predicate: boolean; readonly call: (left: Value, right: Value) => Value }

/** Every extension function of the language by its name. */
export const EXTENSION_FUNCTIONS: ReadonlyMap<string, ExtensionFunction> = new Map<string, ExtensionFunction>([
  ['decimal', unary((value) => parseDecimal(text(value)))],
  ['lessThan', compare((left, right) => left < right)],
  ['lessThanOrEqual', compare((left, right) => left <= right)],
  ['greaterThan', compare((left, right) => left > right)],
  ['greaterThanOrEqual', compare((left, right) => left >= right)],
  ['ip', unary((value) => parseIp(text(value)))],
  ['isIpv4', test((value) => ip(value).version === 4)],
  ['isIpv6', test((value) => ip(value).version === 6)],
  ['isLoopback', test((value) => isLoopback(ip(value)))],
  ['isMulticast', test((value) => isMulticast(ip(value)))],
  ['isInRange', { arity: 2, predicate: true, call: (left, right) => isInRange(ip(left), ip(right)) }],
  ['datetime', unary((value) => parseDatetime(text(value)))],
  ['duration', unary((value) => parseDuration(text(value)))],
  ['offset', { arity: 2, predicate: false, call: (left, right) => offsetBy(datetime(left), duration(right)) }],
  ['durationSince', { arity: 2, predicate: false, call: (left, right) => durationSince(datetime(left), datetime(right)) }],
  ['toDate', unary((value) => toDate(datetime(value)))],
  ['toTime', unary((value) => toTime(datetime(value)))],
  ['toMilliseconds', unary((value) => durationIn(duration(value), 'milliseconds'))],
  ['toSeconds', unary((value) => durationIn(duration(value), 'seconds'))],
  ['toMinutes', unary((value) => durationIn(duration(value), 'minutes'))],
  ['toHours', unary((value) => durationIn(duration(value), 'hours'))],
  ['toDays', unary((value) => durationIn(duration(value), 'days'))],
])

function unary(call: (value: Value) => Value): ExtensionFunction {
  return { arity: 1, predicate: false, call }
}

function test(call: (value: Value) => boolean): ExtensionFunction {
  return { arity: 1, predicate: true, call }
}

function compare(isTrue: (left: number | bigint, right: number | bigint) => boolean): ExtensionFunction {
  return { arity: 2, predicate: true, call: (left, right) => isTrue(decimal(left).scaled, decimal(right).scaled) }
}

function text(value: Value): string {
  if (typeof value === 'string') return value
  throw typeFailure(['string'], value)
}

function decimal(value: Value): Decimal {
  if (value instanceof Decimal) return value
  throw typeFailure(['decimal'], value)
}

function ip(value: Value): IpAddr {
  if (value instanceof IpAddr) return value
  throw typeFailure(['ipaddr'], value)
}

function datetime(value: Value): Datetime {
  if (value instanceof Datetime) return value
  throw typeFailure(['datetime'], value)
}

function duration(value: Value): Duration {
  if (value instanceof Duration) return value
  throw typeFailure(['duration'], value)
}
