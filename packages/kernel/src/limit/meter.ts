import type { ApproverRule, Outcome } from '../policy/decision.ts'

/**
 * What a meter counts (docs/spec/limits.md, section 2).
 *
 * `calls` every start of a call, reads too, each attempt; `effects` actions that change the world, once each, from the start
 * until it is certain that nothing happened; `successes` calls that came back done; `failures` calls that the far side failed;
 * `proposals`, `denials`, `asks` what became of proposals; `steps`, `tokens`, `cost` what planning used.
 */
export const METER_SOURCES = [
  'calls',
  'effects',
  'successes',
  'failures',
  'proposals',
  'denials',
  'asks',
  'steps',
  'tokens',
  'cost',
] as const

export type MeterSource = (typeof METER_SOURCES)[number]

/** Sources that count calls and so can look at arguments: for sums, and for keys. */
export const CALL_SOURCES: readonly MeterSource[] = ['calls', 'effects', 'successes']

/** Sources that belong to a run and to no operation. */
export const RUN_SOURCES: readonly MeterSource[] = ['steps', 'tokens', 'cost']

/** Whose count it is, beside one argument. */
export const METER_SCOPES = ['global', 'agent', 'workflow', 'user', 'tool', 'operation', 'run'] as const

/** A word of {@link METER_SCOPES}, or a JSON pointer into the arguments: one count for each value that stands there. */
export type MeterScope = (typeof METER_SCOPES)[number] | `/${string}`

export const CALENDAR_UNITS = ['hour', 'day', 'week', 'month'] as const

export type CalendarUnit = (typeof CALENDAR_UNITS)[number]

/** Since when a meter counts. `run`: within the run of the action; `calendar`: since the hour, day, week or month began. */
export type MeterWindow =
  | { readonly kind: 'sliding'; readonly ms: number }
  | { readonly kind: 'calendar'; readonly unit: CalendarUnit }
  | { readonly kind: 'run' }
  | { readonly kind: 'ever' }

/** Holds the current bucket against the ones before: see {@link deviationOf}. */
export interface Anomaly {
  readonly bucketMs: number
  readonly baselineMs: number
  /** Fewer than this in the bucket is never unusual. */
  readonly minimum: number
}

/** A limit on the value of a meter; it becomes one Cedar policy (see {@link limitPolicies}). */
export interface MeterLimit {
  /** Which actions it binds, as patterns; empty for all. */
  readonly on: readonly string[]
  readonly bound: { readonly kind: 'above' | 'below'; readonly value: number }
  readonly then: Exclude<Outcome, 'allow'>
  /** Non-empty exactly when `then` is `ask`. */
  readonly approvers: readonly ApproverRule[]
  readonly reason: string
}

/** A declared count or sum, per key, in a window. */
export interface Meter {
  /** Lower-case words joined by `-`. */
  readonly name: string
  readonly of: MeterSource
  /** What it counts: operation ids, or `tool.*` for all that begin so; empty for all. */
  readonly operations: readonly string[]
  /** JSON pointer to the amount; null counts one each. */
  readonly sum: string | null
  readonly per: MeterScope
  readonly window: MeterWindow
  /** Whether the value that policy sees includes the action under decision. */
  readonly self: boolean
  readonly anomaly: Anomaly | null
  readonly limits: readonly MeterLimit[]
}

/**
 * What a call's arguments mean to meters: the one thing about it that is not in the open part of its events. Recorded with
 * `effect.started`, and kept when retention erases the arguments.
 */
export interface Metered {
  /** JSON pointer -> amount. */
  readonly sums?: Readonly<Record<string, number>>
  /** JSON pointer -> keyed hash of the value, shortened: equal for equal values, and otherwise meaningless. */
  readonly keys?: Readonly<Record<string, string>>
}

/**
 * The largest amount that one call counts. What cannot be read (missing, negative, no number) counts as this: over every limit
 * (I6).
 */
export const AMOUNT_MAX = 1_000_000_000_000

/**
 * The most meters of one project, and the most keys of one meter; keys beyond share one count, which is strict for each of them.
 */
export const METERS_MAX = 100
export const METER_KEYS_MAX = 100_000

/** Meters that every project has: what the run has used so far, this action included. */
export const RUN_METERS = ['run_steps', 'run_tokens', 'run_cost_micros'] as const

const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/
const RESERVED: ReadonlySet<string> = new Set(['if', 'then', 'else', 'true', 'false', 'in', 'is', 'has', 'like'])

/** True for a name that a meter may have: it becomes part of policy ids, and a Cedar attribute. */
export function isMeterName(name: string): boolean {
  return name.length <= 50 && NAME.test(name) && !RESERVED.has(name) && !RUN_METERS.some((own) => own === meterAttribute(name))
}

/**
 * The attribute of `context.meters` under which policies find a meter: its name with `_` for `-`. Different names stay different.
 */
export function meterAttribute(name: string): string {
  return name.replaceAll('-', '_')
}

/** Every attribute that `context.meters` always has, each a Long. */
export function meterNames(meters: readonly Pick<Meter, 'name'>[]): readonly string[] {
  return [...RUN_METERS, ...meters.map(({ name }) => meterAttribute(name))]
}

/** True for an operation that one of the patterns names; no patterns name all. */
export function matchesOperation(patterns: readonly string[], id: string): boolean {
  return patterns.length === 0 || patterns.some((pattern) => matchesPattern(pattern, id))
}

function matchesPattern(pattern: string, id: string): boolean {
  return pattern.endsWith('.*') ? id.startsWith(pattern.slice(0, -1)) : id === pattern
}
