import type { Socket } from 'node:net'
import { Client } from 'undici'
import { connectTo, type Dialler, NoConnection, type Resolver } from './connect.ts'
import type { HttpLimits } from './limits.ts'
import type { HttpOrigin } from './origin.ts'
import { type Phase, startWatch, type Watch } from './watch.ts'

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** One request, ready to leave. */
export interface HttpRequest {
  readonly method: HttpMethod
  /** Path and query, beginning with `/`. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

/** What became of a request. Only `not_sent` is certain that the far side never saw it. */
export type Exchange =
  | { readonly kind: 'not_sent'; readonly why: 'timeout' | 'name' | 'address' | 'connect'; readonly message: string }
  | { readonly kind: 'broken'; readonly why: Phase | 'cut' }
  | HttpAnswer

/** An answer with a status. `body` is what was read of it, or why it could not be read. */
export interface HttpAnswer {
  readonly kind: 'answered'
  readonly status: number
  /** Names in lower case; what came several times is joined by commas. */
  readonly headers: ReadonlyMap<string, string>
  readonly body:
    | { readonly kind: 'read'; readonly bytes: Uint8Array }
    | { readonly kind: 'too_large' }
    | { readonly kind: 'broken'; readonly why: Phase | 'cut' }
}

/** Where a request goes and how it gets there. */
export interface Route {
  readonly place: HttpOrigin
  readonly limits: HttpLimits
  readonly resolve: Resolver
  readonly dial: Dialler
}

/**
 * Sends one request over a connection of its own and reads the answer. Never rejects.
 *
 * One request, one connection: nothing is retried on another, no connection is shared between the credentials of two calls, and the
 * address is checked for each. Redirects are answers like any other. Everything is over when this returns.
 */
export async function exchange(request: HttpRequest, route: Route, caller: AbortSignal): Promise<Exchange> {
  const watch = startWatch(caller, route.limits.totalMs)
  try {
    watch.enter('connect', route.limits.connectMs)
    let socket: Socket
    try {
      const connecting = connectTo(route.place, { ...route, signal: watch.signal })
      // A connection that comes too late is closed by nobody else.
      connecting.then((late) => watch.signal.aborted && late.destroy()).catch(() => undefined)
      socket = await watch.within(connecting)
    } catch (error) {
      return notSent(error, watch)
    }
    return await converse(request, route, socket, watch)
  } finally {
    watch.end()
  }
}

function notSent(error: unknown, watch: Watch): Exchange {
  if (watch.expired() !== undefined)
    return { kind: 'not_sent', why: 'timeout', message: 'No connection in time; nothing was sent.' }
  if (error instanceof NoConnection) return { kind: 'not_sent', why: error.kind, message: `${error.message} Nothing was sent.` }
  return { kind: 'not_sent', why: 'connect', message: 'No connection. Nothing was sent.' }
}

async function converse(request: HttpRequest, { place, limits }: Route, socket: Socket, watch: Watch): Promise<Exchange> {
  let unused = true
  const client = new Client(place.origin, {
    // The socket is handed over once: a second connection would carry the request a second time. It is handed over later, not at
    // once, because the client does not look again while it is still asking.
    connect: (_options, callback) => {
      const first = unused
      unused = false
      queueMicrotask(() => (first ? callback(null, socket) : callback(new Error('one connection only'), null)))
    },
    pipelining: 1,
    allowH2: false,
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  try {
    watch.enter('headers', limits.headersMs)
    const { method, target: path, headers, body } = request
    const response = await watch.within(client.request({ method, path, headers, body, signal: watch.signal, reset: true }))
    response.body.on('error', () => undefined)
    const answered = { kind: 'answered' as const, status: response.statusCode, headers: headersOf(response.headers) }
    return { ...answered, body: await readBody(response.body, answered.headers, limits, watch) }
  } catch {
    return { kind: 'broken', why: watch.expired() ?? 'cut' }
  } finally {
    await client.destroy().catch(() => undefined)
    socket.destroy()
  }
}

async function readBody(
  body: AsyncIterable<unknown>,
  headers: ReadonlyMap<string, string>,
  limits: HttpLimits,
  watch: Watch,
): Promise<HttpAnswer['body']> {
  if (Number(headers.get('content-length') ?? 0) > limits.maxResponseBytes) return { kind: 'too_large' }
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  watch.enter('body', limits.bodyMs)
  try {
    for await (const chunk of body) {
      if (!(chunk instanceof Uint8Array)) return { kind: 'broken', why: 'cut' }
      sizeBytes += chunk.length
      if (sizeBytes > limits.maxResponseBytes) return { kind: 'too_large' }
      chunks.push(chunk)
      watch.enter('body', limits.bodyMs)
    }
  } catch {
    return { kind: 'broken', why: watch.expired() ?? 'cut' }
  }
  return { kind: 'read', bytes: Buffer.concat(chunks) }
}

function headersOf(headers: Readonly<Record<string, string | string[] | undefined>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value] as const],
    ),
  )
}
