import { readFileSync, statSync } from 'node:fs'
import { relative } from 'node:path'
import { limitPolicies, type Meter, type Operation } from '@tidegate/kernel'
import type { Configuration } from './configuration/schema.ts'
import { ProjectError } from './error.ts'
import { parseLimits } from './limits-file/index.ts'
import type { ProjectPolicyFile } from './policy-files.ts'
import { filesOf } from './project-files.ts'
import { writeProblem } from './yaml/problem.ts'

/** Bytes of a file of limits. */
const MAX_BYTES = 1_000_000
const SHOWN = 20

/** The limits of a project: what is counted, and the policies that hold it to them. */
export interface ProjectLimits {
  readonly meters: readonly Meter[]
  readonly policyFiles: readonly ProjectPolicyFile[]
}

/**
 * Loads the limits that a configuration names, held against the operations that the tools declare.
 *
 * @throws ProjectError `limits_invalid` with a line for each problem in any file.
 */
export function loadLimits(
  project: string,
  { limits }: Pick<Configuration, 'limits'>,
  operations: readonly Operation[],
): ProjectLimits {
  if (limits === undefined) return { meters: [], policyFiles: [] }
  const files = filesOf(project, limits, 'limits').map((path) => {
    const file = relative(project, path)
    if (statSync(path).size > MAX_BYTES)
      throw new ProjectError('limits_invalid', `${file} has more than ${MAX_BYTES} bytes. Split it.`)
    return { file, text: readFileSync(path) }
  })
  const answer = parseLimits(files, operations)
  if (!answer.ok) {
    const lines = answer.problems.map(writeProblem)
    throw new ProjectError('limits_invalid', `Limits are refused:\n${lines.slice(0, SHOWN).join('\n')}`)
  }
  const { meters } = answer
  return { meters, policyFiles: limitPolicies(meters, operations).map((file) => ({ ...file, layer: 'limits' as const })) }
}
