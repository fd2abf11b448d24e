import { problemSchema } from '@tidegate/protocol'
import { RuntimeError } from '@tidegate/runtime'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createGateway, createTokenAuthenticator, GatewayError, STATUS_OF_CODE } from '../src/index.ts'
import { createFakeTidegate } from './fake-tidegate.ts'
import { authenticate, TOKENS } from './people.ts'
import { type RawAnswer, send, sendBytes } from './raw-request.ts'

const tidegate = createFakeTidegate()
const defects: { error: unknown; incident: string }[] = []
const gateway = createGateway({
  tidegate,
  authenticate,
  version: '0.1.0',
  maxBodyBytes: 2_000,
  onDefect: (error, incident) => defects.push({ error, incident }),
})
let port = 0
beforeAll(async () => {
  port = (await gateway.listen()).port
})
afterAll(() => gateway.close())

const OTTO = { authorization: `Bearer ${TOKENS.otto}` }
const JSON_TYPE = { 'content-type': 'application/json' }
const WORKING = { workflow: 'support-billing', source: 'desk', event: 'e-1', input: { ticketId: 't-1' } }

function codeOf(answer: RawAnswer): string {
  const problem = problemSchema.parse(JSON.parse(answer.text))
  expect(answer.headers['content-type']).toBe('application/problem+json')
  expect(problem.status).toBe(answer.status)
  expect(STATUS_OF_CODE).toHaveProperty(problem.code, answer.status)
  return problem.code
}

const post = (path: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  send(port, 'POST', path, { headers: { ...OTTO, ...JSON_TYPE, ...headers }, body })

describe('who a request is for, and from', () => {
  const cases: readonly (readonly [string, Record<string, string | string[]>, string])[] = [
    ['another name that leads here', { host: 'evil.example' }, 'wrong_host'],
    ['the right name with another port', { host: '127.0.0.1:1' }, 'wrong_host'],
    ['a page of another origin', { ...OTTO, origin: 'http://evil.example' }, 'forbidden_origin'],
    ['a page without an origin', { ...OTTO, origin: 'null' }, 'forbidden_origin'],
    ['a browser on another site', { ...OTTO, 'sec-fetch-site': 'cross-site' }, 'forbidden_origin'],
    ['no token', {}, 'unauthorized'],
    ['another token', { authorization: `Bearer ${TOKENS.otto}x` }, 'unauthorized'],
    ['a token under another scheme', { authorization: `Basic ${TOKENS.otto}` }, 'unauthorized'],
    ['two tokens', { authorization: [`Bearer ${TOKENS.otto}`, `Bearer ${TOKENS.mei}`] }, 'unauthorized'],
  ]
  test.each(cases)('%s is refused', async (_, headers, code) => {
    const before = tidegate.calls.length
    expect(codeOf(await send(port, 'GET', '/v1/runs', { headers }))).toBe(code)
    expect(tidegate.calls.length).toBe(before)
  })

  test('localhost and the origin of the gateway itself will do', async () => {
    const host = `localhost:${port}`
    expect(
      (
        await send(port, 'GET', '/v1/runs', {
          headers: { ...OTTO, host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' },
        })
      ).status,
    ).toBe(200)
  })

  test('two Host headers, and none, are refused', async () => {
    const twice = `GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nHost: evil.example\r\nConnection: close\r\n\r\n`
    expect(await sendBytes(port, twice)).toMatch(/^HTTP\/1\.1 (?:400|421) /)
    expect(await sendBytes(port, 'GET /v1/health HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 421 /)
  })

  test('health needs no token and says nothing', async () => {
    const answer = await send(port, 'GET', '/v1/health')
    expect([answer.status, answer.text]).toEqual([200, '{"status":"ok"}'])
  })

  test('every answer forbids to be kept, framed or guessed at, and allows no other origin', async () => {
    for (const path of ['/v1/health', '/v1/runs', '/nowhere']) {
      const { headers } = await send(port, 'GET', path, { headers: OTTO })
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      })
      expect(
        Object.keys(headers).filter((name) => name.startsWith('access-control') || name === 'server' || name === 'x-powered-by'),
      ).toEqual([])
    }
  })
})

describe('what a request is about', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['GET', '/', 'unknown_route'],
    ['GET', '/v2/runs', 'unknown_route'],
    ['GET', '/v1/runs/', 'invalid_request'],
    ['GET', '/v1/runs/a/b/c', 'unknown_route'],
    ['GET', '/v1/runs/%2e%2e%2fstops', 'invalid_request'],
    ['GET', '/v1/runs/%zz', 'invalid_request'],
    ['GET', '/v1/runs/a%00b', 'invalid_request'],
    ['GET', `/v1/runs/${'x'.repeat(201)}`, 'invalid_request'],
    ['GET', `/v1/runs?workflow=${'x'.repeat(4_100)}`, 'invalid_request'],
    ['GET', '/v1/runs?limit=0', 'invalid_request'],
    ['GET', '/v1/runs?limit=501', 'invalid_request'],
    ['GET', '/v1/runs?limit=1&limit=2', 'invalid_request'],
    ['GET', '/v1/runs?unknown=1', 'invalid_request'],
    ['GET', '/v1/runs?state=sleeping', 'invalid_request'],
    ['GET', '/v1/stops?x=1', 'invalid_request'],
    ['GET', '/v1/ledger/receipt', 'invalid_request'],
    ['GET', '/v1/ledger/receipt?index=1&run=r', 'invalid_request'],
    ['GET', '/v1/runs/none/settled?timeoutMs=60001', 'invalid_request'],
    ['DELETE', '/v1/runs/x', 'method_not_allowed'],
    ['POST', '/v1/health', 'method_not_allowed'],
    ['OPTIONS', '/v1/stops', 'method_not_allowed'],
    ['GET', '/v1/triggers', 'method_not_allowed'],
  ]
  test.each(cases)('%s %s -> %s', async (method, path, code) => {
    const answer = await send(port, method, path, { headers: OTTO })
    expect(codeOf(answer)).toBe(code)
    if (code === 'method_not_allowed') expect(answer.headers.allow).toMatch(/^[A-Z, ]+$/)
  })
})

