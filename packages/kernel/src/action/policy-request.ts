import { valueAt } from '../canonical/pointer.ts'
import type { JsonObject } from '../canonical/json.ts'
import type { DeclaredFacts, ObservedFacts, PolicyContext, PolicyRequest } from '../policy/decision.ts'
import type { RunState } from '../run/state.ts'
import type { Workflow } from '../run/workflow.ts'
import type { Admitted } from './admit.ts'
import type { Operation } from './operation.ts'

/** What the runtime has found out about an action, beyond what its arguments and its run tell by themselves. */
export interface Observed
  extends Pick<ObservedFacts, 'roles' | 'confidences' | 'attempts' | 'time' | 'meters' | 'flow' | 'approvals'> {
  /** The planner's own, 0 to 10,000: lowered by the confidences and by the doubts of the run. */
  readonly confidence: number
  /** Number of the action that this one makes up for, if it does. */
  readonly compensates: number | null
}

/** Everything that is observed of an admitted action: what is recorded with its decision. */
export function observeAction(admitted: Admitted, observed: Observed, state: RunState): ObservedFacts {
  const { compensates, confidences } = observed
  const least = Math.min(observed.confidence, confidences.classification, confidences.retrieval, confidences.extraction)
  // Written out, here and below: spreading takes longer than the decision's own conditions.
  return {
    actors: state.opened.actors,
    roles: observed.roles,
    records: countRecords(admitted),
    // What the run is unsure about says nothing against taking its deeds back.
    confidence: compensates === null ? Math.min(least, state.confidence) : least,
    confidences,
    attempts: observed.attempts,
    time: observed.time,
    meters: observed.meters,
    origins: admitted.origins,
    flow: observed.flow,
    compensating: compensates !== null,
    mode: 'live',
    approvals: observed.approvals,
  }
}

/** As `maxRecords` counts them: two arguments that each name one record are one record, seen from two sides. */
function countRecords({ operation, arguments: args }: Admitted): number {
  return operation.records.reduce((most, pointer) => {
    const value = valueAt(args, pointer)
    return Math.max(most, Array.isArray(value) ? value.length : 1)
  }, 0)
}

/** What the owners of an operation and of a workflow declare about each call of the one in the other. */
export function declaredFacts(operation: Operation, workflow: Pick<Workflow, 'environment' | 'stage'>): DeclaredFacts {
  return {
    environment: workflow.environment,
    risk: operation.risk,
    mutability: operation.mutability,
    dataClass: operation.dataClass,
    blastRadius: operation.blastRadius,
    nature: operation.nature,
    reversible: operation.mutability === 'read' || operation.reversibility !== 'irreversible',
    stage: workflow.stage,
  }
}

/** The question that policy is asked about an admitted action. Facts only: nothing in it is the planner's own claim. */
export function policyRequest(admitted: Admitted, facts: ObservedFacts, state: RunState, workflow: Workflow): PolicyRequest {
  const { operation } = admitted
  return {
    agent: state.opened.agent,
    workflow: workflow.name,
    operation: operation.id,
    tool: operation.tool,
    user: state.opened.actors[0] ?? '',
    client: state.opened.actors[1] ?? '',
    context: contextOf(declaredFacts(operation, workflow), facts, admitted.arguments),
  }
}

function contextOf(declared: DeclaredFacts, facts: ObservedFacts, args: JsonObject): PolicyContext {
  return {
    environment: declared.environment,
    risk: declared.risk,
    mutability: declared.mutability,
    dataClass: declared.dataClass,
    blastRadius: declared.blastRadius,
    nature: declared.nature,
    reversible: declared.reversible,
    stage: declared.stage,
    actors: facts.actors,
    roles: facts.roles,
    records: facts.records,
    confidence: facts.confidence,
    confidences: facts.confidences,
    attempts: facts.attempts,
    time: facts.time,
    meters: facts.meters,
    origins: facts.origins,
    flow: facts.flow,
    compensating: facts.compensating,
    mode: facts.mode,
    approvals: facts.approvals,
    arguments: args,
  }
}
