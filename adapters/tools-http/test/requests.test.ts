import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { createHttp, type HttpCall, type HttpOptions } from '../src/index.ts'
import { parsePathTemplate } from '../src/path-template.ts'
import { type MisbehavingServer, startMisbehavingServer } from './misbehaving-server.ts'

let server: MisbehavingServer

beforeAll(async () => {
  server = await startMisbehavingServer()
})

afterAll(() => server.close())

const SECRETS: Readonly<Record<string, string>> = { token: 'the-bearer-token', key: 'the-api-key', broken: 'two\r\nlines' }
const callOf = (args: HttpCall['arguments'] = {}, more: Partial<HttpCall> = {}): HttpCall => ({
  arguments: args,
  effectId: 'run-1.0',
  timeoutMs: 5000,
  signal: new AbortController().signal,
  async secret(name) {
    const value = SECRETS[name]
    if (value === undefined) throw new Error('no such secret')
    return value
  },
  ...more,
})
const httpOf = (options: Partial<HttpOptions> = {}) =>
  createHttp({ baseUrl: `${server.url}/v2/`, allowLoopback: true, ...options })

test('a request carries what was declared and nothing else', async () => {
  const http = httpOf({ bearer: 'token', secretHeaders: { 'x-api-key': 'key' } })
  const send = http.post('/good/{id}', {
    query: ({ effectId }) => ({ reference: effectId, none: undefined, q: 'a&b=c', n: 3 }),
    body: ({ arguments: args }) => ({ amount: args.amount ?? null }),
  })
  expect(await send(callOf({ id: '李 x'.replace(' ', '-'), amount: 5 }, { idempotencyKey: 'run-1.0' }))).toMatchObject({
    kind: 'done',
  })
  const request = server.requests.at(-1) ?? ''
  expect(request).toMatch(/^POST \/v2\/good\/%E6%9D%8E-x\?reference=run-1\.0&q=a%26b%3Dc&n=3 HTTP\/1\.1\r\n/)
  for (const header of [
    'authorization: Bearer the-bearer-token',
    'x-api-key: the-api-key',
    'idempotency-key: run-1.0',
    'accept-encoding: identity',
    'content-type: application/json',
    'connection: close',
  ]) {
    expect(request.toLowerCase()).toContain(header.toLowerCase())
  }
  expect(request).toMatch(/\r\n\r\n\{"amount":5\}$/)
  expect(request.split('\r\n')[0]).not.toContain('the-')
})

test('a GET has no body and no key', async () => {
  await httpOf().get('/good')(callOf())
  expect(server.requests.at(-1)).not.toMatch(/idempotency-key|content-type|authorization/i)
})

describe('path parameters', () => {
  test.each([
    '..',
    '.',
    '...',
    'a/b',
    '../x',
    'a\\b',
    '%2f',
    '%2e%2e',
    'a?b',
    'a#b',
    'a;b',
    'a b',
    'a\nb',
    '',
    'x'.repeat(300),
    '\ud800',
    1.5,
    Number.NaN,
    null,
    true,
    ['a'],
    { a: 1 },
  ])('%j never reaches the far side', async (id) => {
    const seen = server.requests.length
    const call = callOf({ id: id as string })
    expect(await httpOf().post('/good/{id}')(call)).toMatchObject({
      failure: 'refused',
      retry: 'never',
      code: 'http_path_parameter',
    })
    expect(server.requests.length).toBe(seen)
  })

  test('a missing one, and one that only the prototype has', async () => {
    expect(await httpOf().get('/good/{id}')(callOf())).toMatchObject({ code: 'http_path_parameter' })
    expect(await httpOf().get('/good/{constructor}')(callOf())).toMatchObject({ code: 'http_path_parameter' })
  })

  test('law: whatever fills a template stays in its segment, for every reader of URLs', () => {
    const template = parsePathTemplate('/a/{x}/b')
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (x) => {
        const filled = template.fill({ x })
        if (!filled.ok) return
        const url = new URL(filled.path, 'https://h.example')
        expect(url.pathname).toBe(filled.path)
        expect(decodeURIComponent(url.pathname).split('/')).toEqual(['', 'a', x, 'b'])
      }),
      { numRuns: 500 },
    )
  })

  test.each([
    '',
    'x',
    '/',
    '/a//b',
    '/a/',
    '/../x',
    '/./x',
    '/a?b',
    '/a#b',
    '/%2e',
    '/{}',
    '/a{b}',
    '/{a}{b}',
    '//evil.example',
    '/a b',
    '/\\x',
    'https://evil.example/',
  ])('template %j is refused', (path) => {
    expect(() => httpOf().get(path)).toThrow(expect.objectContaining({ code: 'http_path' }))
  })
})

