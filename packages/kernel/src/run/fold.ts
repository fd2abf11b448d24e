import { KernelError } from '../error.ts'
import { addEndorsement } from '../approval/endorsement.ts'
import { usePlanned } from '../approval/plan.ts'
import type { Approval } from '../approval/question.ts'
import type { Entry } from '../ports/journal.ts'
import { changeAction, countStep, type Draft, lowerConfidence } from './draft.ts'
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
  const draft = emptyState(opened, entry.atMs)
  for (const event of rest) foldEvent(draft, event, entry.atMs)
  return draft
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
  const draft: Draft = { ...state, updatedAtMs: atMs }
  for (const event of events) foldEvent(draft, event, atMs)
  return draft
}

function emptyState(opened: RunOpened, atMs: number): Draft {
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

function foldEvent(draft: Draft, event: RunEvent, atMs: number): void {
  switch (event.type) {
    case 'run.opened':
      throw new KernelError('event_out_of_order', 'a run is opened once')
    case 'plan.noted': {
      const note = { node: event.node, value: event.sealed.value, origins: event.sealed.origins }
      countStep(draft)
      lowerConfidence(draft, event.of, event.confidence ?? 10_000)
      draft.notes = new Map(draft.notes).set(event.node, note)
      break
    }
    case 'plan.paused':
      countStep(draft)
      draft.pausedUntilMs = event.untilMs
      break
    case 'model.called': {
      const { model, inputTokens, outputTokens } = event
      const tokens = draft.spent.tokens + inputTokens + outputTokens
      draft.spent = { ...draft.spent, tokens, costMicros: draft.spent.costMicros + event.costMicros }
      draft.modelCalls = [...draft.modelCalls, { model, inputTokens, outputTokens, reply: event.sealed.reply }]
      break
    }
    case 'plan.granted':
      countStep(draft)
      draft.grants = event.sealed.grants
      break
    case 'plan.finished':
      draft.phase = 'checking'
      draft.escalate ||= event.escalate
      draft.reason = event.sealed.reason
      break
    case 'action.proposed':
      countStep(draft)
      draft.actions = [...draft.actions, newAction(event)]
      break
    case 'run.failing':
      draft.phase = 'undoing'
      draft.failure = event.failure
      draft.reason = event.sealed.reason
      break
    case 'check.executed':
      draft.check = { ok: event.ok, detail: event.sealed.detail }
      break
    case 'queue.added': {
      const { item, kind, action, effect, sealed } = event
      draft.items = new Map(draft.items).set(item, { item, kind, action, effect, ...sealed, atMs, resolvedBy: null })
      if (action !== null) changeAction(draft, action, () => ({ queued: true }))
      break
    }
    case 'queue.resolved': {
      const item = draft.items.get(event.item)
      if (item !== undefined) draft.items = new Map(draft.items).set(event.item, { ...item, resolvedBy: event.by })
      break
    }
    case 'run.held':
      draft.held = { stop: event.stop, sinceMs: draft.held?.sinceMs ?? atMs }
      break
    case 'run.resumed':
      draft.waitedMs += heldMs(draft, atMs)
      draft.held = null
      break
    case 'run.undone':
      draft.undoneBy = event.by
      break
    case 'run.finished':
      draft.phase = 'finished'
      draft.final = event.state
      draft.failure = event.failure
      break
    case 'value.endorsed':
      foldEndorsed(draft, event, atMs)
      break
    case 'approval.opened':
    case 'approval.voted':
    case 'approval.closed':
      foldApproval(draft, event, atMs)
      break
    default:
      foldAction(draft, event, atMs)
      break
  }
}

/** How long a stop held the run, for its end. While a question is open its own time is running, and a moment counts once. */
function heldMs({ held, approvals }: RunState, atMs: number): number {
  const isAsking = [...approvals.values()].some((approval) => approval.state === 'open')
  return held === null || isAsking ? 0 : atMs - held.sinceMs
}

type ApprovalEvent = Extract<RunEvent, { type: `approval.${string}` }>

function foldApproval(draft: Draft, event: ApprovalEvent, atMs: number): void {
  if (event.type === 'approval.opened') {
    const { question } = event
    draft.approvals = new Map(draft.approvals).set(question.id, { state: 'open', question, votes: [] } as const)
    draft.plans = withPlan(draft, event)
    changeAction(draft, question.action, () => ({ state: 'asking', approval: question.id }))
    return
  }
  const approval = draft.approvals.get(event.approval)
  const open = approval?.state === 'open'
  const unused =
    approval?.state === 'granted' && event.type === 'approval.closed' && (event.state === 'voided' || event.state === 'lapsed')
  const spent =
    approval?.state === 'consumed' && event.type === 'approval.closed' && event.state === 'voided' && isRetryable(draft, approval)
  if (approval === undefined || !(open || unused || spent)) {
    throw new KernelError('event_out_of_order', `approval ${event.approval} is not open`)
  }
  if (event.type === 'approval.voted') {
    const { voter, roles, vote, sealed } = event
    const whole = event.plan === true ? ({ plan: true } as const) : {}
    const votes = [...approval.votes, { voter, roles, vote, why: sealed.why, atMs, ...whole }]
    draft.approvals = new Map(draft.approvals).set(event.approval, { ...approval, votes })
    return
  }
  const { question, votes } = approval
  const closed: Approval =
    event.state === 'voided' ? { state: 'voided', question, votes, why: event.why } : { state: event.state, question, votes }
  if (approval.state === 'open') draft.waitedMs += (draft.held?.sinceMs ?? atMs) - question.openedAtMs
  draft.approvals = new Map(draft.approvals).set(event.approval, closed)
  if (event.state === 'granted') return
  if (event.state === 'voided') {
    changeAction(draft, question.action, (a) => ({
      state: a.voided < MAX_VOIDED ? 'retryable' : 'denied',
      approval: null,
      preview: null,
      voided: a.voided + 1,
      retryAtMs: 0,
    }))
  } else changeAction(draft, question.action, () => ({ state: 'denied' }))
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

function foldEndorsed(draft: Draft, event: ValueEndorsed, atMs: number): void {
  const { operation, pointer, approval, policyVersion, approvers, voter, roles, sealed } = event
  const subject = { operation, pointer, value: sealed.value, approval, policyVersion, approvers }
  const vote = { voter, roles, vote: 'approve', why: sealed.why, atMs } as const
  draft.endorsements = addEndorsement(draft.endorsements, subject, vote)
}

/** An attempt that certainly had no effect leaves its approval to the next one; until then it may still be voided. */
function isRetryable(state: RunState, { question }: Approval): boolean {
  return state.actions[question.action]?.state === 'retryable'
}

type ActionEvent = Extract<RunEvent, { action: number; type: `${'action' | 'preview' | 'effect' | 'retry'}.${string}` }>

function foldAction(draft: Draft, event: Exclude<ActionEvent, ActionProposed>, atMs: number): void {
  switch (event.type) {
    case 'action.decided': {
      const { outcome, policies, approvers, policyVersion, failure, facts, would } = event
      const decision = { outcome, policies, approvers, policyVersion, failure, facts, ...(would === undefined ? {} : { would }) }
      changeAction(draft, event.action, (a) => ({
        decision,
        asked: outcome === 'ask' ? policies : a.asked,
        state: outcome === 'deny' ? 'denied' : a.state,
      }))
      break
    }
    case 'preview.taken': {
      const preview = { digest: event.digest, value: event.sealed.preview }
      changeAction(draft, event.action, (a) => ({
        preview,
        state: a.decision?.outcome === 'dry_run' ? 'rehearsed' : a.state,
      }))
      break
    }
    case 'preview.failed':
      changeAction(draft, event.action, (a) => ({ state: a.decision?.outcome === 'dry_run' ? 'rehearsed' : a.state }))
      break
    case 'effect.started':
      foldStarted(draft, event, atMs)
      break
    case 'effect.finished':
      foldFinished(draft, event)
      break
    case 'effect.ambiguous':
      changeAction(draft, event.action, () => ({ state: 'ambiguous' }))
      break
    case 'effect.reconciled':
      changeAction(draft, event.action, (a) => {
        const looked = { found: event.found, looks: a.looks + 1 }
        if (event.lookAgainAtMs !== null) return { ...looked, retryAtMs: event.lookAgainAtMs }
        if (event.found === 'happened' || event.found === 'doubled')
          return { ...looked, state: 'done', doubt: false, output: event.sealed.output }
        const doubt = a.proposed.effect && (event.found === 'repeatable' || (a.doubt && event.found !== 'absent'))
        return { ...looked, state: 'failed', doubt }
      })
      break
    case 'effect.verified':
      foldVerified(draft, event.action, event.holds)
      break
    case 'retry.scheduled':
      changeAction(draft, event.action, () => ({ state: 'retryable', retryAtMs: event.atMs }))
      break
  }
}

/** I1, I2: an effect starts only under an `allow` for the same digest, and an approval it needs is granted and used up here. */
function foldStarted(draft: Draft, event: Extract<RunEvent, { type: 'effect.started' }>, atMs: number): void {
  const action = draft.actions[event.action]
  if (action?.decision?.outcome !== 'allow')
    throw new KernelError('invariant_broken', `I1: action ${event.action} started without a decision that allows it`)
  if (action.proposed.digest !== event.digest)
    throw new KernelError('invariant_broken', `I2: action ${event.action} is not the one that was decided`)
  if (!['proposed', 'asking', 'retryable'].includes(action.state)) {
    throw new KernelError('invariant_broken', `I4: action ${event.action} started while ${action.state}`)
  }
  const patch = { state: 'started', attempts: event.attempt, startedAtMs: atMs, retryAtMs: 0, looks: 0, found: null } as const
  const doubted = event.distrusted === true ? ({ distrusted: true } as const) : {}
  const covering = event.approval === null ? undefined : draft.approvals.get(event.approval)
  const isPlanned = covering !== undefined && covering.question.action !== event.action
  const planned = isPlanned ? { planned: covering.question.id } : {}
  if (isPlanned) draft.plans = usePlanned(draft, { approval: covering.question.id, digest: event.digest, action: event.action })
  else consume(draft, event.approval)
  changeAction(draft, event.action, () => ({ ...patch, ...doubted, ...planned }))
}

function foldFinished(draft: Draft, event: EffectFinished): void {
  const done = event.result === 'done'
  const patch = {
    state: done ? ('done' as const) : ('failed' as const),
    outcome: event,
    output: event.sealed.output,
    findings: event.findings,
  }
  const counts = !done && event.failure !== 'refused'
  changeAction(draft, event.action, (a) => ({
    ...patch,
    doubt: a.doubt && !done,
    failures: a.failures + (counts ? 1 : 0),
  }))
  if (!done) return
  const complete = event.complete ? 10_000 : CONFIDENCE_INCOMPLETE
  const clean = event.findings.length === 0 ? 10_000 : CONFIDENCE_TAMPERED
  lowerConfidence(draft, 'retrieval', Math.min(complete, clean))
}

/** A compensation that is seen to hold marks the action it made up for as undone. */
function foldVerified(draft: Draft, n: number, holds: boolean): void {
  changeAction(draft, n, () => ({ verified: holds }))
  const compensates = draft.actions[n]?.proposed.compensates ?? null
  if (!holds || compensates === null || draft.opened.undoes !== null) return
  changeAction(draft, compensates, () => ({ state: 'undone' }))
}

/**
 * A grant is used up by the effect that it allows, in the same record (I2). It belongs to that effect and not to one attempt: when
 * an attempt certainly had no effect, the next one at the same action runs under it too.
 */
function consume(draft: Draft, id: string | null): void {
  if (id === null) return
  const approval = draft.approvals.get(id)
  if (approval?.state === 'consumed') return // by another attempt at the action that it was asked for
  if (approval?.state !== 'granted')
    throw new KernelError('invariant_broken', `I1: effect started under approval ${id}, which is not granted`)
  const { question, votes } = approval
  draft.approvals = new Map(draft.approvals).set(id, { state: 'consumed', question, votes })
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
