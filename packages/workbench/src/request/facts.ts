import {
  declaredFacts,
  type FlowFacts,
  NEUTRAL_FACTS,
  type Operation,
  type PolicyContext,
  type PolicyRequest,
  type TimeFacts,
  type Workflow,
} from '@tidegate/kernel'

/** What a case or a sample says differently than the neutral facts: any of the facts, those in records one by one. */
export interface FactOverrides extends Partial<Omit<PolicyContext, 'arguments' | 'flow' | 'confidences' | 'meters' | 'time'>> {
  readonly flow?: Partial<FlowFacts>
  readonly confidences?: Partial<PolicyContext['confidences']>
  readonly meters?: PolicyContext['meters']
  readonly time?: Partial<TimeFacts>
}

/** One action in one workflow about which there is nothing special, but for what is said. */
export interface Situation {
  readonly workflow: Pick<Workflow, 'name' | 'agent' | 'environment' | 'stage'>
  readonly operation: Operation
  readonly arguments: PolicyContext['arguments']
  readonly user?: string
  readonly client?: string
  readonly facts?: FactOverrides
}

/** 12:00 UTC on Monday, 2 November 2026: a working day, and the same in every test. */
export const MONDAY_NOON: TimeFacts = { nowMs: 1_793_620_800_000, hour: 12, weekday: 1 }

/**
 * Makes the request that policy would be asked: what is declared comes from the operation and the workflow, what is observed is
 * neutral (a sure planner, a live first attempt at noon, nothing tainted, meters at 0), and `facts` say what is different.
 */
export function requestOf(
  { workflow, operation, arguments: args, user, client, facts = {} }: Situation,
  meters: readonly string[],
): PolicyRequest {
  const { flow, confidences, meters: metered, time, ...plain } = facts
  const context: PolicyContext = {
    ...NEUTRAL_FACTS,
    ...declaredFacts(operation, workflow),
    ...plain,
    flow: { ...NEUTRAL_FACTS.flow, ...flow },
    confidences: { ...NEUTRAL_FACTS.confidences, ...confidences },
    meters: { ...Object.fromEntries(meters.map((name) => [name, 0])), ...metered },
    time: { ...MONDAY_NOON, ...time },
    arguments: args,
  }
  const { name, agent } = workflow
  const asker = { user: user ?? 'user:anybody', client: client ?? 'client:tests' }
  return { agent, workflow: name, operation: operation.id, tool: operation.tool, ...asker, context }
}
