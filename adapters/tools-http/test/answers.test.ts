import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHttp, type Http, type HttpCall, pick } from '../src/index.ts'
import { type MisbehavingServer, startMisbehavingServer } from './misbehaving-server.ts'

let server: MisbehavingServer
let http: Http

beforeAll(async () => {
  server = await startMisbehavingServer()
  const limits = { connectMs: 1000, headersMs: 150, bodyMs: 150, totalMs: 600, maxResponseBytes: 65_536 }
  http = createHttp({ baseUrl: server.url, allowLoopback: true, bearer: 'token', limits })
})

afterAll(() => server.close())

const TOKEN = 'a-token-that-nobody-may-see'
const callOf = (args = {}): HttpCall => ({
  arguments: args,
  effectId: 'run-1.0',
  timeoutMs: 5000,
  signal: new AbortController().signal,
  secret: async () => TOKEN,
})
const get = (name: string) => http.get(`/${name}`)(callOf())
const post = (name: string) => http.post(`/${name}`, { body: () => ({ a: 1 }) })(callOf())

test.each([
  ['good', { id: 'x-1', extra: true }, true],
  ['partial', { id: 'x-1', complete: false }, false],
  ['range', [1], false],
  ['range-whole', [1], true],
  ['link-next', [1], false],
  ['no-content', null, true],
])('%s is done', async (name, output, complete) => {
  expect(await get(name)).toEqual({ kind: 'done', output, complete })
  expect(await post(name)).toEqual({ kind: 'done', output, complete })
})

// What each misbehaviour means for a read and for a write. A write is repeated only where the far side says that it did nothing.
test.each([
  ['hang-headers', 'timeout', 'safe', 'unknown', 'http_timeout'],
  ['hang-body', 'timeout', 'safe', 'unknown', 'http_timeout'],
  ['drip', 'timeout', 'safe', 'unknown', 'http_timeout'],
  ['reset-before', 'unavailable', 'safe', 'unknown', 'http_cut'],
  ['reset-body', 'unavailable', 'safe', 'unknown', 'http_cut'],
  ['short-body', 'unavailable', 'safe', 'unknown', 'http_cut'],
  ['bad-chunk', 'unavailable', 'safe', 'unknown', 'http_cut'],
  ['huge-headers', 'unavailable', 'safe', 'unknown', 'http_cut'],
  ['both-lengths', 'unavailable', 'safe', 'unknown', 'http_cut'],
  ['no-http', 'unavailable', 'safe', 'unknown', 'http_cut'],
  ['huge-declared', 'invalid_output', 'safe', 'unknown', 'http_answer'],
  ['huge-chunked', 'invalid_output', 'safe', 'unknown', 'http_answer'],
  ['not-json', 'invalid_output', 'safe', 'unknown', 'http_answer'],
  ['bad-utf8', 'invalid_output', 'safe', 'unknown', 'http_answer'],
  ['duplicate-key', 'invalid_output', 'safe', 'unknown', 'http_answer'],
  ['proto-key', 'invalid_output', 'safe', 'unknown', 'http_answer'],
  ['too-deep', 'invalid_output', 'safe', 'unknown', 'http_answer'],
  ['html', 'invalid_output', 'safe', 'unknown', 'http_answer'],
  ['no-type', 'invalid_output', 'safe', 'unknown', 'http_answer'],
  ['latin1', 'invalid_output', 'safe', 'unknown', 'http_answer'],
  ['gzip', 'invalid_output', 'safe', 'unknown', 'http_answer'],
  ['claims-gzip', 'invalid_output', 'safe', 'unknown', 'http_answer'],
  ['gzip-bomb', 'invalid_output', 'safe', 'unknown', 'http_answer'],
  ['redirect', 'refused', 'never', 'unknown', 'http_302'],
  ['see-other', 'refused', 'never', 'unknown', 'http_303'],
  ['s400', 'semantic', 'never', 'never', 'invalid_field'],
  ['s404', 'semantic', 'never', 'never', 'thing_unknown'],
  ['s408', 'unavailable', 'safe', 'unknown', 'http_408'],
  ['s409', 'semantic', 'never', 'never', 'version-conflict'],
  ['s418', 'semantic', 'never', 'never', 'http_418'],
  ['s422', 'semantic', 'never', 'never', 'amount_exceeds'],
  ['s429', 'unavailable', 'safe', 'safe', 'slow_down'],
  ['s500', 'unavailable', 'safe', 'unknown', 'internal_error'],
  ['s503', 'unavailable', 'safe', 'unknown', 'http_503'],
  ['s599', 'unavailable', 'safe', 'unknown', 'http_599'],
])('%s is %s: read %s, write %s', async (name, failure, read, write, code) => {
  const seen = server.requests.length
  expect(await get(name)).toMatchObject({ kind: 'failed', failure, retry: read, code })
  expect(await post(name)).toMatchObject({ kind: 'failed', failure, retry: write, code })
  // One request each: nothing is sent a second time, and no redirect is followed.
  expect(server.requests.length - seen).toBe(2)
})