describe('bodies', () => {
  const good = JSON.stringify(WORKING)
  const cases: readonly (readonly [string, string | Uint8Array, string])[] = [
    ['nothing', '', 'invalid_request'],
    ['no JSON', '{"workflow":', 'malformed_json'],
    ['text behind it', `${good}x`, 'malformed_json'],
    ['a key twice', '{"workflow":"a","workflow":"b"}', 'malformed_json'],
    ['a way to a prototype', '{"__proto__":{"workflow":"a"}}', 'malformed_json'],
    ['a hidden way to a prototype', good.replace('"ticketId"', '"\\u005f_proto__"'), 'malformed_json'],
    ['too deep', `${'['.repeat(40)}${']'.repeat(40)}`, 'malformed_json'],
    ['a lone surrogate', '"\\ud800"', 'malformed_json'],
    ['a byte order mark', `\ufeff${good}`, 'malformed_json'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]), 'invalid_utf8'],
    ['an unknown key', JSON.stringify({ ...WORKING, admin: true }), 'invalid_request'],
    ['a wrong type', JSON.stringify({ ...WORKING, input: [] }), 'invalid_request'],
    ['a blank in an id', JSON.stringify({ ...WORKING, event: 'a b' }), 'invalid_request'],
    ['too large', JSON.stringify({ ...WORKING, input: { text: 'x'.repeat(2_000) } }), 'body_too_large'],
  ]
  test.each(cases)('%s is refused', async (_, body, code) => {
    const before = tidegate.calls.length
    expect(codeOf(await post('/v1/triggers', body))).toBe(code)
    expect(tidegate.calls.length).toBe(before)
  })

  test('another type, and a compressed one, are refused', async () => {
    expect(codeOf(await post('/v1/triggers', good, { 'content-type': 'text/plain' }))).toBe('unsupported_media_type')
    expect(codeOf(await post('/v1/triggers', good, { 'content-encoding': 'gzip' }))).toBe('unsupported_media_type')
  })

  test('one that is too large is refused before it has arrived, also when its size is not announced', async () => {
    const chunked = await send(port, 'POST', '/v1/triggers', {
      headers: { ...OTTO, ...JSON_TYPE },
      body: 'x'.repeat(20_000),
      chunked: true,
    })
    expect(codeOf(chunked)).toBe('body_too_large')
    expect(chunked.headers.connection).toBe('close')
    const endless = `POST /v1/triggers HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${TOKENS.otto}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n${'x'.repeat(5_000)}\r\n`
    const startedMs = performance.now()
    expect(await sendBytes(port, endless)).toMatch(/^HTTP\/1\.1 413 /)
    expect(performance.now() - startedMs).toBeLessThan(5_000)
    const head = `POST /v1/triggers HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${TOKENS.otto}\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{`
    expect(await sendBytes(port, head)).toMatch(/^HTTP\/1\.1 413 /)
  })

  test('half a body that would be valid is not acted on', async () => {
    const before = tidegate.calls.length
    const { connect } = await import('node:net')
    const socket = connect(port, '127.0.0.1')
    socket.write(
      `POST /v1/triggers HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${TOKENS.otto}\r\nContent-Type: application/json\r\nContent-Length: ${good.length + 5}\r\n\r\n${good}`,
    )
    await new Promise((resolve) => setTimeout(resolve, 50))
    socket.destroy()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(tidegate.calls.length).toBe(before)
  })

  test('a body where none belongs is refused', async () => {
    expect(codeOf(await send(port, 'GET', '/v1/runs', { headers: { ...OTTO, ...JSON_TYPE }, body: '{}' }))).toBe('body_too_large')
    expect(codeOf(await post('/v1/ledger/verify', '{}'))).toBe('invalid_request')
  })

  test('what is not HTTP, and headers that are too large, are refused', async () => {
    expect(await sendBytes(port, 'HELLO\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
    const large = `GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-Large: ${'x'.repeat(9_000)}\r\n\r\n`
    expect(await sendBytes(port, large)).toMatch(/^HTTP\/1\.1 431 /)
  })
})

