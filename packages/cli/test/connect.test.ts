import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { configDigest, openConnections } from '@tidegate/connect'
import { type CliRun, cli } from './cli-run.ts'

let directory: string
let project: string
let settings: string
let server: Server | undefined
let authorization: string | undefined
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tidegate-cli-connect-'))
  project = join(directory, 'project')
  settings = join(directory, 'home', '.claude', 'settings.json')
  cpSync(fileURLToPath(new URL('../template', import.meta.url)), project, { recursive: true })
  mkdirSync(join(directory, 'home', '.claude'), { recursive: true })
  mkdirSync(join(directory, 'bin'))
  writeFileSync(settings, '{\n  // mine\n  "model": "opus"\n}\n')
  install('2.1.329')
})
afterEach(() => {
  server?.close()
  server = undefined
  rmSync(directory, { recursive: true, force: true })
})

/** A program that says it is Claude Code. */
function install(version: string): void {
  writeFileSync(join(directory, 'bin', 'claude'), `#!/bin/sh\necho "${version} (Claude Code)"\n`)
  chmodSync(join(directory, 'bin', 'claude'), 0o755)
}

/** A server that knows the host, announced as the real one announces itself. */
async function serve(): Promise<void> {
  const made = createServer((request, response) => {
    request.resume()
    if (request.url === '/v1/hosts') authorization = request.headers.authorization
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end('{"status":"ok"}')
  })
  await new Promise<void>((resolve) => {
    made.listen(0, '127.0.0.1', resolve)
  })
  server = made
  mkdirSync(join(project, '.tidegate', 'tokens'), { recursive: true })
  writeFileSync(join(project, '.tidegate', 'tokens', 'host-claude.token'), 'a-token\n')
  const { port } = made.address() as AddressInfo // sound: it listens on TCP
  writeFileSync(join(project, '.tidegate', 'server.json'), JSON.stringify({ url: `http://127.0.0.1:${port}`, pid: process.pid }))
}

function run(...args: readonly string[]): Promise<CliRun> {
  const env = { HOME: join(directory, 'home'), PATH: `${join(directory, 'bin')}:/usr/bin:/bin` }
  return cli([...args, '--project', project], { env, cwd: directory })
}

async function json(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly said: Readonly<Record<string, unknown>> }> {
  const { code, stdout } = await run(...args, '--json')
  return { code, said: JSON.parse(stdout) }
}

const both = (): readonly string[] => [readFileSync(settings, 'utf8'), readFileSync(join(project, 'tidegate.yaml'), 'utf8')]

