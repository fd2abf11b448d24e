import { KernelError } from '../error.ts'
import { addEndorsement } from '../approval/endorsement.ts'
import { usePlanned } from '../approval/plan.ts'
import type { Approval } from '../approval/question.ts'
import type { Confidences } from '../policy/decision.ts'
import type { Entry } from '../ports/journal.ts'
import type { ActionProposed, EffectFinished, RunEvent, RunOpened, ValueEndorsed } from './event.ts'
import type { ActionState, RunState } from './state.ts'

/** Confidence of a run after the far side cut an answer short. */
export const CONFIDENCE_INCOMPLETE = 7_000
/** Confidence of a run after sanitising found something hidden in an answer. */
export const CONFIDENCE_TAMPERED = 6_000
/** How often the world or the policy may change under an approval before the run gives up asking. */
export const MAX_VOIDED = 3

/**
 * Folds the records of one run, oldest first, to its state. Pure: the same records give the same state, today and years later.
 *
 * Throws `event_out_of_order` when the records are not the unbroken history of one run.
 */
export function foldRun(entries: readonly Entry[]): RunState {
  const [first, ...rest] = entries
  if (first === undefined) throw new KernelError('event_out_of_order', 'a run has at least one record')
  return rest.reduce(foldEntry, openRun(first))
}

/** Starts a run from its first record. */
export function openRun(entry: Entry): RunState {
  const [opened, ...rest] = entry.events as readonly RunEvent[]
  if (opened?.type !== 'run.opened' || entry.seq !== 1) {
    throw new KernelError('event_out_of_order', `the first record of ${entry.stream} does not open a run`)
  }
  const state = emptyState(opened, entry.atMs)
  return rest.reduce((s, event) => foldEvent(s, event, entry.atMs), state)
}

/** A run whose first record is still to be written: at sequence 0, and otherwise as it will be. */
export function runToOpen(opened: RunOpened, atMs: number): RunState {
  return { ...emptyState(opened, atMs), seq: 0 }
}

/** Folds one more record. The given state is not changed. */
export function foldEntry(state: RunState, entry: Entry): RunState {
  if (entry.seq !== state.seq + 1) {
    throw new KernelError('event_out_of_order', `record ${entry.seq} of ${entry.stream} follows record ${state.seq}`)
  }
  return { ...foldEvents(state, entry.events as readonly RunEvent[], entry.atMs), seq: entry.seq }
}

/**
 * Folds events that are to become the next record, before they are one: the state as it will be, at the sequence it still has.
 * What breaks an invariant throws here and so is never written.
 */
export function foldEvents(state: RunState, events: readonly RunEvent[], atMs: number): RunState {
  return events.reduce((s, event) => foldEvent(s, event, atMs), { ...state, updatedAtMs: atMs })
}

function emptyState(opened: RunOpened, atMs: number): RunState {
  return {
    opened,
    openedAtMs: atMs,
    updatedAtMs: atMs,
    seq: 1,
    phase: opened.undoes === null ? 'acting' : 'undoing',
    final: null,
    failure: null,
    reason: '',
    escalate: false,
    actions: [],
    approvals: new Map(),
    notes: new Map(),
    items: new Map(),
    spent: { steps: 0, tokens: 0, costMicros: 0 },
    confidence: 10_000,
    confidences: {},
    check: null,
    undoneBy: null,
    held: null,
    waitedMs: 0,
    pausedUntilMs: 0,
    modelCalls: [],
    grants: null,
    plans: new Map(),
    endorsements: [],
  }
}

