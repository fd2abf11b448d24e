import { spawn } from 'node:child_process'
import { homedir } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { HostEnvironment, ProgramRun } from '@tidegate/connect'
import type { Shell } from '../shell.ts'

const MAX_OUTPUT = 262_144

/** How this command line is started, in absolute paths: a host has another PATH, and another Node. */
export const OWN_COMMAND: readonly [string, string] = [
  process.execPath,
  fileURLToPath(new URL('../../bin/tidegate.js', import.meta.url)),
]

/** The machine as adapters see it. */
export function environmentOf(shell: Pick<Shell, 'env' | 'cwd'>): HostEnvironment {
  return { home: shell.env.HOME || homedir(), cwd: shell.cwd, platform: process.platform, env: shell.env, run }
}

function run(
  program: string,
  args: readonly string[],
  { timeoutMs, input = '', cwd }: { readonly timeoutMs: number; readonly input?: string; readonly cwd?: string },
): Promise<ProgramRun> {
  const { promise, resolve } = Promise.withResolvers<ProgramRun>()
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    ...(cwd === undefined ? {} : { cwd }),
  })
  const said = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] = (said[stream] + text).slice(0, MAX_OUTPUT)
    })
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  child.once('error', () => resolve({ code: null, ...said }))
  child.once('close', (code) => resolve({ code, ...said }))
  return promise
}
