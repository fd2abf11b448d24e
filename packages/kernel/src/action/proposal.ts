import type { Json } from '../canonical/json.ts'
import type { Origin } from '../label/origin.ts'
import type { OperationId, RiskClass } from './operation.ts'

/** What a planner wants. Nothing in it is believed: it is checked, labelled, decided on and recorded. */
export interface Proposal {
  readonly goal: string
  readonly operation: OperationId
  readonly arguments: Json
  readonly justification: string
  /** The planner's own opinion of the risk: recorded, never used to lower the declared one. */
  readonly claimedRisk?: RiskClass
  /** 0 to 10,000 (basis points): how sure the planner is of the classification, the retrieval and the arguments together. */
  readonly confidence: number
  /**
   * Who wrote each leaf of the arguments, by JSON pointer, when the planner built them from references. A leaf that is not listed
   * is traced by looking for it in what the run has seen.
   */
  readonly origins?: Readonly<Record<string, readonly Origin[]>>
  /**
   * Who wrote each leaf that a model passed by reference, by JSON pointer: our own code looked it up, so that the model never saw it. All
   * other leaves are the model's own words.
   */
  readonly references?: Readonly<Record<string, readonly Origin[]>>
  /** Where in the workflow's graph this came from, if it has one. */
  readonly node?: string
}
