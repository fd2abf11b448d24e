import type { ApproverRule, Decision, Outcome, PolicyRequest } from './decision.ts'

/** One part of a policy's condition, as it stands there, and what became of it for one request. */
export interface ExplainedPart {
  /** Cedar's text of the part, such as `context.risk == "high"`. */
  readonly text: string
  /** `failed`: it could not be evaluated, so that its policy could not be either. */
  readonly holds: boolean | 'failed'
  /**
   * What the facts in it were, by their way from the context: `{ "context.risk": "\"high\"" }`. Arguments are not among them: they are
   * the customer's data.
   */
  readonly facts: Readonly<Record<string, string>>
}

/** A policy, and where it stands. */
export interface PlacedPolicy {
  readonly id: string
  readonly reason: string
  readonly outcome: Outcome
  readonly file: string
  readonly line: number
}

/** A policy that determined a decision, and why it was satisfied. */
export interface ExplainedPolicy extends PlacedPolicy {
  /** The parts of its condition that hold; none for a policy without one. */
  readonly because: readonly ExplainedPart[]
}

/** One thing that would have to be otherwise. If all remedies of an explanation come true, the action is allowed. */
export type Remedy =
  /** These people say yes to this exact action. */
  | { readonly kind: 'approval'; readonly policies: readonly string[]; readonly approvers: readonly ApproverRule[] }
  /** A policy that forbids would have to not be satisfied: one of `holds` false, or one of `exceptions` true. */
  | {
      readonly kind: 'unforbid'
      readonly policy: PlacedPolicy
      readonly holds: readonly ExplainedPart[]
      readonly exceptions: readonly ExplainedPart[]
    }
  /** Some policy would have to permit it. These come closest, nearest first; `fails` is empty for one that is about something else. */
  | {
      readonly kind: 'permit'
      readonly nearest: readonly {
        readonly policy: PlacedPolicy
        readonly inScope: boolean
        readonly fails: readonly ExplainedPart[]
      }[]
    }
  /** Something is broken, and nothing is decided until it is mended. */
  | { readonly kind: 'mend'; readonly policy: PlacedPolicy | null; readonly message: string }

/** A decision with everything that a person needs to understand it, and to change it. */
export interface Explanation {
  readonly decision: Decision
  /** All policies that are named in the decision, in its order. */
  readonly determining: readonly ExplainedPolicy[]
  /** How many policies are about this agent, operation and tool; their conditions were looked at. */
  readonly considered: number
  /** Empty when the action is allowed. */
  readonly wouldAllow: readonly Remedy[]
}

/**
 * Explains a decision for one request: pure, and as slow as it needs to be, for people who ask.
 *
 * The decision is the one that the engine of the same version gives. Never throws: what cannot be explained is a `mend`.
 */
export type Explain = (request: PolicyRequest) => Explanation
