import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { CliError } from '../error.ts'

/** The support desk of the example, running in a process of its own. */
export interface StartedDesk {
  readonly pid: number
  readonly ended: Promise<number | null>
  /** Its own memory of every call that changed something, oldest first. */
  calls(): Promise<readonly DeskCall[]>
  stop(): Promise<void>
}

/** One call, as the desk remembers it. */
export interface DeskCall {
  readonly seq: number
  readonly atMs: number
  readonly path: string
  /** `<run>.<action>`. */
  readonly reference: string
}

const READY_TIMEOUT_MS = 15_000
const END_TIMEOUT_MS = 3_000
const CALLS_LIMIT = 500

/** Starts the desk of the project at `port`, with its files in `state` and the tickets of the example loaded. */
export async function startDesk(project: string, state: string, port: number): Promise<StartedDesk> {
  const main = join(project, 'service', 'main.ts')
  if (!existsSync(main))
    throw new CliError(
      'desk_start_failed',
      `${project} has no support desk (service/main.ts). The demo needs the example of this repository.`,
    )
  mkdirSync(state, { recursive: true, mode: 0o700 })
  const tokenFile = join(state, 'desk.token')
  const readyFile = join(state, 'desk.ready.json')
  if (!existsSync(tokenFile)) writeFileSync(tokenFile, randomBytes(32).toString('base64url'), { mode: 0o600 })
  rmSync(readyFile, { force: true })
  const files = [
    '--db',
    join(state, 'desk.sqlite'),
    '--token-file',
    tokenFile,
    '--ready-file',
    readyFile,
    '--tickets',
    join(project, 'tickets'),
  ]
  const child = spawn(process.execPath, [main, ...files, '--port', String(port), '--seed'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {},
    detached: true,
  })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-5_000)
  })
  let over = false
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => resolve(code)).once('error', () => resolve(1))
  }).finally(() => {
    over = true
  })
  const stop = async (): Promise<void> => {
    if (over) return
    child.kill('SIGTERM')
    const force = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS)
    await ended
    clearTimeout(force)
  }
  const deadline = performance.now() + READY_TIMEOUT_MS
  while (!over && performance.now() < deadline) {
    if (existsSync(readyFile))
      return { pid: child.pid ?? 0, ended, calls: () => readCalls(port, readFileSync(tokenFile, 'utf8').trim()), stop }
    await pause(20)
  }
  await stop()
  const why = log.includes('EADDRINUSE')
    ? `something else uses port ${port}; end it, or change baseUrl in tidegate.yaml`
    : log.trim()
  throw new CliError('desk_start_failed', `The support desk did not start: ${why}`)
}

async function readCalls(port: number, token: string): Promise<readonly DeskCall[]> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const sent = request(
    { host: '127.0.0.1', port, path: `/calls?limit=${CALLS_LIMIT}`, agent: false, headers: { authorization: `Bearer ${token}` } },
    (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      response.once('end', () => resolve(text))
    },
  )
  sent.setTimeout(5_000, () => sent.destroy(new Error('no answer')))
  sent.once('error', reject)
  sent.end()
  const answer: unknown = JSON.parse(await promise)
  if (typeof answer !== 'object' || answer === null || !('items' in answer) || !Array.isArray(answer.items)) {
    throw new CliError('desk_start_failed', 'The support desk does not say which calls it got.')
  }
  if (!('complete' in answer) || answer.complete !== true) {
    throw new CliError('demo_failed', 'The support desk remembers more calls than it lists. Run the demo without --keep-state.')
  }
  return answer.items.map((item: { seq: number; at: string; path: string; reference: string | null }) => ({
    seq: item.seq,
    atMs: Date.parse(item.at),
    path: item.path,
    reference: item.reference ?? '',
  }))
}
