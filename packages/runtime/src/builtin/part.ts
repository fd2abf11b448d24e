import type { Connector, Operation, PolicyRequest, PolicyText, PolicyVerdict } from '@tidegate/kernel'
import type { WorkflowWithPlanner } from '../registry.ts'

/** The name of the built-in tool, and of the agent of its workflows. */
export const BUILTIN_TOOL = 'tidegate'

/**
 * One group of things that Tidegate does to itself: operations of the tool `tidegate`, and the workflows that use them. They are
 * decided, approved, recorded and taken back like anything else.
 */
export interface BuiltinPart {
  /** Ids `tidegate.<noun>.<verb>`. */
  readonly operations: readonly Operation[]
  /** Called for the operations of this part, and for no others. */
  readonly connector: Connector
  /** Each `internal`: opened by our own code alone. */
  readonly workflows: readonly WorkflowWithPlanner[]
  /** Policies that are added to every set: they speak of the operations of this part. */
  readonly layer?: readonly PolicyText[]
  /**
   * Has the last word about the part's own operations, after all policies: may ask or permit where they are silent, and never turns a
   * forbid into a permit.
   */
  judge?(request: PolicyRequest, verdict: PolicyVerdict): PolicyVerdict
}
