import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConnectorCall, Json, JsonObject, Operation } from '@tidegate/kernel'
import { createBwrapSandbox, DEFAULT_SANDBOX_LIMITS } from '@tidegate/sandbox-bwrap'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createShell, type Shell } from '../src/index.ts'

let root: string
let workspace: string
let shell: Shell

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'tidegate-shell-'))
  chmodSync(root, 0o711) // commands of root run as somebody else, who has to get there
  workspace = join(root, 'ws')
  mkdirSync(join(workspace, 'src'), { recursive: true })
  writeFileSync(join(workspace, 'README.md'), 'hello\n')
  symlinkSync('/etc', join(workspace, 'innocent'))
  shell = createShell({
    workspace,
    directory: join(root, 'exec'),
    sandbox: createBwrapSandbox({ directory: join(root, 'sandbox'), adoptWorkspace: true }),
    limits: { ...DEFAULT_SANDBOX_LIMITS, wallMs: 5_000 },
    turnMs: 1_000,
  })
})
afterAll(async () => {
  await shell.close()
  rmSync(root, { recursive: true, force: true })
})

let effects = 0

/** Does what the runtime does: narrow, normalise, execute. */
async function run(command: string, more: { readonly timeoutMs?: number } = {}) {
  const { operation, args } = read(command, more)
  effects++
  const call: ConnectorCall = {
    operation: operation.id,
    arguments: args,
    session: 's',
    effectId: `RUN${effects}.0`,
    attempt: 1,
    timeoutMs: operation.timeoutMs,
    secret: async () => '',
  }
  const result = await shell.connector.execute(call)
  if (result.kind === 'failed') throw new Error(result.message)
  return { operation, output: result.output as JsonObject, call }
}

function read(command: string, more: object = {}): { readonly operation: Operation; readonly args: Json } {
  const wide = operationOf('shell.exec')
  const given = { command, ...more }
  const operation = operationOf(wide.narrow?.(given) ?? wide.id)
  const shaped = operation.input.parse(given)
  if (!shaped.ok) throw new Error(shaped.issues.map(({ message }) => message).join())
  return { operation, args: shaped.value }
}

function operationOf(id: string): Operation {
  const found = shell.operations.find((operation) => operation.id === id)
  if (found === undefined) throw new Error(`there is no ${id}`)
  return found
}

describe('which operation a command is', () => {
  test.each([
    ['ls -la src', 'shell.look'],
    ['git status', 'shell.look'],
    ['grep -r ssh src | head', 'shell.look'],
    ["git commit -m 'fix: sync state'", 'shell.exec'],
    ['echo x > src/x', 'shell.exec'],
    ['curl http://127.0.0.1', 'shell.reach'],
    ['cat /etc/shadow', 'shell.reach'],
    ['cat innocent/passwd', 'shell.reach'],
    ['eval "$X"', 'shell.reach'],
    ['rm -rf .', 'shell.reach'],
  ])('%s is %s', (command, id) => {
    expect(read(command).operation.id).toBe(id)
  })

  test('the facts are part of what is decided on, and cannot be given', () => {
    const { args } = read('ls', { facts: { cautious: false, lies: true } })
    expect(args).toMatchObject({ command: 'ls', cwd: '/workspace', timeoutMs: 0, facts: { understood: true, programs: ['ls'] } })
    expect(args).not.toHaveProperty('facts.lies')
    const again = operationOf('shell.look').input.parse(args)
    expect(again).toEqual({ ok: true, value: args })
  })

  test('a narrow operation takes no wider command', () => {
    expect(operationOf('shell.look').input.parse({ command: 'touch x' })).toMatchObject({ ok: false })
    expect(operationOf('shell.exec').input.parse({ command: 'curl x' })).toMatchObject({ ok: false })
    expect(operationOf('shell.reach').input.parse({ command: 'ls' })).toMatchObject({ ok: true })
  })
})

describe('what a command does', () => {
  test('looking answers, and changes nothing', async () => {
    const { operation, output } = await run('cat README.md; ls /')
    expect(operation.id).toBe('shell.look') // the root of the sandbox, which is not that of the machine
    expect((await run('cat README.md')).output).toMatchObject({ exitCode: 0, ended: 'itself', stdout: 'hello\n', changes: 0 })
    expect(output.stdout).not.toContain('root')
  })

  test('one that was taken for looking cannot change anything', async () => {
    const call = {
      ...(await run('cat README.md')).call,
      arguments: { command: 'echo x > README.md', cwd: '/workspace', timeoutMs: 0 },
    }
    const result = await shell.connector.execute(call)
    expect(result).toMatchObject({ kind: 'done', output: { exitCode: 1 } })
    expect(readFileSync(join(workspace, 'README.md'), 'utf8')).toBe('hello\n')
  })

  test('a change is named, and can be put back', async () => {
    const { output } = await run('echo 1 > src/new; echo 2 >> README.md')
    expect(output).toMatchObject({ exitCode: 0, changes: 2, changed: ['changed README.md', 'added src/new'] })
    const call = operationOf('shell.exec').compensation?.({ arguments: {}, output })
    expect(call).toMatchObject({ operation: 'shell.restore' })
    const back = {
      operation: 'shell.restore',
      arguments: call?.arguments ?? {},
      session: 's',
      effectId: 'R.1',
      attempt: 1,
      timeoutMs: 1_000,
    }
    const restoring = { ...back, secret: async () => '' }
    expect(await shell.connector.execute(restoring)).toMatchObject({ kind: 'done', output: { restored: 2 } })
    expect(await shell.connector.verify(restoring, {})).toMatchObject({ holds: true })
    expect(readFileSync(join(workspace, 'README.md'), 'utf8')).toBe('hello\n')
    expect(existsSync(join(workspace, 'src/new'))).toBe(false)
    expect(await shell.connector.execute(restoring)).toMatchObject({ kind: 'done', output: { restored: 0 } })
  })

  test('one that is ended has an answer too', async () => {
    const { output } = await run('echo before > src/half; sleep 60; echo after >> src/half', { timeoutMs: 300 })
    expect(output).toMatchObject({ exitCode: null, ended: 'time', changes: 1, changed: ['added src/half'] })
    rmSync(join(workspace, 'src/half'))
  })

  test('one whose turn comes too late is not run at all', async () => {
    const first = run('sleep 2; echo first >> src/turns')
    await expect(run('echo second >> src/turns')).rejects.toThrow('was not run')
    await first
    expect(readFileSync(join(workspace, 'src/turns'), 'utf8')).toBe('first\n')
  })

  test('a command that nobody noted is not known; one that was is looked for in the workspace', async () => {
    const { call } = await run('true > src/z')
    expect(await shell.connector.reconcile(call)).toMatchObject({ kind: 'unknown' })
  })

  test('letters of all languages and a megabyte arrive as they were', async () => {
    expect((await run("printf '%s' 'täglich 你好'")).output.stdout).toBe('täglich 你好')
    const long = `printf '%s' '${'ä'.repeat(500_000)}' | wc -m`
    const { operation, output } = await run(long)
    expect(operation.id).toBe('shell.reach') // too long to be understood
    expect(String(output.stdout).trim()).toMatch(/^(500000|1000000)$/)
  })
})
