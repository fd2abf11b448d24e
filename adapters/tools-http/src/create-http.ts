import { type ConnectorResult, isObject, type Json, type JsonObject, type Reconciliation, valueAt } from '@tidegate/kernel'
import { type Dialler, type Resolver, socketDialler, systemResolver } from './connect.ts'
import { ToolsHttpError } from './error.ts'
import type { HttpMethod, Route } from './exchange.ts'
import { type HttpLimits, parseLimits } from './limits.ts'
import { parseOrigin } from './origin.ts'
import { createRequest, type Credentials, type HttpCall, type HttpFacts, type RequestParts } from './request.ts'

/** The one place that a tool talks to, and how. */
export interface HttpOptions {
  readonly baseUrl: string
  /** Origins (`https://desk.example`) that the base URL may have; any unless told. Use it when the base URL is configured elsewhere. */
  readonly allow?: readonly string[]
  /** Allows a base URL on this machine, and then nothing but this machine. */
  readonly allowLoopback?: boolean
  /** The name of the secret that is sent as `Authorization: Bearer`. */
  readonly bearer?: string
  /** Names of secrets that are sent as other headers, by header name: `{'x-api-key': 'desk-key'}`. */
  readonly secretHeaders?: Readonly<Record<string, string>>
  readonly limits?: Partial<HttpLimits>
}

/** How names and sockets are had; the machine's own ways unless told. */
export interface HttpSurroundings {
  readonly resolve?: Resolver
  readonly dial?: Dialler
}

/** What a request does with its answer. `select` makes the output of it; the whole body unless told. */
export interface RequestOptions<Arguments> extends RequestParts<HttpFacts<Arguments>> {
  readonly select?: (body: Json, facts: HttpFacts<Arguments>) => Json
}

/** How to look for an effect in a list of the far side. */
export interface LookUpOptions<Arguments> extends Omit<RequestParts<HttpFacts<Arguments>>, 'body'> {
  /** JSON pointer to the list in the answer; `/items` unless told. */
  readonly items?: string
  /** Which members of the list are this effect; all of them unless told. */
  readonly where?: (item: JsonObject, facts: HttpFacts<Arguments>) => boolean
  /** The output that the call would have had. */
  readonly output: (item: JsonObject, facts: HttpFacts<Arguments>) => Json
}

/** A call that is looked at after it was done. */
export interface DoneFacts<Arguments, Output> extends HttpFacts<Arguments> {
  readonly output: Output
}

/** How to see that an effect is in the world. */
export interface CheckOptions<Arguments, Output> extends Omit<RequestParts<DoneFacts<Arguments, Output>>, 'body'> {
  readonly holds: (body: Json, facts: DoneFacts<Arguments, Output>) => boolean
  /** What is seen when it holds, in words: "the refund is cancelled". */
  readonly says: string
}

type Execute = <Arguments = JsonObject>(
  path: string,
  options?: RequestOptions<Arguments>,
) => (call: HttpCall<Arguments>) => Promise<ConnectorResult>

/** Requests as functions of a call, for the fields of an operation. */
export interface Http {
  readonly get: Execute
  readonly post: Execute
  readonly put: Execute
  readonly patch: Execute
  readonly delete: Execute
  /** A GET that finds out whether an effect happened: not in the list is absent, once is happened, more often is doubled. */
  lookUp<Arguments = JsonObject>(
    path: string,
    options: LookUpOptions<Arguments>,
  ): (call: HttpCall<Arguments>) => Promise<Reconciliation>
  /** A GET that sees whether an effect is in the world now. */
  check<Arguments = JsonObject, Output = JsonObject>(
    path: string,
    options: CheckOptions<Arguments, Output>,
  ): (call: HttpCall<Arguments>, output: Output) => Promise<{ readonly holds: boolean; readonly detail: string }>
}

const HEADER = /^[a-z][a-z0-9-]{0,63}$/
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'host',
  'idempotency-key',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
])

/**
 * Creates the requests of one tool to one origin: scheme, host and port are fixed here, and nothing in a call can change them.
 *
 * Names are looked up once per request, every address is checked, and exactly the checked address is dialled. Redirects are not
 * followed, answers are JSON within limits, and secrets go into headers and nowhere else.
 *
 * @throws ToolsHttpError `http_base_url`, `http_option`
 */
