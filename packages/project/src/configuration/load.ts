import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isObject } from '@tidegate/kernel'
import { ProjectError } from '../error.ts'
import { explainIssues } from '../yaml/issues.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import { writeProblem } from '../yaml/problem.ts'
import { type Configuration, configurationSchema } from './schema.ts'

/** The name of a project's configuration file. */
export const CONFIGURATION_FILE = 'tidegate.yaml'

/**
 * Reads the configuration of a project.
 *
 * @throws ProjectError `project_missing` when there is none, `configuration_invalid` with a line for each problem.
 */
export function loadConfiguration(project: string): Configuration {
  const file = join(project, CONFIGURATION_FILE)
  const yaml = parseYaml(readProjectFile(file), CONFIGURATION_FILE)
  if (!yaml.ok) throw invalid(yaml.problems.map(writeProblem))
  const parsed = configurationSchema.safeParse(yaml.value)
  if (!isObject(yaml.value))
    throw invalid([`${CONFIGURATION_FILE}:1:1: a configuration is a map of keys and values; start with "name:"`])
  if (!parsed.success)
    throw invalid(explainIssues(parsed.error.issues, yaml.value, []).map((finding) => writeProblem(yaml.place(finding))))
  return parsed.data
}

function readProjectFile(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new ProjectError(
      'project_missing',
      `There is no project here: ${file} cannot be read. Make one with: tidegate init DIRECTORY`,
      { cause },
    )
  }
}

function invalid(lines: readonly string[]): ProjectError {
  return new ProjectError('configuration_invalid', `The configuration is refused:\n${lines.slice(0, 20).join('\n')}`)
}
