import { KernelError } from '../error.ts'
import type { Confidences } from '../policy/decision.ts'
import type { ActionState, RunState } from './state.ts'

/**
 * A state that nobody else holds yet: its members are replaced, and never changed within, since earlier states share them. One for all
 * events of a record: a copy for each left 1.1 KB an action behind.
 */
export type Draft = { -readonly [K in keyof RunState]: RunState[K] }

/** The planner has taken one more step. */
export function countStep(draft: Draft): void {
  draft.spent = { ...draft.spent, steps: draft.spent.steps + 1 }
}

/** Confidence only ever falls: that of the run, and of what it was lost in. */
export function lowerConfidence(draft: Draft, of: keyof Confidences | undefined, to: number): void {
  draft.confidence = Math.min(draft.confidence, to)
  draft.confidences = lower(draft.confidences, of, to)
}

function lower(confidences: Partial<Confidences>, of: keyof Confidences | undefined, to: number): Partial<Confidences> {
  return of === undefined || (confidences[of] ?? Number.POSITIVE_INFINITY) <= to ? confidences : { ...confidences, [of]: to }
}

/** Replaces an action by a changed copy. Throws `event_out_of_order` when there is none of that number. */
export function changeAction(draft: Draft, n: number, patch: (action: ActionState) => Partial<ActionState>): void {
  const action = draft.actions[n]
  if (action === undefined) throw new KernelError('event_out_of_order', `there is no action ${n} in run ${draft.opened.run}`)
  draft.actions = draft.actions.with(n, { ...action, ...patch(action) })
}
