/**
 * Tells the time and wakes people up. The only source of time in the system.
 *
 * `nowMs` may jump in either direction (NTP, suspended machines); whoever needs an order uses the journal's time, which never goes
 * back.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  nowMs(): number
  /** Milliseconds since some moment, with fractions; never goes back. For measuring, not for telling the time. */
  monotonicMs(): number
  /** Calls back once, at or after the given time. The answer cancels it. */
  at(timeMs: number, callback: () => void): () => void
}
