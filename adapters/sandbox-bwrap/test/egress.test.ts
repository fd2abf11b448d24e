import { once } from 'node:events'
import { createServer as createHttp, type IncomingMessage, type Server } from 'node:http'
import { connect, createServer, type Server as NetServer, type Socket } from 'node:net'
import type { EgressEvent, EgressGate, EgressVerdict } from '@tidegate/kernel'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createEgressBroker, type EgressLimits } from '../src/index.ts'
import { forwardedHeaders } from '../src/egress/headers.ts'
import { parseAbsolute, parseAuthority } from '../src/egress/target.ts'
import { createStage, say } from './stage.ts'

const asked: string[] = []
const events: EgressEvent[] = []
const requests: { readonly url: string; readonly headers: readonly string[]; readonly body: string }[] = []
let web: Server
let raw: NetServer
let verdict: (host: string, port: number) => Promise<EgressVerdict>

const gate: EgressGate = {
  decide: ({ host, port }) => {
    asked.push(`${host}:${port}`)
    return verdict(host, port)
  },
  observed: (event) => events.push(event),
}

function portOf(server: NetServer): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const listed = (): Promise<EgressVerdict> =>
  Promise.resolve({ allowed: true, addresses: [`127.0.0.1:${portOf(web)}`, `127.0.0.1:${portOf(raw)}`] })

async function read(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

beforeAll(async () => {
  web = createHttp(async (request, response) => {
    requests.push({ url: request.url ?? '', headers: request.rawHeaders, body: await read(request) })
    response.setHeader('X-Answer', 'yes')
    response.end('answer')
  })
  raw = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.pipe(socket)
  })
  web.listen(0, '127.0.0.1')
  raw.listen(0, '127.0.0.1')
  await Promise.all([once(web, 'listening'), once(raw, 'listening')])
})
afterAll(() => {
  web.close()
  raw.close()
})
beforeEach(() => {
  asked.length = 0
  events.length = 0
  requests.length = 0
  verdict = listed
})

/** Sends bytes to a broker and answers everything that comes back until the end. */
async function exchange(
  bytes: string,
  options: { readonly limits?: Partial<EgressLimits>; readonly resolve?: (host: string) => Promise<readonly string[]> } = {},
): Promise<string> {
  const broker = createEgressBroker({ gate, resolve: () => Promise.reject(new Error('no names here')), ...options })
  const door = createServer((socket) => broker.accept(socket))
  door.listen(0, '127.0.0.1')
  await once(door, 'listening')
  const socket: Socket = connect(portOf(door), '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1')
  })
  socket.on('error', () => {})
  socket.write(bytes)
  setTimeout(() => socket.end(), 300).unref()
  await once(socket, 'close')
  broker.close()
  door.close()
  return answer
}

describe('what a request asks for', () => {
  test.each([
    ['example.com:443', { host: 'example.com', port: 443 }],
    ['EXAMPLE.com.:443', { host: 'example.com', port: 443 }],
    ['[2001:DB8::1]:80', { host: '2001:db8::1', port: 80 }],
    ['10.0.0.1:80', { host: '10.0.0.1', port: 80 }],
    ['example.com', null],
    ['example.com:0', null],
    ['example.com:65536', null],
    ['example.com:80:80', null],
    ['user@example.com:80', null],
    ['2130706433:80', null],
    ['0x7f.1:80', null],
    ['127.1:80', null],
    ['[::1%eth0]:80', null],
    ['[127.0.0.1]:80', null],
    ['::1:80', null],
    ['exa mple.com:80', null],
    ['ex\u00e4mple.com:80', null],
    [`${'a'.repeat(64)}.com:80`, null],
    ['-a.com:80', null],
    ['a..b:80', null],
    ['', null],
  ])('%j', (text, expected) => {
    expect(parseAuthority(text)).toEqual(expected)
  })

  test.each([
    ['http://example.com/a?b=c', { host: 'example.com', port: 80, path: '/a?b=c', authority: 'example.com' }],
    ['HTTP://Example.com:8080', { host: 'example.com', port: 8080, path: '/', authority: 'example.com:8080' }],
    ['http://example.com?x', { host: 'example.com', port: 80, path: '/?x', authority: 'example.com' }],
    ['http://[::1]/x', { host: '::1', port: 80, path: '/x', authority: '[::1]' }],
    ['https://example.com/', null],
    ['http://user:secret@example.com/', null],
    ['http:///x', null],
    ['/x', null],
    ['ftp://example.com/', null],
  ])('%j', (text, expected) => {
    expect(parseAbsolute(text)).toEqual(expected)
  })
})

