import {
  type ActionState,
  deny,
  failureOfAction,
  type Grant,
  type Json,
  leavesOf,
  mintGrants,
  type Operation,
  type Planner,
  type PlannerAnswer,
  type Proposal,
  resolveTemplate,
  factsOf,
  type RunEvent,
  type RunState,
  type Step,
  valueAt,
  wallDeadlineMs,
  type Workflow,
} from '@tidegate/kernel'
import type { WorkflowWithPlanner } from '../registry.ts'
import { type Candidate, decide, type Decided } from './decide.ts'
import { execute, reconcile, verify } from './execute.ts'
import type { HarnessParts } from './parts.ts'
import { rehearse } from './preview.ts'
import { add, flush, type Progress } from './progress.ts'

/** A step that leads to events; the others (`rest`, `wait`) are the loop's own. */
export type Performable = Exclude<Step, { kind: 'rest' | 'wait' }>

/** What became of a step: the run further on, or `conflict` when it must be read again. */
export type Performed = Progress | 'conflict'

/**
 * Performs one step of a run. What it answers may hold events that are not durable yet (see {@link Progress}); nothing outside has
 * been touched on their strength. If we crash anywhere in here, {@link nextStep} goes on from what is durable.
 */
export function perform(
  parts: HarnessParts,
  progress: Progress,
  entry: WorkflowWithPlanner,
  step: Performable,
): Performed | Promise<Performed> {
  const { workflow } = entry
  const { state } = progress
  switch (step.kind) {
    case 'plan':
      return entry.planner.immediate === true
        ? plan(parts, progress, entry)
        : whenDurable(parts, progress, (durable) => plan(parts, durable, entry))
    case 'decide':
      return go(parts, progress, workflow, again(step.action, step.approval))
    case 'look':
      return go(parts, progress, workflow, checkCandidate(parts, state, workflow))
    case 'compensate':
      return go(parts, progress, workflow, compensation(state, step))
    case 'reconcile':
      return whenDurable(parts, progress, async (durable) => {
        const operation = parts.registry.find(step.action.proposed.operation)
        return add(parts, durable, await reconcile(parts, durable.state, step.action, operation))
      })
    case 'verify':
      return whenDurable(parts, progress, async (durable) => {
        const operation = parts.registry.find(step.action.proposed.operation)
        return add(parts, durable, [await verify(parts, durable.state, step.action, operation)])
      })
    default:
      return add(parts, progress, recordOf(state, workflow, step))
  }
}

/** Makes what waits durable before something that takes its time. */
async function whenDurable(
  parts: HarnessParts,
  progress: Progress,
  then: (progress: Progress) => Promise<Performed>,
): Promise<Performed> {
  const flushed = await flush(parts, progress)
  return flushed.kind === 'durable' ? then(flushed.progress) : 'conflict'
}

/** The longest that a planner may ask to be left alone. */
const MAX_PAUSE_MS = 600_000

type Plain = Exclude<Performable, { kind: 'plan' | 'decide' | 'look' | 'compensate' | 'reconcile' | 'verify' }>

/** Steps that are nothing but a record. */
function recordOf(state: RunState, workflow: Workflow, step: Plain): readonly RunEvent[] {
  switch (step.kind) {
    case 'hold':
      return [{ type: 'run.held', stop: step.stop.id }]
    case 'resume':
      return [{ type: 'run.resumed' }]
    case 'lapse':
      return [
        { type: 'approval.closed', approval: step.approval, state: 'lapsed', why: 'the deadline passed, and silence means no' },
      ]
    case 'abandon':
      return [abandoned(state, step.action)]
    case 'mark_ambiguous':
      return [{ type: 'effect.ambiguous', action: step.action.n, attempt: step.action.attempts, why: 'crashed' }]
    case 'compare':
      return [compare(workflow, step.action)]
    case 'fail':
      return [{ type: 'run.failing', failure: step.failure, sealed: { reason: step.reason } }]
    case 'queue': {
      const { item: kind, action, effect, title, detail } = step
      return [
        {
          type: 'queue.added',
          item: `${state.opened.run}.q${state.items.size + 1}`,
          kind,
          action,
          effect,
          sealed: { title, detail },
        },
      ]
    }
    case 'finish':
      return [...endQuestions(state), { type: 'run.finished', state: step.state, failure: step.failure }]
  }
}

