import type { ApproverRule, Outcome } from './decision.ts'

/**
 * One policy by what it means: its parts in a canonical form, so that two texts that say the same are the same. Layout, comments and
 * redundant brackets have no part in it.
 */
export interface DescribedPolicy {
  readonly id: string
  readonly effect: 'permit' | 'forbid'
  /** `allow` exactly for a permit. */
  readonly outcome: Outcome
  readonly approvers: readonly ApproverRule[]
  readonly reason: string
  /** Principal, action and resource as one line. */
  readonly scope: string
  /** What it asks of the request as one line; empty when it asks nothing. */
  readonly condition: string
  /** Where it stands. */
  readonly file: string
  readonly line: number
}

/** What of a policy can change, in the order in which a reader wants to know it. */
export const POLICY_ASPECTS = ['effect', 'outcome', 'scope', 'condition', 'approvers', 'reason'] as const
export type PolicyAspect = (typeof POLICY_ASPECTS)[number]

/** One aspect of a policy, before and after, as text for people. */
export interface AspectChange {
  readonly aspect: PolicyAspect
  readonly before: string
  readonly after: string
}

/** A policy that is in both sets under one id and no longer means the same. */
export interface ChangedPolicy {
  readonly id: string
  readonly before: DescribedPolicy
  readonly after: DescribedPolicy
  /** Never empty. */
  readonly changes: readonly AspectChange[]
}

/** How one set of policies differs from another, by id. Each list is sorted by id. */
export interface PolicyDiff {
  readonly added: readonly DescribedPolicy[]
  readonly removed: readonly DescribedPolicy[]
  readonly changed: readonly ChangedPolicy[]
  /** How many mean the same as before. */
  readonly unchanged: number
}

/**
 * Says how two sets of policies differ, by meaning and not by text: policies are matched by id, and one that only moved to another
 * file or line is unchanged. Pure, and independent of the order of both lists. Ids are unique within a set; of two with one id the
 * last counts.
 */
export function diffPolicySets(before: readonly DescribedPolicy[], after: readonly DescribedPolicy[]): PolicyDiff {
  const old = byId(before)
  const fresh = byId(after)
  const both = [...fresh.values()].flatMap((policy) => {
    const earlier = old.get(policy.id)
    return earlier === undefined ? [] : [{ id: policy.id, before: earlier, after: policy, changes: changesOf(earlier, policy) }]
  })
  const changed = both.filter(({ changes }) => changes.length > 0)
  return {
    added: sorted([...fresh.values()].filter(({ id }) => !old.has(id))),
    removed: sorted([...old.values()].filter(({ id }) => !fresh.has(id))),
    changed: sorted(changed),
    unchanged: both.length - changed.length,
  }
}

/** True when nothing differs. */
export function isSamePolicies({ added, removed, changed }: PolicyDiff): boolean {
  return added.length + removed.length + changed.length === 0
}

/** Approvers as policies write them: `role:billing-lead x2, role:privacy`. */
export function writeApprovers(rules: readonly ApproverRule[]): string {
  return rules
    .map(({ role, count }) => `role:${role}${count === 1 ? '' : ` x${count}`}`)
    .toSorted()
    .join(', ')
}

function changesOf(before: DescribedPolicy, after: DescribedPolicy): readonly AspectChange[] {
  return POLICY_ASPECTS.flatMap((aspect) => {
    const [from, to] = [textOf(before, aspect), textOf(after, aspect)]
    return from === to ? [] : [{ aspect, before: from, after: to }]
  })
}

function textOf(policy: DescribedPolicy, aspect: PolicyAspect): string {
  return aspect === 'approvers' ? writeApprovers(policy.approvers) : policy[aspect]
}

function byId(policies: readonly DescribedPolicy[]): ReadonlyMap<string, DescribedPolicy> {
  return new Map(policies.map((policy) => [policy.id, policy]))
}

function sorted<T extends { readonly id: string }>(list: readonly T[]): readonly T[] {
  return list.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}
