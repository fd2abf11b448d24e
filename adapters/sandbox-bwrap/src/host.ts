import { accessSync, constants, lstatSync, readFileSync, readlinkSync } from 'node:fs'
import { execFile } from 'node:child_process'
import { machine as machineName, release } from 'node:os'
import type { Machine } from './seccomp/syscalls.ts'

/** What this host has of what a sandbox needs. `null`: not there. */
export interface Host {
  readonly machine: Machine | null
  /** Of Linux, as two numbers; `null` on anything else. */
  readonly kernel: readonly [major: number, minor: number] | null
  readonly bwrap: { readonly path: string; readonly version: string; readonly options: ReadonlySet<string> } | null
  readonly bash: string | null
  readonly nsenter: string | null
  readonly mkfifo: string | null
  readonly perl: string | null
  /** The user that we are; 0 is root. */
  readonly uid: number
  readonly gid: number
}

/** Options of bubblewrap that we cannot do without. */
export const NEEDED_OPTIONS = ['--disable-userns', '--bind-fd', '--ro-bind-fd', '--as-pid-1', '--size', '--json-status-fd']

/** Only these are looked at: whoever could write elsewhere could give us another program. */
const PROGRAM_DIRECTORIES = ['/usr/bin', '/bin', '/usr/local/bin', '/usr/sbin', '/sbin', '/run/current-system/sw/bin']

const VERSION_TIMEOUT_MS = 5_000
const MAX_ASKED = 3

/** Looks at the host. Never fails: what is not there is `null`. */
export async function inspectHost(bwrapPath?: string): Promise<Host> {
  const path = bwrapPath ?? findProgram('bwrap')
  return {
    machine: currentMachine(),
    kernel: kernelVersion(),
    bwrap: path === null ? null : await inspectBwrap(path),
    bash: findProgram('bash'),
    nsenter: findProgram('nsenter'),
    mkfifo: findProgram('mkfifo'),
    perl: findProgram('perl'),
    uid: process.getuid?.() ?? -1,
    gid: process.getgid?.() ?? -1,
  }
}

export function findProgram(name: string): string | null {
  return PROGRAM_DIRECTORIES.map((directory) => `${directory}/${name}`).find(isExecutable) ?? null
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function currentMachine(): Machine | null {
  const name = machineName()
  return name === 'x86_64' || name === 'aarch64' ? name : null
}

function kernelVersion(): readonly [number, number] | null {
  if (process.platform !== 'linux') return null
  const match = /^(\d+)\.(\d+)/.exec(release())
  return match === null ? null : [Number(match[1]), Number(match[2])]
}

/** Reads version and options of a bubblewrap; `null` when it does not answer like one. */
async function inspectBwrap(path: string): Promise<Host['bwrap']> {
  const version = /^bubblewrap (\S{1,40})/.exec(await answer(path, '--version'))?.[1]
  const options = new Set((await answer(path, '--help')).match(/--[a-z0-9-]+/g) ?? [])
  return version === undefined ? null : { path, version, options }
}

/** What a program says about itself. On a busy machine it may not get to it in time: silence is asked again before it counts. */
async function answer(program: string, argument: string): Promise<string> {
  const ask = (): Promise<string> =>
    new Promise((resolve) => {
      const options = { timeout: VERSION_TIMEOUT_MS, maxBuffer: 65_536, env: {} }
      execFile(program, [argument], options, (error, stdout) => resolve(error === null ? stdout : ''))
    })
  let said = ''
  for (let times = 0; said === '' && times < MAX_ASKED; times++) said = await ask()
  return said
}

/** How one top-level directory of programs and libraries is made inside: as the host has it. */
export type SystemDirectory =
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'directory'; readonly path: string }

/** `/usr`, and what stands beside it: links into it on most systems, directories of their own on old ones. */
export function systemDirectories(): readonly SystemDirectory[] {
  return ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'].flatMap((path): readonly SystemDirectory[] => {
    const status = lstatSync(path, { throwIfNoEntry: false })
    if (status === undefined) return []
    return status.isSymbolicLink() ? [{ kind: 'link', path, target: readlinkSync(path) }] : [{ kind: 'directory', path }]
  })
}

/** The text of a file of the kernel or the system, or `null`. */
export function readSystemFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
