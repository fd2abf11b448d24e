import type { ActionState, RunState } from '@tidegate/kernel'
import type { HostAnswer, HostCall, Would } from './host.ts'

/**
 * What a call run has to say to whoever made the call, once there is something: its end, a stop that holds it, and, for a call that
 * needs a ticket, that it may go ahead. Undefined while one has to wait. Pure.
 */
export function answerOf(state: RunState, wants: HostCall['by'] | 'result'): HostAnswer | undefined {
  const { run } = state.opened
  const [action] = state.actions
  if (state.phase === 'finished') return endOf(state, action, wants)
  if (state.held !== null) return { kind: 'stopped', run, why: 'a stop is in force over this agent, its calls or this tool' }
  if (wants === 'tidegate' && action !== undefined && isCleared(state, action)) {
    return { kind: 'ticket', run, arguments: action.proposed.sealed.arguments, ticket: '', ...wouldOf(action) }
  }
  return undefined
}

/** True for an action that may start, and waits for whoever asked for it. */
function isCleared({ approvals }: RunState, { state, decision, approval }: ActionState): boolean {
  if (state === 'asking') return approval !== null && approvals.get(approval)?.state === 'granted'
  return state === 'proposed' && decision?.outcome === 'allow'
}

/** The question that a run is asking people, if it is. */
export function questionOf(state: RunState): { readonly approval: string; readonly deadlineMs: number } | undefined {
  const [action] = state.actions
  const approval = action?.approval === null || action === undefined ? undefined : state.approvals.get(action.approval)
  if (action?.state !== 'asking' || approval?.state !== 'open') return undefined
  return { approval: approval.question.id, deadlineMs: approval.question.deadlineMs }
}

/** In observe mode, what would have been: nothing when it would have gone ahead all the same. */
export function wouldOf({ decision }: ActionState): { readonly would?: Would } {
  if (decision?.would === undefined) return {}
  return { would: { outcome: decision.would, reasons: reasonsOf(decision.policies) } }
}

function endOf(state: RunState, action: ActionState | undefined, wants: HostCall['by'] | 'result'): HostAnswer {
  const { run, call } = state.opened
  const { failure } = state
  if (state.final === 'stopped') return { kind: 'stopped', run, why: 'a stop has ended this call' }
  if (action === undefined) return { kind: 'failed', run, failure: failure ?? 'defect', message: state.reason }
  if (action.state === 'done' || action.state === 'undone') {
    const complete = action.outcome?.complete ?? true
    return { kind: 'done', run, output: action.output, findings: action.findings, complete, ...wouldOf(action) }
  }
  const reasons = reasonsOf(action.decision?.policies ?? [])
  if (action.state === 'rehearsed') return { kind: 'rehearsed', run, preview: action.preview?.value ?? null, reasons }
  if (failure === 'ambiguous' || action.doubt || action.found === 'unknown') {
    return { kind: 'unknown', run, message: 'nobody can tell whether it happened; people have it in their queue' }
  }
  if (action.state === 'denied') {
    // A guard refuses what cannot be executed at all; who does the call itself is not held up by that while we only observe.
    const why = state.reason === '' || failure === 'policy_denial' ? reasons : [state.reason]
    const would = call?.observes === true ? ({ outcome: 'deny', reasons: why } as const) : undefined
    return would !== undefined && call?.refused === undefined && wants !== 'result'
      ? { kind: 'permit', run, arguments: action.proposed.sealed.arguments, would }
      : { kind: 'denied', run, reasons: why, failure: failure ?? 'policy_denial' }
  }
  return { kind: 'failed', run, failure: failure ?? 'defect', message: action.outcome?.sealed.message ?? state.reason }
}

function reasonsOf(policies: readonly { readonly id: string; readonly reason: string }[]): readonly string[] {
  return policies.map(({ id, reason }) => (reason === '' ? id : `${reason} (${id})`))
}
