import {
  type ActionState,
  type Admitted,
  compileFlow,
  endorseCall,
  type FindOperation,
  type Flow,
  type FlowContext,
  type FlowFacts,
  flowFacts,
  isTrusted,
  type Json,
  leavesOf,
  observe,
  openFlow,
  type Operation,
  type Origin,
  originAt,
  type Proposal,
  type RunState,
  spendGrant,
  unpackFlow,
  valueAt,
  withEndorsed,
  type Workflow,
} from '@tidegate/kernel'
import { flowOf, flowOfAnswer, UNKNOWN_FLOW } from '../flow-of.ts'
import type { Registry } from '../registry.ts'

/** Keeps the labels of runs (I9, docs/spec/labels.md): what has been shown to the planner of each, and what follows for an action. */
export interface Labels {
  /** What the labels say about an action that is about to be decided. */
  factsOf(question: LabelQuestion): FlowFacts
  /** What the planner of a run has been shown so far. */
  contextOf(state: RunState, workflow: Workflow): FlowContext
}

/** An action that is about to be decided. */
export interface LabelQuestion {
  readonly state: RunState
  readonly workflow: Workflow
  readonly candidate: Built
  readonly admitted: Admitted
  readonly nowMs: number
  /** People have approved this very call as a part of a plan: its own targets are endorsed for it. */
  readonly isCovered?: boolean
}

interface Built {
  readonly proposal: Proposal
  readonly purpose: 'act' | 'check' | 'compensate'
  /** The action that is decided again; absent for a new proposal. */
  readonly action?: Pick<ActionState, 'n' | 'proposed' | 'decision'>
}

/** Who wrote the arguments, by JSON pointer. */
export type KnownLeaves = Readonly<Record<string, readonly Origin[]>>

/**
 * What our own code knows about who wrote the arguments: all of it when it put them together itself; when a model passed references that it
 * resolved, which of them led to untrusted words. That a reference leads to trusted words says nothing: the choice is the model's.
 * An action that is decided again is known by what was recorded of it, and by nothing more: labels never fall (I9).
 */
export function knownLeaves({ proposal, purpose, action }: Built): KnownLeaves | undefined {
  if (action !== undefined) return action.proposed.sealed.leaves
  const { origins, references, node } = proposal
  if (origins !== undefined && (purpose !== 'act' || node !== undefined)) return origins
  const untrusted = Object.entries(references ?? {}).filter(([, written]) => !isTrusted(written))
  return untrusted.length === 0 ? undefined : Object.fromEntries(untrusted)
}

/** A context, and how far into the run it has followed. */
interface Followed {
  readonly context: FlowContext
  /** Actions whose answers it has seen, with the answers. */
  readonly observed: readonly (Json | undefined)[]
  /** Actions whose targets are endorsed, since people have approved them. */
  readonly endorsed: ReadonlySet<number>
  /** So many actions at the beginning of the run have told all that they ever will. */
  readonly settled: number
}

/**
 * Creates the labels of one process. They are a fold of the records of a run; what was folded is kept with the run for as long as somebody
 * holds it, and is made again from its records otherwise. An answer that was seen and then lost by a crash has raised the labels all the
 * same: they never fall (I9).
 */
export function createLabels(
  { find, workflow: findWorkflow }: Pick<Registry, 'find' | 'workflow'>,
  sessions?: { contextOf(opened: RunState['opened']): FlowContext | undefined },
): Labels {
  const runs = new WeakMap<RunState['opened'], Followed>()

  function contextOf(state: RunState, workflow: Workflow, deciding?: number): FlowContext {
    // A run that was opened under another version of its workflow may have been shown everything.
    const isSame = state.opened.workflowVersion === workflow.version
    const { hidesText = false, showsFailures = false } = findWorkflow(workflow.name)?.planner ?? {}
    const hidden = isSame && hidesText
    const known = runs.get(state.opened)
    const before = known ?? beginCall(state, sessions) ?? begin(state, workflow, hidden)
    const next = follow(before, state, { find, hidden, showsFailures: showsFailures || !isSame })
    if (next !== known) runs.set(state.opened, next)
    const planned = withGrants(next.context, state, { environment: workflow.environment, deciding })
    return state.endorsements.length === 0 ? planned : withEndorsed(planned, state.endorsements)
  }

  return {
    contextOf: (state, workflow) => contextOf(state, workflow),
    factsOf({ state, workflow, candidate, admitted, nowMs, isCovered = false }) {
      const { operation, arguments: args } = admitted
      const recorded = candidate.action?.decision?.facts
      if (state.opened.call !== undefined && sessions?.contextOf(state.opened) === undefined && recorded != null)
        return unpackFlow(recorded.flow) // the conversation is not known any more; what it had shown when this was proposed is
      const leaves = knownLeaves(candidate)
      const now = contextOf(state, workflow, candidate.action?.n)
      const known = state.opened.call === undefined || recorded == null ? now : notBelow(now, unpackFlow(recorded.flow))
      const own = { operation: operation.id, flow: flowOf(operation), arguments: args }
      const context = isCovered ? endorseCall(known, own) : known
      const facts = flowFacts({
        context,
        operation: operation.id,
        flow: flowOf(operation),
        arguments: args,
        environment: workflow.environment,
        nowMs,
        ...(leaves === undefined ? {} : { provenance: provenanceIn(args, leaves, doubtfulTexts(state)) }),
      })
      return leaves === undefined ? facts : withCarried(facts, context, args, leaves)
    },
  }
}

