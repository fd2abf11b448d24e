import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stateDirectory } from './find-project.ts'

/** A server as it announced itself. */
export interface RunningServer {
  readonly url: string
  readonly pid: number
}

/** What stands in a file in which a server announces itself; undefined when there is none that can be read. */
export function readServerFile(file: string): RunningServer | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (typeof value !== 'object' || value === null || !('url' in value) || !('pid' in value)) return undefined
    return typeof value.url === 'string' && typeof value.pid === 'number' ? { url: value.url, pid: value.pid } : undefined
  } catch {
    return undefined
  }
}

/** The server of a project, if one runs: a file that a killed server left behind does not count. */
export function findServer(project: string): RunningServer | undefined {
  const server = readServerFile(join(stateDirectory(project), 'server.json'))
  return server !== undefined && isAlive(server.pid) ? server : undefined
}

/** True when a process has this id. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