test('each phase has its time', async () => {
  for (const [name, phase] of [
    ['hang-headers', 'headers'],
    ['hang-empty', 'body'],
    ['hang-body', 'body'],
    ['drip', 'total'],
  ] as const) {
    expect(await get(name)).toMatchObject({ message: expect.stringContaining(`(${phase})`) })
  }
})

test('an answer that is too large is left while it streams', async () => {
  expect(await get('huge-chunked')).toMatchObject({ failure: 'invalid_output' })
  await new Promise((resolve) => setTimeout(resolve, 150))
  expect(server.drained).toBe(false)
})

test('Retry-After is passed on', async () => {
  expect(await post('s429')).toMatchObject({ retryAfterMs: 7000 })
  expect(await get('s503')).toMatchObject({ retryAfterMs: 2000 })
  expect(await get('s500')).not.toHaveProperty('retryAfterMs')
})

test('failures repeat neither the free text of the far side, nor values, nor the token', async () => {
  for (const name of ['s400', 's422', 'html', 'hang-headers', 'redirect']) {
    const said = JSON.stringify(await post(name))
    for (const text of ['secret text', 'Sign in', TOKEN, '/elsewhere', '127.0.0.1']) expect(said).not.toContain(text)
  }
})

test('the caller ends an exchange at any time', async () => {
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 40)
  const startedMs = performance.now()
  expect(await http.post('/hang-headers')({ ...callOf(), signal: controller.signal })).toMatchObject({
    retry: 'unknown',
    failure: 'timeout',
  })
  expect(performance.now() - startedMs).toBeLessThan(140)
  const seen = server.requests.length
  expect(await http.post('/good')({ ...callOf(), signal: AbortSignal.abort() })).toMatchObject({
    retry: 'safe',
    failure: 'unavailable',
  })
  expect(server.requests.length).toBe(seen)
})

test('nothing listens: nothing was sent, so a write is safe to repeat', async () => {
  const nobody = createHttp({ baseUrl: 'http://127.0.0.1:9', allowLoopback: true })
  expect(await nobody.post('/x')(callOf())).toMatchObject({ failure: 'unavailable', retry: 'safe', code: 'http_connect' })
})

test('select makes the output; one that fails is an answer of no use', async () => {
  expect(await http.get('/good', { select: pick('id') })(callOf())).toMatchObject({ kind: 'done', output: { id: 'x-1' } })
  const broken = () => {
    throw new Error('no such part')
  }
  expect(await http.get('/good', { select: broken })(callOf())).toMatchObject({ failure: 'invalid_output', retry: 'safe' })
  expect(await http.post('/good', { select: broken })(callOf())).toMatchObject({ failure: 'invalid_output', retry: 'unknown' })
})
