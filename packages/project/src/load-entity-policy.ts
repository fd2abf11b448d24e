import { readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { createEntityPolicy } from '@tidegate/cedar'
import type { EntityPolicy } from '@tidegate/kernel'
import type { Configuration } from './configuration/schema.ts'
import { ProjectError } from './error.ts'
import { readText } from './policy-files.ts'
import { filesOf } from './project-files.ts'

/**
 * Loads the policies that a project has for entities of its own (`authzen.policies`, `schema`, `entities`), checked against each
 * other; undefined when it has none.
 *
 * @throws ProjectError for a file that is missing, CedarError for one that is wrong, with its place.
 */
export function loadEntityPolicy(project: string, { authzen }: Pick<Configuration, 'authzen'>): EntityPolicy | undefined {
  if (authzen?.policies === undefined || authzen.schema === undefined) return undefined
  const policies = filesOf(project, authzen.policies, 'authzen.policies').map((path) => {
    const file = relative(project, path)
    return { file, text: readText(path, file) }
  })
  const { schema, entities } = authzen
  return createEntityPolicy({
    policies,
    schema: { file: schema, text: readText(resolve(project, schema), schema) },
    ...(entities === undefined ? {} : { entities: { file: entities, text: readEntities(resolve(project, entities), entities) } }),
  })
}

function readEntities(path: string, file: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ProjectError('configuration_invalid', `The configuration names authzen.entities (${file}), which cannot be read.`, {
      cause,
    })
  }
}