describe('connect', () => {
  test('observes first; says what it changed, and how to undo it; disconnect gives every byte back', async () => {
    const before = both()
    const dry = await json('connect', 'claude-code', '--dry-run')
    expect([dry.code, dry.said.dryRun, both()]).toEqual([0, true, before])
    const { code, stdout } = await run('connect', 'claude-code')
    expect(code).toBe(0)
    expect(stdout).toContain('Claude Code is connected as "claude" (observe).')
    expect(stdout).toContain('Undo: tidegate disconnect claude')
    expect(both()[0]).toContain('// mine')
    expect(both()[1]).toContain('hosts:\n  - name: claude\n    kind: claude-code\n    mode: observe\n')
    const again = await json('connect', 'claude-code')
    expect([again.said.changed, (again.said.files as { readonly change: string }[]).map(({ change }) => change)]).toEqual([
      false,
      ['none', 'none'],
    ])
    const undone = await json('disconnect', 'claude')
    expect((undone.said.files as { readonly outcome: string }[]).map(({ outcome }) => outcome)).toEqual(['restored', 'restored'])
    expect(both()).toEqual(before)
    expect(readdirSync(join(project, '.tidegate', 'connections'))).toEqual([])
  })

  test('enforcing needs a proof of this version and this configuration', async () => {
    await serve()
    await run('connect', 'claude-code')
    const before = both()
    const refused = await json('connect', 'claude-code', '--enforce')
    expect([refused.code, refused.said.code, both()]).toEqual([4, 'host_unproven', before])
    const store = openConnections(join(project, '.tidegate', 'connections'))
    const surfaces = ['hook:Bash', 'hook:Write', 'hook:Read', 'hook:mcp', 'parallel', 'sub-agent', 'background']
    const files = [settings, '/etc/claude-code/managed-settings.json']
    const proof = {
      v: 1,
      name: 'claude',
      kind: 'claude-code',
      hostVersion: '2.1.329',
      configDigest: configDigest(files),
      atMs: 1,
    } as const
    store.writeProof('claude', { ...proof, surfaces: surfaces.map((name) => ({ name, intercepted: name !== 'sub-agent' })) })
    expect((await json('connect', 'claude-code', '--enforce')).said.detail).toContain('sub-agent')
    store.writeProof('claude', { ...proof, surfaces: surfaces.map((name) => ({ name, intercepted: true })) })
    const enforced = await json('connect', 'claude-code', '--enforce')
    expect([enforced.code, enforced.said.unproven, enforced.said.restart]).toEqual([0, false, true])
    expect(both()[0]).toContain('"onFailure": "block"')
    expect(both()[1]).toContain('mode: enforce')
    // It has changed the configuration that was proved; doing it again changes nothing.
    expect((await json('connect', 'claude-code', '--enforce')).said.changed).toBe(false)
  })

  test('without a proof only loudly', async () => {
    await serve()
    const { code, stderr } = await run('connect', 'claude-code', '--enforce', '--unproven')
    expect([code, stderr]).toEqual([0, expect.stringContaining('WARNING: enforced without proof')])
    expect((await json('hosts', '--server', 'http://127.0.0.1:1')).code).not.toBe(0)
    rmSync(join(project, '.tidegate', 'server.json'))
    expect((await json('hosts')).said.hosts).toMatchObject([
      { name: 'claude', mode: 'enforce', unproven: true, connected: 'connected' },
    ])
  })

  const failing: readonly (readonly [string, () => void, RegExp])[] = [
    ['nobody answers the hook', () => undefined, /door: its server does not run/],
    [
      'a version that lets a killed hook pass',
      () => install('2.1.100'),
      /version: 2.1.100 lets a call go when its hook is killed/,
    ],
    ['hooks that are switched off', () => writeFileSync(settings, '{ "disableAllHooks": true }'), /switches all hooks off/],
    ['settings that are not JSON', () => writeFileSync(settings, '{ "a" }'), /":" was expected at 1:7/],
  ]
  test.each(failing)('enforcing ends with everything as it was: %s', async (_, arrange, why) => {
    arrange()
    const before = both()
    const { code, stderr } = await run('connect', 'claude-code', '--enforce', '--unproven')
    expect([code, stderr]).toEqual([1, expect.stringMatching(why)])
    expect(both()).toEqual(before)
    expect(existsSync(join(project, '.tidegate', 'connections', 'claude', 'connection.json'))).toBe(false)
  })

  test('an MCP client, by its file', async () => {
    const file = join(directory, 'client.json')
    expect((await json('connect', 'mcp', '--config', 'client.json', '--name', 'desktop')).code).toBe(0)
    expect(JSON.parse(readFileSync(file, 'utf8')).mcpServers.tidegate.args).toContain('desktop')
    await run('disconnect', 'desktop')
    expect(existsSync(file)).toBe(false)
  })

  const usage: readonly (readonly [number, string, readonly string[]])[] = [
    [2, 'usage_invalid', ['connect', 'emacs']],
    [2, 'usage_invalid', ['connect', 'claude-code', '--observe', '--enforce']],
    [2, 'usage_invalid', ['connect', 'claude-code', '--permit', 'everyone']],
    [2, 'usage_invalid', ['connect', 'claude-code', '--wait', '9999']],
    [3, 'not_connected', ['disconnect', 'claude']],
    [3, 'not_connected', ['disconnect', '../claude']],
  ]
  test.each(usage)('%i %s: %j', async (code, name, args) => {
    const refused = await json(...args)
    expect([refused.code, refused.said.code]).toEqual([code, name])
  })

  test('a token of a host is not taken for that of a person', async () => {
    await serve()
    writeFileSync(join(project, '.tidegate', 'tokens', 'mei.token'), 'token-of-mei\n')
    await run('hosts')
    expect(authorization).toBe('Bearer token-of-mei')
  })

  test('hosts, when there are none', async () => {
    expect((await run('hosts')).stdout).toContain('No host is connected.')
  })
})

describe('hook', () => {
  const CALL = JSON.stringify({
    hook_event_name: 'PreToolUse',
    session_id: 's',
    tool_name: 'Bash',
    tool_input: { command: 'ls' },
    tool_use_id: 't',
  })
  const hook = (mode: string, input: string) =>
    cli(['hook', 'claude-code', '--project', project, '--host', 'claude', '--mode', mode], { input })

  test('answers as Claude Code reads it: a document and 0, or nothing and 2', async () => {
    const [denied, passed, broken] = await Promise.all([hook('enforce', CALL), hook('observe', CALL), hook('enforce', 'x')])
    expect([denied.code, JSON.parse(denied.stdout).hookSpecificOutput.permissionDecision]).toEqual([0, 'deny'])
    expect([passed.code, JSON.parse(passed.stdout).hookSpecificOutput.permissionDecision]).toEqual([0, undefined])
    expect([broken.code, broken.stdout]).toEqual([2, ''])
  })

  test('one that is ended early blocks when it enforces, and does not when it observes', async () => {
    const ended = (mode: string, signal: NodeJS.Signals) => interrupted(mode, signal)
    expect(await Promise.all([ended('enforce', 'SIGTERM'), ended('enforce', 'SIGINT'), ended('observe', 'SIGTERM')])).toEqual([
      2, 2, 0,
    ])
  })

  async function interrupted(mode: string, signal: NodeJS.Signals): Promise<number | null> {
    const { spawn } = await import('node:child_process')
    const { NODE } = await import('./cli-run.ts')
    const main = fileURLToPath(new URL('../bin/tidegate.js', import.meta.url))
    const child = spawn(NODE, [main, 'hook', 'claude-code', '--project', project, '--host', 'claude', '--mode', mode], {
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    // It waits for its input. When it handles signals cannot be seen from outside; it does long before this.
    setTimeout(() => child.kill(signal), 1_500)
    return new Promise((resolve) => {
      child.once('close', resolve)
    })
  }

  test('is quick, since it is started for every call: not much slower than help, which loads nothing', async () => {
    const times = { hook: [] as number[], help: [] as number[] }
    for (let i = 0; i < 6; i += 1) {
      times.hook.push((await hook('enforce', CALL)).ms)
      times.help.push((await cli(['--help'])).ms)
    }
    // The fastest of six: what else runs on this machine is not what is measured.
    expect(Math.min(...times.hook)).toBeLessThan(Math.min(...times.help) * 1.8)
  })
})
