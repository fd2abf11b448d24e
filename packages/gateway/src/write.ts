import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { PROBLEM_TYPE } from '@tidegate/protocol'
import type { Answered } from './answer.ts'
import { problemOf, type Refusal, type Reply, statusOf } from './reply.ts'

/** On every answer: it is data for one reader, not a page, and nobody keeps it. */
const HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** How long a sender may go on sending a body that is refused already, so that it gets to read why. */
const LINGER_MS = 500

const TEXT_TYPE = 'text/plain; charset=utf-8'

/** A refusal is a problem (RFC 9457), or one line of text where a protocol of others wants that. */
function bodyOf(reply: Reply, refusalAs: Answered['refusalAs']): string {
  if (reply.kind === 'done') return JSON.stringify(reply.body)
  return refusalAs === 'text' ? `${reply.code}: ${reply.detail}` : JSON.stringify(problemOf(reply))
}

/** Writes an answer. When the request was refused before its body was read, the connection is closed behind it. */
export function writeReply(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  { headers, refusalAs }: Pick<Answered, 'headers' | 'refusalAs'>,
): void {
  const body = Buffer.from(bodyOf(reply, refusalAs))
  const unread = !request.complete
  if (unread) {
    response.once('finish', () => setTimeout(() => request.socket.destroy(), LINGER_MS).unref())
    request.resume()
  }
  response.writeHead(statusOf(reply), {
    ...HEADERS,
    ...headers,
    ...(reply.kind === 'done' ? reply.headers : {}),
    'content-type': reply.kind === 'done' ? 'application/json' : refusalAs === 'text' ? TEXT_TYPE : PROBLEM_TYPE,
    'content-length': body.length,
    ...(unread ? { connection: 'close' } : {}),
  })
  response.end(body)
}

/** Answers on a connection whose request could not even be parsed, and closes it. */
export function writeRefusal(socket: Duplex, refusal: Refusal): void {
  const body = JSON.stringify(problemOf(refusal))
  const head = [
    `HTTP/1.1 ${statusOf(refusal)} ${refusal.code}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
