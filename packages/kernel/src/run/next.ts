import type { Operation } from '../action/operation.ts'
import { type Stop, stopFor } from '../control/state.ts'
import { exhausted, wallDeadlineMs } from '../limit/budget.ts'
import type { QueueKind } from './event.ts'
import { KernelError } from '../error.ts'
import { type FailureKind, failureOf } from './failure.ts'
import { MAX_VOIDED } from './fold.ts'
import type { ActionState, RunState } from './state.ts'
import type { QueueStep, Step, StepContext } from './step.ts'
import { needsVerify, nextUndo } from './undo.ts'

/**
 * The next step of a run. Pure, and a function of the run's own records, the stops in force and the time: after a crash it answers
 * as it would have before.
 *
 * 1. A finished run rests. 2. An effect whose outcome is not known comes first, even under a stop: looking is not acting, and nor is
 * telling a person what looking could not tell. 3. A stop holds or ends the run before anything else starts (I7). 4. An unsettled action is settled. 5. Then the run plans, checks, or
 * takes back what it did, in reverse order.
 */
export function nextStep(state: RunState, context: StepContext): Step {
  if (state.phase === 'finished') return { kind: 'rest' }
  const open = state.actions.find((action) => action.state === 'started' || action.state === 'ambiguous')
  if (open !== undefined) return settleUnknown(open, context)
  const last = state.actions.at(-1)
  for (const action of state.actions) {
    const puzzle = puzzleOf(action)
    if (puzzle !== undefined) return puzzle
  }
  if (state.phase !== 'undoing' && state.actions.some((action) => action.found === 'doubled')) {
    return { kind: 'fail', failure: 'duplicate_execution', reason: 'an effect of this run is in the world more than once' }
  }
  const stop = stopOver(state, last, context)
  if (stop !== undefined) return obeyStop(state, stop)
  if (state.held !== null) return { kind: 'resume' }
  if (last !== undefined && !isSettled(last)) {
    return isUnclaimed(last, state, context) ? awaitClaim(last, state, context) : settle(last, state, context)
  }
  if (state.phase === 'undoing') return nextUndo(state, context)
  return state.phase === 'checking' ? conclude(state, context) : goOn(state, last, context)
}

/** I3, I4: an effect that started and did not finish in the journal may have happened. Look, after it has had time to land. */
function settleUnknown(action: ActionState, { find, nowMs }: StepContext): Step {
  if (action.state === 'started') return { kind: 'mark_ambiguous', action }
  const settled = action.startedAtMs + (find(action.proposed.operation)?.settleMs ?? 0)
  const readyAtMs = Math.max(settled, action.retryAtMs)
  return nowMs < readyAtMs ? { kind: 'wait', untilMs: readyAtMs, why: 'settling' } : { kind: 'reconcile', action }
}

/** The stop that covers the run, or the tool of the action that it is about to start. */
function stopOver(state: RunState, last: ActionState | undefined, { control, find }: StepContext): Stop | undefined {
  const { run, agent, workflow } = state.opened
  const operation = last === undefined || isSettled(last) ? undefined : find(last.proposed.operation)
  return stopFor(control.stops, { run, agent, workflow, ...(operation === undefined ? {} : { tool: operation.tool }) })
}

function obeyStop(state: RunState, stop: Stop): Step {
  if (stop.mode === 'hold')
    return state.held?.stop === stop.id ? { kind: 'wait', untilMs: null, why: 'stop' } : { kind: 'hold', stop }
  const unsure = state.actions.find((action) => action.doubt && !action.queued)
  if (unsure !== undefined) return askPerson(unsure, 'ambiguous', UNKNOWABLE)
  const halfway = state.actions.some((action) => action.proposed.effect && action.state === 'done')
  if (halfway && !hasItem(state, 'stopped_midway')) {
    const detail = `What it has done so far stays done. Look at it, and undo it if you must. The stop says: ${stop.why}`
    return { kind: 'queue', item: 'stopped_midway', action: null, effect: null, title: 'A stop ended this run halfway', detail }
  }
  return { kind: 'finish', state: 'stopped', failure: 'stopped' }
}

const SETTLED: readonly ActionState['state'][] = ['denied', 'rehearsed', 'done', 'failed', 'undone']

function isSettled(action: ActionState): boolean {
  return SETTLED.includes(action.state) && !needsVerify(action)
}

/** How long a call that may go ahead waits for whoever asked for it. */
export const CLAIM_MS = 60_000

/** True for a call that could start now, while nobody is there to take its answer. It is decided without them, and asked about. */
function isUnclaimed(action: ActionState, { opened, approvals }: RunState, { claimed }: StepContext): boolean {
  if (opened.call === undefined || claimed !== false || action.proposed.purpose !== 'act' || needsVerify(action)) return false
  if (action.state === 'asking') return action.approval !== null && approvals.get(action.approval)?.state === 'granted'
  return action.state === 'retryable' || action.decision?.outcome === 'allow'
}

/** What starts without anybody there would be done again when they come back: it waits, and is given up after a while. */
function awaitClaim(action: ActionState, state: RunState, { nowMs }: StepContext): Step {
  const approval = action.approval === null ? undefined : state.approvals.get(action.approval)
  const untilMs = approval?.state === 'granted' ? approval.question.deadlineMs : state.updatedAtMs + CLAIM_MS
  if (nowMs < untilMs) return { kind: 'wait', untilMs, why: 'claim' }
  return approval?.state === 'granted' ? { kind: 'lapse', approval: approval.question.id } : { kind: 'abandon', action }
}

