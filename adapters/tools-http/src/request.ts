import type { ConnectorFailure, Json, JsonObject } from '@tidegate/kernel'
import { type Asked, type GoodAnswer, judge } from './answer.ts'
import { ToolsHttpError } from './error.ts'
import { exchange, type HttpMethod, type HttpRequest, type Route } from './exchange.ts'
import { type PathParameter, type PathTemplate, parsePathTemplate } from './path-template.ts'

/** What of a call the request may be built from. No secret is among it. */
export interface HttpFacts<Arguments = JsonObject> {
  readonly arguments: Arguments
  /** Unlike any other; the far side should keep it, so that it can be looked up. */
  readonly effectId: string
}

/** What a request needs of a call; the calls of `@tidegate/tools` are such calls. */
export interface HttpCall<Arguments = JsonObject> extends HttpFacts<Arguments> {
  /** Sent as `Idempotency-Key` when it is there. */
  readonly idempotencyKey?: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly secret: (name: string) => Promise<string>
}

/** A value of the query; undefined leaves it out. */
export type QueryValue = string | number | boolean | undefined

/** How one request is built from a call. */
export interface RequestParts<Facts> {
  /** Fills in the path; the arguments of the call unless told. */
  readonly params?: (facts: Facts) => Readonly<Record<string, PathParameter>>
  readonly query?: (facts: Facts) => Readonly<Record<string, QueryValue>>
  readonly body?: (facts: Facts) => Json
}

/** What every request of one tool has in common. */
export interface Credentials {
  /** The name of the secret for `Authorization: Bearer`. */
  readonly bearer: string | undefined
  /** Other headers whose value is a secret, by header name. */
  readonly secretHeaders: Readonly<Record<string, string>>
}

const MAX_TARGET = 4096
const VISIBLE = /^[\x21-\x7e]+$/

/** A request that can be sent for any call. */
export type Send<Facts> = (call: HttpCall<unknown>, facts: Facts) => Promise<GoodAnswer | ConnectorFailure>

/**
 * Declares a request. What is wrong with the declaration is thrown here; what is wrong with a call is answered, before anything is
 * sent.
 *
 * @throws ToolsHttpError `http_path`, `http_option`
 */
export function createRequest<Facts extends HttpFacts<unknown>>(
  method: HttpMethod,
  path: string,
  parts: RequestParts<Facts>,
  ground: Route & Credentials,
): Send<Facts> {
  const template = parsePathTemplate(path)
  for (const [name, part] of Object.entries({ params: parts.params, query: parts.query, body: parts.body })) {
    if (part !== undefined && typeof part !== 'function')
      throw new ToolsHttpError('http_option', `${method} ${path}: ${name} must be a function of the call.`)
  }
  if (parts.body !== undefined && method === 'GET')
    throw new ToolsHttpError('http_option', `${method} ${path} cannot carry a body. Use query.`)
  const asked: Asked = { isRead: method === 'GET', name: `${method} ${template.text}`, limits: ground.limits }
  return async (call, facts) => {
    const built = await build({ method, template, parts, ground }, call, facts)
    if (!built.ok)
      return {
        kind: 'failed',
        failure: built.failure,
        retry: built.failure === 'refused' ? 'never' : 'safe',
        message: `${asked.name}: ${built.why} Nothing was sent.`,
        code: built.code,
      }
    return judge(await exchange(built.request, ground, call.signal), asked)
  }
}

interface Plan<Facts> {
  readonly method: HttpMethod
  readonly template: PathTemplate
  readonly parts: RequestParts<Facts>
  readonly ground: Route & Credentials
}

type Built =
  | { readonly ok: true; readonly request: HttpRequest }
  | { readonly ok: false; readonly failure: 'refused' | 'unavailable'; readonly code: string; readonly why: string }

async function build<Facts extends HttpFacts<unknown>>(
  { method, template, parts, ground }: Plan<Facts>,
  call: HttpCall<unknown>,
  facts: Facts,
): Promise<Built> {
  let target: string
  let body: string | null
  try {
    const filled = template.fill(parts.params?.(facts) ?? membersOf(facts.arguments))
    if (!filled.ok) return refuse('http_path_parameter', `The value for {${filled.name}} cannot stand in a path.`)
    target = `${ground.place.basePath}${filled.path}${queryText(parts.query?.(facts))}`
    body = parts.body === undefined ? null : JSON.stringify(parts.body(facts))
  } catch {
    return refuse('http_request', 'The request could not be built from these arguments.')
  }
  if (!staysPut(target, ground)) return refuse('http_target', 'The address would leave the declared place.')
  if (body !== null && Buffer.byteLength(body) > ground.limits.maxRequestBytes)
    return refuse('http_request_size', 'The body is too large.')
  const headers: Record<string, string> = { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': 'tidegate' }
  if (body !== null) headers['content-type'] = 'application/json'
  if (call.idempotencyKey !== undefined) headers['idempotency-key'] = call.idempotencyKey
  const secrets = [
    ...Object.entries(ground.secretHeaders),
    ...(ground.bearer === undefined ? [] : [['authorization', ground.bearer] as const]),
  ]
  for (const [header, name] of secrets) {
    const value = await secretOf(call, name)
    if (value === undefined)
      return { ok: false, failure: 'unavailable', code: 'http_secret', why: `The secret "${name}" could not be had.` }
    if (!VISIBLE.test(value)) return refuse('http_secret', `The secret "${name}" cannot stand in a header.`)
    headers[header] = header === 'authorization' ? `Bearer ${value}` : value
  }
  if (call.idempotencyKey !== undefined && !VISIBLE.test(call.idempotencyKey))
    return refuse('http_request', 'The idempotency key cannot stand in a header.')
  return { ok: true, request: { method, target, headers, body } }
}

/** A secret, or undefined when it cannot be had before the call is over: whatever the reason, nothing was sent. */
function secretOf(call: HttpCall<unknown>, name: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const stop = () => resolve(undefined)
    if (call.signal.aborted) stop()
    call.signal.addEventListener('abort', stop, { once: true })
    call
      .secret(name)
      .then(resolve, stop)
      .finally(() => call.signal.removeEventListener('abort', stop))
  })
}

/** True when a parser of URLs reads the target exactly as it was put together, at the declared origin. */
function staysPut(target: string, { place }: Route): boolean {
  if (target.length > MAX_TARGET || !URL.canParse(target, place.origin)) return false
  const url = new URL(target, place.origin)
  return url.origin === place.origin && `${url.pathname}${url.search}` === target && url.pathname.startsWith(`${place.basePath}/`)
}

function queryText(query: Readonly<Record<string, QueryValue>> | undefined): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) search.append(name, String(value))
  return search.size === 0 ? '' : `?${search}`
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function refuse(code: string, why: string): Built {
  return { ok: false, failure: 'refused', code, why }
}
