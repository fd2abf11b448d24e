import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, constants, openSync, readFileSync } from 'node:fs'
import type { Duplex, Readable } from 'node:stream'
import { DESCRIPTORS } from './runner.ts'

// A small process that starts sandboxes for us.
//
// To start a program, Node copies itself, and the larger it is the longer that takes: 17 ms with 300 MB. The launcher is a shell of a few
// megabytes, made once for each kind of sandbox, that does the same in one.
//
// L1. What is started was fixed when the launcher was: the program, its arguments, its environment and the workspace, as an open
//     descriptor. A request names pipes, and nothing else of it reaches a command.
// L2. Each sandbox gets pipes of its own by their names, and the filter opened anew: a shared descriptor would share how far it was read.
// L3. The launcher is as little as what it starts: the same user, no descriptor of ours but the workspace and its control groups.
// L4. It ends when we do, since its input ends then; what it started dies with it.

/** What all sandboxes of one launcher have in common. */
export interface LauncherPlan {
  /** A bash. One that cannot be read cannot be looked into by others of its user either. */
  readonly shell: string
  readonly bwrap: string
  /** Arguments of bubblewrap, up to the directory that is seen as the runner's and from there on. */
  readonly before: readonly string[]
  readonly after: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** The user that bubblewrap runs as, when it is not ours. */
  readonly user: { readonly uid: number; readonly gid: number } | null
  /** The directory of the scaffold. */
  readonly directory: string
  /** Wait for somebody to open a door, which needs a pipe more. */
  readonly waits: boolean
  readonly groups: EnteredGroups
}

/**
 * The control groups that a sandbox enters. `named`: a new one for each request, below these directories, by writing to this file in it.
 * `open`: open from the start, which is good for a single sandbox. Where a group can be opened by us alone, that is the way.
 */
export type EnteredGroups =
  | { readonly kind: 'named'; readonly directories: readonly string[]; readonly file: string }
  | { readonly kind: 'open'; readonly files: readonly string[] }

/** Names of the pipes in the directory of a berth. */
export const PIPES = {
  frames: 'pipe-frames',
  stdout: 'pipe-stdout',
  stderr: 'pipe-stderr',
  nonces: 'pipe-nonces',
  status: 'pipe-status',
  block: 'pipe-block',
} as const

/** The name of the filter in the directory of the scaffold. */
export const FILTER = 'filter'

/** The directory in a berth that a sandbox sees as the runner's. */
export const ROOM = 'room'

/** What a launcher says is a number for each request. */
const SAID_BYTES = 4_096
const STAT_BYTES = 4_096
/** How long one may take to end by itself. */
const CLOSE_MS = 2_000

/** One launcher, running. */
export class Launcher {
  readonly #child: ChildProcess
  readonly #input: Duplex
  readonly #pending: ((pid: number | null) => void)[] = []
  readonly ended: Promise<void>
  #over = false
  /** Sandboxes that were started by it and have not ended. */
  inUse = 0

