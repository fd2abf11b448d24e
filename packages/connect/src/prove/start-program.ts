import { spawn } from 'node:child_process'

/** A program that a proof has started, with all that it starts. */
export interface StartedProgram {
  /** Resolves with its exit code; null when it was ended, or could not be started. */
  readonly ended: Promise<number | null>
  isRunning(): boolean
  /** The end of what it said on stdout and stderr. */
  output(): string
  /** Ends it and all that it has started. */
  stop(): Promise<void>
}

/** How it is started. */
export interface StartOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

const MAX_OUTPUT = 200_000
const END_MS = 8_000

/** Starts a program without a shell, with exactly this environment, in a process group of its own: it is ended as a whole. */
export function startProgram(program: string, args: readonly string[], { env, cwd }: StartOptions): StartedProgram {
  const child = spawn(program, args, { env: { ...env }, cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let output = ''
  let isRunning = true
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-MAX_OUTPUT)
    })
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', resolve).once('error', () => resolve(null))
  }).finally(() => {
    isRunning = false
  })
  const signal = (name: 'SIGTERM' | 'SIGKILL'): void => {
    if (child.pid === undefined) return
    try {
      process.kill(-child.pid, name)
    } catch {
      // All of it has ended by itself.
    }
  }
  return {
    ended,
    isRunning: () => isRunning,
    output: () => output,
    async stop() {
      signal('SIGTERM')
      const force = setTimeout(() => signal('SIGKILL'), END_MS)
      await ended
      clearTimeout(force)
      signal('SIGKILL') // what it left behind
    },
  }
}
