import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeHost, loadPlugin, type PluginModule } from './fake-host.ts'
import { type StandIn, startStandIn } from './stand-in.ts'

let server: StandIn
let host: FakeHost | undefined

beforeEach(async () => {
  server = await startStandIn()
})
afterEach(async () => {
  host?.close()
  host = undefined
  await server.close()
})

async function load(configuration?: object, options?: { readonly mode?: string }): Promise<FakeHost> {
  host = await loadPlugin(server.url, configuration, options)
  return host
}

describe('what is told afterwards', () => {
  test('the result, once, with the id of the call', async () => {
    const claw = await load()
    await claw.call('exec', { command: 'ls' }, { id: 'c' })
    claw.emit('tool_result_persist', { toolName: 'exec', toolCallId: 'c', message: { content: [] } })
    claw.emit('after_tool_call', {
      toolName: 'exec',
      toolCallId: 'c',
      params: { command: 'ls' },
      result: { text: 'x' },
      durationMs: 3.4,
    })
    claw.emit('after_tool_call', { toolName: 'exec', toolCallId: 'c', params: { command: 'ls' }, result: { text: 'x' } })
    const [report] = await server.until('reports', 1)
    expect(report?.body).toEqual({
      session: 'agent:main:main',
      call: server.of('calls')[0]?.body.call,
      ok: true,
      output: { text: 'x' },
      durationMs: 3,
    })
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(server.of('reports').length).toBe(1)
  })

  test('what was written down, when that is all there is', async () => {
    const claw = await load()
    await claw.call('exec', {}, { id: 'c' })
    await claw.call('exec', {}, { id: 'd' })
    claw.emit('tool_result_persist', { toolName: 'exec', toolCallId: 'c', message: { content: [{ type: 'text', text: 'ok' }] } })
    claw.emit('tool_result_persist', {
      toolName: 'exec',
      toolCallId: 'd',
      message: { isError: true, content: [{ type: 'text', text: 'no' }] },
    })
    const reports = await server.until('reports', 2)
    expect(reports.map(({ body }) => [body.ok, body.output ?? body.error])).toEqual([
      [true, { content: [{ type: 'text', text: 'ok' }] }],
      [false, 'no'],
    ])
  })

  test('that it ran with other arguments than decided', async () => {
    const claw = await load()
    await claw.call('exec', { command: 'ls' }, { id: 'c' })
    claw.emit('after_tool_call', { toolName: 'exec', toolCallId: 'c', params: { command: 'ls', elevated: true }, result: {} })
    const [report] = await server.until('reports', 1)
    expect(report?.body).toMatchObject({
      ok: false,
      error: expect.stringContaining('other arguments than were decided on: elevated'),
    })
    expect(claw.log.join('\n')).toContain('RAN WITH OTHER ARGUMENTS')
  })

  test('a long result is cut', async () => {
    const claw = await load()
    await claw.call('exec', {}, { id: 'c' })
    claw.emit('after_tool_call', { toolName: 'exec', toolCallId: 'c', params: {}, result: 'x'.repeat(500_000) })
    const [report] = await server.until('reports', 1)
    expect(report?.body.truncated).toBe(true)
    expect(JSON.stringify(report?.body).length).toBeLessThan(262_144)
  })

  test('nothing of calls that were not permitted, nor of our own tools', async () => {
    const claw = await load()
    server.answer = { answer: 'denied', run: 'r', mode: 'enforce', reasons: [], failure: 'policy_denial' }
    await claw.call('exec', {}, { id: 'c' })
    server.answer = { answer: 'ticket', run: 'r', mode: 'enforce', arguments: {}, ticket: 'T' }
    await claw.call('tidegate__x', {}, { id: 'd' })
    for (const id of ['c', 'd'])
      claw.emit('after_tool_call', { toolName: id === 'c' ? 'exec' : 'tidegate__x', toolCallId: id, params: {}, result: 1 })
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(server.of('reports')).toEqual([])
  })
})

