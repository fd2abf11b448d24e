import type { OperationId } from '../action/operation.ts'
import type { ApproverRule } from '../policy/decision.ts'

/** What people are asked, bound to one exact action (I2). */
export interface Question {
  readonly id: string
  readonly run: string
  /** Number of the action within the run. */
  readonly action: number
  readonly digest: string
  /** Digest of the preview that the people see, or null for an operation without one. */
  readonly previewDigest: string | null
  readonly policyVersion: string
  /** The policies that asked; these are satisfied by a grant, and no others. */
  readonly policies: readonly string[]
  readonly approvers: readonly ApproverRule[]
  /** Everyone in the actor chain: may look, may not vote (separation of duties). */
  readonly requesters: readonly string[]
  readonly openedAtMs: number
  readonly deadlineMs: number
  /** Other calls of the run's plan that the same people may answer for in one go; absent when only this action is asked. */
  readonly plan?: QuestionPlan
}

/** Calls that one question covers besides its own action, see plan.ts. */
export interface QuestionPlan {
  /** Hex SHA-256 over the question and all of the calls: who names it in a vote has been shown the whole plan. */
  readonly digest: string
  readonly calls: readonly PlannedCall[]
}

/** One call of a plan, exactly: it is answered for once, as long as the policy and what it would change are the same. */
export interface PlannedCall {
  readonly operation: OperationId
  readonly digest: string
  readonly previewDigest: string | null
  /** The policies that would ask about it. */
  readonly policies: readonly string[]
}

export interface Vote {
  readonly voter: string
  /** The roles the voter held when voting. */
  readonly roles: readonly string[]
  readonly vote: 'approve' | 'refuse'
  readonly why: string
  readonly atMs: number
  /** The yes is to the whole plan of the question, and not to its action alone. */
  readonly plan?: true
}

/**
 * A question put to people, and what became of it. It is answered once; only an open one can change. A granted one is consumed by
 * the effect it allows, in the same record, and never serves twice.
 */
export type Approval = Open | Granted | Refused | Lapsed | Voided | Consumed

interface Asked {
  readonly question: Question
  readonly votes: readonly Vote[]
}
export interface Open extends Asked {
  readonly state: 'open'
}
export interface Granted extends Asked {
  readonly state: 'granted'
}
export interface Refused extends Asked {
  readonly state: 'refused'
}
/** The deadline passed first. Silence is never consent (I5). */
export interface Lapsed extends Asked {
  readonly state: 'lapsed'
}
/** The world or the policy changed since the question was asked: what was approved is not what would run. */
export interface Voided extends Asked {
  readonly state: 'voided'
  readonly why: string
}
export interface Consumed extends Asked {
  readonly state: 'consumed'
}

export const VOTE_REFUSALS = [
  'approval_closed',
  'approval_lapsed',
  'digest_mismatch',
  'not_entitled',
  'is_requester',
  'already_voted',
] as const
export type VoteRefusal = (typeof VOTE_REFUSALS)[number]

export type VoteDecision =
  | { readonly kind: 'counted'; readonly vote: Vote; readonly after: 'open' | 'granted' | 'refused' }
  | { readonly kind: 'rejected'; readonly code: VoteRefusal; readonly message: string }

/** A vote as somebody casts it. */
export interface Ballot {
  readonly voter: string
  readonly roles: readonly string[]
  readonly vote: 'approve' | 'refuse'
  readonly why: string
  /** The digest the voter saw: that of the action, or that of the plan of the question, to say yes to all of it. */
  readonly digest: string
}

/**
 * Decides whether a vote counts and what the question becomes. Pure.
 *
 * One refusal by an entitled person refuses. A grant needs, for every rule, `count` different people, and nobody counts for two
 * rules. The requester, and everyone acting for the requester, never votes.
 */
export function decideVote(approval: Approval, ballot: Ballot, nowMs: number): VoteDecision {
  const { question, votes } = approval
  const reject = (code: VoteRefusal, message: string): VoteDecision => ({ kind: 'rejected', code, message })
  if (approval.state !== 'open') return reject('approval_closed', `this approval is already ${approval.state}`)
  if (nowMs >= question.deadlineMs) return reject('approval_lapsed', 'the deadline has passed, and silence means no')
  const isPlan = question.plan !== undefined && ballot.digest === question.plan.digest
  if (!isPlan && ballot.digest !== question.digest)
    return reject('digest_mismatch', 'the vote names another action than the one that is asked')
  if (question.requesters.includes(ballot.voter)) return reject('is_requester', 'whoever asks for an action may not approve it')
  if (!question.approvers.some((rule) => ballot.roles.includes(rule.role))) {
    const wanted = question.approvers.map((rule) => rule.role).join(', ')
    return reject('not_entitled', `only these roles may vote here: ${wanted}`)
  }
  if (votes.some((vote) => vote.voter === ballot.voter)) return reject('already_voted', 'you have voted here already')
  const { voter, roles, why } = ballot
  const whole = isPlan && ballot.vote === 'approve' ? ({ plan: true } as const) : {}
  const vote: Vote = { voter, roles, vote: ballot.vote, why, atMs: nowMs, ...whole }
  if (ballot.vote === 'refuse') return { kind: 'counted', vote, after: 'refused' }
  const after = hasQuorum(question.approvers, [...votes, vote]) ? 'granted' : 'open'
  return { kind: 'counted', vote, after }
}

/** True when every rule finds its own people among the yes votes: a matching of people to seats, in polynomial time. */
export function hasQuorum(rules: readonly ApproverRule[], votes: readonly Vote[]): boolean {
  const seats = rules.flatMap((rule) => Array.from({ length: rule.count }, () => rule.role))
  const people = new Map<string, readonly string[]>()
  for (const { voter, roles, vote } of votes) {
    if (vote === 'approve') people.set(voter, [...(people.get(voter) ?? []), ...roles])
  }
  if (seats.length === 0 || people.size < seats.length) return false
  const seatOf = new Map<string, number>()
  return seats.every((_, seat) => findPerson(seat, { seats, people, seatOf }, new Set()))
}

interface Seating {
  readonly seats: readonly string[]
  readonly people: ReadonlyMap<string, readonly string[]>
  /** Who sits where so far. */
  readonly seatOf: Map<string, number>
}

/** Finds somebody for a seat, moving those who sit already when they can sit elsewhere (an augmenting path). */
function findPerson(seat: number, seating: Seating, asked: Set<string>): boolean {
  const { seats, people, seatOf } = seating
  for (const [person, roles] of people) {
    if (asked.has(person) || !roles.includes(seats[seat] ?? '')) continue
    asked.add(person)
    const taken = seatOf.get(person)
    if (taken !== undefined && !findPerson(taken, seating, asked)) continue
    seatOf.set(person, seat)
    return true
  }
  return false
}
