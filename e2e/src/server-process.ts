import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Program, type ProgramOptions, startProgram } from './program.ts'

const MAIN = fileURLToPath(new URL('../../packages/server/src/main.ts', import.meta.url))
const READY_TIMEOUT_MS = 20_000

/** A Tidegate server in a process of its own, perhaps still starting. */
export interface ServerProcess extends Program {
  /** Its address, once it answers. Rejects when it ends before that, with what it said. */
  ready(): Promise<string>
}

/** How a server is started. */
export interface ServerOptions extends ProgramOptions {
  readonly project: string
  readonly readyFile: string
  /** Put before the command: a namespace, a limit. Must replace itself with the command, so that the process id stays. */
  readonly wrap?: readonly string[]
  /** Options of node itself. */
  readonly nodeOptions?: readonly string[]
}

/** Starts a server; does not wait for it. */
export function startServer({ project, readyFile, wrap = [], nodeOptions = [], ...options }: ServerOptions): ServerProcess {
  const command = [process.execPath, ...nodeOptions, MAIN, '--project', project, '--ready-file', readyFile, '--port', '0']
  const program = startProgram([...wrap, ...command], options)
  return {
    ...program,
    async ready() {
      const deadline = Date.now() + READY_TIMEOUT_MS
      while (program.isRunning() && Date.now() < deadline) {
        const url = readyUrl(readyFile, program.pid)
        if (url !== undefined) return url
        await pause(10)
      }
      throw new Error(`The server did not start: ${program.stderr().trim() || 'no output'}`)
    },
  }
}

/** The address in the ready file, once the file is there and is of this process: a killed one leaves its own behind. */
function readyUrl(file: string, pid: number): string | undefined {
  if (!existsSync(file)) return undefined
  const ready: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (typeof ready !== 'object' || ready === null || !('pid' in ready) || !('url' in ready)) return undefined
  return ready.pid === pid && typeof ready.url === 'string' ? ready.url : undefined
}
