import { existsSync, globSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CONFIGURATION_FILE, loadConfiguration, type ProjectPolicyFile, readPolicyFiles, readText } from '@tidegate/project'
import { WorkbenchError } from '../error.ts'
import { openProject } from '../open-project.ts'
import { type PlanOptions, planPolicies, type PolicyPlan } from './plan-policies.ts'

/** Files below a directory that is no project. */
const MAX_FILES = 1_000

/**
 * Compares the policies of the project in a directory with those in another one: a project, whose configuration says which they are,
 * or any directory with `.cedar` files.
 *
 * @throws ProjectError, WorkbenchError `policies_missing`.
 */
export async function planProject(
  directory: string,
  { against, samples }: { readonly against: string; readonly samples: number },
): Promise<PolicyPlan> {
  const project = await openProject(directory)
  const own = project.policyFiles.filter(({ layer }) => layer === 'limits' || layer === 'builtin')
  // What is made of limits and what is built in has no files to compare: it is the same on both sides.
  return planPolicies(project, { before: [...readAgainst(resolve(against)), ...own], samples })
}

/** The same against policies that are given as text: those that a server has in force. */
export async function planAgainst(directory: string, options: PlanOptions): Promise<PolicyPlan> {
  return planPolicies(await openProject(directory), options)
}

function readAgainst(directory: string): readonly ProjectPolicyFile[] {
  if (existsSync(join(directory, CONFIGURATION_FILE))) return readPolicyFiles(directory, loadConfiguration(directory))
  const files = globSync('**/*.cedar', { cwd: directory }).toSorted()
  if (files.length === 0 || files.length > MAX_FILES)
    throw new WorkbenchError(
      'policies_missing',
      `${directory} has ${files.length === 0 ? 'no' : 'too many'} .cedar files. Name a project, or a directory of policies.`,
    )
  return files.map((file) => ({ file, text: readText(join(directory, file), file), layer: 'project' as const }))
}
