import {
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inspectHost } from '../src/host.ts'
import { isChild, Launcher } from '../src/launcher.ts'
import { createLaunchers } from '../src/launchers.ts'
import { type Berth, createScaffold, type Scaffold } from '../src/scaffold.ts'
import { callAttempts, callProgram } from '../src/probe/attempts.ts'
import { createStage, ended, say, text } from './stage.ts'

const stage = createStage()
// The probe has a sandbox of its own, and so a launcher.
beforeAll(() => stage.sandbox.probe())
afterAll(() => stage.close())

const asRoot = process.getuid?.() === 0
const user = asRoot ? { uid: 65_534, gid: 65_534 } : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

function commandLine(pid: number | string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

/** Processes that are children of this one. */
function children(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isChild(pid, process.pid))
}

/** Launchers of the sandboxes of this file, which know the directory of the stage. */
function launchers(): readonly number[] {
  return children().filter((pid) => commandLine(pid).includes(stage.directory))
}

describe('every sandbox of a launcher has every layer, from its first command on', () => {
  test('each of the first commands is filtered, limited, closed in, and another user', async () => {
    const { machine } = await inspectHost()
    const attempts = machine === null ? [] : callAttempts(machine)
    const workspace = stage.makeWorkspace()
    const before = launchers().length
    for (let round = 0; round < 3; round += 1) {
      const session = await stage.open({ workspace, limits: { processes: 40 } })
      const tried = await session.run({ command: ['perl', '-e', callProgram(attempts)] })
      const lines = text(ended(tried).stdout)
        .split('\n')
        .filter((line) => line !== '')
      expect(lines.filter((line) => !line.includes('\theld\t'))).toEqual([])
      expect(lines.length).toBe(attempts.length)
      await session.close()
      const other = await stage.open({ workspace, limits: { processes: 40 } })
      const seen =
        'grep -E "^(Seccomp|NoNewPrivs|CapBnd|SigIgn|SigBlk):" /proc/self/status; ulimit -H -u; id -u; set -- /proc/self/fd/*; echo $#'
      expect((await say(other, seen)).out.replaceAll('\t', '').split('\n')).toEqual([
        ...['SigBlk:0000000000000000', 'SigIgn:0000000000000000', 'CapBnd:0000000000000000', 'NoNewPrivs:1', 'Seccomp:2'],
        ...['42', expect.stringMatching(/^[1-9]\d*$/), '4', ''],
      ])
      await other.close()
    }
    expect(launchers().length - before).toBe(1)
  })

  test('what differs has a launcher of its own: environments, limits and rights are not mixed up', async () => {
    const workspace = stage.makeWorkspace()
    const sessions = [
      await stage.open({ workspace, environment: { WHO: 'first' } }),
      await stage.open({ workspace, environment: { WHO: 'second' }, isReadOnly: true }),
      await stage.open({ workspace, limits: { fileBytes: 4_096 } }),
    ]
    const said = await Promise.all(
      sessions.map((session) => say(session, 'echo "$WHO $(ulimit -H -f)"; touch x 2>/dev/null && echo written')),
    )
    expect(said.map(({ out }) => out)).toEqual(['first 1048576\nwritten\n', 'second 1048576\n', ' 4\nwritten\n'])
    await Promise.all(sessions.map((session) => session.close()))
  })

  test('a directory that took the place of a workspace is the workspace', async () => {
    const workspace = stage.makeWorkspace()
    const session = await stage.open({ workspace })
    await say(session, 'echo old >which')
    await session.close()
    renameSync(workspace, `${workspace}-old`)
    mkdirSync(workspace)
    writeFileSync(join(workspace, 'which'), 'new')
    const next = await stage.open({ workspace })
    expect((await say(next, 'cat which')).out).toBe('new')
    await next.close()
  })
})

