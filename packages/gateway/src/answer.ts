import type { IncomingMessage } from 'node:http'
import { randomUUID } from 'node:crypto'
import { wireId } from '@tidegate/protocol'
import { type Person, RuntimeError, type Tidegate } from '@tidegate/runtime'
import type { Authenticate } from './authenticate.ts'
import { done, type Refusal, type Reply, refuse } from './reply.ts'
import { readBody } from './request/body.ts'
import { guardBearer, guardOrigin, guardPerson } from './request/guard.ts'
import { CATALOGUE_ROUTES } from './route/catalogue.ts'
import { CONTROL_ROUTES } from './route/control.ts'
import { ENDORSEMENT_ROUTES } from './route/endorsements.ts'
import { LEDGER_ROUTES } from './route/ledger.ts'
import { asAuthZen, isAuthZen } from './authzen-answer.ts'
import { POLICY_ROUTES } from './route/policy.ts'
import { findRoute, type RequestSchema, type Route } from './route/route.ts'
import { RUN_ROUTES } from './route/runs.ts'

/** What every answer needs. */
export interface Ground {
  /** Everything that can be asked. */
  readonly routes: readonly Route[]
  readonly tidegate: Tidegate
  readonly authenticate: Authenticate
  /** Tells which host holds a token; without it there are no hosts. */
  readonly authenticateHost?: (token: string) => { readonly host: string } | undefined
  readonly version: string
  readonly maxBodyBytes: number
  /** How long the runtime may take, where a route does not say. */
  readonly timeoutMs: number
  /** What the Host header may say, in lower case, with the port. */
  readonly hosts: Set<string>
  readonly onDefect: (error: unknown, incident: string) => void
}

/** A reply, and headers that only it has. */
export interface Answered {
  readonly reply: Reply
  readonly headers: Readonly<Record<string, string>>
  /** How a refusal is written: as a problem unless told. */
  readonly refusalAs?: 'text'
}

/** What every gateway can be asked. */
export const ROUTES: readonly Route[] = [
  ...RUN_ROUTES,
  ...CONTROL_ROUTES,
  ...ENDORSEMENT_ROUTES,
  ...LEDGER_ROUTES,
  ...POLICY_ROUTES,
  ...CATALOGUE_ROUTES,
]
const HEALTH = '/v1/health'
/** Who asks for what needs no token. */
const NOBODY: Person = { id: 'user:nobody', roles: [] }
const MAX_TARGET = 4_096

/**
 * Answers one request. In this order: is it for us, does the path exist, who asks, may this method, is it well formed; and only
 * then the runtime is called. Never throws for anything a request contains.
 */
export async function answer(request: IncomingMessage, ground: Ground): Promise<Answered> {
  const answered = await answerPlainly(request, ground)
  return isAuthZen(request) ? asAuthZen(request, answered) : answered
}

async function answerPlainly(request: IncomingMessage, ground: Ground): Promise<Answered> {
  const foreign = guardOrigin(request, ground.hosts)
  if (foreign !== undefined) return { reply: foreign, headers: {} }
  const target = parseTarget(request.url ?? '')
  if ('kind' in target) return { reply: target, headers: {} }
  if (target.path === HEALTH && request.method === 'GET') return { reply: done({ status: 'ok' }), headers: {} }
  const found = findRoute(ground.routes, request.method ?? '', target.path)
  const who = whoAsks(request, 'route' in found ? found.route : undefined, ground)
  if ('kind' in who) return { reply: who, headers: { 'www-authenticate': 'Bearer' } }
  if ('allowed' in found) return notHere(found.allowed, target.path)
  const parsed = await parseRequest(request, found, target.query, found.route.maxBodyBytes ?? ground.maxBodyBytes)
  if ('kind' in parsed) return { reply: parsed, headers: {} }
  const { tidegate, version } = ground
  const idempotencyKey = request.headersDistinct['idempotency-key']?.join(',')
  const { person, host = '' } = who
  const gone = new AbortController()
  const leave = (): void => gone.abort()
  request.socket.once('close', leave)
  const call = { tidegate, person, host, version, id: found.id, idempotencyKey, gone: gone.signal, ...parsed }
  const reply = await guarded(found.route, () => found.route.run(call), ground)
  request.socket.off('close', leave)
  return { reply, headers: {} }
}

function whoAsks(
  request: IncomingMessage,
  route: Route | undefined,
  { authenticate, authenticateHost }: Ground,
): { readonly person: Person; readonly host?: string } | Refusal {
  if (route?.isPublic === true) return { person: NOBODY }
  if (route?.forHosts !== true) return guardPerson(request, authenticate)
  const found = guardBearer(request, (token) => authenticateHost?.(token))
  return 'kind' in found ? found : { person: NOBODY, host: found.holder.host }
}

function notHere(allowed: readonly string[], path: string): Answered {
  const methods = path === HEALTH ? ['GET'] : allowed
  if (methods.length === 0) return { reply: refuse('unknown_route', 'There is nothing at this path.'), headers: {} }
  return {
    reply: refuse('method_not_allowed', `Here only ${methods.join(' and ')} will do.`),
    headers: { allow: methods.join(', ') },
  }
}

