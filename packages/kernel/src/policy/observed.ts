import { NO_FLOW } from '../label/flow.ts'
import type { ObservedFacts } from './decision.ts'

/** What is observed of an action about which there is nothing to say. */
export const NEUTRAL_FACTS: Omit<ObservedFacts, 'time'> = {
  actors: [],
  roles: [],
  records: 0,
  confidence: 10_000,
  confidences: { classification: 10_000, retrieval: 10_000, extraction: 10_000 },
  attempts: 0,
  meters: {},
  origins: [],
  flow: NO_FLOW,
  compensating: false,
  mode: 'live',
  approvals: [],
}

/**
 * Observed facts as they are recorded: what is as in {@link NEUTRAL_FACTS} is left out, and so is the time, which is that of the
 * decision (`nowMs`). An action of no special interest costs the ledger a few bytes.
 */
export interface RecordedFacts extends Partial<Omit<ObservedFacts, 'time'>> {
  /** Time of the decision, hour and weekday in the time zone of the project. */
  readonly at: readonly [nowMs: number, hour: number, weekday: number]
}

const NAMES = Object.keys(NEUTRAL_FACTS) as readonly (keyof typeof NEUTRAL_FACTS)[]

/** Packs facts for the ledger. {@link unpackFacts} gives them back as they were. */
export function packFacts(facts: ObservedFacts): RecordedFacts {
  const { nowMs, hour, weekday } = facts.time
  const packed: Record<string, unknown> = { at: [nowMs, hour, weekday] }
  for (const name of NAMES) {
    if (!isNeutral(facts[name], NEUTRAL_FACTS[name])) packed[name] = facts[name]
  }
  return packed as unknown as RecordedFacts // sound: every name is one of ObservedFacts with its own value
}

/** Unpacks recorded facts. */
export function unpackFacts(recorded: RecordedFacts): ObservedFacts {
  const { at, ...facts } = recorded
  const [nowMs, hour, weekday] = at
  return { ...NEUTRAL_FACTS, ...facts, time: { nowMs, hour, weekday } }
}

function isNeutral(value: unknown, neutral: unknown): boolean {
  if (value === neutral) return true
  if (typeof value !== 'object' || value === null || typeof neutral !== 'object' || neutral === null) return false
  if (Array.isArray(value)) return value.length === 0 && Array.isArray(neutral) && neutral.length === 0
  const left = value as Readonly<Record<string, unknown>>
  const right = neutral as Readonly<Record<string, unknown>>
  for (const key in left) if (!isNeutral(left[key], right[key])) return false
  for (const key in right) if (!(key in left)) return false
  return true
}
