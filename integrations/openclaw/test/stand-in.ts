import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request that the stand-in was sent. */
export interface Asked {
  readonly path: string
  readonly authorization: string | undefined
  readonly body: Readonly<Record<string, unknown>>
}

/** What the stand-in does with a call: answers it, or behaves badly. */
export type Reply =
  | Readonly<Record<string, unknown>>
  | 'hang'
  | 'garbage'
  | 'huge'
  | 'cut'
  | 'reset'
  | { readonly status: number; readonly body: Readonly<Record<string, unknown>> }

/** A server that speaks the part of the protocol that plugins use, and says what it is told to say. */
export interface StandIn {
  readonly url: string
  readonly asked: readonly Asked[]
  /** Of one path, without the prefix: `calls`, `reports`, `heard`, `hello`. */
  of(path: string): readonly Asked[]
  /** Waits until so many requests have come to a path. */
  until(path: string, count: number): Promise<readonly Asked[]>
  /** What the next calls are answered with; a function sees the body. */
  answer: Reply | ((body: Asked['body']) => Reply)
  hello: Reply
  /** What everything else is answered with. */
  rest: Reply
  close(): Promise<void>
}

/** Starts one on a port of its own. */
export async function startStandIn(): Promise<StandIn> {
  const asked: Asked[] = []
  const server = createServer((request, response) => void respond(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const standIn: StandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    of: (path) => asked.filter((each) => each.path === `/v1/host/${path}`),
    async until(path, count) {
      const deadline = Date.now() + 5000
      while (standIn.of(path).length < count && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5))
      return standIn.of(path)
    },
    answer: (body) => ({ answer: 'permit', run: 'run-1', mode: 'enforce', arguments: body.arguments }),
    hello: { host: 'claw', mode: 'enforce', tickets: true, serverVersion: '0.1.0', instance: 'i' },
    rest: {},
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const body = JSON.parse(Buffer.concat(parts).toString('utf8')) as Asked['body']
    asked.push({ path: request.url ?? '', authorization: request.headers.authorization, body })
    const { answer } = standIn
    const reply =
      request.url === '/v1/host/calls'
        ? typeof answer === 'function'
          ? answer(body)
          : answer
        : request.url === '/v1/host/hello'
          ? standIn.hello
          : standIn.rest
    write(reply, response)
  }
  return standIn
}

function write(reply: Reply, response: ServerResponse): void {
  if (reply === 'hang') return
  if (reply === 'reset') {
    response.socket?.resetAndDestroy()
    return
  }
  if (reply === 'cut') {
    response.writeHead(200, { 'content-length': '100' })
    response.write('{')
    setTimeout(() => response.socket?.destroy(), 10)
    return
  }
  const faulty = typeof reply === 'object' && typeof reply.status === 'number' && 'body' in reply
  response.writeHead(faulty ? Number(reply.status) : 200, { 'content-type': 'application/json' })
  if (reply === 'garbage') response.end('<html>no</html>')
  else if (reply === 'huge') response.end(`{"answer":"permit","arguments":{},"x":"${'x'.repeat(5_000_000)}"}`)
  else response.end(JSON.stringify(faulty ? reply.body : reply))
}
