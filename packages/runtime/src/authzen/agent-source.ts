import {
  type ActionState,
  type Admitted,
  admit,
  type Decision,
  deny,
  isObject,
  type Json,
  type JsonObject,
  leavesOf,
  type Observed,
  NEUTRAL_FACTS,
  observeAction,
  openRun,
  policyRequest,
  type Proposal,
  type Rejected,
  resolveVerdict,
  type RunOpened,
  type RunState,
  stopFor,
  type Workflow,
} from '@tidegate/kernel'
import type { HarnessParts } from '../harness/parts.ts'
import { personBehind } from './caller.ts'
import type { DecisionSource, EvaluationRequest, Judgement } from './port.ts'

/** What decisions about governed agents are made of: what a run is made of. */
export interface AgentSourceParts extends HarnessParts {
  /** Loads a run, as its records tell it. */
  readonly load: (run: string) => Promise<RunState | undefined>
}

/** The run that an action is asked about, or the one that would be opened for it. */
interface Situation {
  readonly state: RunState
  readonly workflow: Workflow
  readonly approvals: readonly string[]
}

const SUBJECT = 'agent'
const RESOURCE = 'tool'
/** What of a context a decision about an agent depends on. */
const RELEVANT = ['arguments', 'input', 'run', 'workflow']

/**
 * Decides for governed agents: may agent X call operation Y of tool Z with these arguments? By the same admission, the same facts and
 * the same policies as a run of its own (the one door, DESIGN section 1), and without performing or recording anything.
 *
 * `subject {type: agent, id, properties.user}`, `action.name` an operation, `resource {type: tool, id}`, and in the context
 * `arguments`, and either `run` (decide inside that run, with all that it has seen) or `workflow` and `input` (decide as the first
 * action of a new run). Properties of the subject, the action and the resource are claims, and policies never see them.
 */
export function createAgentSource(parts: AgentSourceParts): DecisionSource {
  const { registry } = parts
  const workflows = registry.workflows.filter(({ name }) => registry.workflow(name)?.internal !== true)
  const listed = new Set(workflows.flatMap(({ operations }) => [...operations.keys()]))
  const operations = registry.operations.filter(({ id }) => listed.has(id))
  return {
    covers: (subjectType, resourceType) => subjectType === SUBJECT && resourceType === RESOURCE,
    judge: (request, approvals) => judge(parts, workflows, request, approvals),
    subjects: (type) => (type === SUBJECT ? sorted(workflows.map(({ agent }) => agent)) : []),
    resources: (type) => (type === RESOURCE ? sorted(operations.map(({ tool }) => tool)) : []),
    actions: (subjectType, resourceType) =>
      subjectType === SUBJECT && resourceType === RESOURCE ? sorted(operations.map(({ id }) => id)) : [],
    relevantContext: () => RELEVANT,
  }
}

async function judge(
  parts: AgentSourceParts,
  workflows: readonly Workflow[],
  request: EvaluationRequest,
  approvals: readonly string[],
): Promise<Judgement> {
  const { subject, action, resource, context } = request
  const own = workflows.filter(({ agent }) => agent === subject.id)
  if (own.length === 0) return unknown('unknown_subject', 'there is no agent with this id')
  const operation = parts.registry.find(action.name)
  if (operation === undefined || operation.tool !== resource.id)
    return unknown('unknown_action', 'no operation of this tool has this name')
  const situation = await situate(parts, own, request)
  if ('code' in situation) return unknown(situation.code, situation.message)
  const { state, workflow } = situation
  const stopped = stopFor(parts.control.state.stops, {
    run: state.opened.run,
    agent: subject.id,
    workflow: workflow.name,
    tool: operation.tool,
  })
  if (stopped !== undefined) return unknown('stopped', 'a stop covers this agent, workflow, run or tool')
  const asked = put(parts, { state, workflow, approvals }, { operation: operation.id, arguments: context.arguments ?? {} })
  if (asked.admitted.kind === 'rejected') return { kind: 'decided', decision: asked.admitted.decision }
  return { kind: 'decided', decision: decide(parts, { ...asked, admitted: asked.admitted }, { state, workflow, approvals }) }
}

/**
 * Puts the call to the guards. A call that the run has proposed itself is put as the run put it: with its own word on where the
 * arguments come from, and not as a repetition. Of any other the arguments are traced through what the run has seen, and what cannot
 * be found there counts as made up.
 */
function put(
  parts: AgentSourceParts,
  { state, workflow }: Situation,
  call: Pick<Proposal, 'operation' | 'arguments'>,
): Pick<Asked, 'proposal' | 'attempts' | 'before'> & { readonly admitted: Admitted | Rejected } {
  const admission = {
    state,
    workflow,
    find: parts.registry.find,
    hasher: parts.hasher,
    policyVersion: parts.policy.version,
    breakers: parts.control.state.breakers,
    nowMs: parts.clock.nowMs(),
    compensates: null,
    ...(parts.quarantined === undefined ? {} : { quarantined: parts.quarantined() }),
  }
  const unheard = { goal: '', justification: '', confidence: 10_000, ...call }
  const admitted = admit(unheard, admission)
  const before = state.actions.findLast(
    ({ proposed }) => proposed.purpose === 'act' && proposed.digest !== null && proposed.digest === admitted.digest,
  )
  if (before === undefined) return { proposal: unheard, attempts: 0, before, admitted }
  const { sealed, confidence, node } = before.proposed
  const origins = sealed.leaves ?? Object.fromEntries(leavesOf(sealed.arguments).map(([pointer]) => [pointer, sealed.origins]))
  const proposal = { ...unheard, arguments: sealed.arguments, confidence, origins, ...(node === null ? {} : { node }) }
  const others = { ...state, actions: state.actions.filter(({ n }) => n !== before.n) }
  return { proposal, attempts: before.failures, before, admitted: admit(proposal, { ...admission, state: others }) }
}