test('headers of one hop are not passed on, nor the host that was written', () => {
  const raws = [
    'Host',
    'evil',
    'host',
    'evil2',
    'Connection',
    'keep-alive, X-Hop',
    'X-Hop',
    '1',
    'Proxy-Authorization',
    's',
    'Upgrade',
    'x',
    'Accept',
    '*/*',
  ]
  expect(forwardedHeaders(raws, 'good')).toEqual(['Host', 'good', 'Accept', '*/*', 'Connection', 'close'])
})

describe('the broker', () => {
  test('tunnels to an address that is listed, and reports it', async () => {
    const target = `127.0.0.1:${portOf(raw)}`
    expect(await exchange(`CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\nping`)).toBe(
      'HTTP/1.1 200 Connection Established\r\n\r\nping',
    )
    expect(asked).toEqual([target])
    const where = { host: '127.0.0.1', port: portOf(raw) }
    expect(events).toEqual([
      { kind: 'opened', ...where, address: '127.0.0.1' },
      { kind: 'closed', ...where, bytes: 8, cut: false },
    ])
  })

  test('sends a plain request on, written anew', async () => {
    const port = portOf(web)
    const answer = await exchange(
      `POST http://127.0.0.1:${port}/a?b HTTP/1.1\r\nHost: evil.example\r\nProxy-Authorization: Basic x\r\nX-A: 1\r\nContent-Length: 4\r\n\r\nbody`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(answer).toContain('X-Answer: yes\r\n')
    expect(answer).toMatch(/answer/)
    expect(requests).toEqual([
      {
        url: '/a?b',
        headers: ['Host', `127.0.0.1:${port}`, 'X-A', '1', 'Content-Length', '4', 'Connection', 'close'],
        body: 'body',
      },
    ])
  })

  test('one connection is one request: what follows goes nowhere', async () => {
    const one = `GET http://127.0.0.1:${portOf(web)}/1 HTTP/1.1\r\nHost: x\r\n\r\n`
    await exchange(one + one.replace('/1 ', '/2 '))
    expect(requests.map(({ url }) => url)).toEqual(['/1'])
    expect(asked.length).toBe(1)
  })

  test.each([
    ['both lengths', 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n'],
    ['two lengths', 'Content-Length: 4\r\nContent-Length: 5\r\n'],
    ['a folded header', 'X-A: 1\r\n 2\r\n'],
    ['a bare carriage return', 'X-A: 1\rX-B: 2\r\n'],
    ['a space before the colon', 'X-A : 1\r\n'],
    ['a null byte', 'X-A: 1\0\r\n'],
    ['too much', `X-A: ${'a'.repeat(20_000)}\r\n`],
  ])('does not guess: %s', async (_, header) => {
    await exchange(`POST http://127.0.0.1:${portOf(web)}/ HTTP/1.1\r\nHost: x\r\n${header}\r\n0\r\n\r\n`)
    expect(requests).toEqual([])
    expect(events.filter(({ kind }) => kind === 'opened')).toEqual([])
  })

  test.each([
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET https://x/ HTTP/1.1\r\nHost: x\r\n\r\n',
    'CONNECT x HTTP/1.1\r\nHost: x\r\n\r\n',
    'CONNECT 127.1:80 HTTP/1.1\r\n\r\n',
  ])('answers 400 to %j, and asks nobody', async (request) => {
    expect(await exchange(request)).toMatch(/^HTTP\/1\.1 400 /)
    expect(asked).toEqual([])
  })

  test('a refusal carries its reason in the body alone', async () => {
    verdict = () => Promise.resolve({ allowed: false, reason: 'no\r\nX-Injected: 1' })
    for (const request of ['CONNECT a.example:443 HTTP/1.1\r\n\r\n', 'GET http://a.example/ HTTP/1.1\r\nHost: x\r\n\r\n']) {
      const [head, body] = (await exchange(request)).split('\r\n\r\n')
      expect(head).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/)
      expect(head).not.toContain('X-Injected')
      expect(body).toContain('no')
    }
    expect(events.map(({ kind }) => kind)).toEqual(['refused', 'refused'])
  })

  test.each([
    ['a gate that fails', () => Promise.reject(new Error('broken'))],
    ['a gate that does not answer', () => new Promise<EgressVerdict>(() => {})],
  ])('%s refuses', async (_, decide) => {
    verdict = decide
    expect(await exchange(`CONNECT 127.0.0.1:${portOf(raw)} HTTP/1.1\r\n\r\n`, { limits: { decideMs: 50 } })).toMatch(
      /^HTTP\/1\.1 403 /,
    )
    expect(events).toMatchObject([{ kind: 'refused' }])
  })

  test('an allowed name does not lead to a private address that is not listed', async () => {
    const resolve = (): Promise<readonly string[]> => Promise.resolve(['127.0.0.1', '10.0.0.1', '169.254.169.254', '::1'])
    verdict = () => Promise.resolve({ allowed: true, addresses: ['127.0.0.1:1'] })
    expect(await exchange(`CONNECT inner.example:${portOf(raw)} HTTP/1.1\r\n\r\n`, { resolve })).toMatch(/^HTTP\/1\.1 403 /)
    expect(events).toMatchObject([{ kind: 'refused', reason: expect.stringContaining('not public') }])
  })

  test('a name is resolved once, by the broker', async () => {
    let times = 0
    const resolve = (): Promise<readonly string[]> => {
      times += 1
      return Promise.resolve(['127.0.0.1'])
    }
    expect(await exchange(`CONNECT inner.example:${portOf(raw)} HTTP/1.1\r\n\r\nping`, { resolve })).toContain('ping')
    expect([times, asked]).toEqual([1, [`inner.example:${portOf(raw)}`]])
  })

  test('too many bytes cut a connection', async () => {
    const answer = await exchange(`CONNECT 127.0.0.1:${portOf(raw)} HTTP/1.1\r\n\r\n${'x'.repeat(5_000)}`, {
      limits: { bytes: 1_000 },
    })
    expect(answer.length).toBeLessThan(5_000)
    expect(events.at(-1)).toMatchObject({ kind: 'closed', cut: true })
  })

  test('too long a connection is ended', async () => {
    const started = performance.now()
    await exchange(`CONNECT 127.0.0.1:${portOf(raw)} HTTP/1.1\r\n\r\n`, { limits: { connectionMs: 50 } })
    expect(performance.now() - started).toBeLessThan(290)
  })

  test('too many connections are not taken', async () => {
    expect(await exchange(`CONNECT 127.0.0.1:${portOf(raw)} HTTP/1.1\r\n\r\n`, { limits: { connections: 0 } })).toBe('')
    expect(asked).toEqual([])
  })
})

describe('from inside a sandbox', () => {
  const stage = createStage()
  afterAll(() => stage.close())

  test('the door leads to the broker and nowhere else', async () => {
    const session = await stage.open({ egress: gate })
    const target = `http://127.0.0.1:${portOf(web)}/inside`
    const fetch = (url: string, proxy = 3128): string =>
      `exec 5<>/dev/tcp/127.0.0.1/${proxy} && printf 'GET ${url} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' >&5 && cat <&5`
    expect((await say(session, fetch(target))).out).toContain('answer')
    expect(requests.map(({ url }) => url)).toEqual(['/inside'])
    expect((await say(session, 'echo $http_proxy $HTTPS_PROXY')).out).toBe('http://127.0.0.1:3128 http://127.0.0.1:3128\n')
    // Past the door there is nothing: neither the server itself, nor anybody else on the loopback of the host.
    expect((await say(session, fetch(target, portOf(web)))).code).toBe(1)
    verdict = () => Promise.resolve({ allowed: false, reason: 'never' })
    expect((await say(session, fetch('http://other.example/'))).out).toContain('403 Forbidden')
    await session.close()
  })

  test('a sandbox that was replaced has a door, too, and one without a gate has none', async () => {
    const session = await stage.open({ egress: gate })
    await session.run({ command: 'sleep 10', timeoutMs: 50 })
    expect((await say(session, 'exec 5<>/dev/tcp/127.0.0.1/3128 && echo open')).out).toBe('open\n')
    await session.close()
    const closed = await stage.open()
    expect((await say(closed, 'exec 5<>/dev/tcp/127.0.0.1/3128 && echo open')).out).toBe('')
    await closed.close()
  })
})
