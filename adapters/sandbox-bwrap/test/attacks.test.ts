import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SandboxSession } from '@tidegate/kernel'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createStage, say, text } from './stage.ts'

const stage = createStage()
let session: SandboxSession
const workspace = stage.makeWorkspace()
beforeAll(async () => {
  session = await stage.open({ workspace })
})
afterAll(() => stage.close())

/** Processes of the host whose command line contains a text. */
function processesWith(mark: string): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(mark)
    } catch {
      return false
    }
  })
}

describe('the resident shell cannot be reached', () => {
  test.each([
    ['its memory', 'cat /proc/1/mem'],
    ['its environment', 'cat /proc/1/environ'],
    ['its descriptors', 'ls /proc/1/fd/'],
    ['its next command', 'head -c1 /proc/1/fd/0'],
    ['its nonce', 'head -c1 /proc/1/fd/3'],
    ['its program', 'cat /run/tidegate/shell'],
    ['its program made readable', 'chmod 755 /run/tidegate/shell'],
    ['its stack', 'cat /proc/1/stack'],
    ['its maps', 'cat /proc/1/maps'],
    ['its directory', 'ls /proc/1/cwd/'],
    ['its root', 'ls /proc/1/root/'],
    ['a file beside its program', 'echo x >/run/tidegate/stdin'],
  ])('%s', async (_, command) => {
    const { code, out } = await say(session, command)
    expect([code > 0, out]).toEqual([true, ''])
  })

  test('a command has three descriptors, and no others', async () => {
    const { out } = await say(session, `for f in /proc/self/fd/*; do [[ -L $f ]] && echo "\${f##*/} $(readlink "$f")"; done`)
    expect(
      out
        .replaceAll(/pipe-[a-z]+/g, 'pipe')
        .split('\n')
        .map((line) => line.replace(/\/.*\//, '')),
    ).toEqual(['0 null', '1 pipe', '2 pipe', ''].map((line) => expect.stringContaining(line)))
  })

  test('writing to its descriptors does nothing', async () => {
    expect((await say(session, 'for n in 3 4 5 6 7 8 9 10; do echo 000 >&$n; done 2>/dev/null; exit 5')).code).toBe(5)
  })

  test('it survives every signal', async () => {
    const all = 'for s in {1..64}; do kill -$s 1; done 2>/dev/null; echo still'
    expect((await say(session, all)).out).toBe('still\n')
    expect((await say(session, 'echo here')).out).toBe('here\n')
  })

  test('killing everything that can be killed ends the command and nothing else', async () => {
    expect((await say(session, 'kill -9 -1; echo unkillable')).out).toBe('unkillable\n')
    expect((await say(session, 'echo here')).out).toBe('here\n')
  })

  test.each([
    ['a code in the form of a mark', 'printf "%032d000" 0; exit 9', 9],
    ['many marks', 'for i in {1..2000}; do printf "%032x000" $i; done >&2; exit 9', 9],
    ['a mark, then death', 'printf "%032d000" 0; printf "%032d000" 0 >&2; kill -9 $$', 137],
  ])('its word on how the command ended cannot be forged: %s', async (_, command, code) => {
    expect((await say(session, command)).code).toBe(code)
  })

  test('the shell of a command can take the resident one along, which is no way to succeed', async () => {
    const other = await stage.open()
    const result = await other.run({ command: 'kill -INT 1; kill -INT $$; sleep 1' })
    expect(result.kind === 'stopped' || (result.kind === 'ended' && result.exitCode !== 0)).toBe(true)
    expect((await say(other, 'echo here')).out).toBe('here\n')
    await other.close()
  })
})

describe('nothing stays behind', () => {
  test.each([
    ['in the background', 'sleep 987654 & echo started'],
    ['twice forked, in a session of its own', '(setsid setsid sleep 987654 </dev/null >/dev/null 2>&1 &) ; echo started'],
    ['deaf', 'trap "" HUP INT TERM; (trap "" HUP INT TERM; exec -a deaf sleep 987654) & echo started'],
    ['stopped', 'sleep 987654 & kill -STOP $!; echo started'],
    ['many', 'for i in {1..50}; do sleep 987654 & done; echo started'],
    ['one that comes again', '(while :; do sleep 987654 & done) >/dev/null 2>&1 & sleep 0.05; echo started'],
  ])('%s', async (_, command) => {
    const other = await stage.open({ limits: { processes: 64 } })
    expect((await say(other, command)).out).toBe('started\n')
    expect(processesWith('987654')).toEqual([])
    expect((await say(other, 'set -- /proc/[0-9]*; echo $#')).out).toBe('2\n')
    await other.close()
  })

  test('what writes on after the end is not in the output of the next command', async () => {
    await say(session, '(while :; do echo noise; done) & sleep 0.05')
    expect(await say(session, 'echo quiet')).toEqual({ code: 0, out: 'quiet\n', err: '' })
  })

  test('a pipe that a command made not to wait is a new one for the next', async () => {
    const perl = 'use Fcntl; for my $h (*STDOUT, *STDERR) { fcntl($h, F_SETFL, O_NONBLOCK | fcntl($h, F_GETFL, 0)) or die }'
    expect((await say(session, ['perl', '-e', perl])).code).toBe(0)
    expect((await say(session, 'head -c 800000 /dev/zero | wc -c; head -c 800000 /dev/zero')).out.length).toBe(800_007)
  })

  test('after a stop there is nothing left, and a new sandbox', async () => {
    const other = await stage.open()
    await say(other, 'echo x >/tmp/x; echo y >y')
    const result = await other.run({ command: 'setsid sleep 987655 & sleep 987655', timeoutMs: 200 })
    expect(result).toMatchObject({ kind: 'stopped', because: 'time' })
    expect((await say(other, 'cat y; cat /tmp/x')).out).toBe('y\n')
    expect(processesWith('987655')).toEqual([])
    await other.close()
  })

  test('an interrupted command is a stopped one, and the next one runs', async () => {
    const running = session.run({ command: 'echo begun; sleep 987656' })
    await sleep(200)
    session.interrupt()
    const result = await running
    expect(result).toMatchObject({ kind: 'stopped', because: 'interrupted' })
    expect(result.kind === 'stopped' && text(result.stdout)).toBe('begun\n')
    expect(processesWith('987656')).toEqual([])
    expect((await say(session, 'echo here')).out).toBe('here\n')
  })

  test('when we die, everything inside dies', async () => {
    const program = `
      import { createBwrapSandbox, DEFAULT_SANDBOX_LIMITS } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
      const sandbox = createBwrapSandbox({ directory: process.argv[1], adoptWorkspace: true })
      const opening = await sandbox.open({ id: 'x', workspace: process.argv[2], readOnly: [], environment: {}, limits: DEFAULT_SANDBOX_LIMITS, egress: null })
      opening.session.run({ command: 'setsid sleep 987657 & echo begun; sleep 987657', onOutput: () => console.log('begun') })`
    const child = spawn(
      process.execPath,
      ['--input-type=module', '-e', program, join(stage.directory, 'scratch'), stage.makeWorkspace()],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    await once(child.stdout, 'data')
    expect(processesWith('987657').length).toBeGreaterThan(0)
    child.kill('SIGKILL')
    await once(child, 'exit')
    for (let tries = 0; tries < 100 && processesWith('987657').length > 0; tries += 1) await sleep(20)
    expect(processesWith('987657')).toEqual([])
  })
})

describe('the host is not there', () => {
  test('its files', async () => {
    const secret = join(stage.directory, 'secret')
    writeFileSync(secret, 'secret', { mode: 0o644 })
    for (const path of [secret, '/etc/shadow', '/root', '/home', '/var/log', '/sys/kernel', '/proc/kcore']) {
      expect(await say(session, `cat '${path}' || ls '${path}/'`)).toMatchObject({ out: '' })
    }
  })

  test('links out of the workspace lead nowhere', async () => {
    const secret = join(stage.directory, 'secret-2')
    writeFileSync(secret, 'secret', { mode: 0o644 })
    symlinkSync(secret, join(workspace, 'direct'))
    symlinkSync(stage.directory, join(workspace, 'directory'))
    symlinkSync('../secret-2', join(workspace, 'relative'))
    expect(
      await say(session, 'cat direct directory/secret-2 relative /proc/self/root/../secret-2 /workspace/../secret-2'),
    ).toMatchObject({ code: 1, out: '' })
    expect((await say(session, 'echo x >direct; echo x >directory/x; mkdir directory/y')).code).not.toBe(0)
    expect(readFileSync(secret, 'utf8')).toBe('secret')
    expect(existsSync(join(stage.directory, 'x'))).toBe(false)
  })

  test('a socket that lies in the workspace does not answer', async () => {
    let reached = 0
    const server = createServer((socket) => {
      reached += 1
      socket.destroy()
    })
    const path = join(workspace, 'socket')
    server.listen(path)
    await once(server, 'listening')
    const perl = (type: number): string =>
      `use Socket; socket(my $s, AF_UNIX, ${type}, 0) or die "refused\\n"; connect($s, pack_sockaddr_un("/workspace/socket")) and print "reached"`
    expect(await say(session, ['perl', '-e', perl(1)])).toMatchObject({ out: '', err: 'refused\n' })
    expect(await say(session, ['perl', '-e', perl(2)])).toMatchObject({ out: '', err: 'refused\n' })
    server.close()
    expect(reached).toBe(0)
  })

  test('its descriptors: what our own process was given is not handed on', async () => {
    const marker = join(stage.directory, 'inherited')
    writeFileSync(marker, 'inherited')
    const program = `
      import { createBwrapSandbox, DEFAULT_SANDBOX_LIMITS } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
      import { readlinkSync } from 'node:fs'
      const sandbox = createBwrapSandbox({ directory: process.argv[1], adoptWorkspace: true })
      const opening = await sandbox.open({ id: 'x', workspace: process.argv[2], readOnly: [], environment: {}, limits: DEFAULT_SANDBOX_LIMITS, egress: null })
      const result = await opening.session.run({ command: 'ls -l /proc/self/fd /proc/$PPID/fd; cat <&44' })
      console.log(readlinkSync('/proc/self/fd/44'), Buffer.from(result.stdout).toString())
      await sandbox.close()`
    // A descriptor that is open across exec, as a careless parent leaves one.
    const script = 'exec 44<"$1"; shift; exec "$@"'
    const words = [
      marker,
      process.execPath,
      '--input-type=module',
      '-e',
      program,
      join(stage.directory, 'scratch'),
      stage.makeWorkspace(),
    ]
    const child = spawn('bash', ['-c', script, 'bash', ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
    await once(child, 'close')
    expect(out).toContain(marker)
    expect(
      out
        .split('\n')
        .filter((line) => line.includes('->'))
        .join(),
    ).not.toMatch(/inherited| 44 /)
  })

  test('the name of the host', async () => {
    expect((await say(session, 'cat /proc/sys/kernel/hostname; hostname new')).out).toBe('sandbox\n')
  })

  test('a program with setuid gains nothing', async () => {
    copyFileSync('/usr/bin/id', join(workspace, 'id'))
    chmodSync(join(workspace, 'id'), 0o4755)
    expect((await say(session, './id -u; grep NoNewPrivs /proc/self/status')).out).toMatch(/^[1-9]\d*\nNoNewPrivs:\t1\n$/)
  })

  test('the pid of this test means nothing inside', async () => {
    expect(readlinkSync(`/proc/${process.pid}/exe`)).toBe(readlinkSync('/proc/self/exe'))
    expect((await say(session, `kill -0 ${process.pid}; ls -d /proc/${process.pid}`)).out).toBe('')
  })
})

describe('a shell that dies before its command arrives', () => {
  test('takes no command along, and none runs late', async () => {
    const other = await stage.open({ workspace })
    for (let round = 0; round < 5; round += 1) {
      // The shell that waits is the youngest child of process 1; the host can reach it, as the kernel does when memory runs out.
      const [waiting] = await waitingShells()
      if (round > 0) expect(waiting).toBeTypeOf('number')
      if (waiting !== undefined && round > 0) process.kill(waiting, 'SIGKILL')
      expect(await say(other, `echo ${round} >>rounds; echo ${round}`)).toEqual({ code: 0, out: `${round}\n`, err: '' })
    }
    expect((await say(other, 'cat rounds')).out).toBe('0\n1\n2\n3\n4\n')
    await other.close()
  })
})

/** Shells of the sandboxes of this file that wait for a command, as the host sees them, youngest first. */
async function waitingShells(): Promise<readonly number[]> {
  await sleep(50)
  const guards = processesWith(stage.directory)
    .map(Number)
    .filter((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'bwrap\n')
  const shells = processesWith('read -r -N 30 h').map(Number)
  return shells.filter((pid) => isBelow(pid, guards)).toSorted((a, b) => b - a)
}

/** True for a grandchild of a process: bubblewrap carries the directory of the stage in its arguments, its child is the runner. */
function isBelow(pid: number, guards: readonly number[]): boolean {
  const parentOf = (child: number): number => Number(readFileSync(`/proc/${child}/stat`, 'latin1').split(') ')[1]?.split(' ')[1])
  try {
    const parent = parentOf(pid)
    return readFileSync(`/proc/${parent}/comm`, 'utf8') === 'shell\n' && guards.includes(parentOf(parent))
  } catch {
    return false
  }
}