function settle(action: ActionState, state: RunState, { nowMs }: StepContext): Step {
  if (needsVerify(action)) return { kind: 'verify', action }
  if (action.state === 'proposed') return { kind: 'decide', action, approval: null }
  if (action.state === 'retryable') {
    return nowMs < action.retryAtMs
      ? { kind: 'wait', untilMs: action.retryAtMs, why: 'retry' }
      : { kind: 'decide', action, approval: null }
  }
  const approval = action.approval === null ? undefined : state.approvals.get(action.approval)
  if (approval?.state !== 'granted' && approval?.state !== 'open') {
    throw new KernelError('invariant_broken', `action ${action.n} is asking, but its approval is ${approval?.state ?? 'unknown'}`)
  }
  const { id, deadlineMs } = approval.question
  if (nowMs >= deadlineMs) return { kind: 'lapse', approval: id }
  return approval.state === 'granted'
    ? { kind: 'decide', action, approval: id }
    : { kind: 'wait', untilMs: deadlineMs, why: 'approval' }
}

/** The run may plan on, unless what just happened ends it. */
function goOn(state: RunState, last: ActionState | undefined, context: StepContext): Step {
  const { workflow, nowMs } = context
  if (last?.state === 'rehearsed') return conclude(state, context)
  const ended = last === undefined ? undefined : endedBy(last, state)
  if (ended !== undefined) return ended
  const used = exhausted(state, workflow.limits, nowMs)
  if (used !== undefined) return { kind: 'fail', failure: 'budget', reason: `the run ${used}` }
  const untilMs = Math.min(state.pausedUntilMs, wallDeadlineMs(state, workflow.limits))
  return nowMs < untilMs ? { kind: 'wait', untilMs, why: 'retry' } : { kind: 'plan' }
}

function endedBy(last: ActionState, state: RunState): Step | undefined {
  if (last.state !== 'done' && (last.doubt || (last.state === 'failed' && last.found === 'unknown'))) {
    return { kind: 'fail', failure: 'ambiguous', reason: `nobody can tell whether ${last.proposed.operation} happened` }
  }
  if (last.state !== 'denied') return undefined
  if (last.voided > MAX_VOIDED)
    return { kind: 'fail', failure: 'approval_timeout', reason: 'the world kept changing while people were asked' }
  const approval = last.approval === null ? undefined : state.approvals.get(last.approval)
  if (approval?.state === 'lapsed')
    return { kind: 'fail', failure: 'approval_timeout', reason: 'nobody answered in time, and silence means no' }
  if (approval?.state === 'refused')
    return { kind: 'fail', failure: 'approval_refused', reason: approval.votes.at(-1)?.why ?? 'refused' }
  const failure = last.decision?.failure ?? 'policy_denial'
  if (failure === 'planning') return undefined
  return { kind: 'fail', failure, reason: last.decision?.policies.map((policy) => policy.reason).join('; ') ?? '' }
}

/** The planner is done: look at the world before believing it (I13). */
function conclude(state: RunState, { workflow }: StepContext): Step {
  const rehearsed = state.actions.find((action) => action.state === 'rehearsed')
  // Whoever made a call is shown what it would have done, and can take it from there.
  if (rehearsed !== undefined && state.opened.call !== undefined) return { kind: 'finish', state: 'escalated', failure: null }
  if (state.escalate || rehearsed !== undefined) {
    if (hasItem(state, 'low_confidence')) return { kind: 'finish', state: 'escalated', failure: null }
    const detail =
      rehearsed === undefined ? state.reason : 'What it wanted to do was only tried out. Look at the preview and decide.'
    const title = 'The agent is not sure enough to go on by itself'
    return { kind: 'queue', item: 'low_confidence', action: rehearsed?.n ?? null, effect: null, title, detail }
  }
  const last = state.actions.at(-1)
  if (workflow.success === null && last?.state === 'done') return { kind: 'finish', state: 'completed', failure: null }
  if (workflow.success === null) return { kind: 'fail', failure: 'unverified', reason: 'the call has not been done' }
  if (state.check?.ok) return { kind: 'finish', state: 'completed', failure: null }
  if (state.check !== null) return { kind: 'fail', failure: 'unverified', reason: state.check.detail }
  if (last?.proposed.purpose !== 'check') return { kind: 'look' }
  if (last.state === 'done') return { kind: 'compare', action: last }
  return { kind: 'fail', failure: 'unverified', reason: 'the success check could not be executed' }
}

/** What only a person can settle. */
function puzzleOf(action: ActionState): QueueStep | undefined {
  if (action.queued) return undefined
  if (action.found === 'doubled') return askPerson(action, 'doubled', 'An effect is in the world more than once')
  const unknown = action.state === 'failed' && action.found === 'unknown' && action.proposed.effect
  return unknown || (action.doubt && isSettled(action)) ? askPerson(action, 'ambiguous', UNKNOWABLE) : undefined
}

const UNKNOWABLE = 'Nobody can tell whether this happened'

function askPerson(action: ActionState, item: QueueKind, title: string): QueueStep {
  const detail = `Operation ${action.proposed.operation}. Look at the far side, and settle it by hand.`
  return { kind: 'queue', item, action: action.n, effect: null, title, detail }
}

function hasItem(state: RunState, kind: QueueKind): boolean {
  return [...state.items.values()].some((item) => item.kind === kind)
}

/** What a failed action means for its run when the planner does not go on. */
export function failureOfAction(action: ActionState, operation: Operation | undefined): FailureKind {
  if (action.doubt || action.found === 'unknown') return 'ambiguous'
  if (action.state === 'denied') return action.decision?.failure ?? 'policy_denial'
  if (action.found === 'doubled') return 'duplicate_execution'
  return failureOf(action.outcome?.failure ?? 'unavailable', operation?.mutability === 'read')
}
