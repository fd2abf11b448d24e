import { createServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'

/** A server that speaks raw bytes and breaks every rule on request: the first segment of the path says which. */
export interface MisbehavingServer {
  readonly url: string
  readonly port: number
  /** The requests it has read, as text. */
  readonly requests: readonly string[]
  /** True when somebody read an endless answer to its end. */
  readonly drained: boolean
  close(): Promise<void>
}

/** True from a promise says that the caller took everything. */
type Behaviour = (socket: Socket, request: string) => undefined | Promise<boolean>

const OK = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'
const answer = (body: string | Uint8Array, head = OK): Behaviour => {
  const bytes = Buffer.from(body)
  return (socket) => void socket.end(Buffer.concat([Buffer.from(`${head}content-length: ${bytes.length}\r\n\r\n`), bytes]))
}
const status = (line: string, headers: readonly string[] = [], body = ''): Behaviour =>
  answer(body, `HTTP/1.1 ${line}\r\n${headers.map((header) => `${header}\r\n`).join('')}`)
const problem = (line: string, body: unknown, headers: readonly string[] = []): Behaviour =>
  status(line, ['content-type: application/problem+json', ...headers], JSON.stringify(body))

const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  good: answer('{"id":"x-1","extra":true}'),
  partial: answer('{"id":"x-1","complete":false}'),
  range: answer('[1]', `${OK}content-range: items 0-49/130\r\n`),
  'range-whole': answer('[1]', `${OK}content-range: items 0-0/1\r\n`),
  'link-next': answer('[1]', `${OK}link: </x?page=2>; rel="next"\r\n`),
  'list-none': answer('{"items":[]}'),
  'list-one': answer('{"items":[{"id":"a"}]}'),
  'list-two': answer('{"items":[{"id":"a"},{"id":"b"}],"complete":false}'),
  'list-cut': answer('{"items":[],"complete":false}'),
  'list-one-cut': answer('{"items":[{"id":"a"}],"complete":false}'),
  'list-odd': answer('{"items":[1]}'),
  'no-content': status('204 No Content'),
  'hang-headers': () => undefined,
  'hang-body': (socket) => void socket.write(`${OK}content-length: 10\r\n\r\n{"a"`),
  'hang-empty': (socket) => void socket.write(`${OK}content-length: 10\r\n\r\n`),
  async drip(socket) {
    socket.write(`${OK}content-length: 1000\r\n\r\n`)
    for (let i = 0; i < 1000 && !socket.destroyed; i++) {
      socket.write(' ')
      await pause(10)
    }
    return !socket.destroyed
  },
  'reset-before': (socket) => void socket.resetAndDestroy(),
  'reset-body': (socket) => {
    socket.write(`${OK}content-length: 100\r\n\r\n{"a":`)
    setTimeout(() => socket.resetAndDestroy(), 20)
  },
  'short-body': (socket) => void socket.end(`${OK}content-length: 100\r\n\r\n{"a":1}`),
  'huge-declared': (socket) => void socket.write(`${OK}content-length: 99999999\r\n\r\n `),
  async 'huge-chunked'(socket) {
    socket.write(`${OK}transfer-encoding: chunked\r\n\r\n`)
    const chunk = `2000\r\n${' '.repeat(0x2000)}\r\n`
    for (let i = 0; i < 1000 && !socket.destroyed; i++) {
      socket.write(chunk)
      if (i % 16 === 0) await pause(1)
    }
    if (socket.destroyed) return false
    socket.end('0\r\n\r\n')
    return true
  },
  'bad-chunk': (socket) => void socket.end(`${OK}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`),
  'huge-headers': (socket) => void socket.end(`${OK}x-pad: ${'a'.repeat(40_000)}\r\ncontent-length: 2\r\n\r\n{}`),
  'both-lengths': (socket) => void socket.end(`${OK}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`),
  'no-http': (socket) => void socket.end('220 mail.example ESMTP\r\n'),
  'not-json': answer('{"id": '),
  'bad-utf8': answer(Buffer.from('{"id":"\xff\xfe"}', 'latin1')),
  'duplicate-key': answer('{"id":"a","id":"b"}'),
  'proto-key': answer('{"__proto__":{"admin":true}}'),
  'too-deep': answer(`${'['.repeat(40)}${']'.repeat(40)}`),
  html: answer('<h1>Sign in</h1>', 'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n'),
  'no-type': answer('{}', 'HTTP/1.1 200 OK\r\n'),
  latin1: answer('{}', 'HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=iso-8859-1\r\n'),
  gzip: answer(gzipSync('{"id":"x"}'), `${OK}content-encoding: gzip\r\n`),
  'claims-gzip': answer('{"id":"x"}', `${OK}content-encoding: gzip\r\n`),
  'gzip-bomb': answer(gzipSync(Buffer.alloc(20_000_000)), `${OK}content-encoding: gzip\r\n`),
  redirect: status('302 Found', ['location: http://127.0.0.1:1/elsewhere']),
  'see-other': status('303 See Other', ['location: /good']),
  s400: problem('400 Bad Request', { type: 'urn:x:invalid_field', detail: 'secret text' }),
  s404: problem('404 Not Found', { code: 'thing_unknown' }),
  s408: status('408 Request Timeout'),
  s409: problem('409 Conflict', { type: 'https://errors.example/probs/version-conflict' }),
  s422: problem('422 Unprocessable Content', { code: 'amount_exceeds', type: 'urn:other' }),
  s418: status("418 I'm a teapot", ['content-type: text/plain'], 'short and stout'),
  s429: problem('429 Too Many Requests', { code: 'slow_down' }, ['retry-after: 7']),
  s500: problem('500 Internal Server Error', { code: 'internal_error' }),
  s503: status('503 Service Unavailable', ['retry-after: 2']),
  s599: status('599 Odd', []),
}

/** Starts the server on a free port of this machine. */
export async function startMisbehavingServer(): Promise<MisbehavingServer> {
  const requests: string[] = []
  const sockets = new Set<Socket>()
  let drained = false
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    let read = ''
    let answered = false
    socket.on('data', (bytes) => {
      read += bytes.toString('latin1')
      const head = read.indexOf('\r\n\r\n')
      const length = Number(/content-length: (\d+)/i.exec(read)?.[1] ?? 0)
      if (answered || head === -1 || read.length < head + 4 + length) return
      answered = true
      requests.push(read)
      const name = /^[A-Z]+ \/(?:v2\/)?([^/? ]+)/.exec(read)?.[1] ?? ''
      const behave = BEHAVIOURS[name] ?? status('404 Not Found')
      Promise.resolve(behave(socket, read)).then(
        (whole) => {
          drained ||= whole === true
        },
        () => socket.destroy(),
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    get drained() {
      return drained
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