describe('what was said', () => {
  const owner = { __openclaw: { senderIsOwner: true } }
  const run = { sessionKey: 'agent:main:main', trigger: 'user', messageProvider: 'webchat' }

  test.each<[string, string, object, object, unknown]>([
    [
      'by a stranger',
      'message_received',
      { content: 'hi', senderId: 'U9' },
      { sessionKey: 's', channelId: 'slack' },
      'third-party',
    ],
    ['by somebody known', 'message_received', { content: 'hi', senderId: 'U1' }, { sessionKey: 's', channelId: 'slack' }, 'user'],
    [
      'on its own surface',
      'message_received',
      { content: 'hi', senderId: 'tui' },
      { sessionKey: 's', channelId: 'webchat' },
      'user',
    ],
    ['by nobody', 'message_received', { content: ' ' }, { sessionKey: 's', channelId: 'webchat' }, undefined],
    ['on the command line', 'before_model_resolve', { prompt: '[Fri 2026-11-20 16:01 UTC] hi' }, run, 'user'],
    ['by a schedule', 'before_model_resolve', { prompt: 'hi' }, { ...run, trigger: 'cron' }, undefined],
    ['in a sub-agent', 'before_model_resolve', { prompt: 'hi' }, { ...run, sessionKey: 'agent:main:subagent:1' }, undefined],
    [
      'by another session',
      'before_model_resolve',
      { prompt: '[Fri 2026-11-20 16:01 UTC] [Inter-session message] hi' },
      run,
      undefined,
    ],
    [
      'by a sender that nobody vouches for',
      'before_model_resolve',
      { prompt: 'Sender (untrusted metadata): hi' },
      run,
      undefined,
    ],
    ['in an internal context', 'before_model_resolve', { prompt: '<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>> hi' }, run, undefined],
    ['by the owner', 'before_message_write', { message: { role: 'user', content: 'hi', ...owner } }, run, 'user'],
    [
      'by the owner, as parts',
      'before_message_write',
      { message: { role: 'user', content: [{ type: 'text', text: 'hi' }], ...owner } },
      run,
      'user',
    ],
    ['by who is not the owner', 'before_message_write', { message: { role: 'user', content: 'hi' } }, run, undefined],
    [
      'by the host',
      'before_message_write',
      { message: { role: 'user', content: 'hi', ...owner, provenance: {} } },
      run,
      undefined,
    ],
    ['by the model', 'before_message_write', { message: { role: 'assistant', content: 'hi', ...owner } }, run, undefined],
  ])('%s (%s)', async (_, hook, event, ctx, from) => {
    const claw = await load({ people: { 'slack:U1': 'user:mei' } })
    claw.emit(hook, event, ctx)
    await claw.call('exec', {}) // whatever was told is told by now, or soon
    const heard = from === undefined ? server.of('heard') : await server.until('heard', 1)
    expect(heard.map(({ body }) => [body.from, body.text])).toEqual(from === undefined ? [] : [[from, 'hi']])
  })
})

describe('what was said, and the call after it', () => {
  const said = (text: string) =>
    [
      { content: text, senderId: 'U9' },
      { sessionKey: 's', channelId: 'slack' },
    ] as const

  test('what was said is there before the call is asked about, in order', async () => {
    const claw = await load()
    claw.emit('message_received', ...said('one'))
    claw.emit('message_received', ...said('two'))
    await claw.call('exec', {})
    expect(server.asked.filter(({ path }) => !path.endsWith('hello')).map(({ path, body }) => body.text ?? path)).toEqual([
      'one',
      'two',
      '/v1/host/calls',
    ])
  })

  test('a call is blocked while what was said cannot be told, and is made once it can', async () => {
    const claw = await load({ graceMs: 300 })
    server.rest = { status: 500, body: {} }
    claw.emit('message_received', ...said('one'))
    expect(await claw.call('exec', {})).toMatchObject({ block: true })
    expect(server.of('calls')).toEqual([])
    server.rest = {}
    expect(await claw.call('exec', {})).toMatchObject({ params: {} })
    expect(server.of('heard').at(-1)?.body.text).toBe('one')
  })

  test('words that the server refuses hold nothing up', async () => {
    const claw = await load()
    server.rest = { status: 400, body: {} }
    claw.emit('message_received', ...said('one'))
    expect(await claw.call('exec', {})).toMatchObject({ params: {} })
    expect(claw.log.join()).toContain('what was said is refused')
  })
})

