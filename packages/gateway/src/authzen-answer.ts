import type { IncomingMessage } from 'node:http'
import type { Answered } from './answer.ts'
import { type Refusal, refuse, type Reply } from './reply.ts'

const PREFIX = '/access/v1/'
/** What of it is the Access Request and Approval Profile: its errors are problems (RFC 9457), like our own. */
const REQUESTS = '/access/v1/requests'

/** True for a request of the Authorization API, whatever becomes of it. */
export function isAuthZen({ url = '' }: Pick<IncomingMessage, 'url'>): boolean {
  return url.startsWith(PREFIX)
}

/**
 * An answer as AuthZEN 1.0 wants it: the identifier of the request comes back with it (section "Request Identification"); an error is
 * a line of text, and one that is about the request is a 400 (section "Error Responses").
 */
export function asAuthZen(request: Pick<IncomingMessage, 'url' | 'headersDistinct'>, answered: Answered): Answered {
  const identifier = request.headersDistinct['x-request-id']?.join(', ')
  const headers = { ...answered.headers, ...(identifier === undefined ? {} : { 'x-request-id': identifier }) }
  if (request.url?.startsWith(REQUESTS) === true) return { ...answered, headers }
  return { reply: plainly(answered.reply), headers, refusalAs: 'text' }
}

function plainly(reply: Reply): Reply {
  const isType = reply.kind === 'refusal' && reply.code === 'unsupported_media_type'
  return isType ? asBadRequest(reply) : reply
}

function asBadRequest({ detail }: Refusal): Refusal {
  return refuse('invalid_request', detail)
}
