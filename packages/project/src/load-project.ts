import { resolve } from 'node:path'
import { type CedarSchema, generateSchema, type PolicyFile } from '@tidegate/cedar'
import { type Meter, meterNames, type Operation, type Workflow } from '@tidegate/kernel'
import {
  type HostDeclaration,
  type HostKind,
  type HostTools,
  hostWorkflowName,
  modelWorkflowName,
  type Tool,
} from '@tidegate/runtime'
import { loadConfiguration } from './configuration/load.ts'
import type { Configuration } from './configuration/schema.ts'
import { readHosts } from './hosts/read-hosts.ts'
import { loadLimits } from './load-limits.ts'
import { loadTools } from './load-tools.ts'
import { loadWorkflows, type ProjectWorkflows } from './load-workflows.ts'
import { withExceptions } from './policy-exceptions.ts'
import { type ProjectPolicyFile, readPolicyFiles } from './policy-files.ts'

/** A project, loaded: whatever of it can be checked alone was checked. Policies are text here; an engine made of them checks them. */
export interface Project extends ProjectWorkflows {
  readonly name: string
  /** Absolute. */
  readonly directory: string
  readonly configuration: Configuration
  readonly tools: readonly Tool[]
  /** Of all tools, those built in left out. */
  readonly operations: readonly Operation[]
  readonly policyFiles: readonly ProjectPolicyFile[]
  /** What is counted, as the files of limits declare it. */
  readonly meters: readonly Meter[]
  /** Agent programs that are not ours. */
  readonly hosts: readonly HostDeclaration[]
  /** The tools that they bring themselves, by kind. */
  readonly hostTools: ReadonlyMap<HostKind, HostTools>
  /** What the policies are checked against. */
  readonly schema: CedarSchema
}

/** What Tidegate itself declares beside a project, so that policies can speak of it. */
export interface Builtin {
  readonly operations: readonly Operation[]
  readonly workflows: readonly Pick<Workflow, 'name' | 'agent'>[]
  readonly policies: readonly PolicyFile[]
}

/** How a project is loaded. */
export interface LoadProjectOptions {
  /** Instead of reading it again. */
  readonly configuration?: Configuration
  /** Nothing when absent. */
  readonly builtin?: Builtin
  /** The tools that a kind of host brings itself; none when absent. */
  readonly hostTools?: (kind: HostKind) => HostTools | undefined
  /** Tools besides those of the project's own files: upstream servers, the shell. */
  readonly moreTools?: readonly Tool[]
}

const NOTHING: Builtin = { operations: [], workflows: [], policies: [] }

/**
 * Loads the project in a directory. Its tool files are imported, which runs the project's own code; nothing is opened or called.
 *
 * @throws ProjectError, or the error of the part that refused (ToolsError, CedarError for a schema that cannot be made).
 */
export async function loadProject(directory: string, options: LoadProjectOptions = {}): Promise<Project> {
  const project = resolve(directory)
  const configuration = options.configuration ?? loadConfiguration(project)
  const builtin = options.builtin ?? NOTHING
  const tools = [...(await loadTools(project, configuration)), ...(options.moreTools ?? [])]
  const operations = tools.flatMap((tool) => tool.operations)
  const { workflows, withoutModel } = loadWorkflows(project, configuration, operations)
  const limits = loadLimits(project, configuration, operations)
  const hosts = readHosts(configuration, operations)
  const withModel = new Set(configuration.hosts.flatMap(({ name, model }) => (model === undefined ? [] : [name])))
  const hostTools = toolsOfHosts(hosts, options.hostTools)
  const hostOperations = [...hostTools.values()].flatMap((own) => own.operations)
  const known = [...operations, ...hostOperations].map(({ id }) => id)
  const policyFiles = [
    ...withExceptions(readPolicyFiles(project, configuration), configuration.exceptions, known),
    ...limits.policyFiles,
    ...builtin.policies.map((file) => ({ ...file, layer: 'builtin' as const })),
  ]
  const schema = generateSchema(
    [...operations, ...hostOperations, ...builtin.operations],
    [
      ...workflows.map(({ workflow }) => workflow),
      ...hosts.map(({ name, agent }) => ({ name: hostWorkflowName(name), agent })),
      ...hosts.flatMap(({ name, agent }) => (withModel.has(name) ? [{ name: modelWorkflowName(name), agent }] : [])),
      ...builtin.workflows,
    ],
    { roles: configuration.people.flatMap(({ roles }) => roles), meters: meterNames(limits.meters) },
  )
  return {
    name: configuration.name,
    directory: project,
    configuration,
    tools,
    operations,
    workflows,
    withoutModel,
    policyFiles,
    meters: limits.meters,
    hosts,
    hostTools,
    schema,
  }
}

function toolsOfHosts(
  hosts: readonly HostDeclaration[],
  find: LoadProjectOptions['hostTools'],
): ReadonlyMap<HostKind, HostTools> {
  const kinds = new Set(hosts.map(({ kind }) => kind))
  return new Map(
    [...kinds].flatMap((kind) => {
      const own = find?.(kind)
      return own === undefined ? [] : [[kind, own] as const]
    }),
  )
}