describe('the plugin in its host', () => {
  test('comes after everybody, for every tool, and takes as long as people take', async () => {
    const claw = await load()
    const gate = claw.hooks.find(({ name }) => name === 'before_tool_call')
    expect(gate?.options).toEqual({ priority: Number.NEGATIVE_INFINITY, timeoutMs: 600_000 })
  })

  test.each(['full', 'discovery', 'tool-discovery', 'setup-runtime'])(
    'has its hook when it is registered for %s',
    async (mode) => {
      const claw = await load({}, { mode })
      server.answer = { answer: 'denied', run: 'r', mode: 'enforce', reasons: [], failure: 'policy_denial' }
      expect(await claw.call('exec', {})).toMatchObject({ block: true })
      expect((await server.until('hello', mode === 'full' ? 1 : 0)).length).toBe(mode === 'full' ? 1 : 0)
    },
  )

  test('is one gate, however often it is registered', async () => {
    const claw = await load()
    claw.registerAgain('discovery')
    claw.registerAgain('full')
    await claw.call('exec', {})
    expect((await server.until('hello', 1)).length).toBe(1)
  })

  test('says again soon that it is here, when nobody has answered', async () => {
    server.hello = { status: 503, body: {} }
    const claw = await load()
    await server.until('hello', 1)
    server.hello = { host: 'claw', mode: 'observe', tickets: true, serverVersion: '0.1.0' }
    expect((await server.until('hello', 2)).length).toBe(2)
    const deadline = Date.now() + 2000
    while (!claw.log.join().includes('mode: observe') && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 10))
    expect(claw.log.join()).toContain('mode: observe')
  })

  test('says who it is, what it stands in, and who else may change a call', async () => {
    const registry = Symbol.for('openclaw.plugins.hook-runner-global-state')
    const hook = (pluginId: string, priority?: number) => ({ pluginId, hookName: 'before_tool_call', priority })
    const typedHooks = [
      hook('early', 5),
      hook('tidegate', Number.NEGATIVE_INFINITY),
      hook('late', Number.NEGATIVE_INFINITY),
      { pluginId: 'x', hookName: 'other' },
    ]
    Object.assign(globalThis, { [registry]: { registry: { typedHooks } } })
    const claw = await load()
    const [hello] = await server.until('hello', 1)
    Reflect.deleteProperty(globalThis, registry)
    expect(hello?.body).toEqual({
      kind: 'openclaw',
      hostVersion: '2026.9.6',
      pluginVersion: '0.1.0',
      surfaces: ['hook:tool', 'hook:mcp', 'hook:sub-agent', 'hook:tools-invoke'],
      others: ['early', 'late!'],
    })
    expect(claw.log).toEqual([])
  })

  test('does not fail, whatever it is loaded with', async () => {
    const { register } = (await import(new URL('../plugin/index.js', import.meta.url).href)) as PluginModule
    for (const api of [
      undefined,
      {},
      { on: 1 },
      { on: () => undefined },
      { on: () => undefined, pluginConfig: null, logger: {} },
    ]) {
      expect(() => register(api)).not.toThrow()
    }
  })

  test('has one version, and nothing that the scanner of the host takes for an attack', async () => {
    const { id, version } = (await import(new URL('../plugin/index.js', import.meta.url).href)) as PluginModule
    const read = (file: string) => readFileSync(new URL(`../plugin/${file}`, import.meta.url), 'utf8')
    const manifest = JSON.parse(read('openclaw.plugin.json')) as { id: string; version: string; activation: unknown }
    expect(manifest).toMatchObject({ id, version, activation: { onStartup: true } })
    expect(JSON.parse(read('package.json'))).toMatchObject({ version })
    for (const file of ['index.js', 'gate.js', 'door.js', 'files.js']) {
      const code = read(file)
      expect(code).not.toMatch(/process\.env|child_process|\beval\b/)
      expect(/readFile/.test(code) && /\bfetch\s*\(|\bpost\s*\(|http\.request\s*\(/i.test(code)).toBe(false)
    }
  })
})