function foldEvent(state: RunState, event: RunEvent, atMs: number): RunState {
  switch (event.type) {
    case 'run.opened':
      throw new KernelError('event_out_of_order', 'a run is opened once')
    case 'plan.noted': {
      const note = { node: event.node, value: event.sealed.value, origins: event.sealed.origins }
      const spent = { ...state.spent, steps: state.spent.steps + 1 }
      const confidence = Math.min(state.confidence, event.confidence ?? 10_000)
      const confidences = lower(state.confidences, event.of, event.confidence ?? 10_000)
      return { ...state, spent, confidence, confidences, notes: new Map(state.notes).set(event.node, note) }
    }
    case 'plan.paused':
      return { ...state, spent: { ...state.spent, steps: state.spent.steps + 1 }, pausedUntilMs: event.untilMs }
    case 'model.called': {
      const { model, inputTokens, outputTokens } = event
      const tokens = state.spent.tokens + inputTokens + outputTokens
      const spent = { ...state.spent, tokens, costMicros: state.spent.costMicros + event.costMicros }
      return {
        ...state,
        spent,
        modelCalls: [...state.modelCalls, { model, inputTokens, outputTokens, reply: event.sealed.reply }],
      }
    }
    case 'plan.granted':
      return { ...state, spent: { ...state.spent, steps: state.spent.steps + 1 }, grants: event.sealed.grants }
    case 'plan.finished':
      return { ...state, phase: 'checking', escalate: state.escalate || event.escalate, reason: event.sealed.reason }
    case 'action.proposed':
      return { ...state, spent: { ...state.spent, steps: state.spent.steps + 1 }, actions: [...state.actions, newAction(event)] }
    case 'run.failing':
      return { ...state, phase: 'undoing', failure: event.failure, reason: event.sealed.reason }
    case 'check.executed':
      return { ...state, check: { ok: event.ok, detail: event.sealed.detail } }
    case 'queue.added': {
      const { item, kind, action, effect, sealed } = event
      const items = new Map(state.items).set(item, { item, kind, action, effect, ...sealed, atMs, resolvedBy: null })
      const next = { ...state, items }
      return action === null ? next : withAction(next, action, () => ({ queued: true }))
    }
    case 'queue.resolved': {
      const item = state.items.get(event.item)
      return item === undefined
        ? state
        : { ...state, items: new Map(state.items).set(event.item, { ...item, resolvedBy: event.by }) }
    }
    case 'run.held':
      return { ...state, held: { stop: event.stop, sinceMs: state.held?.sinceMs ?? atMs } }
    case 'run.resumed':
      return { ...state, held: null, waitedMs: state.waitedMs + heldMs(state, atMs) }
    case 'run.undone':
      return { ...state, undoneBy: event.by }
    case 'run.finished':
      return { ...state, phase: 'finished', final: event.state, failure: event.failure }
    case 'value.endorsed':
      return foldEndorsed(state, event, atMs)
    case 'approval.opened':
    case 'approval.voted':
    case 'approval.closed':
      return foldApproval(state, event, atMs)
    default:
      return foldAction(state, event, atMs)
  }
}

/** How long a stop held the run, for its end. While a question is open its own time is running, and a moment counts once. */
function heldMs({ held, approvals }: RunState, atMs: number): number {
  const isAsking = [...approvals.values()].some((approval) => approval.state === 'open')
  return held === null || isAsking ? 0 : atMs - held.sinceMs
}

type ApprovalEvent = Extract<RunEvent, { type: `approval.${string}` }>

function foldApproval(state: RunState, event: ApprovalEvent, atMs: number): RunState {
  if (event.type === 'approval.opened') {
    const { question } = event
    const approvals = new Map(state.approvals).set(question.id, { state: 'open', question, votes: [] } as const)
    return withAction({ ...state, approvals, plans: withPlan(state, event) }, question.action, () => ({
      state: 'asking',
      approval: question.id,
    }))
  }
  const approval = state.approvals.get(event.approval)
  const open = approval?.state === 'open'
  const unused =
    approval?.state === 'granted' && event.type === 'approval.closed' && (event.state === 'voided' || event.state === 'lapsed')
  const spent =
    approval?.state === 'consumed' && event.type === 'approval.closed' && event.state === 'voided' && isRetryable(state, approval)
  if (approval === undefined || !(open || unused || spent)) {
    throw new KernelError('event_out_of_order', `approval ${event.approval} is not open`)
  }
  if (event.type === 'approval.voted') {
    const { voter, roles, vote, sealed } = event
    const whole = event.plan === true ? ({ plan: true } as const) : {}
    const votes = [...approval.votes, { voter, roles, vote, why: sealed.why, atMs, ...whole }]
    return { ...state, approvals: new Map(state.approvals).set(event.approval, { ...approval, votes }) }
  }
  const { question, votes } = approval
  const closed: Approval =
    event.state === 'voided' ? { state: 'voided', question, votes, why: event.why } : { state: event.state, question, votes }
  const waitedMs = state.waitedMs + (approval.state === 'open' ? (state.held?.sinceMs ?? atMs) - question.openedAtMs : 0)
  const next = { ...state, waitedMs, approvals: new Map(state.approvals).set(event.approval, closed) }
  if (event.state === 'granted') return next
  if (event.state === 'voided') {
    const again = (a: ActionState) => (a.voided < MAX_VOIDED ? ('retryable' as const) : ('denied' as const))
    return withAction(next, question.action, (a) => ({
      state: again(a),
      approval: null,
      preview: null,
      voided: a.voided + 1,
      retryAtMs: 0,
    }))
  }
  return withAction(next, question.action, () => ({ state: 'denied' }))
}