/** It was never done, and will not be: whoever asks again asks anew. */
function abandoned({ opened }: RunState, { n }: ActionState): RunEvent {
  const { outcome, policies, approvers, policyVersion } = deny(
    'tidegate:unclaimed',
    'whoever asked for this call did not come back for it',
    opened.policyVersion,
  )
  return { type: 'action.decided', action: n, outcome, policies, approvers, policyVersion, failure: 'unclaimed', facts: null }
}

/** A question or an unused grant does not outlive its run. */
function endQuestions(state: RunState): readonly RunEvent[] {
  const standing = [...state.approvals.values()].filter((approval) => approval.state === 'open' || approval.state === 'granted')
  return standing.map(({ question }) => ({
    type: 'approval.closed',
    approval: question.id,
    state: 'voided',
    why: 'the run has ended',
  }))
}

async function plan(parts: HarnessParts, progress: Progress, entry: WorkflowWithPlanner): Promise<Performed> {
  const { workflow, planner } = entry
  const { state } = progress
  const answer = await ask(parts, state, workflow, planner)
  if (answer === 'late') return progress // the next step finds the time of the run used up
  const usage = usageEvents(answer)
  switch (answer.kind) {
    case 'note': {
      const { node, value, origins, confidence, of } = answer
      const sureness = { ...(confidence === undefined ? {} : { confidence }), ...(of === undefined ? {} : { of }) }
      return add(parts, progress, [...usage, { type: 'plan.noted', node, ...sureness, sealed: { value, origins } }])
    }
    case 'grant':
      return add(parts, progress, [...usage, granting(parts, state, entry, answer.grants)])
    case 'finish':
      return add(parts, progress, [
        ...usage,
        { type: 'plan.finished', escalate: answer.escalate, sealed: { reason: answer.reason } },
      ])
    case 'give_up':
      return add(parts, progress, [...usage, givenUp(parts, state, answer.reason)])
    case 'again': {
      const untilMs = parts.clock.nowMs() + Math.min(answer.afterMs, MAX_PAUSE_MS)
      return add(parts, progress, [...usage, { type: 'plan.paused', untilMs, sealed: { reason: answer.reason } }])
    }
    case 'propose': {
      const candidate: Candidate = {
        n: state.actions.length,
        proposal: answer.proposal,
        purpose: 'act',
        compensates: null,
        approval: null,
      }
      return go(parts, usage.length === 0 ? progress : add(parts, progress, usage), workflow, candidate)
    }
  }
}

/** A plan that comes too late, or reaches further than the one before, may be somebody else's: the planner is not asked again. */
function granting(parts: HarnessParts, state: RunState, { workflow }: WorkflowWithPlanner, grants: readonly Grant[]): RunEvent {
  const minted = mintGrants(parts.labels.contextOf(state, workflow), grants)
  if (minted.kind === 'minted')
    return { type: 'plan.granted', operations: [...new Set(grants.map((grant) => grant.operation))], sealed: { grants } }
  return { type: 'run.failing', failure: 'planning', sealed: { reason: `the plan was refused: ${minted.why}` } }
}

/** Decides a candidate, records it, and executes it when it may. */
function go(parts: HarnessParts, progress: Progress, workflow: Workflow, candidate: Candidate): Promise<Performed> {
  const operation = parts.registry.find(candidate.proposal.operation)
  const looks = operation?.canPreview === true || (workflow.approvals?.plan === 'whole' && progress.state.grants !== null)
  return looks && progress.waiting.length > 0
    ? whenDurable(parts, progress, (durable) => go(parts, durable, workflow, candidate))
    : decideAndStart(parts, progress, workflow, candidate, operation)
}

async function decideAndStart(
  parts: HarnessParts,
  progress: Progress,
  workflow: Workflow,
  candidate: Candidate,
  operation: Operation | undefined,
): Promise<Performed> {
  let leave: (() => void) | undefined
  try {
    const fence = parts.control.state.epoch
    const deciding = decide(parts, progress, workflow, candidate)
    const decided = deciding instanceof Promise ? await deciding : deciding
    const next = add(parts, progress, decided.events)
    if (decided.rehearse) return await whenDurable(parts, next, (durable) => rehearseNow(parts, durable, candidate.n))
    if (!decided.start || operation === undefined) return next
    const entrance = parts.breakers.enter(operation.id)
    if (entrance.kind === 'held') {
      parts.meters.release(progress.state.opened.run)
      return await whenDurable(parts, undecided(parts, progress, decided), async (durable) => {
        await entrance.over
        return durable
      })
    }
    leave = entrance.leave
    const flushed = await flush(parts, next, { fence })
    if (flushed.kind === 'conflict') return 'conflict'
    if (flushed.kind === 'fenced') return undecided(parts, progress, decided)
    const { durable } = flushed.progress
    const action = durable.actions[candidate.n]
    if (action === undefined) return flushed.progress
    return add(parts, flushed.progress, await execute(parts, durable, action, operation))
  } finally {
    leave?.()
    parts.meters.release(progress.state.opened.run) // the room of what did not start; nothing to do once the start is recorded
  }
}

