import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  applyConnection,
  type ConnectRequest,
  disconnect,
  type HostEnvironment,
  openConnections,
  parseRelaxed,
  planConnection,
  plainOf,
} from '@tidegate/connect'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createOpenClawAdapter, PLUGIN_DIRECTORY } from '../src/adapter.ts'
import { DENIED, KEPT, MARK } from '../src/changes.ts'

let directory: string
let file: string
const adapter = createOpenClawAdapter()

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tidegate-openclaw-'))
  file = join(directory, 'openclaw.json')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const environment: HostEnvironment = {
  home: '/nowhere',
  cwd: '/nowhere',
  platform: 'linux',
  env: {},
  run: async () => ({ code: null, stdout: '', stderr: '' }),
}

function request(mode: 'observe' | 'enforce', more: Partial<ConnectRequest> = {}): ConnectRequest {
  return {
    ...{
      name: 'claw',
      mode,
      url: 'http://127.0.0.1:7443',
      tokenFile: '/p/.tidegate/tokens/host-claw.token',
      project: '/p',
      environment,
    },
    ...{ permit: 'host', command: ['/usr/bin/node', '/t/tidegate.js'], config: file, ...more },
  }
}

/** Plans and writes, as connecting does. */
async function connect(
  mode: 'observe' | 'enforce',
  version = '2026.9.6',
  more: Partial<ConnectRequest> = {},
): Promise<readonly string[]> {
  const detection = { ...(await adapter.detect(environment, file)), version }
  const { edits, notes } = await adapter.plan(request(mode, more), detection)
  for (const { after } of edits) writeFileSync(file, after)
  return notes
}

/** What the configuration says now, as OpenClaw reads it. */
function says(): { readonly [key: string]: unknown } {
  return plainOf(parseRelaxed(readFileSync(file, 'utf8'))) as { readonly [key: string]: unknown }
}

const USER = `// mine
{
  gateway: { port: 18789, auth: { mode: 'token', token: 'x' } }, // keep
  plugins: { load: { paths: ['/other'] }, entries: { slack: { enabled: true } } },
  tools: { deny: ['tts', 'browser'] },
}
`

describe('connecting', () => {
  test('observing adds the plugin and the server, and changes no other character', async () => {
    writeFileSync(file, USER)
    await connect('observe')
    expect(says()).toMatchObject({
      plugins: {
        load: { paths: ['/other', PLUGIN_DIRECTORY] },
        entries: {
          slack: { enabled: true },
          tidegate: {
            enabled: true,
            hooks: { timeouts: { before_tool_call: 600_000 } },
            config: { endpoint: 'http://127.0.0.1:7443', mode: 'observe', configFile: file, server: 'tidegate' },
          },
        },
      },
      mcp: {
        servers: { tidegate: { command: '/usr/bin/node', args: ['/t/tidegate.js', 'mcp', '--host', 'claw', '--project', '/p'] } },
      },
      tools: { deny: ['tts', 'browser'] },
    })
    const text = readFileSync(file, 'utf8')
    for (const line of ['// mine', "auth: { mode: 'token', token: 'x' } }, // keep"]) expect(text).toContain(line)
  })

  test.each([undefined, '', '{}', USER])('a configuration %j, connected twice, is connected once', async (before) => {
    if (before !== undefined) writeFileSync(file, before)
    for (const mode of ['observe', 'enforce'] as const) {
      await connect(mode)
      const once = readFileSync(file)
      await connect(mode)
      expect(readFileSync(file).equals(once)).toBe(true)
    }
  })

  test('no secret is written', async () => {
    writeFileSync(file, '{}')
    await connect('enforce')
    expect(readFileSync(file, 'utf8')).not.toMatch(/Bearer|"token"/)
  })

  test('what a person has set for the plugin stays', async () => {
    writeFileSync(file, '{}')
    await connect('observe')
    const changed = readFileSync(file, 'utf8').replace('"server":', '"people": { "slack:U1": "user:mei" }, "server":')
    writeFileSync(file, changed)
    await connect('enforce')
    expect(says()).toMatchObject({
      plugins: { entries: { tidegate: { config: { people: { 'slack:U1': 'user:mei' }, mode: 'enforce' } } } },
    })
  })
})

describe('enforcing', () => {
  test('takes the hands away by name, and lets nothing else stand that acts', async () => {
    writeFileSync(file, USER)
    await connect('enforce')
    const tools = says().tools as { readonly deny: readonly string[]; readonly allow: readonly string[] }
    expect(DENIED.filter((name) => !tools.deny.includes(name))).toEqual([])
    expect(tools.deny.slice(0, 3)).toEqual(['tts', 'browser', MARK])
    expect(tools.allow).toEqual([MARK, ...KEPT])
    expect(KEPT.filter((name) => DENIED.includes(name))).toEqual([])
  })

  test.each([
    ['2026.5.7', undefined],
    ['2026.9.6', { enabled: false }],
    [undefined, undefined],
  ])('OpenClaw %s gets only the keys that it knows', async (version, terminal) => {
    writeFileSync(file, '{}')
    await connect('enforce', version ?? '')
    expect(says().acp).toEqual({ enabled: false })
    expect((says().gateway as { readonly terminal?: unknown } | undefined)?.terminal).toEqual(terminal)
  })

  test('lists of the person stay, and what is then left to the hook is said', async () => {
    writeFileSync(file, "{ tools: { allow: ['message'] } }")
    expect(await connect('enforce')).toContainEqual(expect.stringContaining('"tools.allow" stays yours'))
    expect(says().tools).toMatchObject({ allow: ['message', MARK, 'tidegate__*'] })
    writeFileSync(file, "{ tools: { alsoAllow: ['message'] }, plugins: { allow: ['slack'] } }")
    expect(await connect('enforce')).toContainEqual(expect.stringContaining('"tools.alsoAllow" stands'))
    expect(says()).toMatchObject({ tools: { alsoAllow: ['message'] }, plugins: { allow: ['slack', 'tidegate'] } })
    expect(says().tools as object).not.toHaveProperty('allow')
  })

  test('other MCP servers are named', async () => {
    writeFileSync(file, "{ mcp: { servers: { github: { command: 'x' } } } }")
    expect(await connect('enforce')).toContainEqual(expect.stringContaining('github'))
  })

  test('going back to observing gives everything back', async () => {
    writeFileSync(file, USER)
    await connect('observe')
    const observed = says()
    await connect('enforce')
    await connect('observe')
    expect(says()).toEqual(observed)
  })
})

