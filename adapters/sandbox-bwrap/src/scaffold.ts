import { execFile } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { makeEtc, writeUser } from './etc.ts'
import { FILTER, PIPES, ROOM } from './launcher.ts'
import { RUNNER_SHELL, STDIN_FILE } from './runner.ts'
import { buildFilter } from './seccomp/filter.ts'
import type { Machine } from './seccomp/syscalls.ts'

/** Berths are made in batches of so many, since a program of the system has to make their pipes. */
const BERTHS_PER_BATCH = 4
const MKFIFO_TIMEOUT_MS = 10_000
const run = promisify(execFile)

interface User {
  readonly uid: number
  readonly gid: number
}

/**
 * What one sandbox is moored at: pipes by which we talk with it, and the directory that it sees as the runner's.
 *
 * Real pipes: unlike sockets, they can be opened anew by their names below `/proc/self/fd`, and nothing but bytes goes through them. They
 * belong to the user of the sandbox and nobody else may open them.
 */
export interface Berth {
  readonly name: string
  readonly user: User
  /** The directory that is seen at {@link RUNNER_DIRECTORY}, with the shell in it. */
  readonly room: string
  pipe(name: keyof typeof PIPES): string
}

/** The files that all sandboxes of one process share: the filter, the made-up `/etc`, the shell that cannot be read, and berths. */
export interface Scaffold {
  readonly directory: string
  readonly shell: string
  /** The `/etc` for a user; made when it is first asked for. */
  etcFor(user: User): string
  leaseBerth(user: User): Promise<Berth>
  /** Gives a berth back. All pipes must be closed, and everybody who held one gone. */
  returnBerth(berth: Berth): void
  remove(): void
}

/**
 * Makes the scaffold in a new directory below the given one. The user of a sandbox may pass through it, since bubblewrap runs as that user;
 * nobody but us can list it.
 */
export function createScaffold(parts: {
  readonly parent: string
  readonly machine: Machine
  readonly bash: string
  readonly mkfifo: string
  readonly asRoot: boolean
}): Scaffold {
  mkdirSync(parts.parent, { recursive: true })
  const directory = mkdtempSync(join(realpathSync(parts.parent), 'sandbox-'))
  chmodSync(directory, 0o711)
  const filterPath = join(directory, FILTER)
  writeFileSync(filterPath, buildFilter(parts.machine))
  chmodSync(filterPath, 0o444)
  const shell = join(directory, RUNNER_SHELL)
  copyFileSync(parts.bash, shell)
  chmodSync(shell, 0o111)
  const etcs = new Map<string, string>()
  const berths = new Map<string, Berth[]>()
  let made = 0
  const makeBerths = async (user: User): Promise<readonly Berth[]> => {
    const fresh = Array.from({ length: BERTHS_PER_BATCH }, (_, index): Berth => {
      const name = `berth-${made + index}`
      const path = join(directory, name)
      return { name, user, room: join(path, ROOM), pipe: (pipe) => join(path, PIPES[pipe]) }
    })
    made += BERTHS_PER_BATCH
    for (const berth of fresh) makeRoom(dirname(berth.room), berth.room, shell)
    const pipes = fresh.flatMap((berth) => PIPE_NAMES.map((name) => berth.pipe(name)))
    await run(parts.mkfifo, ['-m', '600', ...pipes], { timeout: MKFIFO_TIMEOUT_MS, env: {} })
    if (parts.asRoot) for (const pipe of pipes) chownSync(pipe, user.uid, user.gid)
    return fresh
  }
  return {
    directory,
    shell,
    etcFor: (user) => {
      const name = `${user.uid}-${user.gid}`
      const found = etcs.get(name)
      if (found !== undefined) return found
      const path = join(directory, `etc-${name}`)
      makeEtc(path)
      writeUser(path, user)
      etcs.set(name, path)
      return path
    },
    leaseBerth: async (user) => {
      const free = freeBerths(berths, user)
      for (;;) {
        if (free.length === 0) free.push(...(await makeBerths(user)))
        const berth = free.pop()
        // One that somebody still holds is lost: what the last sandbox did not read must not reach the next one.
        if (berth !== undefined && isClear(berth)) return berth
      }
    },
    returnBerth: (berth) => {
      rmSync(join(berth.room, STDIN_FILE), { force: true })
      freeBerths(berths, berth.user).push(berth)
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

// Sound: the keys of PIPES are those of its type.
const PIPE_NAMES = Object.keys(PIPES) as (keyof typeof PIPES)[]
/** The pipes that commands hold. */
const SEEN_INSIDE = ['stdout', 'stderr'] as const

function freeBerths(berths: Map<string, Berth[]>, { uid, gid }: User): Berth[] {
  const key = `${uid}-${gid}`
  const found = berths.get(key)
  if (found !== undefined) return found
  const none: Berth[] = []
  berths.set(key, none)
  return none
}

/** True when nobody writes into the pipes of a berth, and nothing is left in them. Makes them ours again, too. */
function isClear(berth: Berth): boolean {
  // Whoever owned them inside may have changed their mode.
  for (const name of SEEN_INSIDE) chmodSync(berth.pipe(name), 0o600)
  return PIPE_NAMES.every((name) => isEmpty(berth.pipe(name)))
}

function isEmpty(pipe: string): boolean {
  const descriptor = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    return readSync(descriptor, new Uint8Array(1)) === 0
  } catch (cause) {
    // There is a writer.
    if (cause instanceof Error && 'code' in cause && cause.code === 'EAGAIN') return false
    throw cause
  } finally {
    closeSync(descriptor)
  }
}

function makeRoom(berth: string, room: string, shell: string): void {
  mkdirSync(berth)
  chmodSync(berth, 0o711)
  mkdirSync(room)
  chmodSync(room, 0o755)
  linkSync(shell, join(room, RUNNER_SHELL))
}
