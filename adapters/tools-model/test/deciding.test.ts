import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createModelProxy, type HostModel, ToolsModelError } from '../src/index.ts'
import { createEventSplitter } from '../src/split-events.ts'
import { ask } from './ask.ts'
import { type FakeProvider, startFakeProvider } from './fake-provider.ts'

// What is decided on is what is sent, once, to the one place, with the key of the project.

let provider: FakeProvider
beforeAll(async () => {
  provider = await startFakeProvider()
})
afterAll(() => provider.close())

const modelOf = (more: Partial<HostModel> = {}): HostModel => {
  return { host: 'claw', format: 'openai', baseUrl: `${provider.url}/v1`, secret: 'key', timeoutMs: 5_000, ...more }
}
const proxyOf = (more: Partial<HostModel> = {}) => createModelProxy({ models: [modelOf(more)] })
const chat = { model: 'plain', messages: [{ role: 'user', content: 'hi' }] }
const QUIET = { head: () => undefined, write: async () => undefined, end: () => undefined }
const open = (proxy: ReturnType<typeof proxyOf>, body: string | Uint8Array, more: object = {}) =>
  proxy.open({
    ...{ host: 'claw', method: 'POST', path: '/v1/chat/completions', query: '', headers: {} },
    ...{ body: Buffer.from(body), sink: QUIET, gone: new AbortController().signal, ...more },
  })

describe('what is decided on', () => {
  test.each([
    ['another host', { host: 'other' }],
    ['another body', { digest: '0'.repeat(64) }],
    ['another path', { path: '/v1/models' }],
    ['another place for the reply', { stream: 'f'.repeat(32) }],
  ])('is what is sent: %s is refused, and nothing is sent', async (_, changes) => {
    const before = provider.asked.length
    const { result } = await ask(proxyOf(), { json: chat, changes })
    expect(result).toMatchObject({ kind: 'failed', failure: 'refused', retry: 'never' })
    expect(provider.asked.length).toBe(before)
  })

  test('is sent once', async () => {
    const proxy = proxyOf()
    const opened = open(proxy, JSON.stringify(chat))
    if (opened.kind !== 'opened') throw new Error(opened.message)
    const call = {
      operation: opened.operation,
      arguments: opened.arguments,
      session: 's',
      effectId: 'r.0',
      attempt: 1,
      timeoutMs: 5_000,
      secret: async () => 'sk-key-0123456789',
    }
    const results = await Promise.all([proxy.connector.execute(call), proxy.connector.execute(call)])
    expect(results.map(({ kind }) => kind).toSorted()).toEqual(['done', 'failed'])
    opened.close()
    expect(await proxy.connector.execute(call)).toMatchObject({ kind: 'failed', failure: 'refused' })
  })

  test('is not sent without the key: a stop takes it back', async () => {
    const before = provider.asked.length
    expect((await ask(proxyOf(), { json: chat, key: null })).result).toMatchObject({ kind: 'failed', failure: 'refused' })
    expect((await ask(proxyOf(), { json: chat, key: 'two\r\nlines' })).result).toMatchObject({
      kind: 'failed',
      failure: 'refused',
    })
    expect(provider.asked.length).toBe(before)
  })

  test('needs no key where the project names none', async () => {
    const { secret: _, ...without } = modelOf()
    await ask(createModelProxy({ models: [without] }), { json: chat, key: null })
    expect(provider.asked.at(-1)?.head).not.toMatch(/authorization/i)
  })

  test('is written anew: of two members with one name the one that we read is sent', async () => {
    const proxy = proxyOf()
    const opened = open(proxy, '{"model":"a","messages":[],"model":"plain","__proto__":{"x":1},"constructor":2}')
    expect(opened).toMatchObject({
      arguments: { request: '{"model":"plain","messages":[],"__proto__":{"x":1},"constructor":2}', model: 'plain' },
    })
  })

  test('is recorded with its end when it is long, and sent whole', async () => {
    const long = { ...chat, messages: [{ role: 'user', content: `first${'🎈'.repeat(300_000)}last` }] }
    const opened = open(proxyOf(), JSON.stringify(long))
    if (opened.kind !== 'opened') throw new Error(opened.message)
    const request = String(opened.arguments.request)
    expect(request.length).toBeLessThanOrEqual(262_200)
    expect(request.isWellFormed()).toBe(true)
    expect(request).toMatch(/first[\s\S]*left out here[\s\S]*last/)
    expect(opened.arguments).toMatchObject({ isCut: true, bytes: Buffer.byteLength(JSON.stringify(long)) })
    await ask(proxyOf(), { json: long })
    expect(provider.asked.at(-1)?.body).toBe(JSON.stringify(long))
  })

  test.each([
    ['[]', {}],
    ['"x"', {}],
    ['', {}],
    [new Uint8Array([0x7b, 0xff, 0x7d]), {}],
    [`${'[{"a":'.repeat(20_000)}1${'}]'.repeat(20_000)}`, {}],
    ['{}', { path: '/v1/../admin' }],
    ['{}', { path: '/v1/files' }],
    ['{}', { path: 'constructor' }],
    ['{}', { method: 'DELETE' }],
    ['{}', { query: 'a=b#c' }],
    ['{}', { query: 'u=http://127.0.0.1/' }],
    ['{}', { host: 'nobody' }],
  ])('is none of ours: %j %j', (body, more) => {
    expect(open(proxyOf(), body, more)).toMatchObject({ kind: 'unprepared' })
  })
})

