import { rmSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeHost, loadPlugin, TOKEN } from './fake-host.ts'
import { type Reply, type StandIn, startStandIn } from './stand-in.ts'

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

describe('what a call is asked as', () => {
  test('a tool of the host, under the ids of the host', async () => {
    const claw = await load()
    await claw.call('exec', { command: 'ls' }, { id: 'call-7', ctx: { sessionKey: 'agent:main:main', runId: 'r' } })
    const [asked] = server.of('calls')
    expect(asked?.authorization).toBe(`Bearer ${TOKEN}`)
    expect(asked?.body).toMatchObject({
      session: 'agent:main:main',
      tool: 'exec',
      arguments: { command: 'ls' },
      by: 'host',
      waitMs: 0,
    })
    expect(String(asked?.body.call)).toMatch(/^call-7~/)
  })

  test.each([
    ['tidegate__desk_ticket_read', 'desk_ticket_read'],
    ['mcp:tidegate:tidegate__desk_ticket_read', 'desk_ticket_read'],
  ])('%s is a tool of ours: %s', async (tool, named) => {
    const claw = await load()
    server.answer = { answer: 'ticket', run: 'r', mode: 'enforce', arguments: { id: 1 }, ticket: 'T' }
    // A ticket that the model brings along is not passed on.
    const verdict = await claw.call(tool, { id: 1, _tidegate_ticket: 'forged' })
    expect(server.of('calls')[0]?.body).toMatchObject({ tool: named, by: 'tidegate', arguments: { id: 1 } })
    expect(server.of('calls')[0]?.body.arguments).not.toHaveProperty('_tidegate_ticket')
    expect(verdict?.params).toEqual({ id: 1, _tidegate_ticket: 'T' })
  })

  test('tools of another server are tools of the host', async () => {
    const claw = await load()
    await claw.call('files__write', { path: 'x' })
    await claw.call('tidegateway__write', { path: 'x' })
    expect(server.of('calls').map(({ body }) => [body.tool, body.by])).toEqual([
      ['files__write', 'host'],
      ['tidegateway__write', 'host'],
    ])
  })

  test('no two calls have one id, whatever the host and the model call them', async () => {
    const claw = await load()
    await claw.call('exec', { command: 'ls' }, { id: 'same' })
    await claw.call('exec', { command: 'ls' }, { id: 'same' })
    await claw.call('exec', { command: 'ls' }, { id: '\u0000 é'.repeat(200) })
    const ids = server.of('calls').map(({ body }) => String(body.call))
    expect(new Set(ids).size).toBe(3)
    expect(ids.every((id) => /^[\x21-\x7e]{1,200}$/.test(id))).toBe(true)
  })

  test('the session of a call without one is the one whose message named it, or honestly unknown', async () => {
    const claw = await load()
    const message = { role: 'assistant', content: [{ type: 'toolCall', id: 'c-1', name: 'tidegate__x', arguments: {} }] }
    claw.emit('before_message_write', { message }, { sessionKey: 'agent:main:main' })
    await claw.call('tidegate__x', {}, { id: 'c-1', ctx: {} })
    await claw.call('tidegate__x', {}, { id: 'c-2', ctx: {} })
    expect(server.of('calls').map(({ body }) => body.session)).toEqual(['agent:main:main', 'unknown-session'])
  })

  test('a sub-agent, and a sub-agent of it, speak in the conversation that started them', async () => {
    const claw = await load()
    claw.emit('subagent_spawned', { childSessionKey: 'kid' }, { requesterSessionKey: 'root' })
    claw.emit('subagent_spawned', { childSessionKey: 'grandkid' }, { requesterSessionKey: 'kid' })
    claw.emit('subagent_spawned', { childSessionKey: 'root' }, { requesterSessionKey: 'grandkid' }) // no circle
    await claw.call('exec', {}, { ctx: { sessionKey: 'grandkid' } })
    expect(server.of('calls')[0]?.body).toMatchObject({ session: 'root', goal: 'for the sub-agent grandkid' })
  })

  test('the person is who the configuration says the sender is, and nobody else', async () => {
    const claw = await load({ people: { 'slack:U1': 'user:mei' } })
    const ctx = { sessionKey: 's' }
    await claw.call('exec', {}, { ctx: { ...ctx, requester: { channel: 'slack', senderId: 'U1' } } })
    await claw.call('exec', {}, { ctx: { ...ctx, requester: { channel: 'slack', senderId: 'constructor' } } })
    claw.emit('message_received', { content: 'hello', senderId: 'U1' }, { sessionKey: 's', channelId: 'slack' })
    await claw.call('exec', {}, { ctx })
    claw.emit('message_received', { content: 'me too', senderId: 'U2' }, { sessionKey: 's', channelId: 'slack' })
    await claw.call('exec', {}, { ctx })
    expect(server.of('calls').map(({ body }) => body.person)).toEqual(['user:mei', undefined, 'user:mei', undefined])
  })
})

