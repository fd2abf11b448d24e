import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'

// The product must not need root. As root, these tests become nobody; the sources and Node are copied to where nobody may read them.

const NOBODY = 65_534
const asRoot = process.getuid?.() === 0
const directory = mkdtempSync(join(tmpdir(), 'tidegate-ordinary-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const PROGRAM = `
import { createServer } from 'node:http'
import { mkdirSync } from 'node:fs'
import { createBwrapSandbox, DEFAULT_SANDBOX_LIMITS } from './sandbox/src/index.ts'
const sandbox = createBwrapSandbox({ directory: process.cwd() + '/scratch' })
const report = await sandbox.probe()
const web = createServer((request, response) => response.end('web'))
await new Promise((resolve) => web.listen(0, '127.0.0.1', resolve))
const addresses = ['127.0.0.1:' + web.address().port]
const egress = { decide: async () => ({ allowed: true, addresses }), observed: () => {} }
mkdirSync('workspace')
const opening = await sandbox.open({ id: 'x', workspace: process.cwd() + '/workspace', readOnly: [], environment: {}, limits: { ...DEFAULT_SANDBOX_LIMITS, memoryBytes: 67108864, wallMs: 10000 }, egress })
const said = async (command) => {
  const result = await opening.session.run({ command })
  return [result.kind, result.exitCode, Buffer.from(result.stdout ?? '').toString()]
}
const closed = await said('chmod 000 /proc/self/fd/1 /proc/self/fd/2; exit 3')
const out = {
  closed, afterwards: await said('echo >>count; echo here'), once: await said('wc -l <count'),
  uid: process.getuid(), layers: report.layers, leaks: report.leaks, sound: report.sound,
  user: await said('id -u; touch file; stat -c %u file'),
  memory: await said('perl -e \\'my @all; while (1) { push @all, "x" x 1048576 }\\' 2>/dev/null'),
  web: await said("exec 5<>/dev/tcp/127.0.0.1/3128; printf 'GET http://" + addresses[0] + "/ HTTP/1.1\\\\r\\\\nHost: x\\\\r\\\\n\\\\r\\\\n' >&5; cat <&5"),
}
console.log(JSON.stringify(out))
web.close()
await sandbox.close()
`

function prepare(): void {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  for (const [from, to] of [
    ['adapters/sandbox-bwrap', 'sandbox'],
    ['packages/kernel', 'kernel'],
  ] as const) {
    cpSync(join(root, from, 'src'), join(directory, to, 'src'), { recursive: true })
    copyFileSync(join(root, from, 'package.json'), join(directory, to, 'package.json'))
  }
  mkdirSync(join(directory, 'node_modules/@tidegate'), { recursive: true })
  symlinkSync('../../kernel', join(directory, 'node_modules/@tidegate/kernel'))
  // Far quicker than a copy, where both are on one file system.
  try {
    linkSync(realpathSync(process.execPath), join(directory, 'node'))
  } catch {
    copyFileSync(process.execPath, join(directory, 'node'))
  }
  writeFileSync(join(directory, 'program.mjs'), PROGRAM)
  chmodSync(directory, 0o755)
  if (asRoot) chownSync(directory, NOBODY, NOBODY)
}

test('an ordinary user has the same sandbox: sound, with a door, as that user', async () => {
  prepare()
  const child = spawn(join(directory, 'node'), ['program.mjs'], {
    cwd: directory,
    env: {},
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(asRoot ? { uid: NOBODY, gid: NOBODY } : {}),
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  await once(child, 'close')
  const report = JSON.parse(text)
  expect(report.uid).not.toBe(0)
  expect(
    report.layers.filter((layer: { required: boolean; state: string }) => layer.required && layer.state !== 'present'),
  ).toEqual([])
  expect(report.leaks.filter((leak: { state: string }) => leak.state !== 'held')).toEqual([])
  expect(report.sound).toBe(true)
  expect(report.user).toEqual(['ended', 0, `${report.uid}\n${report.uid}\n`])
  // A pipe of its own that a user locks is no way to lose, double or swap the command behind.
  expect([report.closed, report.afterwards, report.once]).toEqual([
    ['ended', 3, ''],
    ['ended', 0, 'here\n'],
    ['ended', 0, '1\n'],
  ])
  expect(report.memory[1]).not.toBe(0)
  expect(report.web[2]).toContain('web')
}, 60_000)
