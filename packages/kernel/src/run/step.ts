import type { FindOperation } from '../action/admit.ts'
import type { CompensationCall } from '../action/operation.ts'
import type { ControlState, Stop } from '../control/state.ts'
import type { QueueKind } from './event.ts'
import type { FailureKind, FinalState } from './failure.ts'
import type { ActionState } from './state.ts'
import type { Workflow } from './workflow.ts'

/** What the shell has to do next for a run. Doing it appends records; then it asks again. */
export type Step =
  | { readonly kind: 'rest' }
  /** Nothing to do until something happens or the time comes; `null` waits for an event alone. */
  | { readonly kind: 'wait'; readonly untilMs: number | null; readonly why: 'approval' | 'claim' | 'retry' | 'settling' | 'stop' }
  | { readonly kind: 'hold'; readonly stop: Stop }
  | { readonly kind: 'resume' }
  | { readonly kind: 'plan' }
  /** Decide an action that is proposed already: again after a failed attempt, a grant, or a changed world. */
  | { readonly kind: 'decide'; readonly action: ActionState; readonly approval: string | null }
  | { readonly kind: 'lapse'; readonly approval: string }
  /** Whoever asked for the call of a call run did not come back for it: it is given up, and nothing is done. */
  | { readonly kind: 'abandon'; readonly action: ActionState }
  | { readonly kind: 'mark_ambiguous'; readonly action: ActionState }
  | { readonly kind: 'reconcile'; readonly action: ActionState }
  /** Propose the read that shows whether the run succeeded. */
  | { readonly kind: 'look' }
  /** Hold what the read answered against what the workflow expects. */
  | { readonly kind: 'compare'; readonly action: ActionState }
  | { readonly kind: 'fail'; readonly failure: FailureKind; readonly reason: string }
  | { readonly kind: 'compensate'; readonly of: number; readonly call: CompensationCall }
  | { readonly kind: 'verify'; readonly action: ActionState }
  | QueueStep
  | { readonly kind: 'finish'; readonly state: FinalState; readonly failure: FailureKind | null }

/** Put something into the queue for people. `effect` is the effect that could not be undone, if that is the reason. */
export interface QueueStep {
  readonly kind: 'queue'
  readonly item: QueueKind
  readonly action: number | null
  readonly effect: number | null
  readonly title: string
  readonly detail: string
}

export interface StepContext {
  readonly workflow: Workflow
  readonly find: FindOperation
  readonly control: Pick<ControlState, 'stops'>
  readonly nowMs: number
  /** False while nobody is there to take the answer of a call run; true for all other runs. */
  readonly claimed?: boolean
}
