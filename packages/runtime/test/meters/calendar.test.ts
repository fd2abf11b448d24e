import { type CalendarUnit, CALENDAR_UNITS } from '@tidegate/kernel'
import { table } from '@tidegate/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCalendar } from '../../src/meters/index.ts'

const cases = table(`
  zone          | unit  | at                   | start                | why
  UTC           | hour  | 2026-07-01T10:59:59Z | 2026-07-01T10:00:00Z | the hour
  UTC           | day   | 2026-07-01T23:59:59Z | 2026-07-01T00:00:00Z | the day
  UTC           | week  | 2026-07-05T12:00:00Z | 2026-06-29T00:00:00Z | a Sunday belongs to the Monday before it
  UTC           | week  | 2026-07-06T00:00:00Z | 2026-07-06T00:00:00Z | Monday begins the week
  UTC           | month | 2026-02-28T12:00:00Z | 2026-02-01T00:00:00Z | the month
  Asia/Shanghai | day   | 2026-07-01T15:59:59Z | 2026-06-30T16:00:00Z | midnight is there, not here
  Asia/Shanghai | day   | 2026-07-01T16:00:00Z | 2026-07-01T16:00:00Z | and then it is the next day
  Asia/Kolkata  | hour  | 2026-07-01T10:15:00Z | 2026-07-01T09:30:00Z | half an hour off
  Europe/Dublin | day   | 2026-03-29T22:59:59Z | 2026-03-29T00:00:00Z | a day of 23 hours
  Europe/Dublin | day   | 2026-10-25T23:59:59Z | 2026-10-24T23:00:00Z | a day of 25 hours
  Europe/Dublin | month | 2026-10-31T12:00:00Z | 2026-09-30T23:00:00Z | the month began in summer time
  America/Havana | day  | 2026-03-08T12:00:00Z | 2026-03-08T05:00:00Z | a day without a midnight
`)

describe('a calendar', () => {
  test.each(cases)('$zone, $unit of $at: $why', ({ zone = '', unit, at = '', start = '' }) => {
    const calendar = createCalendar(zone)
    expect(new Date(calendar(unit as CalendarUnit, Date.parse(at))).toISOString()).toBe(new Date(start).toISOString())
  })

  test('law: what it remembers changes nothing, and a later moment never begins earlier', () => {
    const from = Date.UTC(2026, 0, 1)
    const moments = fc.array(fc.nat(300 * 86_400_000), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(fc.constantFrom(...CALENDAR_UNITS), moments, (unit, list) => {
        const one = createCalendar('Europe/Dublin')
        const starts = list.map((ms) => ({ at: from + ms, start: one(unit, from + ms) }))
        for (const { at, start } of starts) {
          expect(createCalendar('Europe/Dublin')(unit, at)).toBe(start)
          expect(start).toBeLessThanOrEqual(at)
          expect(one(unit, start)).toBe(start)
        }
        const inOrder = starts.toSorted((a, b) => a.at - b.at).map(({ start }) => start)
        expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b))
      }),
      { numRuns: 25 },
    )
  })
})