describe('the place of a model', () => {
  test.each([
    ['https://api.example.com/v1', false],
    ['http://127.0.0.1:8000/v1', false],
    ['http://localhost:11434/v1', false],
    ['http://[::1]:8000', false],
    ['http://10.0.0.5:8000/v1', true],
    ['https://10.0.0.5/v1', true],
    ['http://vllm.internal:8000/v1', true],
  ])('may be %s (private: %s)', (baseUrl, isPrivate) => {
    expect(() => createModelProxy({ models: [modelOf({ baseUrl, isPrivate })] })).not.toThrow()
  })

  test.each([
    ['http://api.example.com/v1', false],
    ['http://10.0.0.5:8000/v1', false],
    ['https://10.0.0.5/v1', false],
    ['http://169.254.169.254/latest', true],
    ['http://100.100.100.200/latest', true],
    ['http://[fd00:ec2::254]/', true],
    ['https://user:secret@api.example.com/', false],
    ['https://api.example.com/v1?key=secret', false],
    ['https://api.example.com/#x', false],
    ['ftp://api.example.com/', false],
    ['http://8.8.8.8/', true],
    ['nonsense', false],
  ])('may not be %s (private: %s)', (baseUrl, isPrivate) => {
    const make = () => createModelProxy({ models: [modelOf({ baseUrl, isPrivate })] })
    expect(make).toThrow(ToolsModelError)
    expect(make).not.toThrow(/secret/)
  })

  test('a name that leads elsewhere is not called: to this machine, to a private network, to both', async () => {
    for (const addresses of [['127.0.0.1'], ['10.0.0.1'], ['8.8.8.8', '127.0.0.1'], ['::ffff:127.0.0.1'], []]) {
      const proxy = createModelProxy({
        models: [modelOf({ baseUrl: 'https://api.example.com/v1' })],
        resolve: async () => addresses,
      })
      expect((await ask(proxy, { json: chat })).result).toMatchObject({
        kind: 'failed',
        failure: 'unavailable',
        code: 'model_not_reached',
      })
    }
  })

  test('what is said in the clear stays in a private network', async () => {
    const proxy = createModelProxy({
      models: [modelOf({ baseUrl: 'http://vllm.internal/v1', isPrivate: true })],
      resolve: async () => ['8.8.8.8'],
    })
    expect((await ask(proxy, { json: chat })).result).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('not called'),
    })
  })

  test('nobody there is a failure that says so', async () => {
    const { result } = await ask(proxyOf({ baseUrl: 'http://127.0.0.1:1/v1' }), { json: chat })
    expect(result).toMatchObject({ kind: 'failed', failure: 'unavailable', message: expect.stringContaining('ECONNREFUSED') })
    expect(result).not.toHaveProperty('usage')
  })
})

test('an event without end is passed on before it fills the memory', () => {
  const splitter = createEventSplitter(10)
  expect(splitter.push(Buffer.from('data: 1234567890'))).toMatchObject([{ isEvent: false }])
  const rest = splitter.push(Buffer.from('more\n\ndata: 1\n\n'))
  expect(rest.map(({ bytes, isEvent }) => [Buffer.from(bytes).toString(), isEvent])).toEqual([
    ['more\n\n', false],
    ['data: 1\n\n', true],
  ])
})

test('however a stream is cut, its pieces are the stream, and its events the same', () => {
  const line = fc.constantFrom('data: {"a":1}', 'data: ü🎈', ': x', 'event: y', '')
  const ending = fc.constantFrom('\n', '\r\n', '\r')
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 12 }),
      ending,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 }),
      (lines, end, sizes) => {
        const bytes = Buffer.from(lines.map((each) => each + end).join(''))
        const whole = createEventSplitter()
        const expected = [...whole.push(bytes), ...whole.end()]
        const splitter = createEventSplitter()
        const pieces: { bytes: Uint8Array; isEvent: boolean }[] = []
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length] ?? 1
          pieces.push(...splitter.push(bytes.subarray(at, at + size)))
          at += size
        }
        pieces.push(...splitter.end())
        expect(Buffer.concat(pieces.map((piece) => piece.bytes)).equals(bytes)).toBe(true)
        const textOf = (list: readonly { bytes: Uint8Array; isEvent: boolean }[]) =>
          list.map((piece) => [Buffer.from(piece.bytes).toString('utf8'), piece.isEvent])
        expect(textOf(pieces)).toEqual(textOf(expected))
      },
    ),
  )
})
