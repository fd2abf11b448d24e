import type { JsonObject } from '../canonical/json.ts'
import type { BlastRadius, DataClass, Mutability, Nature, OperationId, RiskClass } from '../action/operation.ts'
import type { FlowFacts } from '../label/flow.ts'
import type { Origin } from '../label/origin.ts'

/** What may become of an action. On the wire `ask` is `require_approval`. */
export type Outcome = 'allow' | 'dry_run' | 'ask' | 'deny'

/** How much an outcome restricts: the largest wins. */
const SEVERITY: Readonly<Record<Outcome, number>> = { allow: 0, dry_run: 1, ask: 2, deny: 3 }

/** Who must say yes, and how many of them. */
export interface ApproverRule {
  /** A role, without the prefix `role:`. */
  readonly role: string
  readonly count: number
}

/** One policy that determined a decision. */
export interface DeterminingPolicy {
  readonly id: string
  readonly reason: string
}

/** What policy said about one action, with every reason, so that it can be explained and recomputed. */
export interface Decision {
  readonly outcome: Outcome
  readonly policies: readonly DeterminingPolicy[]
  /** Non-empty exactly when the outcome is `ask`. */
  readonly approvers: readonly ApproverRule[]
  readonly policyVersion: string
}

/** Everything a policy may ask about an action: the eight dimensions, as facts and never as the planner's claims. */
export interface PolicyRequest {
  readonly agent: string
  readonly workflow: string
  readonly operation: OperationId
  readonly tool: string
  /** The person on whose behalf the run acts, innermost of the actor chain. */
  readonly user: string
  /** The client that the person used, second in the actor chain; empty when a run has none. */
  readonly client: string
  readonly context: PolicyContext
}

export interface PolicyContext extends DeclaredFacts, ObservedFacts {
  readonly arguments: JsonObject
}

/** What the owners of tools and workflows declared: the same for every call of an operation in a workflow. */
export interface DeclaredFacts {
  readonly environment: string
  readonly risk: RiskClass
  readonly mutability: Mutability
  readonly dataClass: DataClass
  readonly blastRadius: BlastRadius
  /** What kind of effect it is, beyond what it does to records. */
  readonly nature: readonly Nature[]
  /** False for a write that can be neither put back nor made up for. */
  readonly reversible: boolean
  readonly stage: number
}

/** What was found out about one action at one time. It is recorded with the decision, so that it can be decided again years later. */
export interface ObservedFacts {
  /** The actor chain, user first. */
  readonly actors: readonly string[]
  /** Roles of the user, as the project lists them. */
  readonly roles: readonly string[]
  /** How many records the arguments name. */
  readonly records: number
  /** 0 to 10,000: the least of {@link confidences} and of what the run has earned. */
  readonly confidence: number
  readonly confidences: Confidences
  /** Failed attempts of this same action so far. */
  readonly attempts: number
  readonly time: TimeFacts
  /** What the declared meters would show if this action ran, by name. */
  readonly meters: Readonly<Record<string, number>>
  /** Who wrote the arguments, joined over all leaves. */
  readonly origins: readonly Origin[]
  /** What the labels say. */
  readonly flow: FlowFacts
  /** True when the action makes up for an earlier one. */
  readonly compensating: boolean
  readonly mode: 'live' | 'dry_run'
  /** Ids of the policies for which this exact action holds a granted approval. */
  readonly approvals: readonly string[]
}

/** How sure the planner is of what it read, found and wrote: each 0 to 10,000. */
export interface Confidences {
  readonly classification: number
  readonly retrieval: number
  readonly extraction: number
}

/** The time of the decision, as the journal has it. */
export interface TimeFacts {
  readonly nowMs: number
  /** 0 to 23, in the time zone of the project. */
  readonly hour: number
  /** 1 (Monday) to 7, in the time zone of the project. */
  readonly weekday: number
}

/** One policy that matched and forbids, with what its annotations say. */
export interface MatchedForbid extends DeterminingPolicy {
  readonly outcome: Exclude<Outcome, 'allow'>
  readonly approvers: readonly ApproverRule[]
}

/** What a policy engine answers, before the kernel resolves it to one outcome. */
export type PolicyVerdict =
  | { readonly kind: 'permitted'; readonly permits: readonly DeterminingPolicy[] }
  | { readonly kind: 'forbidden'; readonly forbids: readonly MatchedForbid[] }
  | { readonly kind: 'unmatched' }
  | { readonly kind: 'broken'; readonly message: string }

/**
 * Resolves a verdict to a decision.
 *
 * Deny beats ask, ask beats dry run, and silence is deny. The policies that restrict most are named first. A broken policy denies (I6): where Cedar skips a policy that errors, we
 * do not, since the one that broke may have been the one that forbids.
 */
export function resolveVerdict(verdict: PolicyVerdict, policyVersion: string): Decision {
  if (verdict.kind === 'permitted') return { outcome: 'allow', policies: verdict.permits, approvers: [], policyVersion }
  if (verdict.kind === 'unmatched') return deny('tidegate:default-deny', 'no policy permits this action', policyVersion)
  if (verdict.kind === 'broken') return deny('tidegate:policy-error', verdict.message, policyVersion)
  const outcome = strictest(verdict.forbids.map((forbid) => forbid.outcome))
  if (outcome === undefined) return deny('tidegate:policy-error', 'forbidden without a determining policy', policyVersion)
  const approvers = outcome === 'ask' ? mergeApprovers(verdict.forbids.filter((f) => f.outcome === 'ask')) : []
  if (outcome === 'ask' && approvers.length === 0) {
    return deny('tidegate:no-approvers', 'policy asks for an approval but names nobody who may give it', policyVersion)
  }
  const policies = verdict.forbids
    .toSorted((a, b) => SEVERITY[b.outcome] - SEVERITY[a.outcome] || (a.id < b.id ? -1 : 1))
    .map(({ id, reason }) => ({ id, reason }))
  return { outcome, policies, approvers, policyVersion }
}

/** A denial by one named rule. */
export function deny(id: string, reason: string, policyVersion: string): Decision {
  return { outcome: 'deny', policies: [{ id, reason }], approvers: [], policyVersion }
}

function strictest<T extends Outcome>(outcomes: readonly T[]): T | undefined {
  return outcomes.toSorted((a, b) => SEVERITY[b] - SEVERITY[a])[0]
}

/** Every policy that asks must be satisfied: per role the largest count wins. */
function mergeApprovers(forbids: readonly MatchedForbid[]): readonly ApproverRule[] {
  const counts = new Map<string, number>()
  for (const { approvers } of forbids) {
    for (const { role, count } of approvers) counts.set(role, Math.max(count, counts.get(role) ?? 0))
  }
  return [...counts].map(([role, count]) => ({ role, count })).toSorted((a, b) => (a.role < b.role ? -1 : 1))
}
