import {
  type ActionState,
  failureOfAction,
  isObject,
  type Json,
  leavesOf,
  type PlannerAnswer,
  type Proposal,
  resolveTemplate,
  factsOf,
  type RunEvent,
  type RunState,
  type Step,
  valueAt,
  type Workflow,
} from '@tidegate/kernel'
import type { WorkflowWithPlanner } from '../registry.ts'
import { commit, type Committed } from './commit.ts'
import { type Candidate, decide, rehearse } from './decide.ts'
import { execute, reconcile, verify } from './execute.ts'
import type { HarnessParts } from './parts.ts'

/** A step that leads to records; the others (`rest`, `wait`) are the loop's own. */
export type Performable = Exclude<Step, { kind: 'rest' | 'wait' }>

/**
 * Performs one step of a run: one record, or two around an effect. Every record is durable before anything is built on it, and the
 * answer is the run as it then stands. If we crash after any of them, {@link nextStep} goes on from there.
 */
export async function perform(parts: HarnessParts, state: RunState, entry: WorkflowWithPlanner, step: Performable): Promise<Committed> {
  const { workflow } = entry
  switch (step.kind) {
    case 'plan':
      return plan(parts, state, entry)
    case 'decide':
      return go(parts, state, workflow, again(step.action, step.approval), [])
    case 'look':
      return go(parts, state, workflow, checkCandidate(parts, state, workflow), [])
    case 'compensate':
      return go(parts, state, workflow, compensation(state, step), [])
    case 'reconcile': {
      const operation = parts.registry.find(step.action.proposed.operation)
      return commit(parts, state, await reconcile(parts, state, step.action, operation))
    }
    case 'verify':
      return commit(parts, state, [await verify(parts, state, step.action, parts.registry.find(step.action.proposed.operation))])
    default:
      return commit(parts, state, recordOf(state, workflow, step))
  }
}

type Plain = Exclude<Performable, { kind: 'plan' | 'decide' | 'look' | 'compensate' | 'reconcile' | 'verify' }>

/** Steps that are nothing but a record. */
function recordOf(state: RunState, workflow: Workflow, step: Plain): readonly RunEvent[] {
  switch (step.kind) {
    case 'hold':
      return [{ type: 'run.held', stop: step.stop.id }]
    case 'resume':
      return [{ type: 'run.resumed' }]
    case 'lapse':
      return [{ type: 'approval.closed', approval: step.approval, state: 'lapsed', why: 'the deadline passed, and silence means no' }]
    case 'mark_ambiguous':
      return [{ type: 'effect.ambiguous', action: step.action.n, attempt: step.action.attempts, why: 'crashed' }]
    case 'compare':
      return [compare(workflow, step.action)]
    case 'fail':
      return [{ type: 'run.failing', failure: step.failure, sealed: { reason: step.reason } }]
    case 'queue': {
      const { item: kind, action, effect, title, detail } = step
      return [{ type: 'queue.added', item: `${state.opened.run}.q${state.items.size + 1}`, kind, action, effect, sealed: { title, detail } }]
    }
    case 'finish':
      return [{ type: 'run.finished', state: step.state, failure: step.failure }]
  }
}

async function plan(parts: HarnessParts, state: RunState, { workflow, planner }: WorkflowWithPlanner): Promise<Committed> {
  const answer = await planner.next({ state, workflow, find: parts.registry.find })
  const usage = usageEvents(answer)
  switch (answer.kind) {
    case 'note': {
      const { node, value, origins, confidence } = answer
      return commit(parts, state, [...usage, { type: 'plan.noted', node, ...(confidence === undefined ? {} : { confidence }), sealed: { value, origins } }])
    }
    case 'finish':
      return commit(parts, state, [...usage, { type: 'plan.finished', escalate: answer.escalate, sealed: { reason: answer.reason } }])
    case 'give_up': {
      const last = state.actions.at(-1)
      const blamed = last?.state === 'failed' || last?.state === 'denied'
      const failure = blamed ? failureOfAction(last, parts.registry.find(last.proposed.operation)) : 'planning'
      const reason = blamed ? reasonOf(last, answer.reason) : answer.reason
      return commit(parts, state, [...usage, { type: 'run.failing', failure, sealed: { reason } }])
    }
    case 'again': {
      const note = { value: { reason: answer.reason }, origins: ['model'] } as const
      const committed = await commit(parts, state, [...usage, { type: 'plan.noted', node: 'again', sealed: note }])
      await pause(parts, answer.afterMs)
      return committed
    }
    case 'propose':
      return go(parts, state, workflow, { n: state.actions.length, proposal: answer.proposal, purpose: 'act', compensates: null, approval: null }, usage)
  }
}

