import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { CliError } from '../error.ts'
import type { Shell } from '../shell.ts'

/** The file that makes a directory a project. */
export const PROJECT_FILE = 'tidegate.yaml'

/** The project directory: `--project`, TIDEGATE_PROJECT, or the nearest one above the current directory. */
export function findProject({ options, env, cwd }: Pick<Shell, 'options' | 'env' | 'cwd'>): string {
  const named = options.project ?? env.TIDEGATE_PROJECT
  if (named !== undefined && named !== '') {
    const directory = resolve(cwd, named)
    if (existsSync(join(directory, PROJECT_FILE))) return directory
    throw new CliError(
      'project_not_found',
      `There is no ${PROJECT_FILE} in ${directory}. Make a project there with \`tidegate init ${named}\`.`,
    )
  }
  let directory = resolve(cwd)
  while (!existsSync(join(directory, PROJECT_FILE))) {
    const parent = dirname(directory)
    if (parent === directory) {
      throw new CliError(
        'project_not_found',
        `No ${PROJECT_FILE} here or above. Name the project with --project DIR, or make one with \`tidegate init DIR\`.`,
      )
    }
    directory = parent
  }
  return directory
}

/** Where a project keeps what the server writes. */
export function stateDirectory(project: string): string {
  return join(project, '.tidegate')
}
