import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The directory of the repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** What is not ours or is made anew: never looked at. */
const LEFT_OUT = ['node_modules', '.git', '.tidegate', 'coverage']

/** One file of the repository. `path` is relative to {@link ROOT}, with slashes. */
export interface RepositoryFile {
  readonly path: string
  /** File names and folder names on the way to it. */
  readonly segments: readonly string[]
}

/** Every file of the repository that a change could have written, in a stable order. */
export function repositoryFiles(): readonly RepositoryFile[] {
  return filesBelow(ROOT).toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

function filesBelow(directory: string): readonly RepositoryFile[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    if (LEFT_OUT.includes(entry.name) || /\.(?:log|tmp)$/.test(entry.name) || relative(ROOT, path) === join('bench', 'results'))
      return []
    if (entry.isDirectory()) return filesBelow(path)
    const segments = relative(ROOT, path).split(sep)
    return entry.isFile() ? [{ path: segments.join('/'), segments }] : []
  })
}

/** The text of a file of the repository. */
export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** The value of a JSON file of the repository. Ours, so that its shape is trusted. */
export function jsonOf<T>(path: string): T {
  return JSON.parse(textOf(path)) as T
}
