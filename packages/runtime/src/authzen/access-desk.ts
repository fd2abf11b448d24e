import { digestOf, type JsonObject, type RunState } from '@tidegate/kernel'
import type { Person } from '../api.ts'
import { loadUnlessErased, renderApproval } from './approval.ts'
import { bindingHash, type DenialClaims, instantOf, readBindingToken } from './binding.ts'
import { mayAskFor, mayFollow, mayWithdraw, personBehind } from './caller.ts'
import { grantOf, runBehind, taskId } from './grant.ts'
import type { AuthZenParts } from './parts.ts'
import { type EvaluationRequest, sourceOf } from './port.ts'
import { ACCESS_SOURCE, ACCESS_WORKFLOW, recordOf, type RequestRecord, writeRecord } from './request-record.ts'
import { createRequestIndex } from './request-index.ts'

/** Somebody asks for what was denied to them. */
export interface AccessSubmission extends EvaluationRequest {
  readonly bindingToken: string | undefined
  readonly evaluationId: string | undefined
  /** As the denial had it. */
  readonly expiresAt: string
  readonly requestedUntilMs: number
  readonly emergency: boolean
  /** The whole body, for comparing one submission with another. */
  readonly body: JsonObject
  readonly idempotencyKey: string | undefined
}

export type AccessRefusalCode =
  | 'not_entitled'
  | 'not_requestable'
  | 'expired_denial'
  | 'invalid_denial_binding'
  | 'duplicate_request'
  | 'unknown_task'
  | 'task_expired'
  | 'invalid_task_state'
  | 'stopped'

export interface AccessRefusal {
  readonly kind: 'refused'
  readonly code: AccessRefusalCode
  readonly message: string
}

/** What became of a request for access so far. `pending` alone changes, and once. */
export interface AccessTask {
  readonly kind: 'task'
  readonly id: string
  readonly status: 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled' | 'failed'
  readonly expiresAt: string
  readonly approval: ReturnType<typeof renderApproval> | undefined
}

/** Requests for access: submitted, looked at, withdrawn. */
export interface AccessDesk {
  submit(submission: AccessSubmission, caller: Person): Promise<AccessTask | AccessRefusal>
  task(id: string, caller: Person): Promise<AccessTask | AccessRefusal>
  cancel(id: string, caller: Person): Promise<AccessTask | AccessRefusal>
}

const DAY_MS = 86_400_000

/** Creates the desk. Submissions are taken one after the other: two that say the same make one request. */
export function createAccessDesk(parts: AuthZenParts): AccessDesk {
  const index = createRequestIndex(parts)
  let last: Promise<unknown> = Promise.resolve()
  return {
    submit(submission, caller) {
      const next = last.then(() => submit(parts, index, submission, caller))
      last = next.catch(() => undefined) // whoever asked has the rejection; the next one must not inherit it
      return next
    },
    task: (id, caller) => look(parts, id, caller),
    cancel: (id, caller) => cancel(parts, id, caller),
  }
}

/**
 * Takes a request for access. The denial it is about must be ours, unexpired and about exactly this question; policy is asked again,
 * and whoever it now names is asked; the run that asks them is claimed by the denial, so that one denial makes one request.
 */
async function submit(
  parts: AuthZenParts,
  index: ReturnType<typeof createRequestIndex>,
  submission: AccessSubmission,
  caller: Person,
): Promise<AccessTask | AccessRefusal> {
  if (!mayAskFor(caller, submission.subject))
    return refuse('not_entitled', 'Only the subject, or the role dispatcher, may ask for access in its name.')
  const body = digestOf(parts.hasher, submission.body)
  const key = submission.idempotencyKey === undefined ? '' : digestOf(parts.hasher, [caller.id, submission.idempotencyKey])
  const known = key === '' ? undefined : await index.byKey(key)
  if (known !== undefined) return sameAgain(parts, known, body)
  const denial = readDenial(parts, submission)
  if ('kind' in denial) return denial
  const earlier = await index.byDenial(denial.token)
  if (earlier !== undefined) return sameAgain(parts, earlier, body)
  const record = await recordFor(parts, submission, denial, { body, key, submitter: caller.id })
  if ('kind' in record) return record
  const user = personBehind(record.subject) ?? `${record.subject.type}:${record.subject.id}`
  const client = user === caller.id ? 'client:gateway' : caller.id
  const event = {
    workflow: ACCESS_WORKFLOW,
    source: ACCESS_SOURCE,
    event: denial.token,
    input: writeRecord(record),
    user,
    client,
  }
  const opened = await parts.runs.open(event)
  if (opened.kind === 'refused') return refuse('stopped', `The request cannot be taken: ${opened.message}.`)
  index.add(opened.run, { key, denial: denial.token })
  if (opened.kind === 'duplicate') return sameAgain(parts, opened.run, body)
  return render(parts, await loadUnlessErased(parts, opened.run))
}

/** The same submission gets the same task; another body under the same name is a mistake of whoever sends it. */
async function sameAgain(parts: AuthZenParts, run: string, body: string): Promise<AccessTask | AccessRefusal> {
  const state = await loadUnlessErased(parts, run)
  const same = state !== undefined && recordOf(state)?.body === body
  if (same) return render(parts, state)
  return refuse(
    'duplicate_request',
    'This key, or this denial, has served for another request already. Evaluate again, and use a new key.',
  )
}

