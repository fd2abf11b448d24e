import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isObject, type Json } from '@tidegate/kernel'
import { readBody } from '../request/body.ts'
import { guardOrigin } from '../request/guard.ts'
import { type Refusal, statusOf } from '../reply.ts'
import { createCatalogue, createNaming } from './catalogue.ts'
import { MCP_WAITS, type McpOptions } from './desk.ts'
import { acceptsOf, createExchange, type Exchange, writeJson } from './exchange.ts'
import type { McpGround } from './ground.ts'
import { answerLegacy, initialize } from './legacy.ts'
import { createListeners, type Listeners } from './listeners.ts'
import { answerModern } from './modern.ts'
import { headerOf, unsupported } from './modern-headers.ts'
import { authenticateRequest, MCP_PATH, METADATA_PATHS, resourceMetadata } from './protected-resource.ts'
import { isLegacy, META, MODERN_REVISION } from './revision.ts'
import { parseMessage, RPC, type RpcCode, rpcError } from './rpc.ts'
import { createSeal } from './seal.ts'
import { createSessions, type McpSession } from './sessions.ts'

/** What the endpoint has of the gateway that it is part of. */
export interface EndpointSurroundings {
  readonly version: string
  /** What the Host header may say. */
  readonly hosts: ReadonlySet<string>
  /** `http://127.0.0.1:7443`: how the outside reaches us. */
  readonly origin: () => string
  readonly maxBodyBytes: number
  /** Writes down a defect and answers the id under which it is found. */
  readonly defect: (error: unknown) => string
}