/** Adds what a whole run has shown to a context that is not its own: to the conversation that its call belongs to. */
export function observeRun(context: FlowContext, state: RunState, find: FindOperation): FlowContext {
  const before: Followed = { context, observed: [], endorsed: new Set(), settled: 0 }
  return follow(before, state, { find, hidden: false, showsFailures: true }).context
}

/** A call that passes a stranger's words on is as tainted as a planner that has read them. */
function withCarried(facts: FlowFacts, { seen }: FlowContext, args: Json, leaves: KnownLeaves): FlowFacts {
  if (!Object.values(leaves).some((written) => written.includes('third-party'))) return facts
  const carried = leavesOf(args).filter(([pointer]) => leaves[pointer]?.includes('third-party') === true)
  if (carried.length === 0) return facts
  const from = seen.filter(({ output }) => leavesOf(output).some(([, leaf]) => carried.some(([, value]) => value === leaf)))
  return { ...facts, tainted: true, sources: [...new Set([...facts.sources, ...from.map(({ source }) => source)])].toSorted() }
}

/**
 * The plan of a run, and how much of it is used up: by every action of the planner that has started, once each, however often it was tried.
 * The one that is being decided does not stand in its own way. What the run did before it had a plan counts as well.
 */
function withGrants(
  context: FlowContext,
  { grants, actions }: RunState,
  { environment, deciding }: { readonly environment: string; readonly deciding: number | undefined },
): FlowContext {
  if (grants === null) return context
  const started = actions.filter(({ n, attempts, proposed }) => attempts > 0 && n !== deciding && proposed.purpose === 'act')
  return started.reduce<FlowContext>(
    (used, { proposed, startedAtMs }) =>
      spendGrant(used, {
        operation: proposed.operation,
        arguments: proposed.sealed.arguments,
        environment,
        nowMs: startedAtMs,
        trusted: () => true,
      }),
    { ...context, grants, grantUse: new Map() },
  )
}

/** A leaf that our own code took from trusted words is trusted, unless they may have been put there under taint: then it is looked up. */
function provenanceIn(args: Json, leaves: KnownLeaves, doubtful: readonly string[]) {
  return (pointer: string): 'trusted' | 'untrusted' | undefined => {
    const origins = leaves[pointer]
    if (origins === undefined) return undefined
    if (!isTrusted(origins)) return 'untrusted'
    const text = String(valueAt(args, pointer))
    return doubtful.some((part) => text.includes(part)) ? undefined : 'trusted'
  }
}

/** Shorter ones stand everywhere. */
const MIN_DOUBTFUL_LENGTH = 3

const NOTHING: readonly string[] = []

/** What this run has read of records that were written under taint. */
function doubtfulTexts({ actions }: RunState): readonly string[] {
  if (!actions.some(({ distrusted }) => distrusted === true)) return NOTHING
  const answers = actions.filter(({ distrusted }) => distrusted === true).flatMap(({ output }) => leavesOf(output))
  return answers.map(([, leaf]) => String(leaf)).filter((text) => text.length >= MIN_DOUBTFUL_LENGTH)
}

/** What a call was once decided under stays: its conversation may have been called to mind only since, and be known as less than was feared (I9). */
function notBelow(context: FlowContext, before: FlowFacts): FlowContext {
  const lost = before.sources.filter((source) => !context.sources.includes(source))
  return lost.reduce(
    (raised, source) => observe(raised, { source, output: { text: 'not known any more' }, flow: UNKNOWN_FLOW }),
    context,
  )
}

