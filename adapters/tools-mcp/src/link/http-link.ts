import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { Readable, Transform } from 'node:stream'
import {
  type JSONRPCMessage,
  parseJSONRPCMessage,
  StreamableHTTPClientTransport,
  type TransportSendOptions,
} from '@modelcontextprotocol/client'
import { Pool } from 'undici'
import { ToolsMcpError } from '../error.ts'
import { END_MS, MAX_MESSAGE_BYTES, MAX_UNASKED_PER_SECOND } from '../limits.ts'
import { Calls, type Reply, type ToolRequest } from './calls.ts'
import { headerValueOf, HttpCall, retryAfterOf } from './http-call.ts'
import { createFloodGauge, type Link, type LinkFault, LOST_ANSWER, NotSent, RefusedByStatus, TooLarge } from './link.ts'

/** Where a server is, and what is sent along with each request. */
export interface HttpPlace {
  readonly url: URL
  /** Asked for each request: secrets rotate. */
  readonly headers: () => Promise<Readonly<Record<string, string>>>
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/**
 * Reads the address of a server.
 *
 * @throws ToolsMcpError `mcp_server` unless it is `https:`, or `http:` to this machine, without a name or password in it.
 */
export function parsePlace(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isFit =
    url !== undefined &&
    (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname))) &&
    url.username === '' &&
    url.password === '' &&
    url.hash === ''
  if (isFit) return url
  const message = 'The address of an MCP server begins with https://, or with http:// on this machine, and holds no password.'
  throw new ToolsMcpError('mcp_server', message)
}

type FetchLike = (url: string | URL, init?: RequestInit) => Promise<Response>

/**
 * Speaks to a server over streamable HTTP: calls by itself, everything else through the protocol's own client of it.
 *
 * Underneath are the plain clients of undici and of Node: nothing is sent twice, no redirect is followed, an event or a body has a limit, and an error before
 * there was a connection is {@link NotSent}. A stream that ends without the answer it was opened for ends the call.
 */
export class HttpLink implements Link {
  onclose?: (() => void) | undefined
  onerror?: ((error: Error) => void) | undefined
  onmessage?: ((message: JSONRPCMessage) => void) | undefined
  readonly pid = null
  readonly hasPerRequestStream = true
  readonly #inner: StreamableHTTPClientTransport
  readonly #agent: HttpAgent
  /** Those of the calls, which are most of what is sent. */
  readonly #connections: Pool
  readonly #flooding: () => boolean
  readonly #open = new Map<unknown, AbortController>()
  readonly #place: HttpPlace
  readonly #calls = new Calls()
  #fault: LinkFault | undefined

