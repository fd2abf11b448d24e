import type { Socket } from 'node:net'
import { Client } from 'undici'
import { dial, NoConnection, type Resolver } from './dial.ts'
import type { ReplyFacts } from './facts.ts'
import type { ModelFormat } from './format.ts'
import type { Place } from './place.ts'
import type { Prepared } from './prepare.ts'
import { createReplyReader } from './read-reply.ts'

/** Where a reply goes: to whoever asked. */
export interface ModelSink {
  /** Status and headers; once, and first. */
  head(status: number, headers: Readonly<Record<string, string>>): void
  /** Resolves when more may come. */
  write(chunk: Uint8Array): Promise<void>
  /** Nothing more comes; `isWhole` is false for a reply that was cut off. */
  end(isWhole: boolean): void
}

/** How a reply ended: by itself, or by whom. */
export type Ended = 'itself' | 'client' | 'upstream' | 'time' | 'size'

/** What became of a request. */
export type Forwarded =
  | { readonly kind: 'not_sent'; readonly isLate: boolean; readonly message: string }
  /** It was sent, and nothing came. */
  | { readonly kind: 'silent'; readonly ended: Exclude<Ended, 'itself' | 'size'> }
  /** The provider points elsewhere, which is never followed. */
  | { readonly kind: 'redirected'; readonly status: number }
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly ended: Ended
      readonly facts: ReplyFacts
      readonly bytes: number
    }

/** What a request is sent with. */
export interface Way {
  readonly place: Place
  readonly format: ModelFormat
  /** Undefined for a provider that wants none. */
  readonly key: string | undefined
  readonly sink: ModelSink
  /** Aborted when the client is gone. */
  readonly gone: AbortSignal
  readonly limits: ForwardLimits
  readonly resolve: Resolver
}

/** What one exchange may cost. */
export interface ForwardLimits {
  readonly connectMs: number
  /** The whole exchange. */
  readonly totalMs: number
  /** The longest silence within a reply. */
  readonly silenceMs: number
  readonly maxReplyBytes: number
}

export const FORWARD_LIMITS = { connectMs: 10_000, silenceMs: 300_000, maxReplyBytes: 67_108_864 } as const

/** Headers of the provider that the client gets. */
const PASSED =
  /^(?:content-type|content-encoding|retry-after|retry-after-ms|x-should-retry|request-id|x-request-id|openai-processing-ms|(?:x|anthropic)-ratelimit-[a-z-]{1,60})$/
/** So much of an error is passed on: it is short, or not one. */
const MAX_ERROR = 65_536
const BAD_KEY =
  'The provider does not accept the key that the project has for it. Its operator finds more in the record of this call.'

/**
 * Sends one request to the provider, and its reply to the client while it comes. Never rejects.
 *
 * One request, one connection: nothing is sent twice. The client never gets the key, also not out of an error that repeats it (I8).
 */
export async function forward(prepared: Prepared, way: Way): Promise<Forwarded> {
  const watch = startWatch(way.gone, way.limits)
  let socket: Socket | undefined
  try {
    watch.allow(way.limits.connectMs)
    const dialling = dial(way.place, way.resolve, watch.signal)
    dialling.then((late) => watch.signal.aborted && late.destroy()).catch(() => undefined) // nobody else closes it then
    socket = await watch.within(dialling)
    watch.allow(undefined)
    return await converse(prepared, way, socket, watch)
  } catch (error) {
    const message = error instanceof NoConnection ? error.message : 'No connection in time.'
    return { kind: 'not_sent', isLate: !(error instanceof NoConnection), message: `${message} Nothing was sent.` }
  } finally {
    watch.end()
    socket?.destroy()
  }
}

async function converse(prepared: Prepared, way: Way, socket: Socket, watch: Watch): Promise<Forwarded> {
  const { place, format, key } = way
  const { method, target: path, bytes: body = null } = prepared
  let isUnused = true
  const client = new Client(place.origin, {
    // The socket is handed over once: on a second one the request would be sent a second time.
    connect: (_options, callback) => {
      const isFirst = isUnused
      isUnused = false
      queueMicrotask(() => (isFirst ? callback(null, socket) : callback(new Error('one connection only'), null)))
    },
    ...{ pipelining: 1, allowH2: false, headersTimeout: 0, bodyTimeout: 0, maxHeaderSize: 16_384 },
  })
  const [name, value] = key === undefined ? [] : format.credential(key)
  const headers: Record<string, string> = {
    accept: 'application/json, text/event-stream',
    'accept-encoding': 'identity',
    'user-agent': 'tidegate',
    ...(body === null ? {} : { 'content-type': 'application/json' }),
    ...prepared.headers,
    ...(name === undefined || value === undefined ? {} : { [name]: value }),
  }
  try {
    const response = await watch.within(client.request({ method, path, headers, body, signal: watch.signal, reset: true }))
    response.body.on('error', () => undefined)
    const { statusCode: status } = response
    const passed = passedOf(response.headers)
    if (status >= 300 && status < 400) return { kind: 'redirected', status }
    if (status >= 400) return await passError(status, passed, response.body, way, watch)
    return await passReply(status, passed, response.body, { prepared, way, watch })
  } catch {
    return { kind: 'silent', ended: watch.why() ?? 'upstream' }
  } finally {
    await client.destroy().catch(() => undefined)
  }
}

