import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createBwrapSandbox, DEFAULT_SANDBOX_LIMITS } from '@tidegate/sandbox-bwrap'
import { COMMAND } from './command.ts'

/** Something that runs one command after the other. */
export interface ShellUnderTest {
  readonly run: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Opens a contender in a directory of its own that everybody may enter. */
export type ShellOpener = (place: string) => Promise<ShellUnderTest>

const NOBODY = { uid: 65_534, gid: 65_534 }
const asRoot = process.getuid?.() === 0

/** The arguments of a strict bubblewrap without filter, limits, resident shell or anything else of ours. */
const BARE = [
  ...[
    '--unshare-user',
    '--unshare-pid',
    '--unshare-net',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup',
    '--disable-userns',
  ],
  ...[
    '--die-with-parent',
    '--new-session',
    '--clearenv',
    '--cap-drop',
    'ALL',
    '--hostname',
    'sandbox',
    '--ro-bind',
    '/usr',
    '/usr',
  ],
  ...['--symlink', 'usr/bin', '/bin', '--symlink', 'usr/lib', '/lib', '--symlink', 'usr/lib64', '/lib64', '--proc', '/proc'],
  ...['--dev', '/dev', '--tmpfs', '/tmp'],
]

/** A resident bash that runs each command in a copy of itself: the least that a warm command can cost. */
export const openSubshell: ShellOpener = () => openResident('(eval "$c")')

/** A resident bash that starts a fresh bash for each command, as ours does: what is inside a command stays there. */
export const openFresh: ShellOpener = () => openResident('/bin/bash -c "$c"')

/** A new bash for each command, started by us. */
export const openSpawn: ShellOpener = () =>
  Promise.resolve({ run: () => runOnce('/bin/bash', ['-c', COMMAND]), close: async () => {} })

/** A new bare bubblewrap for each command, as the user that ours takes. */
export const openBare: ShellOpener = (place) => {
  const args = [...BARE, '--bind', place, '/workspace', '--chdir', '/workspace', '/bin/bash', '-c', COMMAND]
  return Promise.resolve({ run: () => runOnce('/usr/bin/bwrap', args, asRoot ? NOBODY : {}), close: async () => {} })
}

/** Ours, kept for all commands. */
export const openWarm: ShellOpener = (place) => openOurs(place, { cold: false })

/** Ours, opened for each command and closed after it; closing is not counted. */
export const openCold: ShellOpener = (place) => openOurs(place, { cold: true })

async function openOurs(place: string, { cold }: { readonly cold: boolean }): Promise<ShellUnderTest> {
  const [scratch, workspace] = [join(place, 'scratch'), join(place, 'workspace')]
  for (const directory of [scratch, workspace]) {
    mkdirSync(directory)
    chmodSync(directory, 0o755)
  }
  if (asRoot) chownSync(workspace, NOBODY.uid, NOBODY.gid)
  const sandbox = createBwrapSandbox({ directory: scratch })
  const open = async () => {
    const spec = { id: 'bench', workspace, readOnly: [], environment: {}, limits: DEFAULT_SANDBOX_LIMITS, egress: null }
    const opening = await sandbox.open(spec)
    if (opening.kind === 'refused') throw new Error(opening.message)
    return opening.session
  }
  const runIn = async (session: Awaited<ReturnType<typeof open>>): Promise<void> => {
    const result = await session.run({ command: COMMAND })
    if (result.kind !== 'ended' || result.exitCode !== 0) throw new Error(`a command was ${result.kind}`)
  }
  // Finds out whether the sandbox is sound, which every process does once.
  const kept = await open()
  let closing: Promise<void> = Promise.resolve()
  const runCold = async (): Promise<void> => {
    const session = await open()
    await runIn(session)
    closing = session.close()
  }
  return {
    run: () => (cold ? runCold() : runIn(kept)),
    close: async () => {
      await closing
      await sandbox.close()
    },
  }
}

async function openResident(body: string): Promise<ShellUnderTest> {
  const program = `while read -r -d '' c; do ${body}; printf '%s\\0' $?; done`
  const child = spawn('/bin/bash', ['-c', program], { stdio: ['pipe', 'pipe', 'inherit'] })
  return {
    run: async () => {
      child.stdin.write(`${COMMAND}\0`)
      const [answer] = await once(child.stdout, 'data')
      if (String(answer) !== '0\0') throw new Error('a command failed in the plain shell')
    },
    close: async () => {
      child.stdin.end()
      await ended(child)
    },
  }
}

async function runOnce(
  program: string,
  args: readonly string[],
  user: { readonly uid?: number; readonly gid?: number } = {},
): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: {}, ...user })
  const code = await ended(child)
  if (code !== 0) throw new Error(`${program} ended with ${code}`)
}

/** Resolves with the exit code once the output is read, too, as a result has to be. */
async function ended(child: ChildProcess): Promise<number | null> {
  child.stdout?.resume()
  child.stderr?.resume()
  const [code] = await once(child, 'close')
  return code
}
