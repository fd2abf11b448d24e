const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

/** A duration in its largest unit: `340 ms`, `12 s`, `3 min`, `2 h`, `5 d`. */
export function renderDuration(ms: number): string {
  const found = UNITS.find(([, size]) => ms >= size)
  if (found === undefined) return `${ms < 10 ? Math.round(ms * 100) / 100 : Math.round(ms)} ms`
  const [unit, size] = found
  return `${Math.floor(ms / size)} ${unit}`
}

/** How long ago, or in how long. */
export function renderWhen(atMs: number, nowMs: number): string {
  const ms = nowMs - atMs
  if (Math.abs(ms) < 1_000) return 'now'
  return ms > 0 ? `${renderDuration(ms)} ago` : `in ${renderDuration(-ms)}`
}