  constructor(place: HttpPlace, monotonicMs: () => number) {
    this.#place = place
    this.#flooding = createFloodGauge(MAX_UNASKED_PER_SECOND, monotonicMs)
    this.#agent = place.url.protocol === 'https:' ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true })
    this.#connections = new Pool(place.url.origin)
    this.#inner = new StreamableHTTPClientTransport(place.url, {
      fetch: createFetch(place, this.#agent),
      onInsufficientScope: 'throw',
      reconnectionOptions: {
        initialReconnectionDelay: 250,
        maxReconnectionDelay: 2_000,
        reconnectionDelayGrowFactor: 2,
        maxRetries: 2,
      },
    })
    this.#inner.onclose = () => {
      this.#calls.loseAll()
      this.onclose?.()
    }
    this.#inner.onerror = (error) => this.onerror?.(error)
    this.#inner.onmessage = (message) => this.#take(message)
  }

  get sessionId(): string | undefined {
    return this.#inner.sessionId
  }

  setProtocolVersion(version: string): void {
    this.#inner.setProtocolVersion?.(version)
  }

  broken(): LinkFault | undefined {
    return this.#fault
  }

  lastWords(): string {
    return ''
  }

  start(): Promise<void> {
    return this.#inner.start()
  }

  async send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if (this.#fault !== undefined) throw new NotSent('The connection is closed.')
    const id = 'method' in message && 'id' in message ? message.id : undefined
    if (id === undefined) {
      await this.#inner.send(message, presentOf(options))
      // In the era of 2025 a request that was given up stays open otherwise.
      if ('method' in message && message.method === 'notifications/cancelled') this.#open.get(message.params?.requestId)?.abort()
      return
    }
    const end = new AbortController()
    this.#open.set(id, end)
    const requestSignal = AbortSignal.any([end.signal, ...(options?.requestSignal === undefined ? [] : [options.requestSignal])])
    try {
      await this.#inner.send(message, { ...presentOf(options), requestSignal, onRequestStreamEnd: () => this.#end(id, options) })
    } catch (error) {
      this.#open.delete(id)
      throw unwrap(error)
    }
  }

  async call(request: ToolRequest): Promise<Reply> {
    if (this.#fault !== undefined) throw new NotSent('The connection is closed.')
    const { revision } = request
    const parts = {
      ...{ url: this.#place.url, connections: this.#connections, calls: this.#calls, isModern: revision !== undefined },
      headers: async () => ({ ...this.#headersOf(request), ...(await given(this.#place.headers)) }),
      take: (message: unknown) => this.#hear(message),
    }
    const call = this.#calls.open(request, (requestId) => {
      if (revision === undefined) {
        const params = { requestId, reason: 'Request timed out' }
        this.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params }).catch(() => undefined)
      }
      exchange.abort() // what closes the stream is all the word there is in the stateless revision
    })
    const exchange = new HttpCall(parts, call)
    await exchange.send()
    return call.reply
  }

  /** What the protocol says in headers: the session, or what the body says as well (2026-07-28, "Standard Request Headers"). */
  #headersOf({ name, revision }: ToolRequest): Readonly<Record<string, string>> {
    if (revision !== undefined)
      return { 'mcp-protocol-version': revision, 'mcp-method': 'tools/call', 'mcp-name': headerValueOf(name) }
    const { sessionId, protocolVersion } = this.#inner
    return {
      ...(sessionId === undefined ? {} : { 'mcp-session-id': sessionId }),
      ...(protocolVersion === undefined ? {} : { 'mcp-protocol-version': protocolVersion }),
    }
  }

  /** Takes what came on the stream of a call: its answer, its progress, or something for the protocol's client. */
  #hear(message: unknown): void {
    if (typeof message !== 'object' || message === null) return
    const isAnswer = 'id' in message && !('method' in message)
    if (!isAnswer && this.#flooding()) {
      this.#flooded()
      return
    }
    if (this.#calls.take(message)) return
    try {
      this.onmessage?.(parseJSONRPCMessage(message))
    } catch {
      // It is no message, and nobody waits for it.
    }
  }

  #flooded(): void {
    this.#fault ??= { code: 'mcp_flooding', message: 'The server sends more messages than anybody asked for.' }
    void this.#inner.close().catch(() => undefined)
    this.#disconnect()
  }

  async close(): Promise<void> {
    // A courtesy that a server need not accept, and is not waited for.
    const patience = new Promise((resolve) => setTimeout(resolve, END_MS.input))
    await Promise.race([this.#inner.terminateSession().catch(() => undefined), patience])
    await this.#inner.close()
    this.#disconnect()
  }

  #disconnect(): void {
    this.#agent.destroy()
    this.#connections.destroy().catch(() => undefined)
  }

  #take(message: JSONRPCMessage): void {
    if ('id' in message && message.id !== undefined && !('method' in message)) this.#open.delete(message.id)
    else if (this.#flooding()) {
      this.#flooded()
      return
    }
    if (!this.#calls.take(message)) this.onmessage?.(message)
  }

  #end(id: string | number, options: TransportSendOptions | undefined): void {
    options?.onRequestStreamEnd?.()
    if (!this.#open.delete(id)) return
    this.onmessage?.({ jsonrpc: '2.0', id, error: { code: LOST_ANSWER.ended, message: 'The answer broke off.' } })
  }
}

type InnerOptions = NonNullable<Parameters<StreamableHTTPClientTransport['send']>[1]>

