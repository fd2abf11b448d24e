import type { TimeFacts } from '@tidegate/kernel'

/** The time of a decision as policies see it, in the time zone of the project. */
export type FindTimeFacts = (nowMs: number) => TimeFacts

/** Time zones differ from UTC by multiples of a quarter of an hour, and change at one: within it, hour and weekday stay. */
const QUARTER_MS = 900_000
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

/**
 * Creates a source of time facts for one time zone (IANA, such as `Europe/Dublin`). Pure but for a cache of the current quarter of an
 * hour: the same moment gives the same facts, as long as the zone's rules are the same.
 *
 * @throws RangeError for a time zone that nobody knows; the configuration is checked before.
 */
export function createTimeFacts({ timeZone }: { readonly timeZone: string }): FindTimeFacts {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', hourCycle: 'h23', weekday: 'short' })
  let quarter = Number.NaN
  let hour = 0
  let weekday = 0
  return (nowMs) => {
    const current = Math.floor(nowMs / QUARTER_MS)
    if (current !== quarter) {
      const parts = format.formatToParts(nowMs)
      hour = Number(parts.find(({ type }) => type === 'hour')?.value)
      weekday = WEEKDAYS.indexOf(parts.find(({ type }) => type === 'weekday')?.value ?? '') + 1
      quarter = current
    }
    return { nowMs, hour, weekday }
  }
}
