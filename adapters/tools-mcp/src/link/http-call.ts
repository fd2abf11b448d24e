import type { IncomingHttpHeaders } from 'node:http'
import { StringDecoder } from 'node:string_decoder'
import type { Dispatcher } from 'undici'
import { END_MS, MAX_MESSAGE_BYTES } from '../limits.ts'
import type { Calls, OpenCall } from './calls.ts'
import { createEventReader } from './event-reader.ts'
import { Lost, NotSent, RefusedByStatus, TooLarge } from './link.ts'

/** What a call over HTTP is sent with. */
export interface HttpCallParts {
  readonly url: URL
  /** The connections to the server. */
  readonly connections: Dispatcher
  readonly calls: Calls
  /** The headers of each request of this call. @throws NotSent */
  readonly headers: () => Promise<Readonly<Record<string, string>>>
  /** True where each request stands alone: then an answer with the status 400 is an answer. */
  readonly isModern: boolean
  /** Takes every message that the server sends. */
  readonly take: (message: unknown) => void
}

/** A stream that broke off before the answer is taken up so often in a row, where the server says how (2025-11-25, "Resumability"). */
const MAX_RETRIES = 2
/** So much of what nobody reads is taken before the connection is given up instead. */
const MAX_IGNORED_BYTES = 65_536
const RETRY_MS = { first: 250, least: 50, most: 30_000 } as const

/** Takes the body of an answer; `read` answers false when it has had enough. */
interface BodyReader {
  readonly read: (chunk: Buffer) => boolean
  readonly ended: () => void
  readonly broke: (cause: Error) => void
}

/**
 * One call over streamable HTTP: a POST whose answer is a JSON document or a stream of events. Nothing is sent twice; a stream that broke off
 * is at most listened to again. Whatever happens settles the call in {@link Calls}.
 */
export class HttpCall {
  readonly #parts: HttpCallParts
  readonly #call: OpenCall
  #exchange: Dispatcher.DispatchController | undefined
  #isAborted = false
  #lastEvent: string | undefined
  #retryMs: number = RETRY_MS.first
  #retries = 0

  constructor(parts: HttpCallParts, call: OpenCall) {
    this.#parts = parts
    this.#call = call
  }

  async send(): Promise<void> {
    const headers = await this.#headers({ 'content-type': 'application/json', accept: 'application/json, text/event-stream' })
    if (headers !== undefined) this.#ask('POST', headers, this.#call.text)
  }

  /** Nobody waits any more. */
  abort(): void {
    this.#isAborted = true
    this.#exchange?.abort(new Lost('ended'))
  }

