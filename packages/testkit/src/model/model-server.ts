import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pickReply, type Script, type ScriptedReply } from './script.ts'
import { renderReply, type WireReply } from './wire.ts'

/** What the server says on one turn: an ordinary reply, or one that no honest endpoint gives. */
export type ServerReply = ScriptedReply | RawReply | EventsReply | FloodReply | HangReply | DropReply

/** Exactly these bytes, with this status and these headers. */
export interface RawReply {
  readonly kind: 'raw'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/** These `data:` events: text as it is, anything else as JSON. `end` is `close` unless told. */
export interface EventsReply {
  readonly kind: 'events'
  readonly events: readonly unknown[]
  /** `close` ends properly, `cut` breaks the connection, `hang` says nothing more, `drip` sends comments for ever. */
  readonly end?: 'close' | 'cut' | 'hang' | 'drip'
}

/** A stream of this many bytes of text. */
export interface FloodReply {
  readonly kind: 'flood'
  readonly sizeBytes: number
}

/** Takes the request and never answers. */
export interface HangReply {
  readonly kind: 'hang'
}

/** Closes the connection without an answer. */
export interface DropReply {
  readonly kind: 'drop'
}

/** A request as it arrived. */
export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** The body, parsed; null when it is not JSON. */
  readonly body: unknown
}

/** How to set up the server. */
export interface ModelServerOptions {
  readonly script: Script<SeenRequest, ServerReply>
  /** Length of the pieces of a stream; 7 unless told. */
  readonly pieceLength?: number
  /** Sends the answer in packets of this many bytes, so that characters and events are torn apart. */
  readonly packetBytes?: number
}

/** A running server. */
export interface ModelServer {
  /** To be used as `baseUrl`: `http://127.0.0.1:<port>/v1`. */
  readonly baseUrl: string
  /** Every request so far, oldest first. */
  readonly requests: readonly SeenRequest[]
  /** How many connections are open now. */
  connections(): Promise<number>
  close(): Promise<void>
}

const MAX_BODY_BYTES = 16_777_216

/**
 * Starts a server on 127.0.0.1 that speaks OpenAI's chat completions over real HTTP, streamed or not as the request asks, and that
 * misbehaves as its script says. A script that has ended answers 500.
 */
export async function startModelServer(options: ModelServerOptions): Promise<ModelServer> {
  const requests: SeenRequest[] = []
  const server = createServer((incoming, response) => {
    readSeen(incoming)
      .then((seen) => reply(seen, requests.push(seen) - 1, response, options))
      .catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  // Sound: a server that listens on TCP has an address with a port.
  const { port } = server.address() as AddressInfo
  const close = (): Promise<void> => {
    return new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }
  const connections = (): Promise<number> => {
    return new Promise((resolve, reject) =>
      server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
    )
  }
  return { baseUrl: `http://127.0.0.1:${port}/v1`, requests, connections, close }
}

async function readSeen(incoming: IncomingMessage): Promise<SeenRequest> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of incoming) {
    size += piece.length
    if (size > MAX_BODY_BYTES) throw new Error('The request is too large.')
    pieces.push(piece)
  }
  const headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]))
  return {
    method: incoming.method ?? '',
    path: incoming.url ?? '',
    headers,
    body: readJson(Buffer.concat(pieces).toString('utf8')),
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

async function reply(seen: SeenRequest, turn: number, response: ServerResponse, options: ModelServerOptions): Promise<void> {
  if (seen.method !== 'POST' || seen.path !== '/v1/chat/completions') {
    return send(
      response,
      404,
      { 'content-type': 'application/json' },
      '{"error":{"message":"No such path.","code":null}}',
      options,
    )
  }
  const said = pickServerReply(options.script, seen, turn)
  switch (said.kind) {
    case 'hang':
      return
    case 'drop':
      response.destroy()
      return
    case 'raw':
      return send(response, said.status, said.headers, said.body, options)
    case 'events':
      return sendEvents(response, said, options)
    case 'flood':
      return flood(response, said.sizeBytes)
    default:
      return sendScripted(response, said, { seen, turn, options })
  }
}

function pickServerReply(script: ModelServerOptions['script'], seen: SeenRequest, turn: number): ServerReply {
  try {
    return pickReply(script, seen, turn)
  } catch {
    return { kind: 'raw', status: 500, headers: { 'content-type': 'text/plain' }, body: 'The script has ended.' }
  }
}

interface Turn {
  readonly seen: SeenRequest
  readonly turn: number
  readonly options: ModelServerOptions
}

async function sendScripted(response: ServerResponse, said: ScriptedReply, { seen, turn, options }: Turn): Promise<void> {
  // Sound: a request in any other form has no stream and no usage asked for.
  const asked = (seen.body ?? {}) as { model?: unknown; stream?: unknown; stream_options?: { include_usage?: unknown } | null }
  const includeUsage = asked.stream_options?.include_usage === true
  const rendered = renderReply(said, { turn, model: String(asked.model), pieceLength: options.pieceLength ?? 7, includeUsage })
  if (rendered === undefined) return
  if (said.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, said.delayMs))
  if (asked.stream === true && rendered.events.length > 0) return sendStream(response, rendered, options)
  const headers = { 'content-type': 'application/json', ...rendered.headers }
  if (!rendered.isCut) return send(response, rendered.status, headers, rendered.body, options)
  response.writeHead(rendered.status, { ...headers, 'content-length': String(rendered.body.length) })
  response.write(rendered.body.slice(0, rendered.body.length / 2), () => response.destroy())
}

function sendStream(response: ServerResponse, { events, isCut }: WireReply, options: ModelServerOptions): Promise<void> {
  const kept = isCut ? events.slice(0, events.length / 2) : events
  return sendEvents(response, { kind: 'events', events: kept, end: isCut ? 'cut' : 'close' }, options)
}

async function sendEvents(
  response: ServerResponse,
  { events, end = 'close' }: EventsReply,
  options: ModelServerOptions,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  response.flushHeaders()
  const text = events.map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`).join('')
  await writePackets(response, Buffer.from(text), options)
  if (end === 'close') response.end()
  // A moment later, so that what was written arrives.
  if (end === 'cut') setTimeout(() => response.destroy(), 20)
  if (end !== 'drip') return
  const timer = setInterval(() => response.write(': still here\n\n'), 20)
  response.once('close', () => clearInterval(timer))
}

async function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array,
  options: ModelServerOptions,
): Promise<void> {
  response.writeHead(status, headers)
  await writePackets(response, typeof body === 'string' ? Buffer.from(body) : body, options)
  response.end()
}

async function writePackets(response: ServerResponse, bytes: Uint8Array, { packetBytes }: ModelServerOptions): Promise<void> {
  const size = packetBytes ?? Math.max(1, bytes.length)
  for (let at = 0; at < bytes.length; at += size) {
    response.write(bytes.subarray(at, at + size))
    if (packetBytes !== undefined) await new Promise((resolve) => setImmediate(resolve))
  }
}

async function flood(response: ServerResponse, sizeBytes: number): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const event = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: '' }, filler: 'x'.repeat(16_000) }] })}\n\n`
  const closed = new Promise((resolve) => response.once('close', resolve))
  for (let sent = 0; sent < sizeBytes && !response.destroyed; sent += event.length) {
    if (!response.write(event)) await Promise.race([closed, new Promise((resolve) => response.once('drain', resolve))])
  }
  response.end()
}
