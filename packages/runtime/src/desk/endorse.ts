import {
  addEndorsement,
  decideEndorsement,
  type Endorsement,
  type EndorsementSubject,
  holdsTarget,
  type Json,
  MAX_VOIDED,
  type Operation,
  type Question,
  type RunEvent,
  type RunState,
  targetFor,
  type ValueEndorsed,
  valueAt,
  type VoteDecision,
} from '@tidegate/kernel'
import type { EndorseAnswer, EndorseRefusal, EndorseRequest } from '../api.ts'
import { flowOf } from '../flow-of.ts'
import { commit } from '../harness/commit.ts'
import type { Harness } from '../harness/harness.ts'
import type { HarnessParts } from '../harness/parts.ts'

/** Nobody looks at more in one go. */
const MAX_VALUES = 20

type Rejected = Extract<EndorseAnswer, { kind: 'rejected' }>

/**
 * Endorses values for the rest of a run (docs/spec/labels.md, section 7), or says why it cannot be done. What was said is one record.
 *
 * Values under an open question are endorsed by those who may answer it, and as many of them; when that has settled a value of the action that
 * is asked, the question is closed and the action is decided again: it runs if nothing else is asked about it. Otherwise those
 * may whom the workflow names. If we crash after the record, the next life decides the action again; before it, nobody has said anything.
 */
export function endorse(parts: HarnessParts, harness: Harness, run: string, request: EndorseRequest): Promise<EndorseAnswer> {
  return harness.exclusively(run, async (state) => {
    if (state === undefined) return reject('not_found', `there is no run ${run}`)
    if (state.phase === 'finished') return reject('approval_closed', 'the run has ended, and what is endorsed ends with it')
    const basis = basisOf(parts, state, request)
    if (basis.kind === 'rejected') return basis
    const said = sayAll(parts, state, request, basis)
    if ('kind' in said) return said
    const closing = closingOf(state, said.endorsed)
    const committed = await commit(parts, state, [...said.events, ...closing])
    if (committed === 'conflict')
      return reject('approval_closed', 'somebody else changed this run in the same moment; look again')
    const values = said.events.map(({ operation, pointer, state: became }) => ({ operation, pointer, state: became }))
    return { kind: 'endorsed', run, values, reopened: closing.length > 0 }
  })
}

function reject(code: EndorseRefusal, message: string): Rejected {
  return { kind: 'rejected', code, message }
}

/** What an endorsement stands on. */
interface Basis {
  readonly kind: 'basis'
  readonly operation: Operation
  /** The action whose arguments are meant, with its digest. */
  readonly action: { readonly n: number; readonly digest: string | null; readonly arguments: Json } | null
  /** The open question, or null: then the workflow says who may. */
  readonly question: Question | null
  readonly rules: Pick<EndorsementSubject, 'approval' | 'policyVersion' | 'approvers'>
}

function basisOf(parts: HarnessParts, state: RunState, request: EndorseRequest): Basis | Rejected {
  const approval = request.approval === undefined ? undefined : state.approvals.get(request.approval)
  if (request.approval !== undefined && approval === undefined)
    return reject('not_found', `there is no approval ${request.approval}`)
  if (approval !== undefined && approval.state !== 'open')
    return reject(
      'approval_closed',
      `this approval is already ${approval.state}; endorse by the run and the number of the action`,
    )
  const question = approval?.question ?? null
  if (question !== null && question.policyVersion !== parts.policy.version)
    return reject('approval_closed', 'the policy has changed since it was asked: it will be decided anew')
  const n = question?.action ?? request.action
  const action = n === undefined ? undefined : state.actions[n]
  if (n !== undefined && action === undefined) return reject('not_found', `this run has no action ${n}`)
  const id = action?.proposed.operation ?? request.operation ?? ''
  const operation = parts.registry.find(id)
  const workflow = parts.registry.workflow(state.opened.workflow)?.workflow
  if (operation === undefined || workflow?.operations.has(id) !== true)
    return reject('not_found', `the workflow of this run has no operation "${id.slice(0, 80)}"`)
  if (operation.risk === 'critical')
    return reject('not_a_sink', 'an operation of critical risk is approved call by call, if at all')
  const { digest = null, sealed } = action?.proposed ?? {}
  return {
    kind: 'basis',
    operation,
    action: action === undefined || sealed === undefined ? null : { n: action.n, digest, arguments: sealed.arguments },
    question,
    rules: {
      approval: question?.id ?? null,
      policyVersion: parts.policy.version,
      approvers: question?.approvers ?? workflow.approvals?.endorsers ?? [],
    },
  }
}