/** Splits the target of a request; the sender controls all of it. */
function parseTarget(url: string): { readonly path: string; readonly query: URLSearchParams } | Refusal {
  if (!url.startsWith('/') || url.length > MAX_TARGET)
    return refuse('invalid_request', 'The target of the request is not a path of this gateway.')
  const mark = url.indexOf('?')
  const query = new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1))
  try {
    const path = (mark === -1 ? url : url.slice(0, mark)).split('/').map(decodeSegment).join('/')
    return { path, query }
  } catch {
    return refuse('invalid_request', 'The path of the request is not properly encoded.')
  }
}

function decodeSegment(segment: string): string {
  const decoded = decodeURIComponent(segment)
  if (decoded.includes('/')) throw new URIError('a slash inside a segment')
  return decoded
}

type Parsed = { readonly body: unknown; readonly query: unknown }

async function parseRequest(
  request: IncomingMessage,
  { route, id }: { readonly route: Route; readonly id: string },
  query: URLSearchParams,
  maxBytes: number,
): Promise<Parsed | Refusal> {
  if (route.path.includes(':id') && !wireId.safeParse(id).success)
    return refuse('invalid_request', 'The id in the path is not an id.')
  const names = [...query.keys()]
  if (new Set(names).size < names.length) return refuse('invalid_request', 'A parameter stands twice in the query.')
  if (route.query === undefined && names.length > 0) return refuse('invalid_request', 'This path takes no query.')
  const checkedQuery = route.query === undefined ? { data: undefined } : check(route.query, Object.fromEntries(query), 'query')
  if ('kind' in checkedQuery) return checkedQuery
  const read = await readBody(request, route.method === 'POST' ? maxBytes : 0)
  if ('kind' in read) return read
  if (route.body === undefined && read.body !== undefined) return refuse('invalid_request', 'This path takes no body.')
  const checkedBody = route.body === undefined ? { data: undefined } : check(route.body, read.body, 'body')
  return 'kind' in checkedBody ? checkedBody : { body: checkedBody.data, query: checkedQuery.data }
}

function check(schema: RequestSchema<unknown>, value: unknown, where: 'body' | 'query'): { readonly data: unknown } | Refusal {
  const result = schema.safeParse(value)
  if (result.success) return { data: result.data }
  const issues = result.error.issues
    .slice(0, 20)
    .map(({ path, message }) => ({ path: `/${path.map(String).join('/')}`.slice(0, 200), message: message.slice(0, 500) }))
  const [first] = issues
  return refuse('invalid_request', `The ${where} is not valid at ${first?.path ?? '/'}: ${first?.message ?? 'not understood'}.`, {
    issues,
  })
}

/** Calls the runtime; a defect becomes an incident that tells nothing, and time that is up becomes an answer. */
async function guarded(route: Route, run: () => Promise<Reply>, ground: Ground): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const timeoutMs = route.timeoutMs ?? ground.timeoutMs
  const timer = setTimeout(() => resolve(refuse('timeout', late(route))), timeoutMs)
  const failed = (error: unknown): Reply => explain(error, ground)
  run().catch(failed).then(resolve, reject)
  const reply = await promise
  clearTimeout(timer)
  return reply
}

/** What somebody is told about an error. The log is told everything, the caller only what is for people. */
function explain(error: unknown, { onDefect }: Ground): Refusal {
  if (error instanceof RuntimeError && error.code === 'run_erased') return refuse('run_erased', error.message)
  if (error instanceof RuntimeError && error.code === 'runtime_closed')
    return refuse('shutting_down', 'The server is being ended.')
  const incident = randomUUID()
  onDefect(error, incident)
  // The error class belongs to an adapter, which the gateway does not know; the port promises its name.
  if (error instanceof Error && error.name === 'JournalError') {
    const cured = 'code' in error ? STORAGE.get(error.code) : undefined
    if (cured !== undefined) return refuse(cured.code, cured.detail, { incident })
    const detail = 'The journal cannot be read or written; nothing was changed by this request. The log of the server says why.'
    return refuse('storage_failed', detail, { incident })
  }
  const detail = 'This is a defect or a failed device, not your request. The log of the server has it under the incident id.'
  return refuse('internal_error', detail, { incident })
}

/** The failures of a store that an operator can cure, and how. */
const STORAGE: ReadonlyMap<unknown, { readonly code: 'storage_full' | 'storage_unwritable'; readonly detail: string }> = new Map([
  [
    'journal_full',
    {
      code: 'storage_full',
      detail:
        'There is no room left for the journal. Free some space on its disk, and ask again; nothing that was acknowledged is lost.',
    },
  ],
  [
    'journal_unwritable',
    {
      code: 'storage_unwritable',
      detail:
        'The journal cannot be written. Make its disk writable, and start the server again; nothing that was acknowledged is lost.',
    },
  ],
])

function late(route: Route): string {
  return route.method === 'GET'
    ? 'The answer took too long. Ask again.'
    : 'The answer took too long. It may still happen: look before you ask again.'
}
