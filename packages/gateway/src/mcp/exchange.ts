import type { IncomingMessage, ServerResponse } from 'node:http'
import type { McpHost } from './desk.ts'
import { type EventStream, openEventStream } from './event-stream.ts'

/** One HTTP request of a known host, and the one answer to it: a JSON document, or a stream that ends with it. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly host: McpHost
  /** True when this client reads streams. */
  readonly readsStreams: boolean
  /** Aborted when the client is gone, or by {@link giveUp}. */
  readonly signal: AbortSignal
  /** True when the client went away before it was answered. */
  readonly gone: boolean
  /** Nobody waits for this any more. */
  readonly giveUp: () => void
  /** Headers of the answer, whatever form it takes. */
  setHeader(name: string, value: string): void
  /** The stream of this answer; opened by the first who asks for it. */
  stream(): EventStream
  /** Answers, on the stream when there is one. Later answers are dropped. */
  answer(status: number, body?: object): void
}

/** Why waiting is given up; made once, since a reason of its own costs more than the rest of the request. */
const NOBODY_WAITS = new Error('nobody waits for this any more')

/** What the client reads, of its `Accept` header; a client that does not say reads JSON. */
export function acceptsOf(request: IncomingMessage): { readonly json: boolean; readonly stream: boolean } {
  const accept = request.headers.accept
  if (accept === undefined || accept.includes('*/*')) return { json: true, stream: accept !== undefined }
  return { json: /application\/(?:json|\*)/i.test(accept), stream: /text\/(?:event-stream|\*)/i.test(accept) }
}

export function createExchange(request: IncomingMessage, response: ServerResponse, host: McpHost): Exchange {
  const accepts = acceptsOf(request)
  const waiting = new AbortController()
  const giveUp = (): void => waiting.abort(NOBODY_WAITS)
  const headers: Record<string, string> = {}
  let stream: EventStream | undefined
  let answered = false
  response.once('close', () => {
    if (!answered) giveUp()
  })
  const exchange: Exchange = {
    request,
    host,
    readsStreams: accepts.stream,
    signal: waiting.signal,
    get gone() {
      return !answered && response.destroyed
    },
    giveUp,
    setHeader(name, value) {
      headers[name] = value
    },
    stream() {
      stream ??= openEventStream(response, headers)
      return stream
    },
    answer(status, body) {
      if (answered || response.destroyed) return
      answered = true
      if (body !== undefined && (stream !== undefined || (!accepts.json && status === 200))) {
        exchange.stream().send(body)
        exchange.stream().end()
      } else if (stream !== undefined) stream.end()
      else writeJson(response, status, body, headers)
    },
  }
  return exchange
}

/** Writes one JSON document, or nothing but a status. */
export function writeJson(
  response: ServerResponse,
  status: number,
  body: object | undefined,
  headers: Readonly<Record<string, string>>,
): void {
  const text = body === undefined ? '' : JSON.stringify(body)
  response.writeHead(status, {
    ...headers,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    'content-length': Buffer.byteLength(text),
  })
  response.end(text) // as text, so that it leaves together with the headers
}