/** What a question covers besides its own action. */
function withPlan({ plans }: RunState, event: Extract<RunEvent, { type: 'approval.opened' }>): RunState['plans'] {
  const { question, sealed } = event
  const shown = sealed?.plan ?? []
  const calls = question.plan?.calls.flatMap((call, i) => {
    const seen = shown[i]
    return seen === undefined ? [] : [{ ...call, ...seen, usedBy: null }] // what nobody was shown is not covered
  })
  return calls === undefined ? plans : new Map(plans).set(question.id, calls)
}

function foldEndorsed(state: RunState, event: ValueEndorsed, atMs: number): RunState {
  const { operation, pointer, approval, policyVersion, approvers, voter, roles, sealed } = event
  const subject = { operation, pointer, value: sealed.value, approval, policyVersion, approvers }
  const vote = { voter, roles, vote: 'approve', why: sealed.why, atMs } as const
  return { ...state, endorsements: addEndorsement(state.endorsements, subject, vote) }
}

/** An attempt that certainly had no effect leaves its approval to the next one; until then it may still be voided. */
function isRetryable(state: RunState, { question }: Approval): boolean {
  return state.actions[question.action]?.state === 'retryable'
}

type ActionEvent = Extract<RunEvent, { action: number; type: `${'action' | 'preview' | 'effect' | 'retry'}.${string}` }>

function foldAction(state: RunState, event: Exclude<ActionEvent, ActionProposed>, atMs: number): RunState {
  switch (event.type) {
    case 'action.decided': {
      const { outcome, policies, approvers, policyVersion, failure, facts, would } = event
      const decision = { outcome, policies, approvers, policyVersion, failure, facts, ...(would === undefined ? {} : { would }) }
      return withAction(state, event.action, (a) => ({
        decision,
        asked: outcome === 'ask' ? policies : a.asked,
        state: outcome === 'deny' ? 'denied' : a.state,
      }))
    }
    case 'preview.taken': {
      const preview = { digest: event.digest, value: event.sealed.preview }
      return withAction(state, event.action, (a) => ({
        preview,
        state: a.decision?.outcome === 'dry_run' ? 'rehearsed' : a.state,
      }))
    }
    case 'preview.failed':
      return withAction(state, event.action, (a) => ({ state: a.decision?.outcome === 'dry_run' ? 'rehearsed' : a.state }))
    case 'effect.started':
      return foldStarted(state, event, atMs)
    case 'effect.finished':
      return foldFinished(state, event)
    case 'effect.ambiguous':
      return withAction(state, event.action, () => ({ state: 'ambiguous' }))
    case 'effect.reconciled':
      return withAction(state, event.action, (a) => {
        const looked = { found: event.found, looks: a.looks + 1 }
        if (event.lookAgainAtMs !== null) return { ...looked, retryAtMs: event.lookAgainAtMs }
        if (event.found === 'happened' || event.found === 'doubled')
          return { ...looked, state: 'done', doubt: false, output: event.sealed.output }
        const doubt = a.proposed.effect && (event.found === 'repeatable' || (a.doubt && event.found !== 'absent'))
        return { ...looked, state: 'failed', doubt }
      })
    case 'effect.verified':
      return foldVerified(state, event.action, event.holds)
    case 'retry.scheduled':
      return withAction(state, event.action, () => ({ state: 'retryable', retryAtMs: event.atMs }))
  }
}

