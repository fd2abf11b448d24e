import { isObject } from '../canonical/pointer.ts'
import type { ActionProposed, RunEvent, RunOpened } from '../run/event.ts'
import type { DeclaredFacts, PolicyRequest } from './decision.ts'
import { unpackFacts } from './observed.ts'

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
 * Undefined when policy was not asked (a guard decided), or when the arguments are not there any more.
 */
export function requestOf(
  { opened, proposed, decided }: RecordedAction,
  declared: { readonly tool: string; readonly facts: DeclaredFacts },
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
    context: { ...declared.facts, ...unpackFacts(facts), arguments: args },
  }
}
