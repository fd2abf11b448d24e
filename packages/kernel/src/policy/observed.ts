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
 * Observed facts as they are recorded: what is as in {@link NEUTRAL_FACTS} is left out, and so is what stands in other records of the run
 * (the actor chain, who wrote the arguments). A meter that showed 0 is left out. An action of no special interest costs the ledger a few
 * bytes.
 */
export interface RecordedFacts extends Partial<Omit<ObservedFacts, 'time' | 'flow' | 'actors' | 'origins'>> {
  /** Time of the decision, hour and weekday in the time zone of the project. */
  readonly at: readonly [nowMs: number, hour: number, weekday: number]
  /** Only what is not as in {@link NO_FLOW}. */
  readonly flow?: Partial<FlowFacts>
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * Packs facts for the ledger. {@link unpackFacts} gives them back as they were, but for meters that showed nothing. Written out field by
 * field: it is done for every action.
 */
export function packFacts(facts: ObservedFacts): RecordedFacts {
  const { time, confidences, meters, flow } = facts
  // In the order of the names: so they need no sorting when they are written.
  const shown = shownMeters(meters)
  const labels = packFlow(flow)
  const packed: Writable<Partial<RecordedFacts>> = {}
  if (facts.approvals.length > 0) packed.approvals = facts.approvals
  packed.at = [time.nowMs, time.hour, time.weekday]
  if (facts.attempts !== 0) packed.attempts = facts.attempts
  if (facts.compensating) packed.compensating = true
  if (facts.confidence !== FULL) packed.confidence = facts.confidence
  const { classification, retrieval, extraction } = confidences
  if (classification !== FULL || retrieval !== FULL || extraction !== FULL) packed.confidences = confidences
  if (labels !== undefined) packed.flow = labels
  if (shown !== undefined) packed.meters = shown
  if (facts.mode !== 'live') packed.mode = facts.mode
  if (facts.records !== 0) packed.records = facts.records
  if (facts.roles.length > 0) packed.roles = facts.roles
  return packed as RecordedFacts
}

const FULL = 10_000

/** What the records of a run tell about an action besides its facts. */
export type ToldElsewhere = Pick<ObservedFacts, 'actors' | 'origins'>

/** Unpacks recorded facts. */
export function unpackFacts(recorded: RecordedFacts, { actors, origins }: ToldElsewhere): ObservedFacts {
  const { at, flow, ...facts } = recorded
  const [nowMs, hour, weekday] = at
  return { ...NEUTRAL_FACTS, ...facts, actors, origins, flow: unpackFlow(flow), time: { nowMs, hour, weekday } }
}

function shownMeters(meters: ObservedFacts['meters']): Readonly<Record<string, number>> | undefined {
  let shown: Record<string, number> | undefined
  for (const name in meters) {
    const value = meters[name]
    if (value === undefined || value === 0) continue
    shown ??= {}
    shown[name] = value
  }
  return shown
}

/** The facts about labels as they were. */
export function unpackFlow(flow: Partial<FlowFacts> | undefined): FlowFacts {
  return flow === undefined ? NO_FLOW : { ...NO_FLOW, ...flow }
}

function packFlow(flow: FlowFacts): Partial<FlowFacts> | undefined {
  if (flow === NO_FLOW) return undefined
  const packed: Writable<Partial<FlowFacts>> = {}
  if (flow.amounts !== NO_FLOW.amounts) packed.amounts = flow.amounts
  if (flow.declared) packed.declared = true
  if (flow.egress !== NO_FLOW.egress) packed.egress = flow.egress
  if (flow.grant !== NO_FLOW.grant) packed.grant = flow.grant
  if (!flow.readable) packed.readable = false
  if (flow.sinks !== NO_FLOW.sinks) packed.sinks = flow.sinks
  if (flow.sources.length > 0) packed.sources = flow.sources
  if (flow.tainted) packed.tainted = true
  if (flow.text !== NO_FLOW.text) packed.text = flow.text
  if (flow.ungrounded.length > 0) packed.ungrounded = flow.ungrounded
  if (flow.values !== NO_FLOW.values) packed.values = flow.values
  return packed
}
