import { digestOf } from '../action/digest.ts'
import type { Json } from '../canonical/json.ts'
import { KernelError } from '../error.ts'
import type { Hasher } from '../ports/hasher.ts'
import { type Approval, hasQuorum, type PlannedCall, type Question } from './question.ts'

/**
 * Approving a plan: one question for several calls that a run has announced before it saw anything untrusted.
 *
 * 1. A call is named by its digest, so that it is known exactly (I2): what the plan leaves open is asked when it comes.
 * 2. It is a vote that names the digest of the plan which says yes to it. A vote that names the digest of the action says yes to that action.
 * 3. Every call is covered once. The yes satisfies the policies that would have asked when people were asked, and no others: the call is
 * decided by policy all the same. 4. What is not certain is asked: another policy version, another preview, a deadline that has passed.
 */
export interface PlannedState extends PlannedCall {
  readonly arguments: Json
  /** What people saw, or null for an operation without a preview. */
  readonly preview: Json
  /** The action that started under it, or null. */
  readonly usedBy: number | null
}

/** What of a run the plans of its questions depend on. */
export interface PlannedRun {
  readonly approvals: ReadonlyMap<string, Approval>
  /** By id of the question. */
  readonly plans: ReadonlyMap<string, readonly PlannedState[]>
}

/** A call under an approved plan, with the question that it was shown in. */
export interface ApprovedCall {
  readonly question: Question
  readonly call: PlannedState
}

/** Digest of everything that a plan shows. */
export function planDigest(
  hasher: Hasher,
  { digest, previewDigest, policyVersion }: Pick<Question, 'digest' | 'previewDigest' | 'policyVersion'>,
  calls: readonly PlannedCall[],
): string {
  const shown = calls.map((call) => ({
    operation: call.operation,
    digest: call.digest,
    previewDigest: call.previewDigest,
    policies: [...call.policies],
  }))
  return digestOf(hasher, { digest, previewDigest, policyVersion, calls: shown })
}

/** True when enough entitled people have said yes to the plan itself. */
export function isPlanApproved({ question, votes }: Approval): boolean {
  return (
    question.plan !== undefined &&
    hasQuorum(
      question.approvers,
      votes.filter((vote) => vote.plan === true),
    )
  )
}

/**
 * The call of an approved plan that an action may start under: not used up, or by this very action. Undefined when there is none, and
 * as long as the action that the people were asked about has not started: until then its question may still be voided.
 */
export function approvedCall(
  { approvals, plans }: PlannedRun,
  { digest, action }: { readonly digest: string; readonly action: number },
): ApprovedCall | undefined {
  for (const [id, calls] of [...plans].reverse()) {
    const approval = approvals.get(id)
    if (approval?.state !== 'consumed' || !isPlanApproved(approval)) continue
    const call = calls.find((each) => each.digest === digest && (each.usedBy === null || each.usedBy === action))
    if (call !== undefined) return { question: approval.question, call }
  }
  return undefined
}

/** An approved call of a plan is used by one action, like any other approval (I2). Throws when it is not there to be used. */
export function usePlanned(
  { approvals, plans }: PlannedRun,
  { approval: id, digest, action }: { readonly approval: string; readonly digest: string; readonly action: number },
): PlannedRun['plans'] {
  const approval = approvals.get(id)
  const calls = plans.get(id) ?? []
  const at = calls.findIndex((each) => each.digest === digest && (each.usedBy === null || each.usedBy === action))
  const call = calls[at]
  if (approval?.state !== 'consumed' || !isPlanApproved(approval) || call === undefined)
    throw new KernelError('invariant_broken', `I1: action ${action} started under approval ${id}, which does not cover it`)
  return new Map(plans).set(id, calls.with(at, { ...call, usedBy: action }))
}
