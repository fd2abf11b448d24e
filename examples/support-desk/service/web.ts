import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { atomically } from './database.ts'
import type { Fault } from './faults.ts'
import { DeskProblem } from './problem.ts'
import type { Answer, Call, Desk, Route } from './routes.ts'

/** The largest body that is read. A larger one is read to its end and thrown away, so that the caller hears 413 and no reset. */
const BODY_LIMIT_BYTES = 262_144
/** Past this even throwing away ends, with the connection. */
const DISCARD_LIMIT_BYTES = 33_554_432
const HUGE_BYTES = 33_554_432
const URL_LIMIT = 2048

/** What the server needs: the desk, its routes and transactions, and the token that callers must show. */
export interface WebOptions {
  readonly desk: Desk
  readonly routes: readonly Route[]
  readonly db: DatabaseSync
  readonly token: string
  /** Told about what is a defect of the desk; callers only hear `internal_error`. */
  readonly onDefect: (error: unknown) => void
}

/** Creates the HTTP face. Everything but GET /health needs the bearer token; errors are RFC 9457 problems. */
export function createWebServer(options: WebOptions): Server {
  const expected = digestOf(`Bearer ${options.token}`)
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
    serve(request, response, options, expected).catch((error: unknown) => {
      if (request.errored !== error) options.onDefect(error)
      response.destroy()
    })
  })
  server.maxConnections = 512
  return server
}

async function serve(request: IncomingMessage, response: ServerResponse, options: WebOptions, expected: Buffer): Promise<void> {
  const { desk } = options
  let fault: Fault | undefined
  try {
    const { path, query, found } = targetOf(request, options.routes, expected)
    const { route, id } = found
    if (route.pattern !== '/faults') {
      fault = desk.faults?.take([`${route.method} ${path}`, `${route.method} ${route.pattern}`])
    }
    if (fault?.mode === 'slow') await pause(fault.ms, undefined, { ref: false })
    const body = await bodyOf(request, route)
    const seq = route.mutates ? desk.calls.record(route.method, path, referenceIn(body.input)) : undefined
    if (fault?.mode === 'hang') return void (await hang(response, fault.ms))
    const answer = answerTo({ route, seq, refused: fault?.mode === 'error-before' ? failure() : body.refused, options }, () => ({
      id,
      query,
      input: body.input,
      idempotencyKey: keyOf(request),
    }))
    await send(response, answer, fault)
  } catch (error) {
    if (!(error instanceof DeskProblem)) throw error
    await send(response, { status: error.status, body: error }, undefined)
  }
}

interface Work {
  readonly route: Route
  /** The number of the recorded call; absent where nothing is recorded. */
  readonly seq: number | undefined
  /** What refuses the call before its work. */
  readonly refused: DeskProblem | undefined
  readonly options: WebOptions
}

/** Does the work of a call. If we crash before the commit, nothing happened and the recorded call keeps a `null` status. */
function answerTo({ route, seq, refused, options }: Work, call: () => Call): Answer {
  const { calls } = options.desk
  try {
    if (refused !== undefined) throw refused
    if (seq === undefined) return route.answer(call())
    return atomically(options.db, () => {
      const answer = route.answer(call())
      calls.settle(seq, answer.status)
      return answer
    })
  } catch (error) {
    if (!(error instanceof DeskProblem)) options.onDefect(error)
    const problem = error instanceof DeskProblem ? error : failure()
    if (seq !== undefined) calls.settle(seq, problem.status)
    return { status: problem.status, body: problem }
  }
}

function targetOf(request: IncomingMessage, routes: readonly Route[], expected: Buffer) {
  const url = request.url ?? ''
  const mark = url.includes('?') ? url.indexOf('?') : url.length
  const path = url.slice(0, mark)
  const open = request.method === 'GET' && path === '/health'
  if (!open && !timingSafeEqual(digestOf(request.headers.authorization ?? ''), expected)) {
    throw new DeskProblem('unauthorized', 'Send the token of the desk as "Authorization: Bearer".')
  }
  if (url.length > URL_LIMIT) throw new DeskProblem('invalid_query', `The address is longer than ${URL_LIMIT} characters.`)
  const matches = routes.flatMap((route) => {
    const id = match(route.pattern, path)
    return id === undefined ? [] : [{ route, id }]
  })
  if (matches.length === 0) throw new DeskProblem('route_unknown', 'The desk has nothing at this address.')
  const found = matches.find(({ route }) => route.method === request.method)
  if (found === undefined) {
    throw new DeskProblem('method_not_allowed', `Use ${matches.map(({ route }) => route.method).join(' or ')} here.`)
  }
  return { path, query: queryOf(url.slice(mark + 1), found.route.queries), found }
}

