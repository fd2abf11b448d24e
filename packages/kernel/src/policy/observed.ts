import { type FlowFacts, NO_FLOW } from '../label/flow.ts'
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
 * decision. A meter that showed 0 is left out. An action of no special interest costs the ledger a few bytes.
 */
export interface RecordedFacts extends Partial<Omit<ObservedFacts, 'time' | 'flow'>> {
  /** Time of the decision, hour and weekday in the time zone of the project. */
  readonly at: readonly [nowMs: number, hour: number, weekday: number]
  /** Only what is not as in {@link NO_FLOW}. */
  readonly flow?: Partial<FlowFacts>
}

const NAMES = Object.keys(NEUTRAL_FACTS) as readonly (keyof typeof NEUTRAL_FACTS)[]

/** Packs facts for the ledger. {@link unpackFacts} gives them back as they were, but for meters that showed nothing. */
export function packFacts(facts: ObservedFacts): RecordedFacts {
  const { nowMs, hour, weekday } = facts.time
  const packed: Record<string, unknown> = { at: [nowMs, hour, weekday] }
  for (const name of NAMES) {
    if (name !== 'meters' && name !== 'flow' && !isNeutral(facts[name], NEUTRAL_FACTS[name])) packed[name] = facts[name]
  }
  const flow = packFlow(facts.flow)
  if (flow !== undefined) packed.flow = flow
  const shown = Object.entries(facts.meters).filter(([, value]) => value !== 0)
  if (shown.length > 0) packed.meters = Object.fromEntries(shown)
  return packed as unknown as RecordedFacts // sound: every name is one of ObservedFacts with its own value
}

/** Unpacks recorded facts. */
export function unpackFacts(recorded: RecordedFacts): ObservedFacts {
  const { at, flow, ...facts } = recorded
  const [nowMs, hour, weekday] = at
  return { ...NEUTRAL_FACTS, ...facts, flow: unpackFlow(flow), time: { nowMs, hour, weekday } }
}

/** The facts about labels as they were. */
export function unpackFlow(flow: Partial<FlowFacts> | undefined): FlowFacts {
  return flow === undefined ? NO_FLOW : { ...NO_FLOW, ...flow }
}

const FLOW_NAMES = Object.keys(NO_FLOW) as readonly (keyof FlowFacts)[]

function packFlow(flow: FlowFacts): Partial<FlowFacts> | undefined {
  let packed: Record<string, unknown> | undefined
  for (const name of FLOW_NAMES) {
    if (isNeutral(flow[name], NO_FLOW[name])) continue
    packed ??= {}
    packed[name] = flow[name]
  }
  return packed as Partial<FlowFacts> | undefined // sound: every name is one of FlowFacts with its own value
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
