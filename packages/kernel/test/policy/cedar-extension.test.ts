import { table } from '@tidegate/testkit'
import { describe, expect, test } from 'vitest'
import { both, outcomeOf, value } from './cedar-request.ts'

const made = (name: string, text = '') => ({ [name]: [value(text)] })

/** `yes` when both texts make the same value, `no` when different ones, or Cedar's reason for refusing the first. */
function compare(name: string, text = '', other = ''): string {
  return outcomeOf(both('==', made(name, text), made(name, other))).replace(
    /^extension: error while evaluating `[a-z]+` extension function: /,
    '',
  )
}

describe('decimals', () => {
  test.each(
    table(`
      text                   | same as               | outcome                                                        | why
      1.0                    | 1.0000                | yes                                                            | trailing zeros say nothing
      -0.0                   | 0.0                   | yes                                                            | there is one zero
      -1.5                   | -1.5000               | yes                                                            | the sign covers the fraction
      922337203685477.5807   | 922337203685477.5807  | yes                                                            | the largest
      -922337203685477.5808  | -922337203685477.5808 | yes                                                            | the smallest
      922337203685477.5808   | 0.0                   | overflow when converting to decimal                            | one past the largest
      -922337203685477.5809  | 0.0                   | overflow when converting to decimal                            | one past the smallest
      99999999999999999999.0 | 0.0                   | overflow when converting to decimal                            | far past it
      1.00000                | 0.0                   | too many digits after the decimal in \`1.00000\`               | five digits, though zeros
      1                      | 0.0                   | \`1\` is not a well-formed decimal value                       | no point
      1.                     | 0.0                   | \`1.\` is not a well-formed decimal value                      | nothing behind it
      .5                     | 0.0                   | \`.5\` is not a well-formed decimal value                      | nothing before it
      +1.0                   | 0.0                   | \`+1.0\` is not a well-formed decimal value                    | no plus
      1e3.0                  | 0.0                   | \`1e3.0\` is not a well-formed decimal value                   | no exponent
    `),
  )('$text: $why', ({ text, 'same as': other, outcome }) => expect(compare('decimal', text, other)).toBe(outcome))

  test.each([
    ['lessThan', '1.0', '1.0001', 'yes'],
    ['lessThan', '1.0', '1.0', 'no'],
    ['lessThanOrEqual', '1.0', '1.0', 'yes'],
    ['greaterThan', '-1.0', '-1.0001', 'yes'],
    ['greaterThanOrEqual', '922337203685477.5806', '922337203685477.5807', 'no'],
  ])('%s of %s and %s is %s', (method, left, right, outcome) => {
    expect(outcomeOf({ [method]: [made('decimal', left), made('decimal', right)] })).toBe(outcome)
  })
})

describe('addresses', () => {
  test.each(
    table(`
      text                                           | same as   | outcome                                                                                                                                              | why
      10.0.0.1                                       | 10.0.0.1/32 | yes                                                                                                                                                | a single address has the longest prefix
      10.0.0.1/24                                    | 10.0.0.0/24 | no                                                                                                                                                 | the address is kept as written
      ::1                                            | 0:0:0:0:0:0:0:1/128 | yes                                                                                                                                        | zeros in short
      1:2:3:4:5:6:7::                                | 1:2:3:4:5:6:7:0 | yes                                                                                                                                            | one group in short
      ABCD::                                         | abcd::    | yes                                                                                                                                                  | case says nothing
      1:2:3:4::5:6:7:8                               | ::1       | invalid IP address: 1:2:3:4::5:6:7:8                                                                                                                 | nothing left to be in short
      1::2::3                                        | ::1       | invalid IP address: 1::2::3                                                                                                                          | twice in short
      12345::                                        | ::1       | invalid IP address: 12345::                                                                                                                          | five digits
      01.2.3.4                                       | ::1       | invalid IP address: 01.2.3.4                                                                                                                         | leading zero
      256.0.0.1                                      | ::1       | invalid IP address: 256.0.0.1                                                                                                                        | past a byte
      1.2.3                                          | ::1       | invalid IP address: 1.2.3                                                                                                                            | three parts
      1.2.3.4/33                                     | ::1       | error parsing prefix: 33 is larger than the limit 32                                                                                                 | past the version
      ::/129                                         | ::1       | error parsing prefix: 129 is larger than the limit 128                                                                                               | past the version
      1.2.3.4/01                                     | ::1       | error parsing prefix \`01\`: leading zero(s)                                                                                                         | leading zero
      1.2.3.4/x                                      | ::1       | error parsing prefix \`x\`: encountered non-digit                                                                                                    | no number
      ::ffff:127.0.0.1                               | ::1       | error parsing IP address from string: We do not accept IPv4 embedded in IPv6 (e.g., ::ffff:127.0.0.1). Found: \`::ffff:127.0.0.1\`                   | two versions at once
      ABCD:EF01:2345:6789:ABCD:EF01:2345:6789/1280   | ::1       | error parsing IP address from string \`ABCD:EF01:2345:6789:ABCD:EF01:2345:6789/1280\`: string length is too large                                    | longer than any
    `),
  )('$text: $why', ({ text, 'same as': other, outcome }) => expect(compare('ip', text, other)).toBe(outcome))

  test.each(
    table(`
      method      | range          | other         | outcome | why
      isInRange   | 10.1.2.3       | 10.1.0.0/16   | yes     | inside
      isInRange   | 10.1.0.0/15    | 10.1.0.0/16   | no      | wider than the other
      isInRange   | 10.2.0.0/16    | 0.0.0.0/0     | yes     | everything
      isInRange   | ::ffff:7f00:1  | 127.0.0.0/8   | no      | another version
      isInRange   | fe80::1        | fe80::/10     | yes     | inside
      isLoopback  | 127.255.0.1    | -             | yes     | 127.0.0.0/8
      isLoopback  | 127.0.0.1/7    | -             | no      | not all of it
      isLoopback  | ::1/127        | -             | no      | not all of it
      isMulticast | 224.0.0.0/4    | -             | yes     | exactly
      isMulticast | 223.255.255.255 | -            | no      | just below
      isMulticast | ff00::/8       | -             | yes     | exactly
      isIpv4      | ::ffff:7f00:1  | -             | no      | as it is written
      isIpv6      | ::             | -             | yes     | as it is written
    `),
  )('$method of $range: $why', ({ method = '', range, other, outcome }) => {
    const args = other === '' ? [made('ip', range)] : [made('ip', range), made('ip', other)]
    expect(outcomeOf({ [method]: args })).toBe(outcome)
  })
})

