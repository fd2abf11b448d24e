import { digestOf, type Hasher, isObject, type JsonObject, type Planner, type Proposal, type Workflow } from '@tidegate/kernel'
import type { WorkflowWithPlanner } from '../registry.ts'
import type { HostDeclaration, HostTools } from './host.ts'

/** The name of the workflow that calls of a host are runs of. */
export function hostWorkflowName(host: string): string {
  return `host-${host}`
}

/** How long a run of one call may go on, questions left out. */
const CALL_WALL_MS = 86_400_000

/**
 * The workflow of a host: each of its calls is a run of its own, with one action. It succeeds when the call does; nothing is taken back
 * unless somebody says so.
 */
export function hostWorkflow(host: HostDeclaration, own: HostTools | undefined, hasher: Hasher): WorkflowWithPlanner {
  const { name, kind, agent, operations, environment, approvalMs, mode } = host
  const ids = [...operations, ...(own?.operations ?? []).map(({ id }) => id)]
  const workflow: Workflow = {
    name: hostWorkflowName(name),
    title: `Calls of ${name}`,
    version: digestOf(hasher, { name, kind, agent, environment, approvalMs, mode, operations: ids.toSorted() }),
    agent,
    owners: { model: agent, permissions: agent, workflow: agent, incidents: agent },
    environment,
    stage: 4,
    operations: new Map(ids.map((id) => [id, { confine: {} }])),
    limits: { steps: 50, wallMs: CALL_WALL_MS, tokens: 1, costMicros: 1, repeats: 2, approvalMs },
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
