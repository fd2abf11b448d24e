import { existsSync, mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Makes a directory and those above it, one by one; answers the topmost that was made, or undefined when all were there.
 *
 * Node's own `recursive` never returns where the parent is there and nothing can be made in it (below /proc, for one): whoever names
 * a directory could stop the server with it.
 *
 * @throws the error of the file system for the first one that cannot be made.
 */
export function makeDirectory(directory: string, mode = 0o777): string | undefined {
  const path = resolve(directory)
  if (existsSync(path)) return undefined
  const above = makeDirectory(dirname(path), mode)
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    // Somebody else may have made it in the meantime.
    if (!existsSync(path)) throw error
  }
  return above ?? path
}