  #lose(error: Error): void {
    this.#parts.calls.lose(this.#call.id, error)
  }

  async #headers(own: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>> | undefined> {
    try {
      return { ...own, ...(await this.#parts.headers()), 'accept-encoding': 'identity' }
    } catch (error) {
      this.#lose(error instanceof Error ? error : new Lost('ended'))
      return undefined
    }
  }

  #ask(method: 'POST' | 'GET', headers: Readonly<Record<string, string>>, body: string | undefined): void {
    const { url, connections, calls } = this.#parts
    if (!calls.has(this.#call.id)) return
    const fail = (cause: Error): void => {
      if (method === 'GET') this.#again()
      // Without a connection nothing was written.
      else this.#lose(exchange === undefined ? new NotSent('The server cannot be reached.', { cause, final: true }) : cause)
    }
    let exchange: Dispatcher.DispatchController | undefined
    let reader: BodyReader | undefined
    const path = url.pathname + url.search
    const options = { path, method, headers, body: body ?? null, headersTimeout: 0, bodyTimeout: 0 } as const // its time is ours
    connections.dispatch(
      { ...options, origin: url.origin },
      {
        onRequestStart: (controller) => {
          exchange = controller
          this.#exchange = controller
          if (this.#isAborted) controller.abort(new Lost('ended'))
        },
        onResponseStart: (_, status, answered) => {
          if (status >= 200) reader = this.#readerOf(status, answered, method)
        },
        onResponseData: (controller, chunk) => {
          if (reader?.read(chunk) === false) controller.abort(new Lost('ended'))
        },
        onResponseEnd: () => reader?.ended(),
        onResponseError: (_, cause) => (reader === undefined ? fail(cause) : reader.broke(cause)),
      },
    )
  }

  /** How the answer is read; undefined when there is nothing in it to read. */
  #readerOf(status: number, headers: IncomingHttpHeaders, method: 'POST' | 'GET'): BodyReader {
    const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
    if (method === 'POST' && (status < 200 || status >= 300) && status !== 400 && status !== 405)
      return this.#unread(() => this.#lose(new RefusedByStatus(status, retryAfterOf({ headers }))))
    if (status === 400 && method === 'POST' && this.#parts.isModern) return this.#document(status)
    if (status < 200 || status >= 300)
      return this.#unread(() => (method === 'GET' && status !== 405 ? this.#again() : this.#lose(new Lost('ended'))))
    if (type === 'text/event-stream') return this.#stream()
    if (type === 'application/json' && method === 'POST') return this.#document(status)
    return this.#unread(() => this.#lose(new Lost('invalid')))
  }

  /** What the head says is all. */
  #unread(conclude: () => void): BodyReader {
    conclude()
    let size = 0
    const read = ({ length }: Buffer): boolean => {
      size += length
      return size <= MAX_IGNORED_BYTES
    }
    return { read, ended: () => undefined, broke: () => undefined }
  }

  #document(status: number): BodyReader {
    const chunks: Buffer[] = []
    let size = 0
    return {
      read: (chunk) => {
        size += chunk.length
        if (size <= MAX_MESSAGE_BYTES) chunks.push(chunk)
        else this.#lose(new TooLarge())
        return size <= MAX_MESSAGE_BYTES
      },
      ended: () => {
        const parsed = parse(Buffer.concat(chunks).toString('utf8'))
        for (const message of Array.isArray(parsed) ? parsed : [parsed]) this.#parts.take(message)
        this.#lose(new Lost(status === 400 ? 'ended' : 'invalid')) // unless the answer was among them
      },
      broke: (cause) => this.#lose(cause),
    }
  }

  #stream(): BodyReader {
    const { calls, take } = this.#parts
    const { id } = this.#call
    this.#retries = 0
    const decoder = new StringDecoder('utf8')
    const read = createEventReader(MAX_MESSAGE_BYTES, {
      message: (data) => take(parse(data)),
      id: (event) => (this.#lastEvent = event),
      retry: (ms) => (this.#retryMs = Math.min(Math.max(ms, RETRY_MS.least), RETRY_MS.most)),
    })
    let leaving: NodeJS.Timeout | undefined
    const ended = (): void => {
      clearTimeout(leaving)
      if (!calls.has(id)) return
      if (this.#lastEvent === undefined) this.#lose(new Lost('ended'))
      else this.#again()
    }
    return {
      read: (chunk) => {
        if (!read(decoder.write(chunk))) {
          this.#lose(new Lost('ended'))
          return false
        }
        // A server ends the stream behind its answer; one that does not is not listened to for long.
        if (!calls.has(id)) leaving ??= setTimeout(() => this.abort(), END_MS.input)
        return true
      },
      ended,
      broke: ended,
    }
  }

  /** Listens again where the stream broke off, for as long as the call has time. */
  #again(): void {
    const event = this.#lastEvent
    this.#retries += 1
    if (event === undefined || this.#retries > MAX_RETRIES) {
      this.#lose(new Lost('ended'))
      return
    }
    setTimeout(() => {
      this.#headers({ accept: 'text/event-stream', 'last-event-id': event }).then(
        (headers) => {
          if (headers !== undefined) this.#ask('GET', headers, undefined)
        },
        () => this.#lose(new Lost('ended')),
      )
    }, this.#retryMs).unref()
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** How long the server asks us to wait, when it says so in seconds (RFC 9110, section 10.2.3). */
export function retryAfterOf({ headers }: { readonly headers: IncomingHttpHeaders }): number | undefined {
  const value = headers['retry-after']
  return value !== undefined && /^\d{1,5}$/.test(value) ? Number(value) * 1_000 : undefined
}

/** A value as a header can carry it: as it is, or as base64 (2026-07-28, section "Value Encoding"). */
export function headerValueOf(value: string): string {
  const isPlain = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !value.startsWith('=?base64?')
  return isPlain ? value : `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`
}
