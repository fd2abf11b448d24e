import { dayNumber, isoDay, weekdayOf } from './calendar.ts'

/** The dates, times of day and lengths of time that texts speak of, in canonical form. */
export interface Moments {
  /** `2024-05-15`, and `--05-15` for one without a year. */
  readonly days: ReadonlySet<string>
  /** `14:30`. */
  readonly times: ReadonlySet<string>
  /** In minutes, at most four weeks. */
  readonly spans: readonly number[]
}

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')
const WEEKDAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ')
const MONTH = '(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\\.?'
const ISO = /(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)/g
const MONTH_FIRST = new RegExp(`\\b${MONTH}\\s+(\\d{1,2})(?:st|nd|rd|th)?\\b(?:,?\\s+(\\d{4})\\b)?`, 'gi')
const DAY_FIRST = new RegExp(`\\b(\\d{1,2})(?:st|nd|rd|th)?\\s+(?:of\\s+)?${MONTH}(?:,?\\s+(\\d{4})\\b)?`, 'gi')
const NUMERIC = /(?<![\d/])(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?![\d/])/g
const CLOCK = /(?<![\d:])(\d{1,2})(?::(\d{2}))?(?::\d{2})?\s?([ap])\.?m\b|(?<![\d:])(\d{1,2}):(\d{2})(?!\d)/gi
const SPAN =
  /\b(\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|half an)[\s-]?(minute|min|hour|hr|day|night|week)s?\b/gi
const COUNTS: Readonly<Record<string, number>> = {
  a: 1,
  an: 1,
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  'half an': 0.5,
}
const MINUTES: Readonly<Record<string, number>> = { minute: 1, min: 1, hour: 60, hr: 60, day: 1440, night: 1440, week: 10_080 }

/** Finds the moments of a text. `today` (an ISO date from a trusted source) gives relative words a meaning; without it they have none. */
export function momentsIn(text: string, today: readonly string[]): Moments {
  const days = new Set<string>()
  for (const [, year, month, day] of text.matchAll(ISO)) days.add(`${year}-${month}-${day}`)
  for (const [, month = '', day = '', year] of text.matchAll(MONTH_FIRST)) days.add(dayOf(year, monthOf(month), day))
  for (const [, day = '', month = '', year] of text.matchAll(DAY_FIRST)) days.add(dayOf(year, monthOf(month), day))
  for (const [, a = '', b = '', year] of text.matchAll(NUMERIC)) {
    if (Number(a) > 12) days.add(dayOf(year, b, a))
    else if (Number(b) > 12 || a === b) days.add(dayOf(year, a, b))
  }
  for (const day of today) for (const near of relativeDays(text.toLowerCase(), day)) days.add(near)
  const spans = [...text.matchAll(SPAN)].map(([, count = '', unit = '']) => {
    const n = COUNTS[count.toLowerCase()] ?? Number(count)
    return n * (MINUTES[unit.toLowerCase()] ?? 0)
  })
  return { days, times: timesIn(text), spans: spans.filter((span) => span > 0 && span <= 40_320).slice(0, 16) }
}

function timesIn(text: string): ReadonlySet<string> {
  const times = new Set<string>()
  for (const [, hour, minute = '00', half = '', plainHour = '', plainMinute = ''] of text.matchAll(CLOCK)) {
    if (hour === undefined) times.add(`${plainHour.padStart(2, '0')}:${plainMinute}`)
    else times.add(`${String((Number(hour) % 12) + (half.toLowerCase() === 'p' ? 12 : 0)).padStart(2, '0')}:${minute}`)
  }
  if (/\b(?:noon|midday)\b/i.test(text)) times.add('12:00')
  if (/\bmidnight\b/i.test(text)) times.add('00:00')
  return times
}

function monthOf(name: string): string {
  return String(MONTHS.indexOf(name.slice(0, 3).toLowerCase()) + 1)
}

function dayOf(year: string | undefined, month: string, day: string): string {
  return `${year ?? '-'}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
}

function relativeDays(text: string, today: string): readonly string[] {
  const now = dayNumber(today)
  if (now === undefined) return []
  const found: string[] = []
  if (/\b(?:today|tonight|this (?:morning|afternoon|evening))\b/.test(text)) found.push(isoDay(now))
  if (/\btomorrow\b/.test(text)) found.push(isoDay(now + 1))
  if (/\byesterday\b/.test(text)) found.push(isoDay(now - 1))
  for (const [weekday, name] of WEEKDAYS.entries()) {
    if (!text.includes(name)) continue
    const next = now + ((weekday - weekdayOf(now) + 7) % 7)
    found.push(isoDay(next), isoDay(next + 7), isoDay(next - 7))
  }
  return found
}

/** A date, or a date with a time, as the arguments of operations spell them. */
const MOMENT = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/

/** True for a text that is a date or a date with a time, and nothing else. */
export function isMoment(text: string): boolean {
  return text.length <= 40 && MOMENT.test(text)
}

/** True when a date (with a time) is one that the moments name, or follows from one of them and a length of time that they name. */
export function isNamedMoment(text: string, moments: readonly Moments[]): boolean {
  const match = MOMENT.exec(text)
  if (match === null) return false
  const [, day = '', time] = match
  const spans = moments.flatMap((m) => m.spans)
  if (isNamed(day, time, moments)) return true
  const date = dayNumber(day)
  if (date === undefined) return false
  const end = date * DAY + minutesOf(time ?? '00:00')
  return spans.some((span) => {
    const start = end - span
    const startDay = isoDay(Math.floor(start / DAY))
    return isNamed(startDay, time === undefined ? undefined : clockOf(start - Math.floor(start / DAY) * DAY), moments)
  })
}

const DAY = 1440

function minutesOf(clock: string): number {
  return Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5))
}

function clockOf(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
}

function isNamed(day: string, time: string | undefined, moments: readonly Moments[]): boolean {
  const dayKnown = moments.some(({ days }) => days.has(day) || days.has(`--${day.slice(5)}`) || days.has(`-${day.slice(4)}`))
  return dayKnown && (time === undefined || moments.some(({ times }) => times.has(time)))
}
