import { type ChildProcess, spawn } from 'node:child_process'

/** How a program ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

/** A program that was started. */
export interface Program {
  readonly pid: number
  readonly ended: Promise<Ended>
  /** What it has written so far, at most the last 200,000 characters. */
  stdout(): string
  stderr(): string
  isRunning(): boolean
  /** Sends a signal and waits until it is gone. */
  stop(signal?: NodeJS.Signals): Promise<Ended>
}

/** What a program is started with. */
export interface ProgramOptions {
  readonly environment?: Readonly<Record<string, string>>
  readonly directory?: string
}

const KEPT = 200_000
const running = new Set<number>()
let watching = false

/** Starts a program by its arguments, never through a shell. Should this process end first, the program is killed with it. */
export function startProgram(argv: readonly string[], options: ProgramOptions = {}): Program {
  const [file = '', ...args] = argv
  const child = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, ...options.environment },
    ...(options.directory === undefined ? {} : { cwd: options.directory }),
  })
  const pid = child.pid ?? 0
  if (pid > 0) endWithUs(pid)
  const said = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] = (said[stream] + text).slice(-KEPT)
    })
  }
  const ended = endOf(child, () => said.stderr).finally(() => running.delete(pid))
  let gone = false
  void ended.then(() => {
    gone = true
  })
  return {
    pid,
    ended,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    isRunning: () => !gone,
    stop(signal = 'SIGTERM') {
      if (!gone) child.kill(signal)
      return ended
    },
  }
}

function endOf(child: ChildProcess, stderr: () => string): Promise<Ended> {
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stderr: stderr() }))
    child.once('error', (error) => resolve({ code: null, signal: null, stderr: `${stderr()}${error.message}` }))
  })
}

/** Whatever becomes of a test: a process that is named here does not outlive this one. */
export function endWithUs(pid: number): void {
  running.add(pid)
  if (watching) return
  watching = true
  const killAll = (): void => {
    for (const each of running) kill(each)
  }
  process.once('exit', killAll)
  process.once('SIGTERM', () => {
    killAll()
    process.exit(143)
  })
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone already, and that is what we want.
  }
}
