import { globSync } from 'node:fs'
import { resolve } from 'node:path'
import { ProjectError } from './error.ts'

/**
 * The files below a project that patterns name, as absolute paths in a stable order. No patterns name no files.
 *
 * @throws ProjectError `configuration_invalid` when patterns name none: what is configured and not there is a mistake.
 */
export function filesOf(project: string, patterns: readonly string[], what: string): readonly string[] {
  const files = [...new Set(patterns.flatMap((pattern) => globSync(pattern, { cwd: project })))]
    .sort()
    .map((file) => resolve(project, file))
  if (patterns.length > 0 && files.length === 0)
    throw new ProjectError(
      'configuration_invalid',
      `The configuration names ${what} (${patterns.join(', ')}), but there is no such file.`,
    )
  return files
}