describe('what an answer becomes', () => {
  const permit = (args: object) => ({ answer: 'permit', run: 'r', mode: 'enforce', arguments: args })

  test.each<[string, object, Reply, object | undefined]>([
    ['exactly what was decided', { command: 'ls' }, permit({ command: 'ls' }) as Reply, { command: 'ls' }],
    [
      'what was not decided on is struck out',
      { command: 'ls', elevated: true },
      permit({ command: 'ls' }) as Reply,
      { command: 'ls', elevated: undefined },
    ],
    [
      'undeclared arguments come under a name of their own',
      { a: 1, b: 2 },
      permit({ a: 1, _more: { b: 2 } }) as Reply,
      { a: 1, b: 2 },
    ],
    ['an unknown tool comes with its name', { a: 1 }, permit({ tool: 'exec', arguments: { a: 1 } }) as Reply, { a: 1 }],
    [
      'observing says what would have been',
      { a: 1 },
      { ...permit({ a: 1 }), mode: 'observe', would: { outcome: 'deny', reasons: ['no'] } },
      { a: 1 },
    ],
  ])('permit: %s', async (_, params, answer, expected) => {
    const claw = await load()
    server.answer = answer
    const verdict = await claw.call('exec', params)
    expect(verdict?.block).toBeUndefined()
    expect(verdict?.params).toStrictEqual(expected)
  })

  test.each<[string, Reply, RegExp]>([
    [
      'denied',
      { answer: 'denied', run: 'r', mode: 'enforce', reasons: ['not on Fridays'], failure: 'policy_denial' },
      /denied.*not on Fridays.*Do not try it again/,
    ],
    [
      'pending',
      { answer: 'pending', run: 'r', mode: 'enforce', approval: 'a-17', deadlineMs: 1_800_000_000_000, message: '' },
      /pending #a-17.*same arguments.*2027-01-15/,
    ],
    [
      'rehearsed',
      { answer: 'rehearsed', run: 'r', mode: 'enforce', preview: { would: 'write' } },
      /rehearsed.*would.*write.*Do not claim/,
    ],
    ['stopped', { answer: 'stopped', run: 'r', mode: 'enforce', message: 'x' }, /stop in force.*Do not try again/],
    [
      'failed',
      { answer: 'failed', run: 'r', mode: 'enforce', message: 'the store is full' },
      /could not decide.*the store is full/,
    ],
    ['unknown', { answer: 'unknown', run: 'r', mode: 'enforce', message: '' }, /Nobody can tell.*Do not make it again/],
    ['a stop while observing', { answer: 'stopped', run: 'r', mode: 'observe', message: '' }, /stop in force/],
  ])('%s blocks, and tells the agent what to do', async (_, answer, reason) => {
    const claw = await load()
    server.answer = answer
    const verdict = await claw.call('exec', { command: 'ls' })
    expect(verdict?.block).toBe(true)
    expect(verdict?.params).toBeUndefined()
    expect(verdict?.blockReason).toMatch(reason)
  })
})