interface Said {
  readonly events: readonly ValueEndorsed[]
  /** Those that now count. */
  readonly endorsed: readonly ValueEndorsed[]
}

function sayAll({ clock }: HarnessParts, state: RunState, request: EndorseRequest, basis: Basis): Said | Rejected {
  const { person, why, values } = request
  const nowMs = Math.max(clock.nowMs(), state.updatedAtMs)
  const events: ValueEndorsed[] = []
  let known: readonly Endorsement[] = state.endorsements
  if (values.length === 0 || values.length > MAX_VALUES)
    return reject('value_unusable', `name at least one place, and at most ${MAX_VALUES}`)
  for (const wanted of values) {
    const target = targetOf(request, basis, wanted)
    if (target.kind !== 'target') return target
    const subject = { operation: basis.operation.id, pointer: wanted.pointer, value: target.value, ...basis.rules }
    const decision = decideEndorsement(
      known,
      subject,
      { voter: person.id, roles: person.roles, why },
      groundOf(state, basis, nowMs),
    )
    if (decision.kind === 'rejected') return decision
    known = addEndorsement(known, subject, decision.vote)
    events.push(eventOf(subject, { decision, n: wanted.value === undefined ? (basis.action?.n ?? null) : null }))
  }
  return { events, endorsed: events.filter((event) => event.state === 'endorsed') }
}

function groundOf({ opened }: RunState, { question }: Basis, nowMs: number) {
  const requesters = question?.requesters ?? [...opened.actors, opened.agent]
  return { requesters, deadlineMs: question?.deadlineMs ?? Number.POSITIVE_INFINITY, nowMs }
}

/** The value that is meant. What stands in an action is only endorsed by somebody who has seen that very action. */
function targetOf(
  { digest }: EndorseRequest,
  { operation, action }: Basis,
  { pointer, value }: EndorseRequest['values'][number],
): Extract<ReturnType<typeof targetFor>, { kind: 'target' }> | Rejected {
  if (value === undefined && action === null)
    return reject('value_unusable', 'name the action or the question in which the value stands, or give the value itself')
  if (value === undefined && (action?.digest ?? null) !== (digest ?? ''))
    return reject('digest_mismatch', 'name the digest of the action in which you have seen the value')
  const found = targetFor(flowOf(operation), pointer, value ?? (action === null ? undefined : valueAt(action.arguments, pointer)))
  return found.kind === 'target' ? found : reject(found.code, `${pointer.slice(0, 120)}: ${found.message}`)
}

type Counted = Extract<VoteDecision, { kind: 'counted' }>

function eventOf(subject: EndorsementSubject, { decision, n }: { decision: Counted; n: number | null }): ValueEndorsed {
  const { operation, pointer, value, approval, policyVersion, approvers } = subject
  const { voter, roles, why } = decision.vote
  return {
    ...{ type: 'value.endorsed', operation, pointer, action: n, approval, policyVersion, approvers, voter, roles },
    state: decision.after === 'granted' ? 'endorsed' : 'open',
    sealed: { value, why },
  }
}

/** An open question is put aside when a value of its own is settled now: whether anything is left to ask is for policy to say. */
function closingOf(state: RunState, endorsed: readonly ValueEndorsed[]): readonly RunEvent[] {
  const open = [...state.approvals.values()].find((approval) => approval.state === 'open')
  const action = open === undefined ? undefined : state.actions[open.question.action]
  if (open === undefined || action === undefined || action.voided >= MAX_VOIDED) return [] // put aside once more, it would be denied
  const { operation, sealed } = action.proposed
  const isSettled = endorsed.some(
    (said) => said.operation === operation && holdsTarget(sealed.arguments, said, said.sealed.value),
  )
  if (!isSettled) return []
  const why = 'a value of it was endorsed, so that it is decided again'
  return [{ type: 'approval.closed', approval: open.question.id, state: 'voided', why }]
}
