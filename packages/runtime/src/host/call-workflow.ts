import {
  digestOf,
  type Hasher,
  isObject,
  type JsonObject,
  type OperationId,
  type Planner,
  type Proposal,
  type Workflow,
} from '@tidegate/kernel'
import type { WorkflowWithPlanner } from '../registry.ts'
import type { HostDeclaration, HostTools } from './host.ts'

/** The name of the workflow that calls of a host are runs of. */
export function hostWorkflowName(host: string): string {
  return `host-${host}`
}

/** The source of the trigger events that calls of a host are. */
export function hostSource(host: string): string {
  return `tidegate:host:${host}`
}

/** The name of the workflow that the calls of a host's model are runs of. */
export function modelWorkflowName(host: string): string {
  return `model-${host}`
}

/** How long a run of one call may go on, questions left out. */
const CALL_WALL_MS = 86_400_000
/** One call has used what it has used: budgets are limits over many (docs/spec/limits.md), and policies. */
const MAX_USED = Number.MAX_SAFE_INTEGER

/**
 * The workflow of a host: each of its calls is a run of its own, with one action. It succeeds when the call does; nothing is taken back
 * unless somebody says so.
 */
export function hostWorkflow(host: HostDeclaration, own: HostTools | undefined, hasher: Hasher): WorkflowWithPlanner {
  const { name, operations } = host
  const ids = [...operations, ...(own?.operations ?? []).map(({ id }) => id)]
  return callWorkflow(host, { name: hostWorkflowName(name), title: `Calls of ${name}`, ids }, hasher)
}

/**
 * The workflow of a host's model: apart from its other calls, so that these are found without reading through what the model was asked,
 * and so that a limit per workflow counts the model of one host.
 */
export function modelWorkflow(host: HostDeclaration, operations: readonly OperationId[], hasher: Hasher): WorkflowWithPlanner {
  const { name } = host
  return callWorkflow(host, { name: modelWorkflowName(name), title: `The model of ${name}`, ids: operations }, hasher)
}

interface CallNames {
  readonly name: string
  readonly title: string
  readonly ids: readonly OperationId[]
}

function callWorkflow(host: HostDeclaration, { name, title, ids }: CallNames, hasher: Hasher): WorkflowWithPlanner {
  const { kind, agent, environment, approvalMs, mode } = host
  const workflow: Workflow = {
    ...{ name, title },
    version: digestOf(hasher, { name: host.name, kind, agent, environment, approvalMs, mode, operations: ids.toSorted() }),
    agent,
    owners: { model: agent, permissions: agent, workflow: agent, incidents: agent },
    environment,
    stage: 4,
    operations: new Map(ids.map((id) => [id, { confine: {} }])),
    limits: { steps: 50, wallMs: CALL_WALL_MS, tokens: MAX_USED, costMicros: MAX_USED, repeats: 2, approvalMs },
    inputOrigins: {},
    success: null,
    onFailure: 'keep',
  }
  return { workflow, planner: CALL_PLANNER, internal: true }
}

const CALL_PLANNER: Planner = {
  immediate: true,
  async next({ state }) {
    const [call] = state.actions
    if (call === undefined) return { kind: 'propose', proposal: proposalOf(state.opened.sealed.input) }
    if (call.state === 'done') return { kind: 'finish', reason: 'It has answered.', escalate: false }
    return { kind: 'give_up', reason: 'It was not done.' }
  },
}

function proposalOf({ operation, arguments: args, goal }: JsonObject): Proposal {
  return {
    goal: typeof goal === 'string' ? goal : '',
    operation: typeof operation === 'string' ? operation : '',
    arguments: args !== undefined && isObject(args) ? args : {},
    justification: 'An agent outside of Tidegate wants to make this call.',
    confidence: 10_000,
  }
}
