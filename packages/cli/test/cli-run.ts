import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What a command line did. */
export interface CliRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly ms: number
}

const MAIN = fileURLToPath(new URL('../bin/tidegate.js', import.meta.url))
export const NODE = fileURLToPath(new URL('../../../node_modules/.bin/node', import.meta.url))

/** What a command line gets besides its arguments. */
export interface CliOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** Interrupts it as soon as it has said this. */
  readonly interruptAt?: { readonly stream: 'stdout' | 'stderr'; readonly text: string }
}

/** Runs the real command line in a process of its own, with nothing of this environment but the path. */
export function cli(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const { promise, resolve, reject } = Promise.withResolvers<CliRun>()
  const startedMs = performance.now()
  const env = { PATH: process.env.PATH ?? '', ...options.env }
  const child = spawn(NODE, [MAIN, ...args], {
    env,
    cwd: options.cwd ?? fileURLToPath(new URL('.', import.meta.url)),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  const { interruptAt } = options
  let interrupted = false
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text
      if (interrupted || interruptAt?.stream !== stream || !said[stream].includes(interruptAt.text)) return
      interrupted = true
      child.kill('SIGINT')
    })
  }
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  child.once('error', reject)
  child.once('close', (code) => resolve({ code, ...said, ms: performance.now() - startedMs }))
  return promise
}