/** Where MCP clients meet the desk for hosts. */
export interface McpEndpoint {
  /** True for the paths that are answered here. */
  owns(path: string): boolean
  respond(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** Ends all streams in good order. */
  close(): void
}

/** Requests under way that are kept waiting; more are turned away, so that people can still be reached by those that answer. */
const MAX_WAITING = 512

/**
 * MCP over streamable HTTP, in both of its eras: with sessions (2025-03-26 to 2025-11-25) and stateless (2026-07-28). Tools are all
 * there is; prompts and resources of servers behind us are not passed on.
 */
export function createMcpEndpoint(options: McpOptions, around: EndpointSurroundings): McpEndpoint {
  const seal = createSeal(options.secret ?? randomBytes(32))
  const waits = { ...MCP_WAITS, ...options.waits }
  const offerOf = createCatalogue(options.desk)
  const ground: McpGround = {
    desk: options.desk,
    clock: options.clock,
    seal,
    sessions: createSessions(options, seal),
    offerOf,
    operationOf: createNaming(offerOf, options.clock, waits.offerMs),
    waits,
    version: around.version,
    defect: around.defect,
  }
  const listeners = createListeners(ground)
  let waiting = 0
  return {
    owns: (path) => path === MCP_PATH || METADATA_PATHS.includes(path),
    async respond(request, response) {
      const foreign = guardOrigin(request, around.hosts)
      if (foreign !== undefined) return refuseUnread(request, response, foreign)
      const path = (request.url ?? '').split('?', 1)[0] ?? ''
      if (path !== MCP_PATH) return answerMetadata(request, response, options, around)
      const host = authenticateRequest(request, options.authenticateHost, around.origin())
      if ('challenge' in host) {
        const body = rpcError(null, RPC.invalidRequest, 'Send `Authorization: Bearer <token>` with the token of a host.')
        request.resume()
        return writeJson(response, 401, body, { 'www-authenticate': host.challenge })
      }
      const exchange = createExchange(request, response, host)
      if (request.method === 'GET') return openStream(exchange, ground, listeners)
      if (request.method === 'DELETE') return endSession(exchange, ground)
      if (request.method !== 'POST') return refuseMethod(exchange)
      if (waiting >= MAX_WAITING)
        return exchange.answer(503, rpcError(null, RPC.internal, 'Too much is under way. Try again soon.'))
      waiting += 1
      try {
        await answerPost(exchange, ground, listeners, around.maxBodyBytes)
      } finally {
        waiting -= 1
      }
    },
    close: () => {
      listeners.close()
      for (const { stream } of ground.sessions.all()) stream?.end()
    },
  }
}

/** The codes of JSON-RPC for what is wrong with a body before it is a message. */
const CODE_OF_REFUSAL: Partial<Record<Refusal['code'], RpcCode>> = { malformed_json: RPC.parse, invalid_utf8: RPC.parse }

function refuseUnread(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const unread = !request.complete
  if (unread) request.resume()
  const body = rpcError(null, CODE_OF_REFUSAL[refusal.code] ?? RPC.invalidRequest, refusal.detail)
  writeJson(response, statusOf(refusal), body, unread ? { connection: 'close' } : {})
}

function answerMetadata(
  request: IncomingMessage,
  response: ServerResponse,
  { authorizationServers = [] }: McpOptions,
  { origin }: EndpointSurroundings,
): void {
  if (request.method === 'GET') writeJson(response, 200, resourceMetadata(origin(), authorizationServers), {})
  else
    writeJson(response, 405, rpcError(null, RPC.invalidRequest, 'Here only GET will do.'), { allow: 'GET', connection: 'close' })
}

function refuseMethod(exchange: Exchange): void {
  exchange.setHeader('allow', 'POST, GET, DELETE')
  exchange.setHeader('connection', 'close')
  exchange.answer(405, rpcError(null, RPC.invalidRequest, 'Here only POST, GET and DELETE will do.'))
}

/** The stream on which a session is told what changed. Without a session there is nothing to listen to. */
function openStream(exchange: Exchange, ground: McpGround, listeners: Listeners): void {
  if (!acceptsOf(exchange.request).stream) {
    exchange.answer(406, rpcError(null, RPC.invalidRequest, 'A stream needs `Accept: text/event-stream`.'))
    return
  }
  const session = sessionOf(exchange, ground)
  if (session === undefined) return
  if (!listeners.attach(exchange, session))
    exchange.answer(503, rpcError(null, RPC.internal, 'There are too many streams. End some, and try again.'))
}

function endSession(exchange: Exchange, ground: McpGround): void {
  const session = sessionOf(exchange, ground)
  if (session === undefined) return
  ground.sessions.close(session)
  exchange.answer(204)
}

/** The session that a request names; answers the request when it names none that is its host's. */
function sessionOf(exchange: Exchange, { sessions }: McpGround): McpSession | undefined {
  const { request, host } = exchange
  const id = headerOf(request, 'mcp-session-id')
  if (id === undefined) {
    const [status, why] =
      request.method === 'POST'
        ? [400, 'Initialize first, and send the Mcp-Session-Id that you are given.']
        : [405, 'This needs an Mcp-Session-Id.']
    if (status === 405) exchange.setHeader('allow', 'POST')
    exchange.answer(status, rpcError(null, RPC.invalidRequest, why))
    return undefined
  }
  const session = sessions.find(host.host, id)
  if (session === undefined) {
    exchange.answer(404, rpcError(null, RPC.invalidRequest, 'There is no such session. Initialize again.'))
    return undefined
  }
  const version = headerOf(request, 'mcp-protocol-version')
  // What was agreed on stands in the session; the header must only be one that it could have been (2025-11-25, section "Protocol Version Header").
  if (version === undefined ? request.headers['mcp-protocol-version'] === undefined : isLegacy(version)) return session
  exchange.answer(400, unsupported(null, version ?? 'more than one'))
  return undefined
}

async function answerPost(exchange: Exchange, ground: McpGround, listeners: Listeners, maxBodyBytes: number): Promise<void> {
  const { json, stream } = acceptsOf(exchange.request)
  if (!json && !stream) {
    exchange.setHeader('connection', 'close')
    exchange.answer(406, rpcError(null, RPC.invalidRequest, 'Accept `application/json` and `text/event-stream`.'))
    return
  }
  const read = await readBody(exchange.request, maxBodyBytes)
  if ('kind' in read) {
    if (!exchange.request.complete) exchange.setHeader('connection', 'close')
    exchange.request.resume()
    exchange.answer(statusOf(read), rpcError(null, CODE_OF_REFUSAL[read.code] ?? RPC.invalidRequest, read.detail))
    return
  }
  if (read.body === undefined) {
    exchange.answer(400, rpcError(null, RPC.invalidRequest, 'Send a JSON-RPC message.'))
    return
  }
  await answerBody(exchange, read.body, ground, listeners)
}

/** Tells the eras apart by how the client opens (2026-07-28, section "Backward Compatibility"). */
async function answerBody(exchange: Exchange, body: Json, ground: McpGround, listeners: Listeners): Promise<void> {
  const version = headerOf(exchange.request, 'mcp-protocol-version')
  if (version === MODERN_REVISION || saysVersion(body)) {
    const message = parseMessage(body)
    if (message.kind === 'request') await answerModern(exchange, message, ground, listeners)
    // This revision has no notification that a client would send over HTTP; one that is well formed harms nobody.
    else if (message.kind === 'notification') exchange.answer(202)
    else {
      const why = message.kind === 'invalid' ? message.why : 'This revision has no responses of clients.'
      exchange.answer(400, rpcError(message.kind === 'invalid' ? message.id : null, RPC.invalidRequest, why))
    }
    return
  }
  if (isObject(body) && body.method === 'initialize' && headerOf(exchange.request, 'mcp-session-id') === undefined) {
    const message = parseMessage(body)
    if (message.kind === 'request') initialize(exchange, message, ground)
    else
      exchange.answer(
        400,
        rpcError(null, RPC.invalidRequest, message.kind === 'invalid' ? message.why : 'initialize is a request.'),
      )
    return
  }
  if (version !== undefined && !isLegacy(version)) {
    exchange.answer(400, unsupported(null, version))
    return
  }
  const session = sessionOf(exchange, ground)
  if (session !== undefined) await answerLegacy(exchange, body, session, ground)
}

function saysVersion(body: Json): boolean {
  return isObject(body) && isObject(body.params) && isObject(body.params._meta) && body.params._meta[META.version] !== undefined
}
