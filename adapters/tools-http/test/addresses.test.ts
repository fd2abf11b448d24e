import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createHttp, type Dialler, type HttpCall, type Resolver } from '../src/index.ts'
import { type MisbehavingServer, startMisbehavingServer } from './misbehaving-server.ts'

let server: MisbehavingServer

beforeAll(async () => {
  server = await startMisbehavingServer()
})

afterAll(() => server.close())

const callOf = (): HttpCall => ({
  arguments: {},
  effectId: 'run-1.0',
  timeoutMs: 2000,
  signal: new AbortController().signal,
  secret: async () => 'none',
})

/** Dials nothing but the double on this machine, whatever it is told, and remembers what it was told. */
function recorder(refuse: readonly string[] = []) {
  const dialled: string[] = []
  const dial: Dialler = async ({ address, port, servername }) => {
    dialled.push(`${address} ${port} ${servername}`)
    if (refuse.includes(address)) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
    const socket = connect({ host: '127.0.0.1', port: server.port })
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return socket
  }
  return { dialled, dial }
}

describe('a name', () => {
  test('is looked up once, and exactly the checked address is dialled, whatever the name says a moment later', async () => {
    const { dialled, dial } = recorder()
    let asked = 0
    const resolve: Resolver = async () => {
      asked += 1
      return asked === 1 ? ['8.8.4.4'] : ['127.0.0.1']
    }
    const http = createHttp({ baseUrl: 'https://desk.example:8443/' }, { resolve, dial })
    expect(await http.get('/good')(callOf())).toMatchObject({ kind: 'done' })
    expect([asked, dialled]).toEqual([1, ['8.8.4.4 8443 desk.example']])
    // The next request looks again, and the name has turned on us.
    expect(await http.get('/good')(callOf())).toMatchObject({ failure: 'refused', retry: 'never', code: 'http_address' })
    expect(dialled).toHaveLength(1)
  })

  test.each([
    [['127.0.0.1']],
    [['::1']],
    [['10.0.0.5']],
    [['169.254.169.254']],
    [['100.100.100.200']],
    [['::ffff:8.8.8.8']],
    [['8.8.8.8', '10.0.0.1']],
    [['8.8.8.8', 'evil.example']],
  ])('that leads to %j is refused, and nothing is dialled', async (addresses) => {
    const { dialled, dial } = recorder()
    const http = createHttp({ baseUrl: 'https://desk.example' }, { resolve: async () => addresses, dial })
    expect(await http.post('/good')(callOf())).toMatchObject({ failure: 'refused', retry: 'never', code: 'http_address' })
    expect(dialled).toEqual([])
  })

  test('of this machine may lead to this machine and nowhere else', async () => {
    const { dialled, dial } = recorder()
    const options = { baseUrl: 'http://localhost:8080', allowLoopback: true }
    expect(await createHttp(options, { resolve: async () => ['127.0.0.1'], dial }).get('/good')(callOf())).toMatchObject({
      kind: 'done',
    })
    expect(await createHttp(options, { resolve: async () => ['8.8.8.8'], dial }).get('/good')(callOf())).toMatchObject({
      code: 'http_address',
    })
    expect(dialled).toEqual(['127.0.0.1 8080 null'])
  })

  test('allowLoopback gives nothing to a base URL elsewhere', async () => {
    const { dialled, dial } = recorder()
    const http = createHttp(
      { baseUrl: 'https://desk.example', allowLoopback: true },
      { resolve: async () => ['127.0.0.1'], dial },
    )
    expect(await http.get('/good')(callOf())).toMatchObject({ code: 'http_address' })
    expect(dialled).toEqual([])
  })

  test.each([
    ['does not exist', async () => Promise.reject(Object.assign(new Error('x'), { code: 'ENOTFOUND' })), 'http_name'],
    ['has no address', async () => [], 'http_name'],
    ['has far too many', async () => Array.from({ length: 100 }, () => '8.8.8.8'), 'http_name'],
    ['is never answered', () => new Promise<string[]>(() => undefined), 'http_timeout'],
  ])('that %s: nothing was sent, so a write is safe to repeat', async (_what, resolve, code) => {
    const http = createHttp({ baseUrl: 'https://desk.example', limits: { connectMs: 50 } }, { resolve, dial: recorder().dial })
    expect(await http.post('/good')(callOf())).toMatchObject({ failure: 'unavailable', retry: 'safe', code })
  })

  test('with several addresses: the next one is tried, up to three', async () => {
    const { dialled, dial } = recorder(['8.8.8.1', '8.8.8.2'])
    const resolve = async () => ['8.8.8.1', '8.8.8.2', '8.8.8.3', '8.8.8.4']
    expect(await createHttp({ baseUrl: 'https://desk.example' }, { resolve, dial }).get('/good')(callOf())).toMatchObject({
      kind: 'done',
    })
    expect(dialled.map((line) => line.split(' ')[0])).toEqual(['8.8.8.1', '8.8.8.2', '8.8.8.3'])
  })
})

test('a hang while connecting ends in time, and nothing was sent', async () => {
  const dial: Dialler = () => new Promise(() => undefined)
  const http = createHttp(
    { baseUrl: 'https://desk.example', limits: { connectMs: 50 } },
    { resolve: async () => ['8.8.8.8'], dial },
  )
  expect(await http.post('/good')(callOf())).toMatchObject({ failure: 'unavailable', retry: 'safe', code: 'http_timeout' })
})

test('TLS that does not come about: nothing was sent, and a write is safe to repeat', async () => {
  const seen = server.requests.length
  const http = createHttp({ baseUrl: `https://127.0.0.1:${server.port}`, allowLoopback: true, limits: { connectMs: 500 } })
  expect(await http.post('/good')(callOf())).toMatchObject({ failure: 'unavailable', retry: 'safe' })
  expect(server.requests.length).toBe(seen)
})
