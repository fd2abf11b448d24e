import type { OperationId } from '../action/operation.ts'
import { endorseValue, type FlowContext, sinkKey } from '../label/context.ts'
import { canonicalText } from '../label/words.ts'
import type { ApproverRule } from '../policy/decision.ts'
import { decideVote, hasQuorum, type Vote, type VoteDecision } from './question.ts'

/**
 * One value that people endorse for one sink of one operation, for the rest of one run. It counts once as many entitled people have said so
 * as a yes to the call would need; until then it is a list of votes.
 *
 * It says that the value may be used there, and nothing else: the context stays as tainted as it was, who may read what stays as it was, and
 * policy decides about every call (I9).
 */
export interface Endorsement extends EndorsedSink {
  readonly value: string | number
  /** The question in which it was asked for, or null when nobody was asked. */
  readonly approval: string | null
  readonly policyVersion: string
  readonly approvers: readonly ApproverRule[]
  readonly votes: readonly Vote[]
}

/** Where a value may be used. */
export interface EndorsedSink {
  readonly operation: OperationId
  /** JSON pointer into the arguments; the places of a list are one sink. */
  readonly pointer: string
}

/** What people endorse, before anybody has: whoever says the same under the same rules adds to it. */
export type EndorsementSubject = Omit<Endorsement, 'votes'>

/** Finds what others have said about the same value, sink, question and rules. */
export function findEndorsement(known: readonly Endorsement[], wanted: EndorsementSubject): Endorsement | undefined {
  return known.find((each) => isSame(each, wanted))
}

function isSame(a: EndorsementSubject, b: EndorsementSubject): boolean {
  return (
    sinkKey(a.operation, a.pointer) === sinkKey(b.operation, b.pointer) &&
    canonicalText(String(a.value)) === canonicalText(String(b.value)) &&
    a.approval === b.approval &&
    a.policyVersion === b.policyVersion &&
    JSON.stringify(a.approvers) === JSON.stringify(b.approvers)
  )
}

/** Adds a vote to what is endorsed. */
export function addEndorsement(known: readonly Endorsement[], subject: EndorsementSubject, vote: Vote): readonly Endorsement[] {
  const before = findEndorsement(known, subject)
  if (before === undefined) return [...known, { ...subject, votes: [vote] }]
  return known.map((each) => (each === before ? { ...before, votes: [...before.votes, vote] } : each))
}

/** True when enough entitled people have endorsed it. */
export function isEndorsed({ approvers, votes }: Endorsement): boolean {
  return hasQuorum(approvers, votes)
}

/** What an endorsement is held against besides what others have said. */
export interface EndorsementGround {
  readonly requesters: readonly string[]
  /** From then on nothing can be endorsed under this question (I5); infinite when nobody was asked. */
  readonly deadlineMs: number
  readonly nowMs: number
}

/** Who endorses. */
export interface Endorser {
  readonly voter: string
  readonly roles: readonly string[]
  readonly why: string
}

/**
 * Decides whether an endorsement counts, and whether it is enough: exactly as a vote on the call would be (entitled, nobody twice, never
 * who asks for it, in time). Pure.
 */
export function decideEndorsement(
  known: readonly Endorsement[],
  subject: EndorsementSubject,
  endorser: Endorser,
  { requesters, deadlineMs, nowMs }: EndorsementGround,
): VoteDecision {
  const { approvers, policyVersion, approval } = subject
  if (approvers.length === 0) {
    const message = 'nobody may endorse anything here: the workflow names no endorsers, and no open question names approvers'
    return { kind: 'rejected', code: 'not_entitled', message }
  }
  const question = { id: approval ?? '', run: '', action: 0, digest: '', previewDigest: null, policies: [], openedAtMs: 0 }
  const votes = findEndorsement(known, subject)?.votes ?? []
  const asked = { state: 'open', votes, question: { ...question, policyVersion, approvers, requesters, deadlineMs } } as const
  return decideVote(asked, { ...endorser, vote: 'approve', digest: '' }, nowMs)
}

/** Takes what is endorsed into the context of a run: integrity of these values for these sinks, and nothing else. */
export function withEndorsed(context: FlowContext, endorsements: readonly Endorsement[]): FlowContext {
  return endorsements.filter(isEndorsed).reduce<FlowContext>(endorseValue, context)
}
