import type {
  AdoptionCause,
  ApproverRule,
  DeterminingPolicy,
  Json,
  Outcome,
  PolicyDiff,
  PolicyFault,
  PolicyRule,
} from '@tidegate/kernel'
import type { LedgerBacktest } from './desk/backtest.ts'
import type { LayeredText } from './desk/policy-texts.ts'
import type { Person } from './person.ts'

/** Which past decisions are decided again. */
export interface BacktestRange {
  /** Decisions at most: the newest. */
  readonly last: number
  readonly sinceMs?: number
}

/** A set of policies that somebody would like to be in force. */
export interface PolicyPlanRequest {
  readonly person: Person
  readonly files: readonly LayeredText[]
  /** Null for no backtest. */
  readonly backtest: BacktestRange | null
}

/** What a set of policies would change. */
export interface PolicyPlan {
  readonly from: string
  readonly to: string
  /** True when the texts are those that are in force. */
  readonly same: boolean
  readonly files: readonly { readonly file: string; readonly change: 'added' | 'removed' | 'changed' }[]
  readonly diff: PolicyDiff
  readonly backtest: LedgerBacktest | null
  /** Who would be asked. Empty when nobody is. */
  readonly approvers: readonly ApproverRule[]
}

export const CHANGE_REFUSALS = [
  'invalid_input',
  'not_entitled',
  'not_found',
  'nothing_to_change',
  'policy_locks_out',
  'policy_refused',
  'run_erased',
] as const
export type ChangeRefusalCode = (typeof CHANGE_REFUSALS)[number]

/** Why a change was not even proposed; the policies in force stay. */
export interface ChangeRefusal {
  readonly kind: 'refused'
  readonly code: ChangeRefusalCode
  readonly message: string
  /** Every place that is wrong, for `policy_refused`. */
  readonly faults: readonly PolicyFault[]
}

export type PolicyPlanAnswer = { readonly kind: 'planned'; readonly plan: PolicyPlan } | ChangeRefusal
export type ChangeAnswer = { readonly kind: 'opened'; readonly run: string; readonly version: string } | ChangeRefusal

/** A version that is or was in force. */
export interface PolicyVersion {
  readonly version: string
  readonly inForce: boolean
  readonly atMs: number
  /** Index of its record in the ledger. */
  readonly index: number
  readonly cause: AdoptionCause
  readonly by: string
  readonly reviewers: readonly string[]
  readonly why: string
  readonly run: string | null
  readonly previous: string | null
  readonly files: number
}

/** The texts of a version, those built in included. */
export interface PolicyTexts extends PolicyVersion {
  readonly texts: readonly LayeredText[]
}

/** One recorded decision, decided again with the policies of its day. */
export interface ExplainedDecision {
  readonly action: number
  readonly operation: string
  readonly atMs: number
  readonly recorded: ExplainedOutcome
  readonly version: string
  /** `agrees`: it comes out as it was recorded. `differs`: it does not, and somebody has to find out why. */
  readonly verdict: 'agrees' | 'differs' | 'guard' | 'unknown_version' | 'unrecorded'
  /** What it comes out as now, or null when it could not be decided again. */
  readonly recomputed: ExplainedOutcome | null
  /** The determining policies as people wrote them. */
  readonly rules: readonly PolicyRule[]
  /** What would have let it through, in sentences. */
  readonly hints: readonly string[]
}

export interface ExplainedOutcome {
  readonly outcome: Outcome
  readonly policies: readonly DeterminingPolicy[]
  readonly approvers: readonly ApproverRule[]
}

export type ExplainAnswer =
  | { readonly kind: 'explained'; readonly run: string; readonly decisions: readonly ExplainedDecision[] }
  | ChangeRefusal

/** An operation that is not declared as it was accepted. */
export interface ToolChange {
  readonly operation: string
  readonly version: string
  /** Null when nobody has ever accepted it. */
  readonly accepted: string | null
  /** The declarations as plain data; `before` is null when it is not recorded. */
  readonly before: Json
  readonly after: Json
}

/** Changes of what Tidegate decides by. Nothing here takes effect by itself: whatever changes something opens a governed run. */
export interface ChangeDesk {
  /** Says what a set of policies would change. Reads only. */
  plan(request: PolicyPlanRequest): Promise<PolicyPlanAnswer>
  /** Proposes a set of policies. The run that is opened asks whoever must be asked. */
  apply(request: PolicyPlanRequest & { readonly why: string }): Promise<ChangeAnswer>
  /** Proposes to go back: to the version before (by undoing the run that changed it, where there is one), or to a named one. */
  rollback(request: { readonly person: Person; readonly version?: string; readonly why: string }): Promise<ChangeAnswer>
  /** Newest first. */
  versions(): readonly PolicyVersion[]
  /** A version by its hex digits, at least six of them; the one in force when none is named. */
  show(version?: string): PolicyTexts | undefined
  explain(request: { readonly run: string; readonly action?: number }): Promise<ExplainAnswer>
  /** Operations that are quarantined, with what has changed. */
  reviewTools(): readonly ToolChange[]
  /** Proposes to accept an operation as it is declared now. */
  acceptTool(request: { readonly person: Person; readonly operation: string; readonly why: string }): Promise<ChangeAnswer>
}
