import { createHash } from 'node:crypto'
import { canonicalJson, type FindOperation, isObject, isTrusted, type Json, type Origin, type Workflow } from '@tidegate/kernel'
import type { AgentPlan, Graph } from '@tidegate/runtime'
import { checkGraph } from './check-graph.ts'
import { checkReferences, toPointer } from './check-references.ts'
import type { InputFields } from './input.ts'
import { explainIssues } from '../yaml/issues.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import type { FileProblem, Finding } from '../yaml/problem.ts'
import { readNodes } from './read-nodes.ts'
import { type WorkflowDocument, workflowSchema } from './schema.ts'

const MAX_PROBLEMS = 50

/** What a workflow file is held against. */
export interface LoadOptions {
  /** Name of the file in messages. */
  readonly file: string
  readonly find: FindOperation
  /** Ids of all declared operations, so that a misspelt one can be told from a missing one. */
  readonly declared?: readonly string[]
  /** The environment of a workflow that names none; from tidegate.yaml. */
  readonly environment: string
}

/** A checked workflow with everything that runs it. `graph` or `agent` is there, as its planner says. */
export interface LoadedWorkflow {
  readonly ok: true
  readonly workflow: Workflow
  readonly trigger: { readonly source: string; readonly event: string }
  /** See parseInput. */
  readonly input: InputFields
  readonly graph?: Graph
  readonly agent?: AgentPlan
}

export type LoadAnswer = LoadedWorkflow | { readonly ok: false; readonly problems: readonly FileProblem[] }

/**
 * Loads one workflow file (YAML), or says everything that is wrong with it, where, and what to do about it.
 *
 * Nothing is guessed: an unknown key, a reference that leads nowhere, an operation that no tool declares, a node that cannot be
 * reached or has no way to the end are problems, and a file with problems is not loaded at all. The version is the SHA-256 of the
 * checked content, defaults included: comments and layout do not change it.
 */
export function loadWorkflow(source: string | Uint8Array, options: LoadOptions): LoadAnswer {
  const yaml = parseYaml(source, options.file)
  if (!yaml.ok) return yaml
  const refuse = (findings: readonly Finding[]): LoadAnswer => {
    const problems = findings.slice(0, MAX_PROBLEMS).map(yaml.place)
    return { ok: false, problems: problems.toSorted((a, b) => a.line - b.line || a.column - b.column) }
  }
  if (!isObject(yaml.value)) return refuse([{ path: [], message: 'A workflow is a map of keys and values; start with "name:".' }])
  const parsed = workflowSchema.safeParse(yaml.value)
  const rawNodes = nodesOf(yaml.value)
  const nodes = rawNodes === undefined ? undefined : readNodes(rawNodes, ['graph', 'nodes'])
  const shape = [...(parsed.success ? [] : explainIssues(parsed.error.issues, yaml.value, [])), ...(nodes?.findings ?? [])]
  if (!parsed.success || shape.length > 0) return refuse(shape)
  const document = parsed.data
  const graph =
    document.graph === undefined || nodes === undefined ? undefined : { start: document.graph.start, nodes: nodes.nodes }
  const planner = checkPlanner(document)
  const declared = options.declared ?? document.operations.map(({ id }) => id).filter((id) => options.find(id) !== undefined)
  const meaning = [
    ...planner,
    ...(graph === undefined ? [] : checkGraph(graph)),
    ...checkReferences({ document, graph, find: options.find, declared }),
  ]
  if (meaning.length > 0) return refuse(meaning)
  const environment = document.environment ?? options.environment
  const checked = {
    ...document,
    environment,
    ...(nodes === undefined ? {} : { graph: { start: graph?.start ?? '', nodes: nodes.checked } }),
  }
  return assemble(document, { environment, graph, version: versionOf(checked) })
}

function nodesOf(value: Readonly<Record<string, Json>>): Readonly<Record<string, unknown>> | undefined {
  return isObject(value.graph) && isObject(value.graph.nodes) ? value.graph.nodes : undefined
}

function checkPlanner({ planner, graph, instructions, input, approvals }: WorkflowDocument): readonly Finding[] {
  const findings: Finding[] = []
  const strange = Object.entries(input).find(([, { origin }]) => !isTrusted([origin]))
  if (instructions?.plan === true && instructions.show !== 'typed' && strange !== undefined) {
    const message = `A plan counts only when the model made it before it saw what others wrote, and the input "${strange[0]}" is theirs. Add show: typed.`
    findings.push({ path: ['instructions', 'plan'], message })
  }
  if (approvals?.plan === 'whole' && instructions?.plan !== true) {
    const message = 'Only a plan that the run has made can be approved as a whole. Add plan: true under instructions.'
    findings.push({ path: ['approvals', 'plan'], message })
  }
  if (planner === 'graph' && graph === undefined)
    findings.push({ path: ['planner'], message: '"graph" is missing: planner: graph needs one.' })
  if (planner === 'graph' && instructions !== undefined)
    findings.push({ path: ['instructions'], atKey: true, message: 'Instructions are for planner: agent. Remove them.' })
  if (planner === 'agent' && instructions === undefined)
    findings.push({ path: ['planner'], message: '"instructions" are missing: planner: agent needs at least a goal.' })
  if (planner === 'agent' && graph !== undefined)
    findings.push({ path: ['graph'], atKey: true, message: 'A graph is for planner: graph. Remove it.' })
  return findings
}

/** Hex SHA-256 of the checked content in canonical form; what was left out stays out. */
function versionOf(checked: object): string {
  const plain = JSON.parse(JSON.stringify(checked)) as Json
  return createHash('sha256').update(canonicalJson(plain)).digest('hex')
}

interface Derived {
  readonly environment: string
  readonly graph: Graph | undefined
  readonly version: string
}

function assemble(document: WorkflowDocument, { environment, graph, version }: Derived): LoadedWorkflow {
  const { name, title, agent, owners, stage, trigger, input, onFailure, approvals, instructions, success } = document
  const { steps, wall, tokens, cost, repeats, approval } = document.limits
  const operations = document.operations.map(({ id, confine }) => [id, { confine: pointersOf(confine) }] as const)
  const origins = Object.entries(input).map(([field, { origin }]): [string, Origin] => [toPointer(field), origin])
  const workflow: Workflow = {
    name,
    version,
    title,
    agent,
    owners,
    environment,
    stage,
    operations: new Map(operations),
    limits: { steps, wallMs: wall, tokens, costMicros: cost, repeats, approvalMs: approval },
    inputOrigins: Object.fromEntries(origins),
    success: { operation: success.operation, arguments: success.arguments, expect: pointersOf(success.expect) },
    onFailure,
    ...(approvals === undefined ? {} : { approvals }),
  }
  const plan = instructions === undefined ? undefined : planOf(instructions)
  return {
    ok: true,
    workflow,
    trigger,
    input,
    ...(graph === undefined ? {} : { graph }),
    ...(plan === undefined ? {} : { agent: plan }),
  }
}

function pointersOf<Value>(map: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [toPointer(key), value]))
}

function planOf({ goal, rules, confidence, show, plan }: NonNullable<WorkflowDocument['instructions']>): AgentPlan {
  return {
    goal,
    rules,
    ...(confidence === undefined ? {} : { confidence }),
    ...(show === undefined ? {} : { show }),
    ...(plan === undefined ? {} : { plan }),
  }
}
