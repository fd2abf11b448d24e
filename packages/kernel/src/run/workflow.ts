import type { Json } from '../canonical/json.ts'
import type { OperationId } from '../action/operation.ts'
import type { ApproverRule } from '../policy/decision.ts'
import type { Origin } from '../label/origin.ts'

/** One bounded piece of work: a trigger, the operations it may use, its limits, and how one sees that it succeeded. */
export interface Workflow {
  readonly name: string
  /** Hex SHA-256 over the checked file. */
  readonly version: string
  readonly title: string
  readonly agent: string
  readonly owners: Readonly<Record<'model' | 'permissions' | 'workflow' | 'incidents', string>>
  readonly environment: string
  /** 0 shadow, 1 read-only, 2 low-risk writes, 3 conditional, 4 bounded. */
  readonly stage: number
  readonly operations: ReadonlyMap<OperationId, AllowedOperation>
  readonly limits: Limits
  /** Who wrote each field of the input, by JSON pointer; unlisted fields are `user`. */
  readonly inputOrigins: Readonly<Record<string, Origin>>
  /** Read after the planner is done; the run is completed only if it holds (I13). Null when the run is one call, whose own answer shows it. */
  readonly success: SuccessCheck | null
  /** Whether a failed run takes back what it did. */
  readonly onFailure: 'undo' | 'keep'
  /** What people may answer for besides one call; nothing when absent. */
  readonly approvals?: WorkflowApprovals
}

/** What the owners of a workflow let people do besides approving one call (docs/spec/labels.md, section 7). */
export interface WorkflowApprovals {
  /** `whole`: a question about one call of the run's plan also shows the others, and one yes may cover them all. */
  readonly plan: 'each' | 'whole'
  /** Who must agree to endorse a value when nobody was asked about it; empty: then nobody may. */
  readonly endorsers: readonly ApproverRule[]
}

/** An operation that a workflow lists. What it does not list cannot be called, by chaining or otherwise. */
export interface AllowedOperation {
  /** Arguments (JSON pointer) that must equal something the run already knows (a reference, see resolveTemplate). */
  readonly confine: Readonly<Record<string, string>>
}

export interface Limits {
  /** Proposals and notes of the planner, in all. */
  readonly steps: number
  readonly wallMs: number
  /** Input and output tokens of the model, in all. */
  readonly tokens: number
  /** Millionths of the currency that the model prices are given in. */
  readonly costMicros: number
  /** How often the same action may be proposed in one run. */
  readonly repeats: number
  /** How long people have to answer an approval. */
  readonly approvalMs: number
}

/** A read whose answer must contain the expected values at the given JSON pointers. */
export interface SuccessCheck {
  readonly operation: OperationId
  /** A template, see resolveTemplate. */
  readonly arguments: Json
  /** JSON pointer into the output -> expected value, or a list of values of which one must be there. */
  readonly expect: Readonly<Record<string, Json>>
}