/** A call goes on from what its conversation has shown the agent. One whose conversation is not known may have been shown anything. */
function beginCall({ opened }: RunState, sessions: Parameters<typeof createLabels>[1]): Followed | undefined {
  if (opened.call === undefined) return undefined
  const known = sessions?.contextOf(opened)
  const unknown = (): FlowContext => observe(openFlow([]), { source: 'conversation', output: 'not known', flow: UNKNOWN_FLOW })
  return { context: known ?? unknown(), observed: [], endorsed: new Set(), settled: 0 }
}

/** What those wrote who may instruct the run: the input, but for the parts of it that come from others. */
function begin(state: RunState, workflow: Workflow, hidden: boolean): Followed {
  const { input } = state.opened.sealed
  const { origins, flow } = inputOf(workflow)
  const task = leavesOf(input).flatMap(([pointer, leaf]) => (isTrusted(originAt(origins, pointer, leaf)) ? [String(leaf)] : []))
  const context = observe(openFlow([workflow.title, ...task]), { source: 'input', output: input, flow, hidden })
  return { context, observed: [], endorsed: new Set(), settled: 0 }
}

/** Who writes the input of a workflow. */
interface InputLabels {
  readonly origins: Readonly<Record<string, Origin>>
  readonly flow: Flow
}

const inputs = new WeakMap<Workflow, InputLabels>()

/** Who writes the input of a workflow, ready for use. Made once for each, since every run begins with it. */
function inputOf(workflow: Workflow): InputLabels {
  const known = inputs.get(workflow)
  if (known !== undefined) return known
  const origins: Readonly<Record<string, Origin>> = { '': 'user', ...workflow.inputOrigins }
  const made = { origins, flow: compileFlow({ mutability: 'read', origins }) }
  inputs.set(workflow, made)
  return made
}

interface Following {
  readonly find: FindOperation
  /** The planner's model does not see third-party text. */
  readonly hidden: boolean
  /** It sees previews, and what the far side says when a call fails. */
  readonly showsFailures: boolean
}

/** Folds what has happened since. */
function follow(before: Followed, state: RunState, following: Following): Followed {
  let next = before
  let { settled } = before
  for (const action of state.actions) {
    const { n } = action
    if (n < before.settled && (action.state === 'denied' || before.observed[n] === action.output)) continue
    if (n === settled && (action.state === 'done' || action.state === 'undone' || action.state === 'denied')) settled = n + 1
    const operation = following.find(action.proposed.operation)
    if (operation !== undefined && action.attempts > 0) next = followApproval(next, state, action, flowOf(operation))
    if (action.state === 'done' || action.state === 'undone') next = followAnswer(next, action, operation, following)
    else if (following.showsFailures) next = followFailure(next, action)
  }
  return next === before && settled === before.settled ? before : { ...next, settled }
}

/** The approval that an effect started under covers its targets for the rest of the run. */
function followApproval(before: Followed, state: RunState, action: ActionState, flow: Flow): Followed {
  const { n, proposed, planned } = action
  const approval = planned ?? action.approval
  if (approval === null || before.endorsed.has(n) || state.approvals.get(approval)?.state !== 'consumed') return before
  const { operation, sealed } = proposed
  const context = endorseCall(before.context, { operation, flow, arguments: sealed.arguments })
  return { ...before, context, endorsed: new Set(before.endorsed).add(n) }
}

function followAnswer(before: Followed, action: ActionState, operation: Operation | undefined, { hidden }: Following): Followed {
  if (before.observed[action.n] === action.output) return before
  const asked = action.decision?.facts?.flow
  const context = observe(before.context, {
    source: action.proposed.operation,
    output: action.output,
    flow: flowOfAnswer(action, operation),
    hidden,
    echoesUntrusted: asked?.tainted === true && (asked.ungrounded ?? []).length > 0,
  })
  return { ...before, context, observed: withAnswer(before.observed, action.n, action.output) }
}

/** Nobody declares who wrote an error or a preview: all of it counts as a stranger's. */
function followFailure(before: Followed, { n, state, outcome, preview, proposed }: ActionState): Followed {
  const shown = state === 'failed' ? outcome?.sealed.message : state === 'rehearsed' ? preview?.value : undefined
  if (shown === undefined || before.observed[n] === shown) return before
  const context = observe(before.context, { source: proposed.operation, output: shown, flow: UNKNOWN_FLOW })
  return { ...before, context, observed: withAnswer(before.observed, n, shown) }
}

function withAnswer(observed: Followed['observed'], n: number, answer: Json): Followed['observed'] {
  const next = [...observed]
  next[n] = answer
  return next
}