describe('what cannot be built is refused before anything is sent', () => {
  const refused = async (send: (call: HttpCall) => Promise<unknown>, code: string, retry = 'never') => {
    const seen = server.requests.length
    const result = await send(callOf())
    expect(result).toMatchObject({ kind: 'failed', code, retry })
    expect(JSON.stringify(result)).not.toMatch(/lines|the-bearer/)
    expect(server.requests.length).toBe(seen)
  }
  const throws = () => {
    throw new Error('the-bearer-token')
  }

  test('a builder that throws', () => refused(httpOf().post('/good', { body: throws }), 'http_request'))
  test('a secret that nobody has', () => refused(httpOf({ bearer: 'none' }).get('/good'), 'http_secret', 'safe'))
  test('a secret that never comes', async () => {
    const secret = () => new Promise<string>(() => undefined)
    const send = httpOf({ bearer: 'token' }).post('/good')
    expect(await send(callOf({}, { secret, signal: AbortSignal.timeout(30) }))).toMatchObject({
      code: 'http_secret',
      retry: 'safe',
    })
  })
  test('a secret that would break out of its header', () => refused(httpOf({ bearer: 'broken' }).get('/good'), 'http_secret'))
  test('a body that is too large', () =>
    refused(httpOf({ limits: { maxRequestBytes: 10 } }).post('/good', { body: () => 'x'.repeat(20) }), 'http_request_size'))
  test('a query that is too long', () =>
    refused(httpOf().get('/good', { query: () => ({ q: 'x'.repeat(5000) }) }), 'http_target'))
  test('a key that would break out of its header', () =>
    refused((call) => httpOf().post('/good')({ ...call, idempotencyKey: 'a\r\nx: y' }), 'http_request'))
})

test.each([
  [{ baseUrl: 'nonsense' }, 'http_base_url'],
  [{ baseUrl: 'ftp://x.example' }, 'http_base_url'],
  [{ baseUrl: 'http://desk.example' }, 'http_base_url'],
  [{ baseUrl: 'https://user:pw@desk.example' }, 'http_base_url'],
  [{ baseUrl: 'https://desk.example/?a=1' }, 'http_base_url'],
  [{ baseUrl: 'https://desk.example/#a' }, 'http_base_url'],
  [{ baseUrl: 'http://127.0.0.1:80', allowLoopback: false }, 'http_base_url'],
  [{ baseUrl: 'http://2130706433:80', allowLoopback: false }, 'http_base_url'],
  [{ baseUrl: 'https://10.0.0.1' }, 'http_base_url'],
  [{ baseUrl: 'https://169.254.169.254' }, 'http_base_url'],
  [{ baseUrl: 'https://[::ffff:10.0.0.1]' }, 'http_base_url'],
  [{ baseUrl: 'https://desk.example', allow: ['https://desk.example:8443'] }, 'http_base_url'],
  [{ limits: { totalMs: 0 } }, 'http_option'],
  [{ limits: { totalMs: 1e9 } }, 'http_option'],
  [{ limits: { colour: 1 } as never }, 'http_option'],
  [{ secretHeaders: { authorization: 'x' } }, 'http_option'],
  [{ secretHeaders: { 'X-Key': 'x' } }, 'http_option'],
] as const)('options %j are refused', (options, code) => {
  expect(() => httpOf(options)).toThrow(expect.objectContaining({ code, message: expect.not.stringContaining('pw') }))
})

describe('looking', () => {
  const output = () => ({ found: true })
  test.each([
    ['/good', '/items', 'unknown'],
    ['/s500', '/items', 'unknown'],
    ['/range-whole', '', 'unknown'],
    ['/not-json', '/items', 'unknown'],
  ])('%s at %j is %s', async (path, items, kind) => {
    expect(await httpOf().lookUp(path, { items, output })(callOf())).toMatchObject({ kind })
  })

  test.each([
    ['/list-none', { kind: 'absent' }],
    ['/list-one', { kind: 'happened', output: { found: true } }],
    ['/list-two', { kind: 'doubled', count: 2, output: { found: true } }],
    ['/list-cut', { kind: 'unknown' }],
    ['/list-one-cut', { kind: 'unknown' }],
    ['/list-odd', { kind: 'unknown' }],
  ])('%s is %j', async (path, found) => {
    expect(await httpOf().lookUp(path, { output })(callOf())).toMatchObject(found)
  })

  test('only what is this effect counts', async () => {
    const where = (item: { readonly id?: unknown }) => item.id === 'b'
    expect(await httpOf().lookUp('/list-one', { where, output })(callOf())).toEqual({ kind: 'absent' })
    expect(await httpOf().lookUp('/list-two', { where, output })(callOf())).toMatchObject({ kind: 'unknown' })
  })

  test('a check that cannot look does not hold', async () => {
    const says = 'it is there'
    expect(await httpOf().check('/good', { holds: () => true, says })(callOf(), {})).toEqual({
      holds: true,
      detail: 'Seen: it is there.',
    })
    expect(await httpOf().check('/good', { holds: () => false, says })(callOf(), {})).toMatchObject({ holds: false })
    expect(await httpOf().check('/s503', { holds: () => true, says })(callOf(), {})).toMatchObject({ holds: false })
  })
})
