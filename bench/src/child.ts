import { spawn } from 'node:child_process'
import { type Failed, type Measurement, parseReportLine, type Skipped } from './report-line.ts'

/** A program to run as a contender. */
export interface Command {
  readonly name: string
  readonly program: string
  readonly args: readonly string[]
  /** The whole environment of the child; without it, ours. */
  readonly environment?: Readonly<Record<string, string>>
}

export interface Limits {
  readonly deadlineMs: number
  /** Ends the child early, as when a person presses Ctrl-C. */
  readonly signal: AbortSignal
}

const OUTPUT_LIMIT_BYTES = 65_536
const GRACE_MS = 3_000

/**
 * Runs one contender to its end and returns what its last line reports.
 *
 * The child leads a process group of its own, so that databases and engines it started end with it: at the deadline or on abort
 * the group gets SIGTERM, three seconds later SIGKILL, and whatever is left after the child's exit is killed as well. Its stderr
 * is ours.
 */
export async function runContender(command: Command, limits: Limits): Promise<Measurement | Skipped | Failed> {
  return runForLine(command, limits, (line) => ({ ...parseReportLine(line), name: command.name }))
}

/** The same for a program whose last line `parse` understands; a `parse` that throws makes it failed. */
export async function runForLine<Report>(
  command: Command,
  limits: Limits,
  parse: (line: string) => Report,
): Promise<Report | Failed> {
  const ended = await runGroup(command, limits, { capture: true })
  if (ended.kind === 'stopped') return { name: command.name, failed: ended.reason }
  if (ended.exitCode !== 0)
    return { name: command.name, failed: `ended with ${ended.exitCode ?? 'a signal'}; its last words are on stderr` }
  try {
    return parse(ended.output.trim().split('\n').at(-1) ?? '')
  } catch (cause) {
    return { name: command.name, failed: cause instanceof Error ? cause.message : String(cause) }
  }
}

/** Runs a program whose output is the result, passing it through, and resolves with its exit code; 1 if it was stopped. */
export async function runThrough(command: Command, limits: Limits): Promise<number> {
  const ended = await runGroup(command, limits, { capture: false })
  if (ended.kind === 'ended') return ended.exitCode ?? 1
  console.error(`${command.name}: ${ended.reason}`)
  return 1
}

type Ended =
  | { readonly kind: 'ended'; readonly exitCode: number | null; readonly output: string }
  | { readonly kind: 'stopped'; readonly reason: string }

function runGroup(command: Command, limits: Limits, options: { readonly capture: boolean }): Promise<Ended> {
  if (limits.signal.aborted) return Promise.resolve({ kind: 'stopped', reason: 'interrupted' })
  return new Promise((resolve) => {
    const child = spawn(command.program, command.args, {
      detached: process.platform !== 'win32',
      stdio: ['ignore', options.capture ? 'pipe' : 'inherit', 'inherit'],
      ...(command.environment === undefined ? {} : { env: command.environment }),
    })
    let output = ''
    let reason: string | undefined
    let grace: NodeJS.Timeout | undefined
    const stop = (why: string): void => {
      reason ??= why
      killGroup(child.pid, 'SIGTERM')
      grace ??= setTimeout(() => killGroup(child.pid, 'SIGKILL'), GRACE_MS)
    }
    const deadline = setTimeout(() => stop(`still running after ${limits.deadlineMs / 1_000} s and stopped`), limits.deadlineMs)
    const abort = (): void => stop('interrupted')
    limits.signal.addEventListener('abort', abort, { once: true })
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
      if (output.length > OUTPUT_LIMIT_BYTES) stop('printed more than 64 KB')
    })
    let settled = false
    const settle = (ended: Ended): void => {
      if (settled) return
      settled = true
      clearTimeout(deadline)
      clearTimeout(grace)
      limits.signal.removeEventListener('abort', abort)
      resolve(ended)
    }
    child.on('error', (cause) => settle({ kind: 'stopped', reason: `cannot be started: ${cause.message}` }))
    // Whatever the child left behind holds its stdout open and would keep `close` away: so the sweep comes first.
    child.on('exit', () => killGroup(child.pid, 'SIGKILL'))
    child.on('close', (exitCode) =>
      settle(reason === undefined ? { kind: 'ended', exitCode, output } : { kind: 'stopped', reason }),
    )
  })
}

/** Signals a whole process group. An empty group is what we want: nothing to report. */
function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause
  }
}
