const MAX_WAIT_MS = 86_400_000

/** `Sun, 06 Nov 1994 08:49:37 GMT`, the only form that RFC 9110 lets a sender write today. */
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/**
 * Reads how long an endpoint wants to be left alone: `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), or the
 * `retry-after-ms` that OpenAI sends beside it.
 *
 * The endpoint controls it. A date in the past is 0, more than a day counts as a day, and what is neither is ignored.
 */
export function parseRetryAfter(
  headers: { readonly retryAfter: string | undefined; readonly retryAfterMs: string | undefined },
  nowMs: number,
): number | undefined {
  const precise = headers.retryAfterMs?.trim()
  if (precise !== undefined && /^\d{1,12}(?:\.\d{1,6})?$/.test(precise)) return bounded(Number(precise))
  const text = headers.retryAfter?.trim()
  if (text === undefined) return undefined
  if (/^\d{1,12}$/.test(text)) return bounded(Number(text) * 1000)
  const date = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? undefined : bounded(date - nowMs)
}

function bounded(waitMs: number): number {
  return Math.ceil(Math.min(Math.max(waitMs, 0), MAX_WAIT_MS))
}