/** I1, I2: an effect starts only under an `allow` for the same digest, and an approval it needs is granted and used up here. */
function foldStarted(state: RunState, event: Extract<RunEvent, { type: 'effect.started' }>, atMs: number): RunState {
  const action = state.actions[event.action]
  if (action?.decision?.outcome !== 'allow')
    throw new KernelError('invariant_broken', `I1: action ${event.action} started without a decision that allows it`)
  if (action.proposed.digest !== event.digest)
    throw new KernelError('invariant_broken', `I2: action ${event.action} is not the one that was decided`)
  if (!['proposed', 'asking', 'retryable'].includes(action.state)) {
    throw new KernelError('invariant_broken', `I4: action ${event.action} started while ${action.state}`)
  }
  const patch = { state: 'started', attempts: event.attempt, startedAtMs: atMs, retryAtMs: 0, looks: 0, found: null } as const
  const doubted = event.distrusted === true ? ({ distrusted: true } as const) : {}
  const covering = event.approval === null ? undefined : state.approvals.get(event.approval)
  const isPlanned = covering !== undefined && covering.question.action !== event.action
  const planned = isPlanned ? { planned: covering.question.id } : {}
  const next = isPlanned
    ? { ...state, plans: usePlanned(state, { approval: covering.question.id, digest: event.digest, action: event.action }) }
    : consume(state, event.approval)
  return withAction(next, event.action, () => ({ ...patch, ...doubted, ...planned }))
}

function foldFinished(state: RunState, event: EffectFinished): RunState {
  const done = event.result === 'done'
  const patch = {
    state: done ? ('done' as const) : ('failed' as const),
    outcome: event,
    output: event.sealed.output,
    findings: event.findings,
  }
  const counts = !done && event.failure !== 'refused'
  const next = withAction(state, event.action, (a) => ({
    ...patch,
    doubt: a.doubt && !done,
    failures: a.failures + (counts ? 1 : 0),
  }))
  if (!done) return next
  const complete = event.complete ? 10_000 : CONFIDENCE_INCOMPLETE
  const clean = event.findings.length === 0 ? 10_000 : CONFIDENCE_TAMPERED
  const earned = Math.min(complete, clean)
  return {
    ...next,
    confidence: Math.min(state.confidence, earned),
    confidences: lower(state.confidences, 'retrieval', earned),
  }
}

function lower(confidences: Partial<Confidences>, of: keyof Confidences | undefined, to: number): Partial<Confidences> {
  return of === undefined || (confidences[of] ?? Number.POSITIVE_INFINITY) <= to ? confidences : { ...confidences, [of]: to }
}

/** A compensation that is seen to hold marks the action it made up for as undone. */
function foldVerified(state: RunState, n: number, holds: boolean): RunState {
  const next = withAction(state, n, () => ({ verified: holds }))
  const compensates = next.actions[n]?.proposed.compensates ?? null
  if (!holds || compensates === null || state.opened.undoes !== null) return next
  return withAction(next, compensates, () => ({ state: 'undone' }))
}

/**
 * A grant is used up by the effect that it allows, in the same record (I2). It belongs to that effect and not to one attempt: when
 * an attempt certainly had no effect, the next one at the same action runs under it too.
 */
function consume(state: RunState, id: string | null): RunState {
  if (id === null) return state
  const approval = state.approvals.get(id)
  if (approval?.state === 'consumed') return state // by another attempt at the action that it was asked for
  if (approval?.state !== 'granted')
    throw new KernelError('invariant_broken', `I1: effect started under approval ${id}, which is not granted`)
  const { question, votes } = approval
  return { ...state, approvals: new Map(state.approvals).set(id, { state: 'consumed', question, votes }) }
}

function newAction(proposed: ActionProposed): ActionState {
  return {
    n: proposed.action,
    proposed,
    state: 'proposed',
    decision: null,
    preview: null,
    approval: null,
    voided: 0,
    attempts: 0,
    failures: 0,
    startedAtMs: 0,
    retryAtMs: 0,
    outcome: null,
    found: null,
    looks: 0,
    doubt: false,
    asked: [],
    output: null,
    findings: [],
    verified: null,
    queued: false,
  }
}

function withAction(state: RunState, n: number, patch: (action: ActionState) => Partial<ActionState>): RunState {
  const action = state.actions[n]
  if (action === undefined) throw new KernelError('event_out_of_order', `there is no action ${n} in run ${state.opened.run}`)
  return { ...state, actions: state.actions.with(n, { ...action, ...patch(action) }) }
}