describe('what goes wrong inside', () => {
  test('a defect is told as an incident and nothing else', async () => {
    tidegate.failNext('runs', new Error('secret-token-1234 at /home/somebody/file.ts'))
    const answer = await send(port, 'GET', '/v1/runs', { headers: OTTO })
    expect(codeOf(answer)).toBe('internal_error')
    expect(answer.text).not.toMatch(/secret|somebody|\.ts/)
    expect(defects.at(-1)).toMatchObject({ incident: JSON.parse(answer.text).incident })
  })

  test('a run whose content is erased, and a server that ends, are told as such', async () => {
    const before = defects.length
    tidegate.failNext('run', new RuntimeError('run_erased', 'The content of run r has been erased.'))
    expect(codeOf(await send(port, 'GET', '/v1/runs/r', { headers: OTTO }))).toBe('run_erased')
    tidegate.failNext('run', new RuntimeError('runtime_closed', 'closed'))
    expect(codeOf(await send(port, 'GET', '/v1/runs/r', { headers: OTTO }))).toBe('shutting_down')
    expect(defects.length).toBe(before)
  })

  test('an export to a directory that will not do says why', async () => {
    tidegate.failNext('exportLedger', Object.assign(new Error('/x is not empty.'), { code: 'state_unusable' }))
    const answer = await post('/v1/ledger/export', '{"directory":"/x"}')
    expect([codeOf(answer), JSON.parse(answer.text).detail]).toEqual(['directory_unusable', '/x is not empty.'])
  })

  test.each([
    ['journal_full', 'storage_full', 'Free some space'],
    ['journal_unwritable', 'storage_unwritable', 'start the server again'],
    ['journal_corrupt', 'storage_failed', 'The log of the server says why'],
  ])('a store that fails with %s is told as %s, with the cure', async (code, told, cure) => {
    tidegate.failNext('trigger', Object.assign(new Error('the file'), { name: 'JournalError', code }))
    const answer = await post('/v1/triggers', JSON.stringify({ ...WORKING, event: code }))
    expect([codeOf(answer), JSON.parse(answer.text).detail]).toEqual([told, expect.stringContaining(cure)])
  })
})

describe('what takes too long', () => {
  const slow = createFakeTidegate()
  const impatient = createGateway({ tidegate: slow, authenticate, version: '0', timeoutMs: 60, arrivalTimeoutMs: 300 })
  let slowPort = 0
  beforeAll(async () => {
    slowPort = (await impatient.listen()).port
  })
  afterAll(() => impatient.close())

  test('an answer of the runtime', async () => {
    slow.hangNext('trigger')
    slow.hangNext('runs')
    const options = { headers: { ...OTTO, ...JSON_TYPE } }
    expect(codeOf(await send(slowPort, 'GET', '/v1/runs', { headers: OTTO }))).toBe('timeout')
    const change = await send(slowPort, 'POST', '/v1/triggers', { ...options, body: JSON.stringify(WORKING) })
    expect(codeOf(change)).toBe('timeout')
    expect(change.text).toContain('may still happen')
  })

  test('a request that trickles in', async () => {
    const half = `POST /v1/stops HTTP/1.1\r\nHost: 127.0.0.1:${slowPort}\r\nAuthorization: Bearer ${TOKENS.otto}\r\nContent-Length: 10\r\n\r\n{`
    expect(await sendBytes(slowPort, half)).toMatch(/^HTTP\/1\.1 408 /)
    expect(await sendBytes(slowPort, 'GET /v1/health HT')).toMatch(/^HTTP\/1\.1 408 /)
  })
})

describe('tokens', () => {
  test.each([['short'], [`${'x'.repeat(40)} y`], [`${'x'.repeat(40)}\u00e9`]])('%s is too weak', (token) => {
    const create = () => createTokenAuthenticator([{ person: { id: 'user:a', roles: [] }, token }])
    expect(create).toThrow(GatewayError)
  })

  test('two people cannot share one', () => {
    const holder = (id: string) => ({ person: { id, roles: [] }, token: 'x'.repeat(40) })
    expect(() => createTokenAuthenticator([holder('user:a'), holder('user:b')])).toThrow(GatewayError)
  })

  test('each token is its own person, and a prefix is nobody', () => {
    expect(authenticate(TOKENS.mei)?.id).toBe('user:mei')
    expect(authenticate(TOKENS.mei.slice(0, -1))).toBeUndefined()
    expect(authenticate('')).toBeUndefined()
  })
})

test('a host that is none, and a port that is taken, are refused', async () => {
  expect(() => createGateway({ tidegate, authenticate, version: '0', host: 'a b' })).toThrow(GatewayError)
  await expect(createGateway({ tidegate, authenticate, version: '0', port }).listen()).rejects.toMatchObject({
    code: 'gateway_listen_failed',
  })
})
