import type { IncomingMessage } from 'node:http'
import { ReadableStream } from 'node:stream/web'
import { TextDecoder } from 'node:util'
import { ExchangeEnded, type ExchangeState } from './exchange-state.ts'
import { classifyEndpointError, type Failure, readEndpointError } from './failure.ts'
import { parseRetryAfter } from './retry-after.ts'

const MAX_ERROR_BYTES = 65_536

/**
 * Lets the SDK see an answer only if it is one: status 200, not compressed, of the media type we asked for, in valid UTF-8 and
 * within the limit of bytes. Everything else becomes a failure of the exchange.
 *
 * @throws ExchangeEnded after the failure is recorded
 */
export async function acceptResponse(response: IncomingMessage, state: ExchangeState): Promise<Response> {
  const status = response.statusCode ?? 0
  const encoding = response.headers['content-encoding'] ?? 'identity'
  const mediaType = (response.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (status >= 300 && status < 400) throw giveUp(response, state, REDIRECTED)
  if (encoding !== 'identity') throw giveUp(response, state, COMPRESSED)
  if (status !== 200) throw giveUp(response, state, await readRefusal(response, status, state))
  const expected = state.settings.streaming ? 'text/event-stream' : 'application/json'
  if (mediaType !== expected) throw giveUp(response, state, await explainMediaType(response, mediaType, state))
  const body = ReadableStream.from(readBytes(response, state, state.settings.maxReplyBytes))
  // Sound: both are the platform's own ReadableStream; only the two type declarations differ.
  return new Response(body as unknown as ConstructorParameters<typeof Response>[0], {
    status: 200,
    headers: { 'content-type': expected },
  })
}

const REDIRECTED: Failure = {
  code: 'unavailable',
  retry: 'never',
  message: 'The endpoint redirects, and redirects are not followed. Set the baseUrl of the model to its final address.',
}
const COMPRESSED: Failure = {
  code: 'malformed',
  retry: 'never',
  message: 'The endpoint compressed its answer though it was asked not to.',
}
const TOO_LARGE: Failure = {
  code: 'malformed',
  retry: 'never',
  message: 'The answer of the endpoint is larger than maxReplyBytes.',
}
const NOT_UTF8: Failure = { code: 'malformed', retry: 'safe', message: 'The answer of the endpoint is not valid UTF-8.' }
const CUT: Failure = { code: 'cut_off', retry: 'safe', message: 'The connection broke in the middle of the answer.' }

function giveUp(response: IncomingMessage, state: ExchangeState, failure: Failure): ExchangeEnded {
  state.fail(failure)
  response.destroy()
  return new ExchangeEnded()
}

/** A 200 that is not a stream is an error in disguise, or the page of a proxy. */
async function explainMediaType(response: IncomingMessage, mediaType: string, state: ExchangeState): Promise<Failure> {
  if (mediaType === 'application/json') {
    const error = readEndpointError(await readJson(response, state), undefined)
    if (error !== undefined) return classifyEndpointError(error, state.secret())
    return { code: 'malformed', retry: 'never', message: 'The endpoint does not stream. Set streaming to false for this model.' }
  }
  if (mediaType === 'text/html') {
    return {
      code: 'malformed',
      retry: 'never',
      message: 'The endpoint answered with a web page. Check the baseUrl of the model.',
    }
  }
  return { code: 'malformed', retry: 'never', message: 'The endpoint answered in a form that is not the one asked for.' }
}

async function readRefusal(response: IncomingMessage, status: number, state: ExchangeState): Promise<Failure> {
  const error = readEndpointError(await readJson(response, state), status) ?? { status, words: [], text: '' }
  const failure = classifyEndpointError(error, state.secret())
  const headers = { retryAfter: response.headers['retry-after'], retryAfterMs: onlyText(response.headers['retry-after-ms']) }
  const retryAfterMs = parseRetryAfter(headers, state.settings.nowMs())
  return retryAfterMs === undefined || failure.retry === 'never' ? failure : { ...failure, retryAfterMs }
}

function onlyText(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The body of an error, if it is small and JSON; undefined otherwise, for then its status must do. */
async function readJson(response: IncomingMessage, state: ExchangeState): Promise<unknown> {
  const pieces: Uint8Array[] = []
  let size = 0
  try {
    for await (const piece of response) {
      state.touch()
      size += piece.length
      if (size > MAX_ERROR_BYTES) return undefined
      pieces.push(piece)
    }
    return JSON.parse(Buffer.concat(pieces).toString('utf8'))
  } catch {
    return undefined
  }
}

async function* readBytes(response: IncomingMessage, state: ExchangeState, maxBytes: number): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let size = 0
  try {
    for await (const piece of response) {
      state.touch()
      size += piece.length
      if (size > maxBytes) throw giveUp(response, state, TOO_LARGE)
      if (!isUtf8(decoder, piece)) throw giveUp(response, state, NOT_UTF8)
      yield piece
    }
  } catch (error) {
    if (error instanceof ExchangeEnded) throw error
    throw giveUp(response, state, CUT)
  }
  if (!isUtf8(decoder, undefined)) throw giveUp(response, state, NOT_UTF8)
}

/** Without a piece: whether the text may end here. */
function isUtf8(decoder: TextDecoder, piece: Uint8Array | undefined): boolean {
  try {
    if (piece === undefined) decoder.decode()
    else decoder.decode(piece, { stream: true })
    return true
  } catch {
    return false
  }
}
