import { ToolsHttpError } from './error.ts'

/** What one exchange may cost. */
export interface HttpLimits {
  /** Looking up the name, connecting and TLS together. */
  readonly connectMs: number
  /** From the request leaving to the last header. */
  readonly headersMs: number
  /** The longest silence within the body. */
  readonly bodyMs: number
  /** The whole exchange; the time-out of the operation ends it as well. */
  readonly totalMs: number
  readonly maxHeaderBytes: number
  readonly maxResponseBytes: number
  readonly maxRequestBytes: number
  /** How deep the JSON of an answer may nest. */
  readonly maxDepth: number
}

export const HTTP_LIMITS: HttpLimits = {
  connectMs: 5000,
  headersMs: 30_000,
  bodyMs: 10_000,
  totalMs: 60_000,
  maxHeaderBytes: 16_384,
  maxResponseBytes: 1_048_576,
  maxRequestBytes: 262_144,
  maxDepth: 32,
}

/** How high each limit may be set. */
const CEILINGS: HttpLimits = {
  connectMs: 60_000,
  headersMs: 300_000,
  bodyMs: 300_000,
  totalMs: 300_000,
  maxHeaderBytes: 65_536,
  maxResponseBytes: 16_777_216,
  maxRequestBytes: 16_777_216,
  maxDepth: 64,
}

/**
 * Fills in the limits that were left out.
 *
 * @throws ToolsHttpError `http_option` for a limit that is unknown, no whole number from 1, or too high.
 */
export function parseLimits(given: Partial<HttpLimits> = {}): HttpLimits {
  for (const [name, value] of Object.entries(given)) {
    const ceiling = Object.entries(CEILINGS).find(([known]) => known === name)?.[1]
    if (ceiling === undefined)
      throw new ToolsHttpError('http_option', `limits.${name} is no limit. Use one of ${Object.keys(CEILINGS).join(', ')}.`)
    if (!Number.isSafeInteger(value) || value < 1 || value > ceiling) {
      throw new ToolsHttpError('http_option', `limits.${name} must be a whole number from 1 to ${ceiling}.`)
    }
  }
  return { ...HTTP_LIMITS, ...given }
}
