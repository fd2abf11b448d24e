import { PROBLEM_TYPE, problemSchema } from '@tidegate/protocol'
import type { ClientOptions } from './client.ts'
import { ClientError } from './error.ts'
import { createExchange, type Incoming } from './exchange.ts'

/** What a schema of the protocol offers. */
export interface AnswerSchema<T> {
  safeParse(
    value: unknown,
  ):
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly issues: readonly { readonly path: readonly PropertyKey[] }[] } }
}

/** Asks the gateway one thing: a method, a path below /v1, what the answer must be, and a body. */
export type Ask = <T>(
  method: 'GET' | 'POST',
  path: string,
  schema: AnswerSchema<T>,
  body: unknown,
  timeoutMs: number,
) => Promise<T>

/**
 * Opens a way to ask the gateway at a URL. Nothing is sent before the first question; connections are kept until `close`.
 *
 * @throws ClientError `request_invalid` when the URL or the token cannot be used.
 */
export function createAsk({ url: text, token, signal }: ClientOptions): { readonly ask: Ask; close(): void } {
  const url = parseUrl(text)
  if (token !== undefined && !/^[\x21-\x7e]{1,512}$/.test(token)) {
    throw new ClientError('request_invalid', 'The token must be visible ASCII characters without blanks.')
  }
  const exchange = createExchange(url, token)
  return {
    ask: async (method, path, schema, body, timeoutMs) => {
      const json = body === undefined ? undefined : JSON.stringify(body)
      return understand(await exchange.send({ method, path: `/v1${path}`, body: json, timeoutMs, signal }), schema)
    },
    close: () => exchange.close(),
  }
}

function parseUrl(text: string): URL {
  const url = URL.parse(text)
  if (url?.protocol !== 'http:' || url.username !== '' || url.pathname !== '/' || url.search !== '') {
    throw new ClientError('request_invalid', 'The address of the server must look like http://127.0.0.1:7070.')
  }
  return url
}

/** Reads an answer. The gateway is ours, but what answers at an address may be anything: nothing unchecked goes on. */
function understand<T>(incoming: Incoming, schema: AnswerSchema<T>): T {
  const value = parse(incoming)
  if (incoming.status < 200 || incoming.status > 299) throw refusalOf(incoming, value)
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const path = result.error.issues[0]?.path.map(String).join('/') ?? ''
  throw new ClientError(
    'malformed_answer',
    `The server answered something unexpected at /${path}. Do client and server have the same version?`,
  )
}

function parse({ text, contentType, status }: Incoming): unknown {
  try {
    if (/^application\/(?:problem\+)?json\b/.test(contentType)) return JSON.parse(text)
  } catch (cause) {
    throw new ClientError('malformed_answer', 'The server answered something that is not JSON.', { cause })
  }
  throw new ClientError('malformed_answer', `What answers there (status ${status}) is not a Tidegate server.`)
}

function refusalOf(incoming: Incoming, value: unknown): ClientError {
  const result = problemSchema.safeParse(value)
  if (!result.success || !incoming.contentType.startsWith(PROBLEM_TYPE)) {
    return new ClientError('malformed_answer', `What answers there (status ${incoming.status}) is not a Tidegate server.`)
  }
  const problem = result.data
  const incident = problem.incident === undefined ? '' : ` (incident ${problem.incident})`
  return new ClientError(problem.status === 401 ? 'unauthorized' : 'problem', `${problem.detail}${incident}`, { problem })
}
