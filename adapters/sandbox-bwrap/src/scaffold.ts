import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  constants,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { makeEtc, writeUser } from './etc.ts'
import { RUNNER_SHELL } from './runner.ts'
import { buildFilter } from './seccomp/filter.ts'
import type { Machine } from './seccomp/syscalls.ts'

/** Pipes are made in batches of so many, since a program of the system has to make them. */
const PIPES_PER_BATCH = 32
const MKFIFO_TIMEOUT_MS = 10_000
const run = promisify(execFile)

/** A real pipe: unlike a socket, it can be opened anew by its name below `/proc/self/fd`, and nothing but bytes goes through it. */
export interface Pipe {
  readonly path: string
  readonly readEnd: number
  readonly writeEnd: number
}

/** The files that all sandboxes of one process share: the filter, the made-up `/etc`, the shell that cannot be read, and pipes. */
export interface Scaffold {
  readonly directory: string
  readonly filterPath: string
  /** The `/etc` for a user; made when it is first asked for. */
  etcFor(user: { readonly uid: number; readonly gid: number }): string
  /** A fresh directory that is seen at {@link RUNNER_DIRECTORY}, with the shell in it. */
  makeSession(): string
  leasePipe(): Promise<Pipe>
  /** Gives a pipe back. Both ends must be closed, and everybody who held one gone. */
  returnPipe(pipe: Pipe): void
  remove(): void
}

/**
 * Makes the scaffold in a new directory below the given one. The user of a sandbox may pass through it, since bubblewrap runs as that user;
 * nobody but us can list it, and the directories of sessions have names that cannot be guessed.
 */
export function createScaffold(parts: {
  readonly parent: string
  readonly machine: Machine
  readonly bash: string
  readonly mkfifo: string
}): Scaffold {
  mkdirSync(parts.parent, { recursive: true })
  const directory = mkdtempSync(join(realpathSync(parts.parent), 'sandbox-'))
  chmodSync(directory, 0o711)
  const filterPath = join(directory, 'filter')
  writeFileSync(filterPath, buildFilter(parts.machine))
  const shell = join(directory, RUNNER_SHELL)
  copyFileSync(parts.bash, shell)
  chmodSync(shell, 0o111)
  const etcs = new Map<string, string>()
  const pipes: string[] = []
  let batches = 0
  return {
    directory,
    filterPath,
    etcFor: (user) => {
      const name = `${user.uid}-${user.gid}`
      const made = etcs.get(name)
      if (made !== undefined) return made
      const path = join(directory, `etc-${name}`)
      makeEtc(path)
      writeUser(path, user)
      etcs.set(name, path)
      return path
    },
    makeSession: () => {
      const path = join(directory, randomBytes(16).toString('hex'))
      mkdirSync(path)
      chmodSync(path, 0o755)
      linkSync(shell, join(path, RUNNER_SHELL))
      return path
    },
    leasePipe: async () => {
      if (pipes.length === 0) {
        batches += 1
        const made = Array.from({ length: PIPES_PER_BATCH }, (_, index) => join(directory, `pipe-${batches}-${index}`))
        await run(parts.mkfifo, ['-m', '666', ...made], { timeout: MKFIFO_TIMEOUT_MS, env: {} })
        pipes.push(...made)
      }
      return openPipe(pipes.pop() ?? '')
    },
    returnPipe: ({ path }) => {
      pipes.push(path)
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

/** The reading end does not block, so that it opens without a writer; the writing end does, as programs expect. */
function openPipe(path: string): Pipe {
  // Whoever owned it inside may have changed its mode.
  chmodSync(path, 0o666)
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  return { path, readEnd, writeEnd: openSync(path, constants.O_WRONLY) }
}
