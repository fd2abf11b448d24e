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
  leavesOf,
  mintGrants,
  observe,
  openFlow,
  type Operation,
  originAt,
  type Proposal,
  type RunState,
  spendGrant,
  type Workflow,
} from '@tidegate/kernel'
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
}

interface Built {
  readonly proposal: Proposal
  readonly purpose: 'act' | 'check' | 'compensate'
}

/** True when our own code, and no model, put the arguments together: then it knows where each of them comes from. */
export function isBuiltByUs({ proposal, purpose }: Built): boolean {
  return proposal.origins !== undefined && (purpose !== 'act' || proposal.node !== undefined)
}

/** A context, and how far into the run it has followed. */
interface Followed {
  readonly context: FlowContext
  /** Actions whose answers it has seen. */
  readonly observed: ReadonlySet<number>
  /** Action -> attempts that have used a grant. */
  readonly attempts: ReadonlyMap<number, number>
  /** Approvals whose targets are endorsed. */
  readonly endorsed: ReadonlySet<string>
  readonly hasGrants: boolean
}

/**
 * Creates the labels of one process. They are a fold of the records of a run; what was folded is kept with the run for as long as somebody
 * holds it, and is made again from its records otherwise. An answer that was seen and then lost by a crash has raised the labels all the
 * same: they never fall (I9).
 */
export function createLabels({ find, workflow: findWorkflow }: Pick<Registry, 'find' | 'workflow'>): Labels {
  const flows = new WeakMap<Operation, Flow>()
  const runs = new WeakMap<RunState['opened'], Followed>()

  function flowOf(operation: Operation): Flow {
    const known = flows.get(operation)
    if (known !== undefined) return known
    const { flow, mutability, origins, input, output } = operation
    const compiled = compileFlow({
      ...(flow === undefined ? {} : { declaration: flow }),
      mutability,
      origins,
      input: input.jsonSchema,
      output: output.jsonSchema,
    })
    flows.set(operation, compiled)
    return compiled
  }

  function contextOf(state: RunState, workflow: Workflow): FlowContext {
    const before = runs.get(state.opened) ?? begin(state, workflow)
    const hidden = findWorkflow(workflow.name)?.planner.hidesText === true
    const next = follow(before, state, { find, flowOf, hidden, environment: workflow.environment })
    runs.set(state.opened, next)
    return next.context
  }

  return {
    contextOf,
    factsOf({ state, workflow, candidate, admitted, nowMs }) {
      const { operation, arguments: args } = admitted
      const origins = isBuiltByUs(candidate) ? candidate.proposal.origins : undefined
      return flowFacts({
        context: contextOf(state, workflow),
        operation: operation.id,
        flow: flowOf(operation),
        arguments: args,
        environment: workflow.environment,
        nowMs,
        ...(origins === undefined ? {} : { provenance: (pointer) => provenanceOf(origins[pointer]) }),
      })
    },
  }
}

function provenanceOf(origins: Parameters<typeof isTrusted>[0] | undefined): 'trusted' | 'untrusted' | undefined {
  if (origins === undefined) return undefined
  return isTrusted(origins) ? 'trusted' : 'untrusted'
}

/** What those wrote who may instruct the run: the input, but for the parts of it that come from others. */
function begin(state: RunState, workflow: Workflow): Followed {
  const { input } = state.opened.sealed
  const task = leavesOf(input).flatMap(([pointer, leaf]) =>
    isTrusted(originAt({ '': 'user', ...workflow.inputOrigins }, pointer, leaf)) ? [String(leaf)] : [],
  )
  const flow = compileFlow({ mutability: 'read', origins: { '': 'user', ...workflow.inputOrigins } })
  const context = observe(openFlow([workflow.title, ...task]), { source: 'input', output: input, flow })
  return { context, observed: new Set(), attempts: new Map(), endorsed: new Set(), hasGrants: false }
}

interface Following {
  readonly find: FindOperation
  readonly flowOf: (operation: Operation) => Flow
  readonly environment: string
  /** The planner's model does not see third-party text. */
  readonly hidden: boolean
}

/** Folds what has happened since. */
function follow(before: Followed, state: RunState, following: Following): Followed {
  let next = before
  if (!next.hasGrants && state.grants !== null) {
    const minted = mintGrants(next.context, state.grants, 'person') // the context was looked at before they were recorded
    if (minted.kind === 'minted') next = { ...next, hasGrants: true, context: minted.context }
  }
  for (const action of state.actions) {
    const operation = following.find(action.proposed.operation)
    if (operation !== undefined && action.attempts > 0)
      next = followStart(next, state, action, following.flowOf(operation), following)
    if (action.state === 'done' || action.state === 'undone') next = followAnswer(next, action, operation, following)
  }
  return next
}

/** An effect that started has used its grant, and the approval that it started under covers its targets for the rest of the run. */
function followStart(before: Followed, state: RunState, action: ActionState, flow: Flow, { environment }: Following): Followed {
  const { n, attempts, approval, startedAtMs } = action
  const { operation, sealed } = action.proposed
  let next = before
  if ((before.attempts.get(n) ?? 0) < attempts) {
    const call = { operation, arguments: sealed.arguments, environment, nowMs: startedAtMs, trusted: () => true }
    const context = next.context.grants === undefined ? next.context : spendGrant(next.context, call)
    next = { ...next, context, attempts: new Map(next.attempts).set(n, attempts) }
  }
  if (approval === null || next.endorsed.has(approval) || state.approvals.get(approval)?.state !== 'consumed') return next
  const context = endorseCall(next.context, { operation, flow, arguments: sealed.arguments })
  return { ...next, context, endorsed: new Set(next.endorsed).add(approval) }
}

/** What nobody declares any more is third-party text, all of it. */
const UNKNOWN = compileFlow({ mutability: 'read' })

function followAnswer(
  before: Followed,
  action: ActionState,
  operation: Operation | undefined,
  { flowOf, hidden }: Following,
): Followed {
  if (before.observed.has(action.n)) return before
  const asked = action.decision?.facts?.flow
  const context = observe(before.context, {
    source: action.proposed.operation,
    output: action.output,
    flow: operation === undefined ? UNKNOWN : flowOf(operation),
    hidden,
    echoesUntrusted: asked !== undefined && asked.tainted && asked.ungrounded.length > 0,
  })
  return { ...before, context, observed: new Set(before.observed).add(action.n) }
}