describe('what is refused', () => {
  test.each([
    ['{ plugins: { enabled: false } }', 'plugins.enabled'],
    ["{ plugins: { deny: ['tidegate'] } }", 'plugins.deny'],
    ["{ $include: './other.json5' }", '$include'],
    ["{ tools: { $include: './other.json5' } }", 'tools.$include'],
    ["{ tools: { deny: 'exec' } }", 'tools.deny'],
    ['{ plugins: { load: { paths: [1] } } }', 'plugins.load.paths'],
  ])('%s', async (text, named) => {
    writeFileSync(file, text)
    await expect(connect('enforce')).rejects.toMatchObject({
      code: 'configuration_unsupported',
      message: expect.stringContaining(named),
    })
  })

  test('a server whose address nobody knows', async () => {
    const { url: _, ...without } = request('observe')
    await expect(adapter.plan(without, await adapter.detect(environment, file))).rejects.toMatchObject({
      code: 'configuration_unsupported',
    })
  })
})

describe('disconnecting', () => {
  test('puts every byte back', async () => {
    writeFileSync(file, USER)
    const store = openConnections(join(directory, 'connections'))
    const before = readFileSync(file)
    await applyConnection(await planConnection(adapter, request('observe')), store, { nowMs: 1_800_000_000_000 })
    expect(readFileSync(file).equals(before)).toBe(false)
    await disconnect(adapter, store, 'claw', { force: false })
    expect(readFileSync(file).equals(before)).toBe(true)
  })

  test('takes out only what is ours, when OpenClaw has written the file anew and a person has added to it', async () => {
    writeFileSync(file, USER)
    await connect('enforce')
    const rewritten = says() as { tools: { deny: string[] }; plugins: { entries: object } }
    rewritten.tools.deny.push('music_generate')
    Object.assign(rewritten, { channels: { slack: {} } })
    writeFileSync(file, JSON.stringify(rewritten, null, 2))
    const withdrawn = adapter.withdraw(file, readFileSync(file))
    if (withdrawn.state !== 'clean' || withdrawn.after === undefined) throw new Error('It is unclear.')
    writeFileSync(file, withdrawn.after)
    expect(says()).toEqual({
      gateway: { port: 18789, auth: { mode: 'token', token: 'x' } },
      plugins: { load: { paths: ['/other'] }, entries: { slack: { enabled: true } } },
      tools: { deny: ['tts', 'browser', 'music_generate'] },
      channels: { slack: {} },
    })
  })

  test('a file that was all ours may go, and one that is not ours stays', async () => {
    await connect('enforce')
    expect(adapter.withdraw(file, readFileSync(file))).toMatchObject({ state: 'clean', after: undefined })
    expect(adapter.withdraw(file, new TextEncoder().encode(USER))).toEqual({
      state: 'clean',
      after: new TextEncoder().encode(USER),
      removed: [],
    })
    expect(adapter.withdraw(file, new TextEncoder().encode('{ tools: '))).toMatchObject({ state: 'unclear' })
  })
})

describe('looking', () => {
  test('finds the file as OpenClaw does', async () => {
    const files = async (env: Readonly<Record<string, string>>) => (await adapter.detect({ ...environment, env })).files[0]?.file
    expect(await files({})).toBe('/nowhere/.openclaw/openclaw.json')
    expect(await files({ OPENCLAW_STATE_DIR: '/s' })).toBe('/s/openclaw.json')
    expect(await files({ OPENCLAW_STATE_DIR: '/s', OPENCLAW_CONFIG_PATH: '/c.json' })).toBe('/c.json')
  })

  test('names programs that bring their own tools', async () => {
    writeFileSync(file, "{ agents: { defaults: { model: { primary: 'claude-cli/opus' } } } }")
    expect((await adapter.detect(environment, file)).surfaces).toContain('cli-backend')
  })

  test('our part that is gone is wrong', async () => {
    writeFileSync(file, USER)
    await connect('enforce')
    const detection = await adapter.detect(environment, file)
    const state = async () =>
      (await adapter.check(request('enforce'), detection)).find(({ name }) => name === 'configuration')?.state
    expect(await state()).toBe('ok')
    writeFileSync(file, readFileSync(file, 'utf8').replace('"exec",', ''))
    expect(await state()).toBe('wrong')
    writeFileSync(file, USER)
    expect(await state()).toBe('wrong')
  })
})
