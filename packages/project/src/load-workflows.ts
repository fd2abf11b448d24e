import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { JsonObject, Operation, ShapeResult } from '@tidegate/kernel'
import { needsModel } from '@tidegate/runtime'
import type { Configuration } from './configuration/schema.ts'
import { ProjectError } from './error.ts'
import { filesOf } from './project-files.ts'
import { type LoadedWorkflow, loadWorkflow, parseInput } from './workflow-file/index.ts'
import { writeProblem } from './yaml/problem.ts'

const SHOWN = 20

/** A workflow of the project that can run: with its graph, or its instructions for an agent, as its planner says. */
export interface ProjectWorkflow extends Pick<LoadedWorkflow, 'workflow' | 'trigger' | 'graph' | 'agent'> {
  /** Relative to the project. */
  readonly file: string
  /** True when a model plans, classifies or extracts for it. */
  readonly usesModel: boolean
  /** Checks what a trigger brings. */
  readonly parseInput: (input: JsonObject) => ShapeResult
}

/** The workflows of a project. */
export interface ProjectWorkflows {
  readonly workflows: readonly ProjectWorkflow[]
  /** Names of those that need a model where the configuration names none; they are left out everywhere. */
  readonly withoutModel: readonly string[]
}

/**
 * Loads the workflow files that a configuration names, held against the operations that the tools declare.
 *
 * @throws ProjectError `workflow_invalid` with a line for each problem in any file.
 */
export function loadWorkflows(
  project: string,
  configuration: Pick<Configuration, 'workflows' | 'environment' | 'model'>,
  operations: readonly Operation[],
): ProjectWorkflows {
  const byId = new Map(operations.map((operation) => [operation.id, operation]))
  const problems: string[] = []
  const loaded = filesOf(project, configuration.workflows, 'workflows').flatMap((path): readonly ProjectWorkflow[] => {
    const file = relative(project, path)
    const answer = loadWorkflow(readFileSync(path), {
      file,
      find: (id: string) => byId.get(id),
      declared: [...byId.keys()],
      environment: configuration.environment,
    })
    if (answer.ok) return [projectWorkflow(file, answer)]
    problems.push(...answer.problems.map(writeProblem))
    return []
  })
  for (const [i, { file, workflow }] of loaded.entries()) {
    const first = loaded.findIndex((other) => other.workflow.name === workflow.name)
    if (first < i) problems.push(`${file}:1:1: ${loaded[first]?.file ?? ''} has the name "${workflow.name}" already. Rename one.`)
  }
  if (problems.length > 0)
    throw new ProjectError('workflow_invalid', `Workflows are refused:\n${problems.slice(0, SHOWN).join('\n')}`)
  const canRun = ({ usesModel }: ProjectWorkflow): boolean => !usesModel || configuration.model !== undefined
  return {
    workflows: loaded.filter(canRun),
    withoutModel: loaded.filter((each) => !canRun(each)).map(({ workflow }) => workflow.name),
  }
}

function projectWorkflow(file: string, { workflow, trigger, input, graph, agent }: LoadedWorkflow): ProjectWorkflow {
  return {
    file,
    workflow,
    trigger,
    usesModel: agent !== undefined || (graph !== undefined && needsModel(graph)),
    parseInput: (given) => parseInput(input, given),
    ...(graph === undefined ? {} : { graph }),
    ...(agent === undefined ? {} : { agent }),
  }
}
