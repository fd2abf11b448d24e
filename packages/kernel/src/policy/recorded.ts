import { isObject } from '../canonical/pointer.ts'
import type { ActionProposed, RunEvent, RunOpened } from '../run/event.ts'
import type { JsonObject } from '../canonical/json.ts'
import type { DeclaredFacts, PolicyContext, PolicyRequest } from './decision.ts'
import { NEUTRAL_FACTS, type RecordedFacts, type ToldElsewhere, unpackFlow } from './observed.ts'

/** The record of one decision. */
export type ActionDecided = Extract<RunEvent, { type: 'action.decided' }>

/** What a decision was made about, as the records of its run tell it. */
export interface RecordedAction {
  readonly opened: Pick<RunOpened, 'agent' | 'workflow' | 'actors'>
  readonly proposed: Pick<ActionProposed, 'operation' | 'sealed'>
  readonly decided: Pick<ActionDecided, 'facts'>
}

/**
 * The question that policy was asked when a recorded decision was made: what was declared then, what was observed and recorded, and the
 * arguments. Asking it again of the same version gives the same answer.
 *
 * `meters` are the names that the engine expects: a meter that showed nothing was not recorded, and one that is new counts as nothing.
 *
 * Undefined when policy was not asked (a guard decided), or when the arguments are not there any more.
 */
export function requestOf(
  { opened, proposed, decided }: RecordedAction,
  declared: { readonly tool: string; readonly facts: DeclaredFacts },
  meters: readonly string[] = [],
): PolicyRequest | undefined {
  const { facts } = decided
  const args = (proposed.sealed as ActionProposed['sealed'] | undefined)?.arguments // absent once retention has erased it
  if (facts === null || facts === undefined || args === undefined || !isObject(args)) return undefined
  return {
    agent: opened.agent,
    workflow: opened.workflow,
    operation: proposed.operation,
    tool: declared.tool,
    user: opened.actors[0] ?? '',
    client: opened.actors[1] ?? '',
    context: contextOf(
      declared.facts,
      { ...facts, meters: metersOf(meters, facts) },
      { actors: opened.actors, origins: proposed.sealed.origins },
      args,
    ),
  }
}

function metersOf(names: readonly string[], { meters }: RecordedFacts): Readonly<Record<string, number>> {
  if (names.length === 0) return meters ?? NEUTRAL_FACTS.meters
  const values: Record<string, number> = {}
  for (const name of names) values[name] = meters?.[name] ?? 0
  return values
}

/** Written out field by field, since a backtest does this for each of a hundred thousand decisions. */
function contextOf(
  declared: DeclaredFacts,
  recorded: RecordedFacts,
  { actors, origins }: ToldElsewhere,
  args: JsonObject,
): PolicyContext {
  const { environment, risk, mutability, dataClass, blastRadius, nature, reversible, stage } = declared
  const { at, roles, records, confidence, confidences, attempts, meters, flow, compensating, mode, approvals } = recorded
  return {
    environment,
    risk,
    mutability,
    dataClass,
    blastRadius,
    nature,
    reversible,
    stage,
    actors,
    roles: roles ?? NEUTRAL_FACTS.roles,
    records: records ?? NEUTRAL_FACTS.records,
    confidence: confidence ?? NEUTRAL_FACTS.confidence,
    confidences: confidences ?? NEUTRAL_FACTS.confidences,
    attempts: attempts ?? NEUTRAL_FACTS.attempts,
    time: { nowMs: at[0], hour: at[1], weekday: at[2] },
    meters: meters ?? NEUTRAL_FACTS.meters,
    origins,
    flow: unpackFlow(flow),
    compensating: compensating ?? NEUTRAL_FACTS.compensating,
    mode: mode ?? NEUTRAL_FACTS.mode,
    approvals: approvals ?? NEUTRAL_FACTS.approvals,
    arguments: args,
  }
}
