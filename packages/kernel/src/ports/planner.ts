import type { FindOperation } from '../action/admit.ts'
import type { Proposal } from '../action/proposal.ts'
import type { Json } from '../canonical/json.ts'
import type { Grant } from '../label/grant.ts'
import type { Origin } from '../label/origin.ts'
import type { Confidences } from '../policy/decision.ts'
import type { RunState } from '../run/state.ts'
import type { Workflow } from '../run/workflow.ts'

/** What a planner is shown. Everything in it is in the journal already. */
export interface PlannerView {
  readonly state: RunState
  readonly workflow: Workflow
  readonly find: FindOperation
}

/** What a planner wants next. It is recorded before anything comes of it. */
export type PlannerAnswer =
  /** One step inside the plan: a classification, an extraction, a branch taken. */
  | {
      readonly kind: 'note'
      readonly node: string
      readonly value: Json
      readonly origins: readonly Origin[]
      readonly confidence?: number
      /** What it is the confidence of. */
      readonly of?: keyof Confidences
      readonly usage?: ModelCallRecord
    }
  /** Narrows the run to a plan: what lies outside of it is denied from now on. Only heard before anything untrusted was seen. */
  | { readonly kind: 'grant'; readonly grants: readonly Grant[]; readonly usage?: ModelCallRecord }
  | { readonly kind: 'propose'; readonly proposal: Proposal; readonly usage?: ModelCallRecord }
  /** The planner believes that it is done. `escalate` hands the run to a person instead of checking. */
  | { readonly kind: 'finish'; readonly reason: string; readonly escalate: boolean; readonly usage?: ModelCallRecord }
  /** The planner cannot go on. After a failed action the run fails as that action did, otherwise as `planning`. */
  | { readonly kind: 'give_up'; readonly reason: string; readonly usage?: ModelCallRecord }
  /** The model did not answer usefully this time; ask again after the given time, within the budget of steps. */
  | { readonly kind: 'again'; readonly reason: string; readonly afterMs: number; readonly usage?: ModelCallRecord }

/** What one call of a model cost, and what was said: recorded in the run. */
export interface ModelCallRecord {
  readonly model: string
  readonly inputTokens: number
  readonly outputTokens: number
  readonly costMicros: number
  readonly durationMs: number
  readonly result: string
  readonly request: Json
  readonly reply: Json
}

/**
 * Proposes; never acts. A planner sees labelled data and the operations of its workflow, holds no credential, and reaches nothing
 * but its model. It keeps no state of its own: two planners shown the same view may both be asked.
 */
export interface Planner {
  /** True for one that answers without waiting for anything. What came before is then made durable together with its answer. */
  readonly immediate?: boolean
  /** True for one that shows its model third-party text by reference only, and never the text itself. */
  readonly hidesText?: boolean
  /** True for one that shows its model previews, and what the far side says when a call fails. */
  readonly showsFailures?: boolean
  next(view: PlannerView): Promise<PlannerAnswer>
}