describe('times', () => {
  test.each(
    table(`
      text                          | same as                  | outcome                                       | why
      2024-02-29                    | 2024-02-29T00:00:00Z     | yes                                           | a date is its midnight
      2024-03-01T00:59:59.999+0100  | 2024-02-29T23:59:59.999Z | yes                                           | an offset is ahead of UTC
      1970-01-01T00:00:00-2359      | 1970-01-01T23:59:00Z     | yes                                           | the widest offset
      0000-02-29                    | 0000-03-01T00:00:00+2359 | no                                            | the year 0 is a leap year
      2023-02-29                    | 1970-01-01               | invalid date: 2023-02-29                      | no leap year
      1900-02-29                    | 1970-01-01               | invalid date: 1900-02-29                      | no leap year either
      2024-13-01                    | 1970-01-01               | invalid date: 2024-13-01                      | thirteen months
      2024-1-1                      | 1970-01-01               | invalid date pattern                          | two digits
      2024-01-01 00:00:00           | 1970-01-01               | invalid hour/minute/second pattern            | a T
      2024-01-01T00:00:00           | 1970-01-01               | invalid millisecond and/or offset pattern     | no zone
      2024-01-01T00:00:00.5Z        | 1970-01-01               | invalid millisecond and/or offset pattern     | three digits
      2024-01-01T24:00:00Z          | 1970-01-01               | invalid hour/minute/second: 24:00:00          | no hour 24
      2024-01-01T23:59:60Z          | 1970-01-01               | invalid hour/minute/second: 23:59:60          | no leap second
      2024-01-01T00:00:00+2400      | 1970-01-01               | invalid offset range: 240                     | past a day
      2023-02-29T24:00:00           | 1970-01-01               | invalid millisecond and/or offset pattern     | form comes before meaning
    `),
  )('$text: $why', ({ text, 'same as': other, outcome }) => expect(compare('datetime', text, other)).toBe(outcome))

  test.each(
    table(`
      text                  | same as                | outcome                                     | why
      1d                    | 24h                    | yes                                         | units add up
      -1d2h3m4s5ms          | -93784005ms            | yes                                         | the minus covers all of it
      90m                   | 1h30m                  | yes                                         | parts are not capped
      -9223372036854775808ms | -9223372036854775808ms | yes                                        | the smallest
      9223372036854775808ms | 0ms                    | Duration overflows internal representation  | one past the largest
      106751991168d         | 0ms                    | Duration overflows internal representation  | past it in days
      1ms1s                 | 0ms                    | invalid duration pattern                    | largest unit first
      1x                    | 0ms                    | invalid duration pattern                    | no such unit
    `),
  )('$text: $why', ({ text, 'same as': other, outcome }) => expect(compare('duration', text, other)).toBe(outcome))

  const epoch = made('datetime', '1970-01-01')
  const smallest = { offset: [epoch, made('duration', '-9223372036854775808ms')] }
  test.each([
    [
      'the time of day before 1970',
      both('==', { toTime: [made('datetime', '1969-12-31T23:00:00Z')] }, made('duration', '23h')),
      'yes',
    ],
    [
      'the day before 1970',
      both('==', { toDate: [made('datetime', '1969-12-31T23:00:00Z')] }, made('datetime', '1969-12-31')),
      'yes',
    ],
    ['units round towards zero', both('==', { toSeconds: [made('duration', '-1999ms')] }, value(-1)), 'yes'],
    ['days of a duration', both('==', { toDays: [made('duration', '47h59m')] }, value(1)), 'yes'],
    ['between two points', both('==', { durationSince: [made('datetime', '1970-01-02'), epoch] }, made('duration', '1d')), 'yes'],
    ['earlier is less', both('<', made('datetime', '1969-12-31'), epoch), 'yes'],
  ])('%s', (_what, body, outcome) => expect(outcomeOf(body)).toBe(outcome))

  test.each([
    [{ offset: [{ offset: [epoch, made('duration', '9223372036854775807ms')] }, made('duration', '1ms')] }, 'offset'],
    [{ durationSince: [smallest, made('datetime', '1970-01-01T00:00:00.001Z')] }, 'durationSince'],
    [{ toDate: [smallest] }, 'toDate'],
  ])('past 64 bits fails: %j', (body, name) => {
    expect(outcomeOf(both('==', body, value(1)))).toContain(
      `extension: error while evaluating \`${name}\` extension function: overflows`,
    )
  })
})