export function createHttp(
  options: HttpOptions,
  { resolve = systemResolver, dial = socketDialler }: HttpSurroundings = {},
): Http {
  const { baseUrl, allow, allowLoopback, bearer, secretHeaders = {} } = options
  const ground: Route & Credentials = {
    place: parseOrigin(baseUrl, { allow, allowLoopback }),
    limits: parseLimits(options.limits),
    resolve,
    dial,
    bearer,
    secretHeaders: parseSecretHeaders(secretHeaders),
  }
  const execute =
    (method: HttpMethod): Execute =>
    (path, requestOptions = {}) =>
      executeBy(method, path, requestOptions, ground)
  return {
    get: execute('GET'),
    post: execute('POST'),
    put: execute('PUT'),
    patch: execute('PATCH'),
    delete: execute('DELETE'),
    lookUp: (path, lookUp) => lookUpBy(path, lookUp, ground),
    check: (path, check) => checkBy(path, check, ground),
  }
}

function executeBy<Arguments>(
  method: HttpMethod,
  path: string,
  options: RequestOptions<Arguments>,
  ground: Route & Credentials,
): (call: HttpCall<Arguments>) => Promise<ConnectorResult> {
  const { select = (body: Json) => body } = options
  const send = createRequest(method, path, options, ground)
  return async (call) => {
    const facts = factsOf(call)
    const answer = await send(call, facts)
    if (answer.kind === 'failed') return answer
    try {
      return { kind: 'done', output: select(answer.body, facts), complete: answer.complete }
    } catch {
      const retry = method === 'GET' ? 'safe' : 'unknown'
      return {
        kind: 'failed',
        failure: 'invalid_output',
        retry,
        message: `${method} ${path}: The answer has not the expected parts.`,
        code: 'http_answer',
      }
    }
  }
}

/** A list that was cut short proves neither that something is missing nor that it is there only once. */
function lookUpBy<Arguments>(
  path: string,
  options: LookUpOptions<Arguments>,
  ground: Route & Credentials,
): (call: HttpCall<Arguments>) => Promise<Reconciliation> {
  const { items = '/items', where = () => true, output } = options
  const send = createRequest('GET', path, options, ground)
  const unknown = (message: string): Reconciliation => ({ kind: 'unknown', message: `GET ${path}: ${message}` })
  return async (call) => {
    const facts = factsOf(call)
    const answer = await send(call, facts)
    if (answer.kind === 'failed') return { kind: 'unknown', message: answer.message }
    const list = valueAt(answer.body, items)
    if (!Array.isArray(list)) return unknown(`The answer has no list at ${items}.`)
    const members = (list as readonly Json[]).filter(isObject)
    if (members.length !== list.length) return unknown('The list holds something that is no object.')
    const found = members.filter((item) => where(item, facts))
    const [first] = found
    if (first !== undefined && found.length > 1) return { kind: 'doubled', count: found.length, output: output(first, facts) }
    if (!answer.complete) return unknown('The list was cut short.')
    return first === undefined ? { kind: 'absent' } : { kind: 'happened', output: output(first, facts) }
  }
}

function checkBy<Arguments, Output>(path: string, options: CheckOptions<Arguments, Output>, ground: Route & Credentials) {
  const { holds, says } = options
  const send = createRequest('GET', path, options, ground)
  return async (call: HttpCall<Arguments>, output: Output) => {
    const facts = { ...factsOf(call), output }
    const answer = await send(call, facts)
    if (answer.kind === 'failed') return { holds: false, detail: `Could not be looked at. ${answer.message}` }
    return holds(answer.body, facts) ? { holds: true, detail: `Seen: ${says}.` } : { holds: false, detail: `Not seen: ${says}.` }
  }
}

/** Leaves out what a builder of requests must not have: the way to secrets. */
function factsOf<Arguments>({ arguments: args, effectId }: HttpCall<Arguments>): HttpFacts<Arguments> {
  return { arguments: args, effectId }
}

function parseSecretHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const name of Object.keys(headers)) {
    if (!HEADER.test(name) || OWN_HEADERS.has(name)) {
      throw new ToolsHttpError(
        'http_option',
        `secretHeaders: "${name.slice(0, 64)}" cannot be set. Write it in lower case; for Authorization use bearer.`,
      )
    }
  }
  return headers
}
