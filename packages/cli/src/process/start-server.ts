import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CliError } from '../error.ts'
import { type RunningServer, readServerFile } from '../project/running-server.ts'

/** What is executed as the server; it is a program of its own, and not part of this one. */
export const SERVER_MAIN = fileURLToPath(new URL('../../../server/src/main.ts', import.meta.url))
const READY_TIMEOUT_MS = 30_000
const END_TIMEOUT_MS = 10_000
const MAX_LOG = 20_000

/** A server that this process started. */
export interface StartedServer extends RunningServer {
  /** Resolves with its exit code when it has ended by itself or otherwise; null when a signal ended it. */
  readonly ended: Promise<number | null>
  /** What it last said on stderr, when it was started quietly. */
  log(): string
  /** Ends it in order (SIGTERM), and by force after ten seconds. */
  stop(): Promise<number | null>
}

/**
 * Starts the server of a project in a process of its own and waits until it is ready. It gets this environment, since that is where
 * its secrets may be; its log goes to our stderr, or is kept when `quiet`.
 */
export async function startServer(
  project: string,
  options: { readonly quiet: boolean; readonly signal: AbortSignal },
): Promise<StartedServer> {
  if (!existsSync(SERVER_MAIN))
    throw new CliError('server_start_failed', `The server is not installed: ${SERVER_MAIN} is missing. Run \`npm ci\` again.`)
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-up-'))
  const readyFile = join(directory, 'ready.json')
  const child = spawn(process.execPath, [SERVER_MAIN, '--project', project, '--ready-file', readyFile], {
    // A process group of its own: a Ctrl-C at the terminal reaches only us, and we end it in order.
    detached: true,
    stdio: ['ignore', 'ignore', options.quiet ? 'pipe' : 'inherit'],
  })
  let log = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-MAX_LOG)
  })
  let over = false
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => resolve(code)).once('error', () => resolve(1))
  }).finally(() => {
    over = true
    rmSync(directory, { recursive: true, force: true })
  })
  const stop = async (): Promise<number | null> => {
    if (over) return ended
    child.kill('SIGTERM')
    const force = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS)
    return ended.finally(() => clearTimeout(force))
  }
  const deadline = performance.now() + READY_TIMEOUT_MS
  while (!over && performance.now() < deadline && !options.signal.aborted) {
    const server = readServerFile(readyFile)
    if (server !== undefined && server.pid === child.pid) return { ...server, ended, log: () => log, stop }
    await pause(20)
  }
  await stop()
  if (options.signal.aborted) throw new CliError('interrupted', 'Interrupted before the server was ready.')
  const said = log.trim().split('\n').slice(-5).join('\n')
  throw new CliError('server_start_failed', `The server did not start${said === '' ? '; its log is above' : `: ${said}`}`)
}