describe('the end of a launcher', () => {
  test('ends its sandboxes, and the next command has a new one of both', async () => {
    const before = launchers()
    const session = await stage.open({ environment: { ONE: 'of its own' } })
    const [launcher = 0] = launchers().filter((pid) => !before.includes(pid))
    const running = session.run({ command: 'echo begun; sleep 100' })
    await sleep(200)
    process.kill(launcher, 'SIGKILL')
    const result = await running
    expect(result).toMatchObject({ kind: 'stopped', because: 'died' })
    expect((await say(session, 'set -- /proc/[0-9]*; echo $#')).out).toBe('2\n')
    await session.close()
  })

  test('comes with the sandbox', async () => {
    const other = createStage()
    const session = await other.open()
    const mark = other.directory
    const marked = (): number =>
      readdirSync('/proc').filter((name) => /^\d+$/.test(name) && commandLine(name).includes(mark)).length
    expect((await say(session, 'echo here')).out).toBe('here\n')
    expect(marked()).toBeGreaterThan(0)
    await other.close()
    expect(marked()).toBe(0)
  })

  test('comes even when it does not answer, and takes along what waits for it', async () => {
    const other = createStage()
    const workspace = other.makeWorkspace()
    await other.sandbox.probe()
    const before = children()
    const session = await other.open({ workspace })
    const [launcher = 0] = children().filter((pid) => !before.includes(pid) && commandLine(pid).includes('--bind-fd'))
    expect(launcher).toBeGreaterThan(0)
    process.kill(launcher, 'SIGSTOP')
    const late = other.open({ workspace }).then(
      () => 'opened',
      () => 'refused',
    )
    await sleep(100)
    await session.close()
    await other.close()
    expect(await late).toBe('refused')
  })

  test('those without a sandbox are few', async () => {
    const directory = openSync(stage.directory, constants.O_RDONLY)
    const made = createLaunchers()
    const plan = {
      shell: '/bin/bash',
      bwrap: '/bin/true',
      before: [],
      after: [],
      user: null,
      directory: stage.directory,
      waits: false,
    }
    const groups = { kind: 'named', directories: [], file: '' } as const
    const all = Array.from({ length: 20 }, (_, index) =>
      made.find({ ...plan, groups, environment: { INDEX: String(index) } }, { descriptor: directory, identity: 'x' }),
    )
    const [busy] = all
    if (busy !== undefined) busy.inUse = 1
    for (const launcher of all) made.release(launcher)
    await Promise.all(all.slice(1, 12).map((launcher) => launcher.ended))
    expect(all.filter(({ alive }) => alive).length).toBeLessThanOrEqual(9)
    expect(busy?.alive).toBe(true)
    await made.close()
    expect(all.filter(({ alive }) => alive)).toEqual([])
    closeSync(directory)
  })
})

describe('berths', () => {
  const makeScaffold = async (): Promise<Scaffold> => {
    const { machine, bash, mkfifo } = await inspectHost()
    if (machine === null || bash === null || mkfifo === null) throw new Error('this host has no sandbox')
    return createScaffold({ parent: join(stage.directory, 'scratch'), machine, bash, mkfifo, asRoot })
  }

  test('belong to the user of the sandbox, and nobody else can open their pipes', async () => {
    const scaffold = await makeScaffold()
    const berth = await scaffold.leaseBerth(user)
    for (const name of ['frames', 'nonces', 'status', 'block', 'stdout', 'stderr'] as const) {
      const { mode, uid } = statSync(berth.pipe(name))
      expect([name, mode & 0o777, uid]).toEqual([name, 0o600, user.uid])
    }
    scaffold.remove()
  })

  test('one that somebody still writes to, or that still holds a command, is not used again', async () => {
    const scaffold = await makeScaffold()
    const leased: Berth[] = []
    const berth = await scaffold.leaseBerth(user)
    const held = openSync(berth.pipe('frames'), constants.O_RDWR | constants.O_NONBLOCK)
    scaffold.returnBerth(berth)
    for (let count = 0; count < 6; count += 1) leased.push(await scaffold.leaseBerth(user))
    expect(leased.map(({ name }) => name)).not.toContain(berth.name)
    closeSync(held)
    scaffold.remove()
  })

  test('are used again, unlocked, and without what was read from', async () => {
    const scaffold = await makeScaffold()
    const berth = await scaffold.leaseBerth(user)
    chmodSync(berth.pipe('stdout'), 0)
    writeFileSync(join(berth.room, 'stdin'), 'secret')
    scaffold.returnBerth(berth)
    const again = await scaffold.leaseBerth(user)
    expect([again.name, statSync(again.pipe('stdout')).mode & 0o777, readdirSync(again.room)]).toEqual([
      berth.name,
      0o600,
      ['shell'],
    ])
    scaffold.remove()
  })
})

test('control groups that only we can open are open from the start', async () => {
  const { machine, bash, mkfifo } = await inspectHost()
  if (machine === null || bash === null || mkfifo === null) throw new Error('this host has no sandbox')
  const scaffold = createScaffold({ parent: join(stage.directory, 'scratch'), machine, bash, mkfifo, asRoot })
  const berth = await scaffold.leaseBerth(user)
  const group = join(stage.directory, 'group')
  writeFileSync(group, '', { mode: 0o600 })
  const instead = join(stage.directory, 'instead-of-bwrap')
  writeFileSync(instead, '#!/bin/bash\nprintf 0 >&8\nprintf "%s " "$@" >&4\nexit 0\n')
  chmodSync(instead, 0o755)
  const directory = openSync(stage.directory, constants.O_RDONLY)
  const plan = {
    shell: scaffold.shell,
    bwrap: instead,
    before: ['--x'],
    after: ['--y'],
    environment: {},
    directory: scaffold.directory,
  }
  const launcher = new Launcher(
    { ...plan, user: asRoot ? user : null, waits: false, groups: { kind: 'open', files: [group] } },
    directory,
  )
  closeSync(directory)
  const ends = (['frames', 'nonces', 'stdout', 'stderr', 'status'] as const).map((name) =>
    openSync(berth.pipe(name), constants.O_RDWR | constants.O_NONBLOCK),
  )
  expect(await launcher.launch(berth.name, '-')).toBeGreaterThan(0)
  for (let tries = 0; tries < 100 && readFileSync(group, 'utf8') === ''; tries += 1) await sleep(20)
  expect(readFileSync(group, 'utf8')).toBe('0')
  for (const end of ends) closeSync(end)
  await launcher.close()
  scaffold.remove()
})