describe('what goes wrong', () => {
  const faults: readonly (readonly [string, Reply])[] = [
    ['no answer in time', 'hang'],
    ['an answer that is no JSON', 'garbage'],
    ['an answer that is too large', 'huge'],
    ['an answer that breaks off', 'cut'],
    ['a connection that is reset', 'reset'],
    ['a fault of the server', { status: 500, body: { title: 'defect' } }],
    ['a token that is not known', { status: 401, body: { title: 'unauthorized', detail: 'no such token' } }],
    ['an answer from the future', { answer: 'permit_partly', run: 'r', arguments: {} }],
    ['an answer without arguments', { answer: 'permit', run: 'r' }],
    ['arguments that are none', { answer: 'permit', run: 'r', arguments: [1] }],
    ['a ticket for a tool of the host', { answer: 'ticket', run: 'r', arguments: {}, ticket: 'T' }],
    ['an answer that is a list', { status: 200, body: [] as never }],
  ]

  test.each(faults)('%s: blocks while enforcing', async (_, fault) => {
    const claw = await quick()
    server.answer = fault
    const verdict = await claw.call('exec', { command: 'rm -r x' })
    expect(verdict).toMatchObject({ block: true, blockReason: expect.stringContaining('could not be asked') })
    expect(claw.log.some((line) => line.startsWith('error: [tidegate] call blocked'))).toBe(true)
    expect(claw.log.join('\n')).not.toContain(TOKEN)
  })

  test.each(faults)('%s: lets go while observing, and says so loudly', async (_, fault) => {
    server.hello = { ...(server.hello as object), mode: 'observe' }
    const claw = await quick()
    await settled(claw, 'mode: observe')
    server.answer = fault
    expect(await claw.call('exec', { command: 'ls' })).toBeUndefined()
    expect(claw.log.some((line) => line.includes('OBSERVE MODE, CALL NOT SEEN'))).toBe(true)
  })

  test('nobody listens: blocks while enforcing, before anybody has answered', async () => {
    const claw = await quick()
    await server.close()
    expect(await claw.call('exec', {})).toMatchObject({ block: true })
    server = await startStandIn()
  })

  test('nobody listens: lets go when the configuration says observe, and the server never said otherwise', async () => {
    const claw = await loadPlugin('http://127.0.0.1:9', { mode: 'observe' })
    expect(await claw.call('exec', {})).toBeUndefined()
    claw.close()
  })

  test('the server has the last word on the mode', async () => {
    const claw = await quick({ mode: 'observe' }) // and hello says enforce
    await settled(claw, 'mode: enforce')
    server.answer = 'reset'
    expect(await claw.call('exec', {})).toMatchObject({ block: true })
  })

  test('failed lets the agent go on while observing', async () => {
    const claw = await quick()
    server.answer = { answer: 'failed', run: 'r', mode: 'observe', message: 'full' }
    expect(await claw.call('exec', {})).toBeUndefined()
    expect(await claw.call('tidegate__x', {})).toMatchObject({ block: true })
  })

  test('a token file that is gone, or holds none, blocks; a new one is used', async () => {
    const claw = await quick()
    rmSync(claw.tokenFile)
    expect(await claw.call('exec', {})).toMatchObject({ block: true })
    writeFileSync(claw.tokenFile, 'short')
    expect(await claw.call('exec', {})).toMatchObject({ block: true })
    writeFileSync(claw.tokenFile, 'another-token-0123456789')
    expect(await claw.call('exec', {})).toMatchObject({ params: {} })
    expect(server.of('calls')[0]?.authorization).toBe('Bearer another-token-0123456789')
  })

  test.each([
    { endpoint: 'http://192.0.2.1:7443' },
    { endpoint: 'nonsense' },
    { endpoint: undefined },
    { tokenFile: 'relative' },
    { mode: 'off' },
    { waitMs: 1e9 },
    { people: 'everybody' },
    { people: { 'slack:U1': 'mei' } },
  ])('a configuration that cannot be used blocks everything: %j', async (configuration) => {
    const claw = await load(configuration)
    expect(await claw.call('exec', {})).toMatchObject({ block: true, blockReason: expect.stringContaining('cannot be used') })
    expect(server.asked).toEqual([])
  })

  test('parameters that are no object are asked about as none, and struck', async () => {
    const claw = await quick()
    expect(await claw.call('exec', undefined as never)).toMatchObject({ block: true })
    expect(await claw.call('exec', 'ls' as never)).toBeDefined()
  })

  test('a call that the host gives up is blocked', async () => {
    const claw = await quick()
    server.answer = 'hang'
    const abort = new AbortController()
    const verdict = claw.call('exec', {}, { ctx: { sessionKey: 's', abortSignal: abort.signal } })
    abort.abort()
    expect(await verdict).toMatchObject({ block: true })
  })

  test('a connection that was closed while idle costs nothing: the same call is asked once more', async () => {
    const claw = await quick()
    await claw.call('exec', {})
    let first = true
    server.answer = (body) => {
      if (!first) return { answer: 'permit', run: 'r', mode: 'enforce', arguments: body.arguments }
      first = false
      return 'reset'
    }
    expect(await claw.call('exec', { command: 'ls' })).toMatchObject({ params: { command: 'ls' } })
    const [, second, third] = server.of('calls')
    expect(second?.body.call).toBe(third?.body.call)
  })

  test('an argument that another plugin adds afterwards is an error there', async () => {
    const claw = await quick()
    const params: Record<string, unknown> = { command: 'ls' }
    await claw.call('exec', params)
    expect(() => {
      params.elevated = true
    }).toThrow(TypeError)
  })

  async function quick(configuration: object = {}): Promise<FakeHost> {
    return load({ graceMs: 300, ...configuration })
  }
  async function settled(claw: FakeHost, text: string): Promise<void> {
    const deadline = Date.now() + 3000
    while (!claw.log.some((line) => line.includes(text)) && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 5))
    expect(claw.log.join('\n')).toContain(text)
  }
})
