import { Agent, type IncomingMessage, request } from 'node:http'
import { ClientError } from './error.ts'

/** One request, as bytes go over the wire. */
export interface Outgoing {
  readonly method: 'GET' | 'POST'
  /** Absolute path with query. */
  readonly path: string
  /** JSON text, or undefined for no body. */
  readonly body: string | undefined
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** What came back, whole. */
export interface Incoming {
  readonly status: number
  readonly contentType: string
  readonly text: string
}

/** Sends requests to one gateway over kept-alive connections. */
export interface Exchange {
  send(outgoing: Outgoing): Promise<Incoming>
  close(): void
}

/** Answers larger than this are not read to their end. */
const MAX_ANSWER_BYTES = 64 * 1_048_576
const MAX_SOCKETS = 64

/**
 * Talks HTTP/1.1 to the gateway at `url`; adds the token to every request and to nothing else.
 *
 * A read that met a connection which the gateway had just closed is sent once more. A request that changes something never is: it
 * may have arrived.
 */
export function createExchange(url: URL, token: string | undefined): Exchange {
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS })
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const attempt = (outgoing: Outgoing): Promise<Incoming> => {
    const { promise, resolve, reject } = Promise.withResolvers<Incoming>()
    const { method, path, body, timeoutMs, signal } = outgoing
    const content = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const sent = request({
      agent,
      host: url.hostname.replaceAll(/[[\]]/g, ''),
      port: url.port === '' ? 80 : Number(url.port),
      method,
      path,
      headers: { ...headers, ...content, accept: 'application/json', host: url.host },
      ...(signal === undefined ? {} : { signal }),
    })
    const timer = setTimeout(
      () => sent.destroy(new ClientError('timeout', `The server did not answer within ${timeoutMs} ms.`)),
      timeoutMs,
    )
    sent.once('response', (response) => {
      collect(response).then(resolve, (error: unknown) => reject(translate(error, url, sent.reusedSocket)))
    })
    sent.once('error', (error) => reject(translate(error, url, sent.reusedSocket)))
    sent.end(body)
    return promise.finally(() => clearTimeout(timer))
  }
  return {
    send: async (outgoing) => {
      try {
        return await attempt(outgoing)
      } catch (error) {
        if (outgoing.method === 'GET' && error instanceof StaleConnection) return attempt(outgoing)
        throw error
      }
    },
    close: () => agent.destroy(),
  }
}

/** Private to this file: a kept-alive connection was gone when the request reached it. */
class StaleConnection extends ClientError {}

async function collect(response: IncomingMessage): Promise<Incoming> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) throw new ClientError('malformed_answer', 'The answer is larger than 64 MiB.')
    chunks.push(chunk)
  }
  const text = new TextDecoder().decode(Buffer.concat(chunks))
  return { status: response.statusCode ?? 0, contentType: response.headers['content-type'] ?? '', text }
}

function translate(error: unknown, url: URL, reused: boolean): unknown {
  if (error instanceof ClientError) return error
  if (error instanceof Error && error.name === 'AbortError') return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  const message = `No answer from ${url.origin} (${code}). Is the server running? Start it with \`tidegate up\`.`
  const Kind = reused && ['ECONNRESET', 'EPIPE'].includes(code) ? StaleConnection : ClientError
  return new Kind('unreachable', message, { cause: error })
}
