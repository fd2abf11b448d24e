import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DeskProblem } from './problem.ts'

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url))
const READY_TIMEOUT_MS = 15_000

/** A desk that runs in a process of its own. */
export interface RunningDesk {
  readonly url: string
  readonly token: string
  readonly pid: number
  /** Makes one call as the desk's caller; `answer` is the parsed object. Throws when no JSON object comes back. */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; answer: Record<string, unknown> }>
  /** Ends it (SIGTERM unless told otherwise) and waits until it is gone. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<{ readonly code: number | null; readonly stderr: string }>
}

/** Where the tickets of this example are, for `--tickets`. */
export const TICKETS_DIRECTORY = fileURLToPath(new URL('../tickets', import.meta.url))

/**
 * Starts the desk as a process and waits until it is ready. Its files live in `directory` (desk.sqlite, desk.token with mode 0600,
 * desk.ready.json); a second start in the same directory finds the data and the token of the first. The child gets no environment.
 */
export async function startDesk(directory: string, args: readonly string[] = []): Promise<RunningDesk> {
  const file = (name: string) => join(directory, name)
  if (!existsSync(file('desk.token'))) writeFileSync(file('desk.token'), randomBytes(24).toString('base64url'), { mode: 0o600 })
  const files = ['--db', file('desk.sqlite'), '--token-file', file('desk.token'), '--ready-file', file('desk.ready.json')]
  const child = spawn(process.execPath, [MAIN, ...files, ...args], { stdio: ['ignore', 'ignore', 'pipe'], env: {} })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-10_000)
  })
  let ended = false
  const exit = new Promise<number | null>((resolve) => {
    child.once('close', (code) => resolve(code)).once('error', () => resolve(null))
  }).finally(() => {
    ended = true
  })
  const stop = async (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM') => {
    child.kill(signal)
    return { code: await exit, stderr }
  }
  const deadline = Date.now() + READY_TIMEOUT_MS
  while (!ended && Date.now() < deadline) {
    const port = readyPort(file('desk.ready.json'), child.pid)
    if (port !== undefined) {
      const token = readFileSync(file('desk.token'), 'utf8').trim()
      return {
        url: `http://127.0.0.1:${port}`,
        token,
        pid: child.pid ?? 0,
        call: callerOf(`http://127.0.0.1:${port}`, token),
        stop,
      }
    }
    await pause(15)
  }
  if (!ended) await stop('SIGKILL')
  throw new DeskProblem('start_failed', `The support desk did not start: ${stderr.trim() || 'no output'}`)
}

/** The port in the ready file, once the file is there and is of this process. */
function readyPort(file: string, pid: number | undefined): number | undefined {
  if (!existsSync(file)) return undefined
  const ready: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (typeof ready !== 'object' || ready === null || !('pid' in ready) || !('port' in ready)) return undefined
  return ready.pid === pid && typeof ready.port === 'number' ? ready.port : undefined
}

function callerOf(url: string, token: string): RunningDesk['call'] {
  return async (method, path, body, headers = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    })
    const answer: unknown = await response.json()
    if (typeof answer !== 'object' || answer === null)
      throw new DeskProblem('internal_error', 'The desk answered with no object.')
    return { status: response.status, answer: { ...answer } }
  }
}