interface Passing {
  readonly prepared: Prepared
  readonly way: Way
  readonly watch: Watch
}

async function passReply(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: AsyncIterable<unknown>,
  { prepared: { drops }, way: { format, sink, limits }, watch }: Passing,
): Promise<Forwarded> {
  const isEncoded = !/^(?:identity)?$/i.test(headers['content-encoding'] ?? '')
  const reader = createReplyReader(format, { contentType: headers['content-type'] ?? '', isEncoded, drops })
  let bytes = 0
  const ended = (how: Ended): Forwarded => {
    sink.end(how === 'itself')
    return { kind: 'answered', status, ended: how, facts: reader.facts, bytes }
  }
  sink.head(status, headers)
  watch.allow(limits.silenceMs)
  try {
    for await (const chunk of body) {
      if (!(chunk instanceof Uint8Array)) return ended('upstream')
      bytes += chunk.length
      if (bytes > limits.maxReplyBytes) return ended('size')
      for (const piece of reader.push(chunk)) await watch.within(sink.write(piece))
      watch.allow(limits.silenceMs)
    }
    for (const piece of reader.end()) await watch.within(sink.write(piece))
    return ended('itself')
  } catch {
    return ended(watch.why() ?? 'upstream')
  }
}

/** An error of the provider is short; it passes with its status, but for what it may say about the key. */
async function passError(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: AsyncIterable<unknown>,
  { format, key, sink, limits }: Way,
  watch: Watch,
): Promise<Forwarded> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  let how: Ended = 'itself'
  watch.allow(limits.silenceMs)
  try {
    for await (const chunk of body) {
      if (!(chunk instanceof Uint8Array)) break
      bytes += chunk.length
      if (bytes > MAX_ERROR) break
      chunks.push(chunk)
    }
  } catch {
    how = watch.why() ?? 'upstream'
  }
  const said = Buffer.concat(chunks).toString('utf8')
  const reader = createReplyReader(format, { contentType: 'text/plain', isEncoded: false, drops: false })
  reader.facts.text = hide(said, key).slice(0, MAX_ERROR)
  const isOurs = status === 401 || bytes > MAX_ERROR || how !== 'itself'
  const message = status === 401 ? BAD_KEY : `The provider answered ${status}.`
  const shown = isOurs ? JSON.stringify(format.errorOf('provider_refused', message, status)) : reader.facts.text
  const { 'content-encoding': _, ...plain } = headers
  sink.head(status, isOurs ? { ...plain, 'content-type': 'application/json' } : plain)
  await sink.write(Buffer.from(shown)).catch(() => undefined)
  sink.end(true)
  return { kind: 'answered', status, ended: how, facts: reader.facts, bytes }
}

/** Takes a key out of a text that repeats it, whole or with its middle left out. */
function hide(text: string, key: string | undefined): string {
  if (key === undefined || key.length < 8) return text
  const [head, tail] = [key.slice(0, 4), key.slice(-4)].map((part) => part.replaceAll(/[^A-Za-z0-9]/g, '\\$&'))
  return text
    .replaceAll(key, '[key]')
    .replaceAll(new RegExp(`${head}[^\\s"]{0,200}[*.\u2026][^\\s"]{0,200}${tail}`, 'g'), '[key]')
}

function passedOf(headers: Readonly<Record<string, string | string[] | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([given, value]) => {
      const name = given.toLowerCase()
      return typeof value === 'string' && PASSED.test(name) && /^[\x20-\x7e]{0,1000}$/.test(value) ? [[name, value]] : []
    }),
  )
}

/** Watches the time of one exchange, and whether somebody still waits for it. */
interface Watch {
  readonly signal: AbortSignal
  /** Restarts the time of the part that is under way; undefined takes it away. */
  allow(ms: number | undefined): void
  within<T>(promise: Promise<T>): Promise<T>
  why(): 'client' | 'time' | undefined
  end(): void
}

function startWatch(gone: AbortSignal, { totalMs }: ForwardLimits): Watch {
  const controller = new AbortController()
  let why: 'client' | 'time' | undefined
  let part: ReturnType<typeof setTimeout> | undefined
  const stop = (reason: 'client' | 'time'): void => {
    why ??= reason
    controller.abort(new DOMException('It is over.', 'AbortError'))
  }
  const leave = (): void => stop('client')
  const total = setTimeout(() => stop('time'), totalMs)
  gone.addEventListener('abort', leave, { once: true })
  if (gone.aborted) leave()
  return {
    signal: controller.signal,
    allow(ms) {
      clearTimeout(part)
      part = ms === undefined ? undefined : setTimeout(() => stop('time'), ms)
    },
    within: (promise) =>
      new Promise((resolve, reject) => {
        const over = (): void => reject(controller.signal.reason)
        if (controller.signal.aborted) over()
        controller.signal.addEventListener('abort', over, { once: true })
        promise.then(resolve, reject).finally(() => controller.signal.removeEventListener('abort', over))
      }),
    why: () => why,
    end() {
      clearTimeout(part)
      clearTimeout(total)
      gone.removeEventListener('abort', leave)
    },
  }
}
