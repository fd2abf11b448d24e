import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { BenchError } from '../error.ts'

/** A server that runs beside the benchmark. */
export interface Serving {
  /** Its first line on stdout, when one was waited for. */
  readonly line: string
  /** Ends it with everything that it has started. */
  stop(): Promise<void>
}

/** How a server says that it can be reached. */
export type Readiness = { readonly by: 'line' } | { readonly by: 'port'; readonly port: number }

const PATIENCE_MS = 30_000
const LOOK_MS = 50
const GRACE_MS = 3_000
const MAX_LINE = 4_096

/** Starts a server in a process group of its own, and waits until it can be reached; throws `contender_missing` when it cannot. */
export async function serve(
  name: string,
  args: readonly string[],
  options: { readonly environment: Readonly<Record<string, string>>; readonly ready: Readiness },
): Promise<Serving> {
  const child = spawn(process.execPath, args, {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: options.environment,
  })
  const serving = { stop: () => stop(child) }
  try {
    const { ready } = options
    const line = ready.by === 'line' ? await firstLine(child) : await reachable(child, ready.port)
    child.stdout.resume()
    return { ...serving, line }
  } catch (cause) {
    await serving.stop()
    throw new BenchError('contender_missing', `${name} does not start; its last words are on stderr`, { cause })
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
    const [line, rest] = text.split('\n', 2)
    if (rest !== undefined && line !== undefined) resolve(line)
    if (text.length > MAX_LINE) reject(new Error('it says too much'))
  })
  child.once('exit', () => reject(new Error('it has ended')))
  child.once('error', reject)
  const timer = setTimeout(() => reject(new Error('it says nothing')), PATIENCE_MS)
  return promise.finally(() => clearTimeout(timer))
}

async function reachable(child: ChildProcess, port: number): Promise<string> {
  const untilMs = performance.now() + PATIENCE_MS
  while (performance.now() < untilMs && child.exitCode === null) {
    if (await answers(port)) return ''
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
  throw new Error('its port cannot be reached')
}

function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1', () => resolve(true))
  socket.once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}

/** A port of the loopback that was free a moment ago, for servers that must be told one. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Closing its input asks it to end; its group gets signals when it does not. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const exited = once(child, 'exit')
  child.stdin?.end()
  const signals = (['SIGTERM', 'SIGKILL'] as const).map((signal, i) =>
    setTimeout(() => killGroup(child.pid, signal), GRACE_MS * (i + 1)),
  )
  await exited
  for (const timer of signals) clearTimeout(timer)
  killGroup(child.pid, 'SIGKILL')
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause
  }
}