/** The options that were given; the protocol's client passes on those that were not as undefined. */
function presentOf(options: TransportSendOptions | undefined): InnerOptions {
  const { resumptionToken, onresumptiontoken, requestSignal, headers } = options ?? {}
  return {
    ...(resumptionToken === undefined ? {} : { resumptionToken }),
    ...(onresumptiontoken === undefined ? {} : { onresumptiontoken }),
    ...(requestSignal === undefined ? {} : { requestSignal }),
    ...(headers === undefined ? {} : { headers }),
  }
}

/** The errors of ours that the protocol's client has wrapped. */
function unwrap(error: unknown): unknown {
  let at: unknown = error
  for (let depth = 0; depth < 4 && at instanceof Error; depth++) {
    if (at instanceof NotSent || at instanceof RefusedByStatus || at instanceof TooLarge) return at
    at = at.cause
  }
  return error
}

/** The part of `fetch` that the protocol's client uses, over the plain client of Node. */
function createFetch({ url: place, headers: extra }: HttpPlace, agent: HttpAgent): FetchLike {
  return async (target, init = {}) => {
    const url = new URL(target)
    if (url.origin !== place.origin) throw new NotSent('The server points to another place.')
    const headers = { ...Object.fromEntries(new Headers(init.headers)), ...(await given(extra)), 'accept-encoding': 'identity' }
    const { signal } = init
    const body = typeof init.body === 'string' ? init.body : undefined
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      let isConnected = false
      const send = url.protocol === 'https:' ? requestHttps : requestHttp
      const request = send(url, { method: init.method ?? 'GET', headers, agent, ...(signal ? { signal } : {}) })
      request.once('socket', (socket) => {
        if (request.reusedSocket || !socket.connecting) isConnected = true
        else socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => (isConnected = true))
      })
      request.once('response', resolve)
      request.once('error', (cause) =>
        reject(
          isConnected || signal?.aborted === true ? cause : new NotSent('The server cannot be reached.', { cause, final: true }),
        ),
      )
      request.end(body)
    })
    return responseOf(answer, init.method ?? 'GET')
  }
}

async function given(headers: HttpPlace['headers']): Promise<Readonly<Record<string, string>>> {
  try {
    return await headers()
  } catch (cause) {
    throw new NotSent('A secret for the server is not to be had.', { cause, final: true })
  }
}

const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304])

function responseOf(answer: IncomingMessage, method: string): Response {
  const status = answer.statusCode ?? 500
  const isFinal = method === 'POST' && (status >= 300 || status < 200) && status !== 400 && status !== 405
  if (isFinal || (status >= 300 && status < 400) || status < 200) {
    answer.resume()
    throw new RefusedByStatus(status, retryAfterOf(answer))
  }
  const headers = new Headers()
  for (const [name, value] of Object.entries(answer.headers))
    if (value !== undefined && name !== 'content-encoding') headers.set(name, Array.isArray(value) ? value.join(', ') : value)
  if (NO_BODY.has(status)) {
    answer.resume()
    return new Response(null, { status, headers })
  }
  const isStream = (answer.headers['content-type'] ?? '').toLowerCase().startsWith('text/event-stream')
  const limited = answer.pipe(limitBody(isStream))
  answer.once('error', (error) => limited.destroy(error))
  answer.once('aborted', () => limited.destroy(new Error('The answer broke off.')))
  limited.once('close', () => answer.destroy())
  // Sound: both describe the stream of the web standard; Node has its own type for it.
  return new Response(Readable.toWeb(limited) as ReadableStream<Uint8Array>, { status, headers })
}

/** Passes on what is not too much: of a stream of events each event, of anything else the whole. */
function limitBody(isStream: boolean): Transform {
  let size = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, pass) {
      const end = isStream ? lastBlankLine(chunk) : -1
      size = end < 0 ? size + chunk.length : chunk.length - end
      if (size > MAX_MESSAGE_BYTES) pass(new TooLarge())
      else pass(null, chunk)
    },
  })
}

function lastBlankLine(chunk: Buffer): number {
  return Math.max(chunk.lastIndexOf('\n\n'), chunk.lastIndexOf('\r\n\r\n'))
}