/** Decides a candidate, records it, and executes it when it may. */
async function go(parts: HarnessParts, state: RunState, workflow: Workflow, candidate: Candidate, before: readonly RunEvent[]): Promise<Committed> {
  const fence = parts.control.state.epoch
  const decided = await decide(parts, state, workflow, candidate)
  const events = [...before, ...decided.events]
  const committed = await commit(parts, state, events, decided.start ? { fence } : {})
  if (committed.kind === 'fenced' && candidate.action === undefined) {
    // A stop moved. What the planner said is kept; it is decided again under the new epoch, if the stop lets it.
    return commit(parts, state, events.filter((event) => event.type !== 'action.decided' && event.type !== 'effect.started'))
  }
  if (committed.kind !== 'committed') return committed
  const action = committed.state.actions[candidate.n]
  const operation = parts.registry.find(candidate.proposal.operation)
  if (action === undefined || operation === undefined) return committed
  if (decided.rehearse) return commit(parts, committed.state, [await rehearse(parts, committed.state, action)])
  if (!decided.start) return committed
  return commit(parts, committed.state, await execute(parts, committed.state, action, operation))
}

function again(action: ActionState, granted: string | null): Candidate {
  const { operation, sealed, confidence, node, purpose, compensates } = action.proposed
  const origins = Object.fromEntries(leavesOf(sealed.arguments).map(([pointer]) => [pointer, sealed.origins]))
  const proposal: Proposal = { goal: sealed.goal, operation, arguments: sealed.arguments, justification: sealed.justification, confidence, origins, ...(node === null ? {} : { node }) }
  return { n: action.n, proposal, purpose, compensates, action, approval: granted ?? action.approval }
}

/** The read that shows whether the run succeeded, as an action like any other. */
function checkCandidate(parts: HarnessParts, state: RunState, workflow: Workflow): Candidate {
  const filled = resolveTemplate(workflow.success.arguments, { facts: factsOf(state), workflow, operation: parts.registry.find })
  const proposal: Proposal = {
    goal: 'See whether it succeeded',
    operation: workflow.success.operation,
    arguments: filled.ok ? filled.value : {},
    justification: filled.ok ? 'The workflow asks for it.' : `The workflow asks for it, but ${filled.missing} is not known.`,
    confidence: 10_000,
    ...(filled.ok ? { origins: filled.origins } : {}),
  }
  return { n: state.actions.length, proposal, purpose: 'check', compensates: null, approval: null }
}

function compensation(state: RunState, step: Extract<Step, { kind: 'compensate' }>): Candidate {
  const { operation, arguments: args } = step.call
  const origins = Object.fromEntries(leavesOf(args).map(([pointer]) => [pointer, ['system'] as const]))
  const proposal: Proposal = { goal: 'Take back what was done', operation, arguments: args, justification: state.reason || 'Somebody asked to undo this run.', confidence: 10_000, origins }
  return { n: state.actions.length, proposal, purpose: 'compensate', compensates: step.of, approval: null }
}

/** Holds what the read answered against what the workflow expects: completion is a fact about the world (I13). */
function compare({ success }: Workflow, action: ActionState): RunEvent {
  const wrong = Object.entries(success.expect).filter(([pointer, expected]) => !isExpected(valueAt(action.output, pointer), expected))
  const detail = wrong.map(([pointer, expected]) => `${pointer} is ${JSON.stringify(valueAt(action.output, pointer) ?? null)}, not ${JSON.stringify(expected)}`)
  return { type: 'check.executed', ok: wrong.length === 0, sealed: { detail: detail.join('; ') } }
}

function isExpected(value: Json | undefined, expected: Json): boolean {
  return Array.isArray(expected) ? (expected as readonly Json[]).some((one) => one === value) : value === expected
}

function usageEvents(answer: PlannerAnswer): readonly RunEvent[] {
  if (answer.usage === undefined) return []
  const { model, inputTokens, outputTokens, costMicros, durationMs, result, request, reply } = answer.usage
  return [{ type: 'model.called', model, inputTokens, outputTokens, costMicros, durationMs, result, sealed: { request, reply } }]
}

function reasonOf(action: ActionState, fallback: string): string {
  if (action.state === 'denied') return action.decision?.policies.map((policy) => policy.reason).join('; ') ?? fallback
  return action.outcome?.sealed.message ?? fallback
}

function pause(parts: HarnessParts, ms: number): Promise<void> {
  return new Promise((resolve) => {
    parts.clock.at(parts.clock.nowMs() + Math.min(ms, 60_000), resolve)
  })
}
