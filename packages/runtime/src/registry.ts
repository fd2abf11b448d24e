import {
  type Connector,
  type FindOperation,
  type JsonObject,
  type Operation,
  OWN_TOOL,
  type Planner,
  type ShapeResult,
  type Workflow,
} from '@tidegate/kernel'
import { RuntimeError } from './error.ts'

/** A connector with the operations it offers. */
export interface Tool {
  readonly name: string
  readonly operations: readonly Operation[]
  readonly connector: Connector
}

/** A workflow with the planner that proposes for it. */
export interface WorkflowWithPlanner {
  readonly workflow: Workflow
  readonly planner: Planner
  /** Checks what a trigger brings; everything is taken when absent. */
  readonly parseInput?: (input: JsonObject) => ShapeResult
  /** Opened by our own code alone: for a trigger from outside there is no such workflow. */
  readonly internal?: true
}

/** What is declared, and therefore may be used. */
export interface Registry {
  readonly find: FindOperation
  connectorOf(operation: Operation): Connector
  readonly operations: readonly Operation[]
  workflow(name: string): WorkflowWithPlanner | undefined
  readonly workflows: readonly Workflow[]
}

/**
 * Puts the declared tools and workflows together.
 *
 * @throws RuntimeError `tool_conflict` or `workflow_conflict` when a name is declared twice.
 */
export function createRegistry(tools: readonly Tool[], workflows: readonly WorkflowWithPlanner[]): Registry {
  const operations = new Map<string, Operation>()
  const connectors = new Map<string, Connector>()
  for (const tool of tools) {
    if (connectors.has(tool.name)) throw new RuntimeError('tool_conflict', `Two tools are named ${tool.name}.`)
    connectors.set(tool.name, tool.connector)
    for (const operation of tool.operations) operations.set(operation.id, operation)
  }
  const byName = new Map<string, WorkflowWithPlanner>()
  for (const entry of workflows) {
    if (byName.has(entry.workflow.name))
      throw new RuntimeError('workflow_conflict', `Two workflows are named ${entry.workflow.name}.`)
    if (entry.workflow.agent === OWN_TOOL && entry.internal !== true)
      throw new RuntimeError(
        'workflow_conflict',
        `The workflow ${entry.workflow.name} names the agent "${OWN_TOOL}", which is Tidegate itself. Give it an agent of its own.`,
      )
    byName.set(entry.workflow.name, entry)
  }
  return {
    find: (id) => operations.get(id),
    connectorOf(operation) {
      const connector = connectors.get(operation.tool)
      if (connector === undefined) throw new RuntimeError('tool_conflict', `No connector serves the tool ${operation.tool}.`)
      return connector
    },
    operations: [...operations.values()],
    workflow: (name) => byName.get(name),
    workflows: workflows.map((entry) => entry.workflow),
  }
}