interface Asked {
  readonly admitted: Admitted
  readonly proposal: Proposal
  /** Failed attempts of this very action so far. */
  readonly attempts: number
  /** The same action as the run proposed it before. */
  readonly before: ActionState | undefined
}

/** I6: whatever breaks on the way to a verdict denies. */
function decide(parts: AgentSourceParts, asked: Asked, situation: Situation): Decision {
  const { policy } = parts
  const { state, workflow } = situation
  try {
    const facts = observeAction(asked.admitted, observe(parts, asked, situation), state)
    return resolveVerdict(policy.evaluate(policyRequest(asked.admitted, facts, state, workflow)), policy.version)
  } catch {
    return deny('tidegate:policy-error', 'the policy engine failed', policy.version)
  }
}

/** What the runtime would have found out about this action, had a run proposed it now. The room it would take is given up at once. */
function observe(
  parts: AgentSourceParts,
  { admitted, proposal, attempts, before }: Asked,
  { state, workflow, approvals }: Situation,
): Observed {
  const { operation, arguments: args } = admitted
  const aside = { ...state, opened: { ...state.opened, run: ASIDE } }
  const { values } = parts.meters.reserve({
    state: aside,
    waiting: [],
    action: state.actions.length,
    isNew: true,
    operation,
    arguments: args,
  })
  parts.meters.release(ASIDE)
  return {
    confidence: proposal.confidence,
    confidences: { ...NEUTRAL_FACTS.confidences, ...state.confidences },
    attempts,
    compensates: null,
    approvals,
    roles: parts.rolesOf(state.opened.actors[0] ?? ''),
    time: parts.timeFacts(Math.max(parts.clock.nowMs(), state.updatedAtMs)),
    meters: values,
    flow: parts.labels.factsOf({
      state,
      workflow,
      candidate: { proposal, purpose: 'act', ...(before === undefined ? {} : { action: before }) },
      admitted,
      nowMs: parts.clock.nowMs(),
    }),
  }
}

/** Stands for the run while meters are asked: the room of the run itself, which may be acting just now, is not touched. */
const ASIDE = 'evaluation'

type Situated = Pick<Situation, 'state' | 'workflow'> | { readonly code: string; readonly message: string }

async function situate(parts: AgentSourceParts, own: readonly Workflow[], request: EvaluationRequest): Promise<Situated> {
  const { context, action } = request
  if (context.run !== undefined) return insideRun(parts, own, context.run)
  const fitting =
    context.workflow === undefined
      ? own.filter(({ operations }) => operations.has(action.name))
      : own.filter(({ name }) => name === context.workflow)
  const [workflow, ...others] = fitting
  if (workflow === undefined) return { code: 'not_in_workflow', message: 'no workflow of this agent lists this operation' }
  if (others.length > 0)
    return {
      code: 'workflow_required',
      message: 'several workflows of this agent list this operation: name one in context.workflow',
    }
  if (context.input !== undefined && !isObject(context.input))
    return { code: 'invalid_context', message: 'context.input is not an object' }
  return { workflow, state: imaginedRun(parts, workflow, request, isObject(context.input) ? context.input : {}) }
}

async function insideRun(parts: AgentSourceParts, own: readonly Workflow[], run: Json): Promise<Situated> {
  const state = typeof run === 'string' && /^[0-9A-HJKMNP-TV-Z]{26}$/.test(run) ? await load(parts, run) : undefined
  const workflow = own.find(({ name }) => name === state?.opened.workflow)
  if (state === undefined || workflow === undefined) return { code: 'unknown_run', message: 'this agent has no such run' }
  if (state.phase === 'finished') return { code: 'run_finished', message: 'the run has ended' }
  return { state, workflow }
}

async function load(parts: AgentSourceParts, run: string): Promise<RunState | undefined> {
  try {
    return await parts.load(run)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'run_erased') return undefined
    throw error
  }
}

/** The run that would be opened for this: it is in no journal, and nothing has happened in it. */
function imaginedRun(parts: AgentSourceParts, workflow: Workflow, { subject }: EvaluationRequest, input: JsonObject): RunState {
  const opened: RunOpened = {
    type: 'run.opened',
    run: '',
    workflow: workflow.name,
    workflowVersion: workflow.version,
    agent: workflow.agent,
    actors: [personBehind(subject) ?? 'user:unknown', 'client:authzen'],
    trigger: { source: 'tidegate:evaluation', event: '' },
    environment: workflow.environment,
    stage: workflow.stage,
    policyVersion: parts.policy.version,
    undoes: null,
    sealed: { input, undo: [] },
  }
  return openRun({ index: 0, stream: 'run/', seq: 1, atMs: parts.clock.nowMs(), epoch: 0, events: [opened], erased: false })
}

function unknown(code: string, message: string): Judgement {
  return { kind: 'unknown', code, message }
}

function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort()
}
