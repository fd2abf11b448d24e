import { createServer, type IncomingMessage, request as sendRequest, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { EgressEvent, EgressGate, EgressRequest } from '@tidegate/kernel'
import { dial, type DialRules, type Resolve, resolveWithSystem } from './dial.ts'
import { forwardedHeaders } from './headers.ts'
import { parseAbsolute, parseAuthority } from './target.ts'

/** What all connections of one sandbox are held to. */
export interface EgressLimits {
  readonly connections: number
  /** Of one connection, both directions together. */
  readonly bytes: number
  readonly connectionMs: number
  readonly decideMs: number
  readonly connectMs: number
  /** Of the head of a request. */
  readonly headerBytes: number
}

export const DEFAULT_EGRESS_LIMITS: EgressLimits = {
  connections: 64,
  bytes: 536_870_912,
  connectionMs: 600_000,
  decideMs: 60_000,
  connectMs: 10_000,
  headerBytes: 16_384,
}

export interface EgressBrokerOptions {
  readonly gate: EgressGate
  readonly limits?: Partial<EgressLimits>
  /** Instead of the system's. */
  readonly resolve?: Resolve
}

export interface EgressBroker {
  /** Takes a connection from inside. */
  accept(socket: Socket): void
  /** Ends all connections. */
  close(): void
}

/**
 * The way out of a sandbox: an HTTP proxy that takes CONNECT, and plain requests in absolute form.
 *
 * One connection is one decision and one request. Names are resolved here. A request is read and written anew, by the same strict
 * parser that servers use, so nothing that was not decided rides along. Who controls what arrives: the command.
 */
export function createEgressBroker(options: EgressBrokerOptions): EgressBroker {
  return new Broker(options)
}

const BAD_TARGET = 'the proxy takes CONNECT host:port, and http://host/path'

class Broker implements EgressBroker {
  readonly #limits: EgressLimits
  readonly #rules: DialRules
  readonly #gate: EgressGate
  readonly #server
  readonly #open = new Set<Socket>()

  constructor({ gate, limits, resolve }: EgressBrokerOptions) {
    this.#limits = { ...DEFAULT_EGRESS_LIMITS, ...limits }
    this.#gate = gate
    this.#rules = {
      gate,
      resolve: resolve ?? resolveWithSystem,
      decideTimeoutMs: this.#limits.decideMs,
      connectTimeoutMs: this.#limits.connectMs,
    }
    const parser = { maxHeaderSize: this.#limits.headerBytes, requireHostHeader: false, keepAlive: false }
    this.#server = createServer(parser, (request, response) => this.#forward(request, response))
    this.#server.maxRequestsPerSocket = 1
    this.#server.headersTimeout = this.#limits.connectMs
    this.#server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => this.#tunnel(request, socket, head))
    // What cannot be parsed is answered with nothing: it may be meant for something else than a proxy.
    this.#server.on('clientError', (_, socket) => socket.destroy())
  }

  accept(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    if (this.#open.size >= this.#limits.connections) {
      socket.destroy()
      return
    }
    this.#open.add(socket)
    const timer = setTimeout(() => socket.destroy(), this.#limits.connectionMs)
    socket.once('close', () => {
      clearTimeout(timer)
      this.#open.delete(socket)
    })
    this.#server.emit('connection', socket)
  }

  close(): void {
    for (const socket of this.#open) socket.destroy()
  }

  async #tunnel(request: IncomingMessage, inside: Duplex, head: Buffer): Promise<void> {
    inside.on('error', () => inside.destroy())
    const target = parseAuthority(request.url ?? '')
    if (target === null) return answer(inside, 400, BAD_TARGET)
    const dialled = await dial(target, this.#rules)
    if (dialled.kind === 'refused') {
      this.#observe({ kind: 'refused', ...plain(target), reason: dialled.reason })
      return answer(inside, dialled.status, dialled.reason)
    }
    const { socket: outside, address } = dialled
    this.#observe({ kind: 'opened', ...plain(target), address })
    const meter = this.#meter(target, inside, outside)
    meter.add(head.length)
    inside.on('data', (chunk: Buffer) => meter.add(chunk.length))
    outside.on('data', (chunk: Buffer) => meter.add(chunk.length))
    inside.write('HTTP/1.1 200 Connection Established\r\n\r\n')
    if (head.length > 0) outside.write(head)
    inside.pipe(outside)
    outside.pipe(inside)
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => response.destroy())
    const target = parseAbsolute(request.url ?? '')
    if (target === null) return refuseRequest(response, 400, BAD_TARGET)
    const dialled = await dial(target, this.#rules)
    if (dialled.kind === 'refused') {
      this.#observe({ kind: 'refused', ...plain(target), reason: dialled.reason })
      return refuseRequest(response, dialled.status, dialled.reason)
    }
    const { socket: outside, address } = dialled
    this.#observe({ kind: 'opened', ...plain(target), address })
    const meter = this.#meter(target, request.socket, outside)
    const onward = sendRequest({
      createConnection: () => outside,
      method: request.method,
      path: target.path,
      headers: forwardedHeaders(request.rawHeaders, target.authority),
      setHost: false,
      maxHeaderSize: this.#limits.headerBytes,
    })
    onward.on('error', () => response.destroy())
    onward.on('response', (reply) => {
      reply.on('error', () => response.destroy())
      reply.on('data', (chunk: Buffer) => meter.add(chunk.length))
      const headers = forwardedHeaders(reply.rawHeaders, null)
      response.writeHead(reply.statusCode ?? 502, headers)
      reply.pipe(response)
    })
    request.on('data', (chunk: Buffer) => meter.add(chunk.length))
    request.pipe(onward)
  }

  /** Ends both sides when one ends or too much went through, and reports once. */
  #meter(target: EgressRequest, inside: Duplex, outside: Socket): { add(bytes: number): void } {
    let bytes = 0
    let cut = false
    let open = true
    const end = (): void => {
      if (!open) return
      open = false
      inside.destroy()
      outside.destroy()
      this.#observe({ kind: 'closed', ...plain(target), bytes, cut })
    }
    inside.once('close', end)
    outside.once('close', () => setImmediate(endSoftly, inside, end))
    return {
      add: (more) => {
        bytes += more
        if (bytes <= this.#limits.bytes) return
        cut = true
        end()
      },
    }
  }

  #observe(event: EgressEvent): void {
    this.#gate.observed(event)
  }
}

/** Lets what has arrived from outside still be written, and then ends. */
function endSoftly(inside: Duplex, end: () => void): void {
  if (inside.destroyed || inside.writableFinished) end()
  else inside.end(end)
}

function plain({ host, port }: EgressRequest): EgressRequest {
  return { host, port }
}

/** `reason` goes into the body, where nothing in it can become a header. */
function answer(socket: Duplex, status: number, reason: string): void {
  const body = Buffer.from(`Tidegate: ${reason}\n`)
  const head = `HTTP/1.1 ${status} ${status === 502 ? 'Bad Gateway' : status === 403 ? 'Forbidden' : 'Bad Request'}\r\n`
  socket.end(
    Buffer.concat([
      Buffer.from(
        `${head}Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
      ),
      body,
    ]),
  )
}

function refuseRequest(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' })
  response.end(`Tidegate: ${reason}\n`)
}
