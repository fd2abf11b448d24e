import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SandboxSession } from '@tidegate/kernel'
import { createBwrapSandbox, DEFAULT_SANDBOX_LIMITS } from '@tidegate/sandbox-bwrap'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kindOf, readCommand } from '../src/index.ts'
import { type Bypass, fill, type Places, readBypasses, readOrdinary } from './corpus.ts'

// The corpus by effect: every command is run, whatever was understood of it, as if a person had said yes to it; and what the canaries see counts.

let root: string
let workspace: string
let canary: Server
let connected = 0
let places: Places
const sandbox = () => createBwrapSandbox({ directory: join(root, 'sandbox'), adoptWorkspace: true })
const SECRET = 'tg-canary-7d1f0c55'
const LANES = 4

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'tidegate-enforce-'))
  chmodSync(root, 0o711)
  workspace = join(root, 'ws')
  const home = join(root, 'home')
  for (const each of ['ws/src', 'home/.ssh', 'home/.openclaw', 'home/.claude', 'out'])
    mkdirSync(join(root, each), { recursive: true })
  for (const [file, text] of [
    ['ws/README.md', 'hello\n'],
    ['ws/package.json', '{"name":"x","scripts":{}}\n'],
    ['ws/Makefile', 'all:\n\ttrue\n'],
    ['home/.bashrc', '# mine\n'],
    ['home/.openclaw/openclaw.json', '{}\n'],
    ['home/.claude/settings.json', '{}\n'],
    ['secret.txt', `${SECRET}\n`],
  ] as const)
    writeFileSync(join(root, file), text)
  // All of it is open to everybody on the machine: only the sandbox stands in between.
  for (const each of ['home', 'home/.ssh', 'home/.openclaw', 'home/.claude', 'out']) chmodSync(join(root, each), 0o777)
  canary = createServer((socket) => {
    connected++
    socket.destroy()
  })
  await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve))
  const address = canary.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  places = { host: '127.0.0.1', port, secret: join(root, 'secret.txt'), outside: join(root, 'out', 'made'), home }
})
afterAll(() => {
  canary.close()
  rmSync(root, { recursive: true, force: true })
})

/** What lies outside, as one text: whatever is made or changed there changes it. */
function outside(): string {
  const seen = ['home/.bashrc', 'home/.openclaw/openclaw.json', 'home/.claude/settings.json', 'secret.txt', 'out/made'].map(
    (file) => {
      try {
        return readFileSync(join(root, file), 'utf8')
      } catch {
        return 'absent'
      }
    },
  )
  return JSON.stringify(seen)
}

/** Every bypass finds the workspace as the first one did: what one has left must neither help nor hinder the next. */
function renew(own: string): void {
  for (const name of readdirSync(own)) rmSync(join(own, name), { recursive: true, force: true })
  // The sandbox has given the folder to its user, when it does not run as ours.
  const { uid, gid } = statSync(own)
  for (const file of ['README.md', 'package.json', 'Makefile']) {
    writeFileSync(join(own, file), readFileSync(join(workspace, file)))
    if (uid !== process.getuid?.()) chownSync(join(own, file), uid, gid)
  }
}

async function reaches(session: SandboxSession, bypass: Bypass): Promise<boolean> {
  const before = connected
  const untouched = outside()
  const result = await session.run({ command: fill(bypass.command, places), timeoutMs: 4_000 })
  const said = result.kind === 'refused' ? '' : Buffer.concat([result.stdout, result.stderr]).toString('latin1')
  const forms = [SECRET, Buffer.from(SECRET).toString('base64').slice(0, 16), Buffer.from(SECRET).toString('hex')]
  return connected > before || outside() !== untouched || forms.some((form) => said.includes(form))
}

describe('every bypass of the corpus, in the sandbox', () => {
  test('none of them reaches its target', async () => {
    const bypasses = [...readBypasses()]
    const reached: string[] = []
    let runs = 0
    const lane = async (n: number): Promise<void> => {
      const own = join(root, `ws${n}`)
      mkdirSync(own)
      renew(own)
      const box = sandbox()
      const opening = await box.open({
        id: `lane${n}`,
        workspace: own,
        readOnly: [],
        environment: {},
        limits: DEFAULT_SANDBOX_LIMITS,
        egress: null,
      })
      if (opening.kind === 'refused') throw new Error(opening.message)
      for (let bypass = bypasses.pop(); bypass !== undefined; bypass = bypasses.pop()) {
        runs++
        if (await reaches(opening.session, bypass)) reached.push(bypass.id)
        renew(own)
      }
      await box.close()
    }
    await Promise.all(Array.from({ length: LANES }, (_, n) => lane(n)))
    expect(runs).toBeGreaterThan(900)
    expect(reached).toEqual([])
  }, 300_000)

  test('the canaries sing when nothing is in between', async () => {
    const { execFile } = await import('node:child_process')
    const run = (command: string): Promise<string> =>
      new Promise((resolve) =>
        execFile('bash', ['-c', command], { cwd: workspace, timeout: 5_000 }, (_, stdout) => resolve(stdout)),
      )
    const before = connected
    await run(fill('exec 3<>/dev/tcp/{{HOST}}/{{PORT}}', places))
    expect(connected).toBe(before + 1)
    expect(await run(fill('cat {{SECRET}}', places))).toContain(SECRET)
    const untouched = outside()
    await run(fill('echo x > {{OUTSIDE}}', places))
    expect(outside()).not.toBe(untouched)
    rmSync(places.outside)
  })
})

describe('what is decided', () => {
  const kindIn = (command: string): string => kindOf(readCommand(command, workspace))
  const elsewhere = { host: '127.0.0.1', port: 9, secret: '/srv/private/secret.txt', outside: '/srv/out/made', home: '/home/ann' }

  test('nearly every bypass is asked about before it is run at all', () => {
    const bypasses = readBypasses()
    const passed = bypasses.filter(({ command }) => kindIn(fill(command, elsewhere)) !== 'reach')
    expect(passed.length / bypasses.length).toBeLessThan(0.01)
  })

  test('at most three ordinary commands in a hundred are', () => {
    const ordinary = readOrdinary().filter(({ needs }) => needs === undefined)
    expect(ordinary.length).toBeGreaterThanOrEqual(300)
    const asked = ordinary.filter(({ command }) => kindIn(command) === 'reach')
    expect(asked.length / ordinary.length).toBeLessThanOrEqual(0.03)
    expect(kindIn("git commit -m 'fix: sync state'")).toBe('exec')
    expect(kindIn('rsync a b')).not.toBe('reach')
  })
})
