import { canonicalJson, type Decision, isObject, type Json, type RunState, stopFor } from '@tidegate/kernel'
import type { Person } from '../api.ts'
import { BUILTIN_TOOL } from '../builtin/part.ts'
import { bindingHash, bindingMembers, instantOf } from './binding.ts'
import { mayFollow, personBehind } from './caller.ts'
import { approvalId, type Grant, grantOf, runBehind, taskId } from './grant.ts'
import { signJws, verifyJws } from './jws.ts'
import type { AuthZenParts } from './parts.ts'
import type { EvaluationRequest } from './port.ts'
import { USE_SOURCE, USE_WORKFLOW } from './request-record.ts'

/** What an approval that was presented with a question did for it. */
export type Applied =
  | { readonly kind: 'used'; readonly id: string; readonly untilMs: number; readonly decision: Decision }
  | {
      readonly kind: 'useless'
      readonly reason: 'approval_expired' | 'out_of_scope' | 'policy_denied' | 'approval_unverifiable' | 'grant_pending'
      readonly next: 'request' | 'retry' | 'none'
      readonly retryAfterS?: number
    }

/** A question with an approval in its context. */
export interface Presented {
  readonly request: EvaluationRequest
  readonly caller: Person
  /** The context members that policies may speak of. */
  readonly relevant: readonly string[]
  readonly policyVersion: string
  /** Decides the question with these policies satisfied; undefined when it is about nothing that is declared. */
  readonly judge: (policies: readonly string[]) => Promise<Decision | undefined>
}

const UNVERIFIABLE: Applied = { kind: 'useless', reason: 'approval_unverifiable', next: 'none' }
const EXPIRED: Applied = { kind: 'useless', reason: 'approval_expired', next: 'request' }
const OUT_OF_SCOPE: Applied = { kind: 'useless', reason: 'out_of_scope', next: 'request' }
const POLICY_DENIED: Applied = { kind: 'useless', reason: 'policy_denied', next: 'none' }
/** A stop holds back what records the use: ask again when it is lifted. */
const HELD: Applied = { kind: 'useless', reason: 'grant_pending', next: 'retry', retryAfterS: 30 }

/**
 * Uses up an approval for one question, if it is for this very question.
 *
 * A1. It is known to the journal, completed, and not taken back. A2. Whoever presents it may follow its request. A3. It is in time.
 * A4. The policies are the ones it was given under (I2). A5. Subject, action, resource and the bound context are equal, member by
 * member. A6. With it policy allows. A7. It was not used before: the first record of a run claims it, and only whoever gets the claim
 * has it. If we crash after the claim, the approval is spent and nothing was allowed with it: at most once, never twice.
 */
export async function useApproval(parts: AuthZenParts, presented: Presented): Promise<Applied> {
  const grant = await presentedGrant(parts, presented.request.context.approval)
  if (grant === undefined || !mayFollow(presented.caller, { ...grant.record })) return UNVERIFIABLE // A1, A2
  if (grant.state === 'revoked' || parts.clock.nowMs() >= grant.approvedUntilMs) return EXPIRED // A1, A3
  if (grant.record.policyVersion !== presented.policyVersion) return EXPIRED // A4
  if (!isInScope(parts, grant, presented)) return OUT_OF_SCOPE // A5
  const decision = await presented.judge(grant.record.policies)
  if (decision === undefined || decision.outcome === 'deny' || decision.outcome === 'dry_run') return POLICY_DENIED // A6
  if (decision.outcome === 'ask') return OUT_OF_SCOPE
  if (isHeld(parts)) return HELD
  const id = approvalId(grant.run)
  const { subject, evaluationId } = grant.record
  const opened = await parts.runs.open({
    workflow: USE_WORKFLOW,
    source: USE_SOURCE,
    event: id,
    input: { approval: id, request: taskId(grant.run), evaluationId },
    user: personBehind(subject) ?? `${subject.type}:${subject.id}`,
    client: presented.caller.id,
  })
  if (opened.kind === 'duplicate') return EXPIRED // A7: superseded by its own use
  return opened.kind === 'refused' ? HELD : { kind: 'used', id, untilMs: grant.approvedUntilMs, decision }
}

/** True while a stop covers the runs that record uses: no approval is used that nobody could record (I7). */
function isHeld({ control }: AuthZenParts): boolean {
  return stopFor(control().stops, { run: '', agent: BUILTIN_TOOL, workflow: USE_WORKFLOW, tool: BUILTIN_TOOL }) !== undefined
}

/** The grant that an approval in a request names; undefined when it names none, or its state is not the one that we signed. */
async function presentedGrant(parts: AuthZenParts, approval: Json | undefined): Promise<Grant | undefined> {
  if (!isObject(approval) || typeof approval.id !== 'string') return undefined
  const run = runBehind('apr', approval.id)
  const state = run === undefined ? undefined : await loadUnlessErased(parts, run)
  const grant = state === undefined || state.final !== 'completed' ? undefined : grantOf(state)
  if (grant === undefined) return undefined
  if (approval.state === undefined) return grant
  const claims = typeof approval.state === 'string' ? verifyJws(parts, 'tidegate-approval+jwt', approval.state) : undefined
  const isOurs = claims !== undefined && canonicalJson(claims) === canonicalJson(claimsOf(parts, grant))
  return isOurs ? grant : undefined
}

function isInScope(parts: AuthZenParts, { record }: Grant, { request, relevant }: Presented): boolean {
  const members = bindingMembers(relevant, request.context)
  if (canonicalJson([...members]) !== canonicalJson([...record.bindingMembers])) return false
  return bindingHash(parts, request, members) === record.bindingHash
}

/** The approval of a grant, as whoever asked gets it and brings it back unchanged. */
export function renderApproval(parts: AuthZenParts, grant: Grant) {
  return {
    id: approvalId(grant.run),
    approved_at: instantOf(grant.approvedAtMs),
    approved_until: instantOf(grant.approvedUntilMs),
    state: signJws(parts, 'tidegate-approval+jwt', claimsOf(parts, grant)),
  }
}

function claimsOf({ identifier }: AuthZenParts, { run, record, approvedAtMs, approvedUntilMs }: Grant) {
  return {
    iss: identifier,
    aud: identifier,
    jti: approvalId(run),
    iat: Math.floor(approvedAtMs / 1_000),
    exp: Math.floor(approvedUntilMs / 1_000),
    request: taskId(run),
    evaluation_id: record.evaluationId,
    client: record.submitter,
    binding_hash: record.bindingHash,
    binding_context_members: [...record.bindingMembers],
    policy_version: record.policyVersion,
  }
}

/** A run whose content is gone vouches for nothing. */
export async function loadUnlessErased({ runs }: Pick<AuthZenParts, 'runs'>, run: string): Promise<RunState | undefined> {
  try {
    return await runs.load(run)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'run_erased') return undefined
    throw error
  }
}
