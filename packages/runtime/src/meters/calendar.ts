import type { CalendarUnit, MeterCalendar } from '@tidegate/kernel'

/** Time zones differ from UTC by multiples of a quarter of an hour, so every hour, day, week and month begins with one. */
const QUARTER_MS = 900_000
/** No unit is longer. */
const LONGEST_QUARTERS = 32 * 96
const DAY_MS = 86_400_000

interface Span {
  readonly first: number
  /** The last quarter that is known to belong to it. */
  last: number
  readonly label: string
}

/**
 * Creates the calendar of one time zone (IANA, such as `Europe/Dublin`): when the hour, day, week (from Monday) or month of a
 * moment began, also where the clocks change. Deterministic as long as the zone's rules are the same.
 *
 * @throws RangeError for a time zone that nobody knows.
 */
export function createCalendar(timeZone: string): MeterCalendar {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
  })
  const known = new Map<CalendarUnit, Span>()

  function labelOf(unit: CalendarUnit, quarter: number): string {
    const parts = format.formatToParts(quarter * QUARTER_MS)
    const [year, month, day, hour] = ['year', 'month', 'day', 'hour'].map((name) => {
      return Number(parts.find(({ type }) => type === name)?.value)
    })
    if (unit === 'month') return `${year}-${month}`
    const dayNumber = Math.floor(Date.UTC(year ?? 0, (month ?? 1) - 1, day) / DAY_MS)
    if (unit === 'week') return String(Math.floor((dayNumber + 3) / 7)) // 1 January 1970 was a Thursday
    return unit === 'day' ? String(dayNumber) : `${dayNumber}-${hour}`
  }

  /** The first quarter that has the label of the given one: everything between the two has it, too. */
  function spanOf(unit: CalendarUnit, quarter: number): Span {
    const label = labelOf(unit, quarter)
    let outside = quarter - LONGEST_QUARTERS
    let first = quarter
    while (first - outside > 1) {
      const middle = Math.floor((outside + first) / 2)
      if (labelOf(unit, middle) === label) first = middle
      else outside = middle
    }
    return { first, last: quarter, label }
  }

  return (unit, atMs) => {
    const quarter = Math.floor(atMs / QUARTER_MS)
    let span = known.get(unit)
    if (span === undefined || quarter < span.first || quarter > span.last) {
      if (span !== undefined && quarter > span.last && labelOf(unit, quarter) === span.label) span.last = quarter
      else {
        const other = spanOf(unit, quarter)
        if (span === undefined || quarter > span.last) known.set(unit, other) // an older moment does not push out the present
        span = other
      }
    }
    return span.first * QUARTER_MS
  }
}