/**
 * A stop moved, or somebody else finds out first whether the operation answers again. What was there before and what the planner said are
 * kept; it is decided again as things are then.
 */
function undecided(parts: HarnessParts, progress: Progress, decided: Decided): Progress {
  const kept = decided.events.filter((event) => event.type !== 'action.decided' && event.type !== 'effect.started')
  return kept.length === 0 ? progress : add(parts, progress, kept)
}

async function rehearseNow(parts: HarnessParts, progress: Progress, n: number): Promise<Progress> {
  const action = progress.state.actions[n]
  return action === undefined ? progress : add(parts, progress, [await rehearse(parts, progress.state, action)])
}

/**
 * A planner that breaks has given up: the run fails like any other, and takes back what it did. One that does not answer is waited for
 * as long as the run has time; what it says later is not heard.
 */
async function ask(parts: HarnessParts, state: RunState, workflow: Workflow, planner: Planner): Promise<PlannerAnswer | 'late'> {
  const view = { state, workflow, find: parts.registry.find }
  let cancel: (() => void) | undefined
  try {
    if (planner.immediate === true) return await planner.next(view)
    const { promise, resolve } = Promise.withResolvers<'late'>()
    cancel = parts.clock.at(wallDeadlineMs(state, workflow.limits), () => resolve('late'))
    return await Promise.race([promise, planner.next(view)])
  } catch (error) {
    parts.log({ level: 'warning', run: state.opened.run, message: `the planner of ${workflow.name} broke off: ${nameOf(error)}` })
    return { kind: 'give_up', reason: 'the planner broke off' }
  } finally {
    cancel?.()
  }
}

/** What broke, without its message: that may hold anything. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}

/** After a failed or denied action the run fails as that action did, otherwise for want of a plan. */
function givenUp(parts: HarnessParts, state: RunState, reason: string): RunEvent {
  const last = state.actions.at(-1)
  const blamed = last?.state === 'failed' || last?.state === 'denied'
  const failure = blamed ? failureOfAction(last, parts.registry.find(last.proposed.operation)) : 'planning'
  return { type: 'run.failing', failure, sealed: { reason: blamed ? reasonOf(last, reason) : reason } }
}

function again(action: ActionState, granted: string | null): Candidate {
  const { operation, sealed, confidence, node, purpose, compensates } = action.proposed
  const origins = sealed.leaves ?? Object.fromEntries(leavesOf(sealed.arguments).map(([pointer]) => [pointer, sealed.origins]))
  const proposal: Proposal = {
    goal: sealed.goal,
    operation,
    arguments: sealed.arguments,
    justification: sealed.justification,
    confidence,
    origins,
    ...(node === null ? {} : { node }),
  }
  return { n: action.n, proposal, purpose, compensates, action, approval: granted ?? action.approval }
}

/** The read that shows whether the run succeeded, as an action like any other. */
function checkCandidate(parts: HarnessParts, state: RunState, workflow: Workflow): Candidate {
  const { success } = workflow
  if (success === null) throw new Error(`The workflow ${workflow.name} has no check to execute.`)
  const filled = resolveTemplate(success.arguments, { facts: factsOf(state), workflow, operation: parts.registry.find })
  const proposal: Proposal = {
    goal: 'See whether it succeeded',
    operation: success.operation,
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
  const proposal: Proposal = {
    goal: 'Take back what was done',
    operation,
    arguments: args,
    justification: state.reason || 'Somebody asked to undo this run.',
    confidence: 10_000,
    origins,
  }
  return { n: state.actions.length, proposal, purpose: 'compensate', compensates: step.of, approval: null }
}

/** Holds what the read answered against what the workflow expects: completion is a fact about the world (I13). */
function compare({ success }: Workflow, action: ActionState): RunEvent {
  const wrong = Object.entries(success?.expect ?? {}).filter(
    ([pointer, expected]) => !isExpected(valueAt(action.output, pointer), expected),
  )
  const detail = wrong.map(
    ([pointer, expected]) =>
      `${pointer} is ${JSON.stringify(valueAt(action.output, pointer) ?? null)}, not ${JSON.stringify(expected)}`,
  )
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