  /** Starts it. The descriptor of the workspace stays the caller's. */
  constructor(plan: LauncherPlan, workspace: number) {
    const open = plan.groups.kind === 'open' ? plan.groups.files.map((file) => openSync(file, constants.O_WRONLY)) : []
    const directories = plan.groups.kind === 'named' ? plan.groups.directories : []
    const words = [plan.directory, ...directories, plan.bwrap, ...plan.before, ...plan.after]
    try {
      this.#child = spawn(plan.shell, ['-p', '-c', launcherProgram(plan), 'tidegate', ...words], {
        cwd: '/',
        env: { ...plan.environment },
        // A group of its own: an interrupt from the terminal is for us, and we end our sandboxes ourselves.
        detached: true,
        stdio: ['pipe', 'pipe', 'ignore', 'ignore', 'ignore', 'ignore', workspace, 'ignore', ...open],
        ...(plan.user === null ? {} : plan.user),
      })
    } finally {
      for (const descriptor of open) closeSync(descriptor)
    }
    // Sound: both are pipes, as asked for above.
    this.#input = this.#child.stdin as Duplex
    this.#input.on('error', () => this.abort())
    this.#listen(this.#child.stdout as Readable)
    this.ended = new Promise((resolve) => {
      const over = (): void => {
        this.#over = true
        for (const answer of this.#pending.splice(0)) answer(null)
        resolve()
      }
      this.#child.once('error', over)
      this.#child.once('exit', over)
    })
    // One that waits for requests is no reason to go on living.
    this.#child.unref()
    for (const stream of [this.#child.stdin, this.#child.stdout])
      if (stream !== null && 'unref' in stream) (stream as { unref(): void }).unref()
  }

  get alive(): boolean {
    return !this.#over
  }

  /**
   * Starts bubblewrap on the pipes of a berth, once our ends of them are open. Resolves with the process, or with null when there is no
   * launcher any more. That it is there says nothing about the sandbox: its pipes do.
   */
  launch(berth: string, group: string): Promise<number | null> {
    if (this.#over) return Promise.resolve(null)
    this.#input.write(`${berth} ${group}\n`)
    return new Promise((resolve) => {
      this.#pending.push(resolve)
    })
  }

  /** Kills a process that this launcher started, if it is still there. */
  kill(pid: number): void {
    if (this.#child.pid !== undefined && isChild(pid, this.#child.pid)) process.kill(pid, 'SIGKILL')
  }

  /** Kills it, which ends every sandbox that it started. For one that does not answer. */
  abort(): void {
    this.#child.kill('SIGKILL')
  }

  /** Ends it, and every sandbox that it started. */
  async close(): Promise<void> {
    if (!this.#over) this.#child.ref()
    this.#input.end()
    const timer = setTimeout(() => this.abort(), CLOSE_MS)
    await this.ended
    clearTimeout(timer)
  }

  #listen(output: Readable): void {
    let text = ''
    output.on('error', () => {})
    output.on('data', (chunk: Buffer) => {
      const lines = (text + chunk.toString('latin1')).split('\n')
      text = (lines.pop() ?? '').slice(0, SAID_BYTES)
      for (const line of lines) this.#pending.shift()?.(Number(line))
    })
  }
}

/** The program of the launcher. Requests are lines: the names of a berth and of a control group, both made up by us. */
function launcherProgram({ before, waits, groups }: LauncherPlan): string {
  const redirected = (operator: string, name: keyof typeof PIPES): string =>
    `${DESCRIPTORS[name]}${operator}"$1/$tidegate_berth/${PIPES[name]}"`
  const entered =
    groups.kind === 'named'
      ? groups.directories.map((_, index) => `${DESCRIPTORS.group + index}>"$${index + 2}/$tidegate_group/${groups.file}"`)
      : []
  const opened = [
    // First, because here it waits for us, and because its end says that this process has ended, whatever happens from here on.
    redirected('>', 'status'),
    redirected('<', 'frames'),
    redirected('>', 'stdout'),
    redirected('>', 'stderr'),
    redirected('<', 'nonces'),
    `${DESCRIPTORS.filter}<"$1/${FILTER}"`,
    ...(waits ? [redirected('<', 'block')] : []),
    ...entered,
  ]
  // The words of bubblewrap stand behind the directories; the one that differs is put in where it belongs.
  const first = 2 + entered.length
  const cut = first + 1 + before.length
  return [
    'unset -v PWD OLDPWD SHLVL',
    'while read -r tidegate_berth tidegate_group; do {',
    `exec ${opened.join(' ')} || exit 71`,
    `exec -- "\${@:${first}:${1 + before.length}}" "$1/$tidegate_berth/${ROOM}" "\${@:${cut}}"`,
    '} & printf "%s\\n" "$!"',
    'done',
  ].join('\n')
}

/** True while a process is the child of another: a number alone may have been given to somebody else. */
export function isChild(pid: number, parent: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1').slice(0, STAT_BYTES)
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent
  } catch {
    return false
  }
}