/** The id in the path ('' where the pattern has none), or undefined when the path is another one. */
function match(pattern: string, path: string): string | undefined {
  const wanted = pattern.split('/')
  const given = path.split('/')
  if (wanted.length !== given.length) return undefined
  let id = ''
  for (const [index, segment] of wanted.entries()) {
    const actual = given[index] ?? ''
    if (segment === ':id' && /^[A-Za-z0-9-]{1,64}$/.test(actual)) id = actual
    else if (segment !== actual) return undefined
  }
  return id
}

function queryOf(search: string, known: readonly string[]): ReadonlyMap<string, string> {
  const query = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(search)) {
    if (!known.includes(name) || query.has(name)) {
      throw new DeskProblem('invalid_query', `This address takes only, and once each: ${known.join(', ') || 'nothing'}.`)
    }
    query.set(name, value)
  }
  return query
}

/** The JSON of a POST. What refuses it is a value, because the refused call is recorded as well. */
async function bodyOf(request: IncomingMessage, route: Route): Promise<{ input?: unknown; refused?: DeskProblem }> {
  if (route.method !== 'POST') return {}
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request) {
    sizeBytes += chunk.length
    if (sizeBytes <= BODY_LIMIT_BYTES) chunks.push(chunk)
    if (sizeBytes > DISCARD_LIMIT_BYTES) break
  }
  try {
    if (sizeBytes > BODY_LIMIT_BYTES) throw new DeskProblem('body_too_large', `A body has at most ${BODY_LIMIT_BYTES} bytes.`)
    if (!/^application\/json *(;|$)/i.test(request.headers['content-type'] ?? '')) {
      throw new DeskProblem('media_type_unsupported', 'Send the body as application/json.')
    }
    return { input: parseJson(Buffer.concat(chunks)) }
  } catch (error) {
    if (error instanceof DeskProblem) return { refused: error }
    throw error
  }
}

function parseJson(bytes: Buffer): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new DeskProblem('invalid_utf8', 'The body holds bytes that are not UTF-8.', { cause })
  }
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new DeskProblem('invalid_json', 'The body could not be parsed as JSON.', { cause })
  }
}

/** The caller's reference for the record of calls, even of a call that is otherwise malformed. */
function referenceIn(input: unknown): string | null {
  if (typeof input !== 'object' || input === null || !('reference' in input)) return null
  const { reference } = input
  return typeof reference === 'string' && reference.length <= 200 && reference.isWellFormed() ? reference : null
}

function keyOf(request: IncomingMessage): string | undefined {
  const key = request.headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key
  throw new DeskProblem('invalid_field', 'Idempotency-Key must have 1 to 255 visible ASCII characters.')
}

async function send(response: ServerResponse, answer: Answer, fault: Fault | undefined): Promise<void> {
  switch (fault?.mode) {
    case 'drop-after':
      response.socket?.destroy()
      return
    case 'error-after':
      return write(response, { status: 500, body: failure() })
    case 'garbage':
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(Buffer.from('{"id": "rf-\xff\xfe', 'latin1'))
      return
    case 'html':
      response
        .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
        .end('<!doctype html><title>Sign in</title><h1>Please sign in</h1>')
      return
    case 'huge':
      return writeHuge(response, answer)
    case 'partial':
      return write(response, { status: answer.status, body: cutShort(answer.body) })
    default:
      return write(response, answer)
  }
}

function write(response: ServerResponse, { status, body }: Answer): void {
  const problem = body instanceof DeskProblem
  response.writeHead(status, {
    'content-type': problem ? 'application/problem+json' : 'application/json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
  })
  response.end(JSON.stringify(body))
}

/** A well-formed answer that is far too long, written at the pace of its reader. */
async function writeHuge(response: ServerResponse, answer: Answer): Promise<void> {
  const block = ' '.repeat(65_536)
  response.writeHead(answer.status, { 'content-type': 'application/json' })
  for (let sizeBytes = 0; sizeBytes < HUGE_BYTES && !response.destroyed; sizeBytes += block.length) {
    if (!response.write(block)) await Promise.race([eventOf(response, 'drain'), eventOf(response, 'close')])
  }
  response.end(JSON.stringify(answer.body))
}

/** Keeps a caller waiting until it leaves or the time is over, and never answers. */
async function hang(response: ServerResponse, ms: number): Promise<void> {
  const left = new AbortController()
  response.once('close', () => left.abort())
  await pause(ms, undefined, { signal: left.signal, ref: false }).catch(() => undefined)
  response.destroy()
}

function eventOf(response: ServerResponse, event: 'drain' | 'close'): Promise<void> {
  return new Promise((resolve) => response.once(event, () => resolve()))
}

/** Half of a list, or the whole of anything else, marked as incomplete. */
function cutShort(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || body instanceof DeskProblem) return body
  if (!('items' in body) || !Array.isArray(body.items)) return { ...body, complete: false }
  return { items: body.items.slice(0, Math.floor(body.items.length / 2)), complete: false }
}

function failure(): DeskProblem {
  return new DeskProblem('internal_error', 'The desk failed. Whether the call had an effect is not known here.')
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
