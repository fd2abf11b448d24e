/**
 * A breaker over one operation: after `threshold` failures in a row nothing is let through for `coolMs`, then one attempt decides.
 *
 * Only failures of the far side count (time-outs, unavailability), never a refusal that the call deserved.
 */
export interface Breaker {
  readonly failures: number
  readonly openUntilMs: number
}

export const CLOSED_BREAKER: Breaker = { failures: 0, openUntilMs: 0 }

export interface BreakerLimits {
  readonly threshold: number
  readonly coolMs: number
}

export const DEFAULT_BREAKER: BreakerLimits = { threshold: 5, coolMs: 30_000 }

/** The breaker after one more call. */
export function foldBreaker(
  breaker: Breaker,
  outcome: 'ok' | 'fault',
  nowMs: number,
  limits: BreakerLimits = DEFAULT_BREAKER,
): Breaker {
  if (outcome === 'ok') return CLOSED_BREAKER
  const failures = breaker.failures + 1
  return { failures, openUntilMs: failures >= limits.threshold ? nowMs + limits.coolMs : breaker.openUntilMs }
}

/** True while nothing may pass. After the cooling time one attempt passes and decides. */
export function isOpen(openUntilMs: number | undefined, nowMs: number): boolean {
  return openUntilMs !== undefined && nowMs < openUntilMs
}
