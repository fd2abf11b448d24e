/** Days from the first day of March of the year 0 to the first of January 1970. */
const DAYS_TO_1970 = 719_468

/** The number of a day of the Gregorian calendar, counted from 1970-01-01; undefined for what is no day. Years 1 to 9999. */
export function dayNumber(iso: string): number | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(iso)
  if (match === null) return undefined
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number]
  const n = countDays(year, month, day)
  // The thirtieth of February has a number too, but it is that of another day.
  return year > 0 && isoDay(n) === iso ? n : undefined
}

/** The day with a number, as `2024-05-15`. */
export function isoDay(n: number): string {
  // A year that starts in March ends with the day that leap years add. Each year is looked for from the estimate downwards.
  const days = n + DAYS_TO_1970
  let year = Math.floor(days / 365.2425) + 1
  while (daysBefore(year) > days) year--
  const inYear = days - daysBefore(year)
  const month = Math.floor((5 * inYear + 2) / 153)
  const day = inYear - Math.floor((153 * month + 2) / 5) + 1
  const civilMonth = month < 10 ? month + 3 : month - 9
  const civilYear = civilMonth <= 2 ? year + 1 : year
  return [String(civilYear).padStart(4, '0'), String(civilMonth).padStart(2, '0'), String(day).padStart(2, '0')].join('-')
}

/** The day of the week of a day: 0 is Sunday. */
export function weekdayOf(n: number): number {
  return (((n + 4) % 7) + 7) % 7
}

function countDays(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year
  const marchMonth = month > 2 ? month - 3 : month + 9
  return daysBefore(marchYear) + Math.floor((153 * marchMonth + 2) / 5) + day - 1 - DAYS_TO_1970
}

/** The days before the first of March of a year. */
function daysBefore(year: number): number {
  return 365 * year + Math.floor(year / 4) - Math.floor(year / 100) + Math.floor(year / 400)
}
