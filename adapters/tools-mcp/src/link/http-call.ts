import { type Agent, type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { StringDecoder } from 'node:string_decoder'
import { END_MS, MAX_MESSAGE_BYTES } from '../limits.ts'
import type { Calls, OpenCall } from './calls.ts'
import { createEventReader } from './event-reader.ts'
import { Lost, NotSent, RefusedByStatus, TooLarge } from './link.ts'

/** What a call over HTTP is sent with. */
export interface HttpCallParts {
  readonly url: URL
  readonly agent: Agent
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
const RETRY_MS = { first: 250, least: 50, most: 30_000 } as const

/**
 * One call over streamable HTTP: a POST whose answer is a JSON document or a stream of events. Nothing is sent twice; a stream that broke off
 * is at most listened to again. Whatever happens settles the call in {@link Calls}.
 */
export class HttpCall {
  readonly #parts: HttpCallParts
  readonly #call: OpenCall
  #request: ClientRequest | undefined
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
    this.#request?.destroy()
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
    const { url, agent, calls } = this.#parts
    if (!calls.has(this.#call.id)) return
    const isSecure = url.protocol === 'https:'
    const request = (isSecure ? requestHttps : requestHttp)(url, { method, headers, agent })
    this.#request = request
    let isConnected = false
    request.once('socket', (socket) => {
      if (request.reusedSocket || !socket.connecting) isConnected = true
      else socket.once(isSecure ? 'secureConnect' : 'connect', () => (isConnected = true))
    })
    request.once('error', (cause) => {
      if (method === 'GET') this.#again()
      else this.#lose(isConnected ? cause : new NotSent('The server cannot be reached.', { cause, final: true }))
    })
    request.once('response', (answer) => this.#read(answer, method))
    request.end(body)
  }

  #read(answer: IncomingMessage, method: 'POST' | 'GET'): void {
    const status = answer.statusCode ?? 500
    const type = mediaTypeOf(answer)
    if (method === 'POST' && (status < 200 || status >= 300) && status !== 400 && status !== 405) {
      answer.resume()
      this.#lose(new RefusedByStatus(status, retryAfterOf(answer)))
    } else if (status === 400 && method === 'POST' && this.#parts.isModern) this.#readDocument(answer)
    else if (status < 200 || status >= 300) {
      answer.resume()
      if (method === 'GET' && status !== 405) this.#again()
      else this.#lose(new Lost('ended'))
    } else if (type === 'text/event-stream') this.#readStream(answer)
    else if (type === 'application/json' && method === 'POST') this.#readDocument(answer)
    else {
      answer.resume()
      this.#lose(new Lost('invalid'))
    }
  }

  #readDocument(answer: IncomingMessage): void {
    const chunks: Buffer[] = []
    let size = 0
    answer.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= MAX_MESSAGE_BYTES) chunks.push(chunk)
      else {
        this.#lose(new TooLarge())
        answer.destroy()
      }
    })
    answer.once('error', (error) => this.#lose(error))
    answer.once('end', () => {
      const parsed = parse(Buffer.concat(chunks).toString('utf8'))
      for (const message of Array.isArray(parsed) ? parsed : [parsed]) this.#parts.take(message)
      this.#lose(new Lost(answer.statusCode === 400 ? 'ended' : 'invalid')) // unless the answer was among them
    })
  }

  #readStream(answer: IncomingMessage): void {
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
    answer.on('data', (chunk: Buffer) => {
      if (!read(decoder.write(chunk))) {
        this.#lose(new Lost('ended'))
        answer.destroy()
        // A server ends the stream behind its answer; one that does not is not listened to for long.
      } else if (!calls.has(id)) leaving ??= setTimeout(() => answer.destroy(), END_MS.input)
    })
    answer.once('error', () => undefined) // told by its end
    answer.once('close', () => {
      clearTimeout(leaving)
      if (!calls.has(id)) return
      if (this.#lastEvent === undefined) this.#lose(new Lost('ended'))
      else this.#again()
    })
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

function mediaTypeOf({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/** How long the server asks us to wait, when it says so in seconds (RFC 9110, section 10.2.3). */
export function retryAfterOf({ headers }: IncomingMessage): number | undefined {
  const value = headers['retry-after']
  return value !== undefined && /^\d{1,5}$/.test(value) ? Number(value) * 1_000 : undefined
}

/** A value as a header can carry it: as it is, or as base64 (2026-07-28, section "Value Encoding"). */
export function headerValueOf(value: string): string {
  const isPlain = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !value.startsWith('=?base64?')
  return isPlain ? value : `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`
}