/** Checks the denial that a submission is about (ARAP, "Access Request Service Processing Rules"). */
function readDenial(parts: AuthZenParts, submission: AccessSubmission): DenialClaims | AccessRefusal {
  const { bindingToken, evaluationId, expiresAt, ...request } = submission
  const unbound = (message: string): AccessRefusal => refuse('invalid_denial_binding', message)
  if (bindingToken === undefined) return unbound('denial.binding_token is missing: send the one that came with the denial.')
  const claims = readBindingToken(parts, bindingToken)
  if (claims === undefined) return unbound('denial.binding_token was not issued here.')
  if (Date.parse(claims.expiresAt) !== Date.parse(expiresAt)) return unbound('denial.expires_at is not the one of the denial.')
  if (evaluationId !== undefined && evaluationId !== claims.evaluationId)
    return unbound('denial.evaluation_id is not the one of the denial.')
  if (parts.clock.nowMs() > Date.parse(claims.expiresAt))
    return refuse('expired_denial', 'The denial is too old to ask about. Evaluate again.')
  if (bindingHash(parts, request, claims.binding.members) !== claims.binding.hash)
    return unbound('Subject, action, resource or context are not those of the denial.')
  return claims
}

/** What the request will be recorded as: with the people whom policy names now. */
async function recordFor(
  parts: AuthZenParts,
  submission: AccessSubmission,
  denial: DenialClaims,
  sent: Pick<RequestRecord, 'body' | 'key' | 'submitter'>,
): Promise<RequestRecord | AccessRefusal> {
  const { subject, action, resource, context, requestedUntilMs, emergency } = submission
  const request = { subject, action, resource, context }
  const judged = await sourceOf(parts.sources, request)?.judge(request, [])
  if (judged?.kind !== 'decided' || judged.decision.outcome !== 'ask')
    return refuse('not_requestable', 'Policy does not let people decide this, or not any more. Evaluate again.')
  if (requestedUntilMs > 0 && requestedUntilMs <= parts.clock.nowMs())
    return refuse('not_requestable', 'requested_access.requested_until has passed.')
  const { approvers, policies, policyVersion } = judged.decision
  const why = context.business_justification ?? context.justification
  return {
    ...request,
    approvers,
    policies: policies.map(({ id }) => id),
    policyVersion,
    evaluationId: denial.evaluationId,
    bindingHash: denial.binding.hash,
    bindingMembers: denial.binding.members,
    requestedUntilMs,
    emergency,
    justification: typeof why === 'string' ? why.slice(0, 1_000) : '',
    ...sent,
  }
}

async function look(parts: AuthZenParts, id: string, caller: Person): Promise<AccessTask | AccessRefusal> {
  const found = await find(parts, id)
  return found === undefined || !mayFollow(caller, found.record) ? unknownTask() : render(parts, found.state)
}

async function cancel(parts: AuthZenParts, id: string, caller: Person): Promise<AccessTask | AccessRefusal> {
  const found = await find(parts, id)
  if (found === undefined || !(mayFollow(caller, found.record) || mayWithdraw(caller, found.record))) return unknownTask()
  if (!mayWithdraw(caller, found.record))
    return refuse('not_entitled', 'Whoever asked, whom it is for, or an operator may withdraw a request.')
  const withdrawn = await parts.runs.withdraw(found.state.opened.run, caller.id)
  if (!withdrawn) return refuse('invalid_task_state', 'The request is decided, or is not put to people yet.')
  return render(parts, await loadUnlessErased(parts, found.state.opened.run))
}

async function find(
  parts: AuthZenParts,
  id: string,
): Promise<{ readonly state: RunState; readonly record: RequestRecord } | undefined> {
  const run = runBehind('arq', id)
  const state = run === undefined ? undefined : await loadUnlessErased(parts, run)
  const record = state === undefined ? undefined : recordOf(state)
  return state === undefined || record === undefined ? undefined : { state, record }
}

function render(parts: AuthZenParts, state: RunState | undefined): AccessTask | AccessRefusal {
  if (state === undefined) return unknownTask()
  const { answerMs, grantMs } = parts.times
  const expiresAtMs = state.openedAtMs + answerMs + grantMs + DAY_MS
  if (parts.clock.nowMs() >= expiresAtMs) return refuse('task_expired', 'This request is too old to be looked at.')
  const status = statusOf(state)
  const grant = status === 'approved' ? grantOf(state) : undefined
  const approval = grant === undefined ? undefined : renderApproval(parts, grant)
  return { kind: 'task', id: taskId(state.opened.run), status, expiresAt: instantOf(expiresAtMs), approval }
}

/** What a run is, to whoever asked. Terminal exactly when the run has ended, and a run ends once. */
function statusOf(state: RunState): AccessTask['status'] {
  const question = [...state.approvals.values()].at(-1)
  // Withdrawn: closed without anybody having said no. Said at once, since the run ends a moment later and nothing else can come of it.
  const refused = question?.state === 'refused'
  if (refused) return question.votes.some(({ vote }) => vote === 'refuse') ? 'denied' : 'cancelled'
  if (question?.state === 'lapsed') return 'expired'
  if (state.final === null) return 'pending'
  if (state.final === 'completed') return 'approved'
  if (state.final === 'stopped') return 'cancelled'
  return state.failure === 'policy_denial' ? 'denied' : 'failed'
}

function unknownTask(): AccessRefusal {
  return refuse('unknown_task', 'There is no such request, or it is not yours.')
}

function refuse(code: AccessRefusalCode, message: string): AccessRefusal {
  return { kind: 'refused', code, message }
}
