import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { AuthZen, Tidegate } from '@tidegate/runtime'
import type { Authenticate } from './authenticate.ts'
import { answer, type Ground, ROUTES } from './answer.ts'
import { GatewayError } from './error.ts'
import type { McpOptions } from './mcp/desk.ts'
import { createMcpEndpoint } from './mcp/endpoint.ts'
import type { ModelOptions } from './model/door.ts'
import { createModelEndpoint } from './model/endpoint.ts'
import { refuse } from './reply.ts'
import { authzenRoutes } from './route/authzen.ts'
import { type HostGround, hostRoutes, NO_HOST_ROUTES } from './route/hosts.ts'
import { canaryRoutes, type Doctor, doctorRoutes } from './route/proof.ts'
import { writeRefusal, writeReply } from './write.ts'

/** What a gateway is made of. */
export interface GatewayOptions {
  readonly tidegate: Tidegate
  readonly authenticate: Authenticate
  /** Answers the AuthZEN Authorization API; without it there is none. */
  readonly authzen?: AuthZen
  /** Lets agents that are not ours use our tools over MCP; without it there is none. */
  readonly mcp?: McpOptions
  /** Lets agents that are not ours in; without it there are none. */
  readonly hosts?: HostGround
  /** Tells what only the server can look at; without it nobody can ask. */
  readonly doctor?: Doctor
  /** Lets agents that are not ours ask their models through us; without it they cannot. */
  readonly model?: ModelOptions
  /** How the outside reaches this gateway, when something in front of it ends TLS: `https://pdp.example.com`. Its own address unless told. */
  readonly publicUrl?: string
  /** The version of the server, shown to authenticated callers only. */
  readonly version: string
  /** 127.0.0.1 unless told. */
  readonly host?: string
  /** 0, the default, takes a free one. */
  readonly port?: number
  /** 1 MiB unless told. */
  readonly maxBodyBytes?: number
  /** How long the runtime may take for one answer; 30 s unless told. Waiting and whole-ledger calls have their own. */
  readonly timeoutMs?: number
  /** How long a request may take to arrive; 15 s unless told. */
  readonly arrivalTimeoutMs?: number
  /** Told of every defect and storage failure, with the incident id that the caller was given. */
  readonly onDefect?: (error: unknown, incident: string) => void
}

/** A gateway: stopped, listening, or closed. */
export interface Gateway {
  /** Starts to listen; answers the address. */
  listen(): Promise<{ readonly url: string; readonly port: number }>
  /** Takes no more requests, lets those in flight end for a moment, and then cuts them. */
  close(): Promise<void>
}

const DEFAULT_BODY_BYTES = 1_048_576
const DEFAULT_TIMEOUT_MS = 30_000
const DEFAULT_ARRIVAL_MS = 15_000
const MAX_CONNECTIONS = 512
/** Clients of MCP keep streams open: room for these besides. */
const MAX_MCP_CONNECTIONS = 2_048
/** How long requests in flight may go on after `close`. */
const GRACE_MS = 2_000

/**
 * Puts the runtime on HTTP/1.1: checks who asks and what, calls the runtime, and renders its answer. It decides nothing itself.
 *
 * Listens on the loopback interface unless told otherwise; answers only requests that name it in their Host header.
 *
 * @throws GatewayError `gateway_host_invalid` when the host is not a plain address or name, or the public address not one.
 */
export function createGateway(options: GatewayOptions): Gateway {
  const host = options.host ?? '127.0.0.1'
  if (!/^(?:[a-z0-9.-]{1,253}|\[?[0-9a-f:]{2,45}\]?)$/i.test(host)) {
    throw new GatewayError('gateway_host_invalid', 'The host to listen on must be an address such as 127.0.0.1.')
  }
  let url = ''
  const { authzen } = options
  const publicUrl = options.publicUrl === undefined ? undefined : parsePublicUrl(options.publicUrl)
  const ground: Ground = {
    routes: [
      ...ROUTES,
      ...(authzen === undefined ? [] : authzenRoutes(authzen, () => publicUrl?.origin ?? url)),
      ...(options.hosts === undefined ? NO_HOST_ROUTES : [...hostRoutes(options.hosts), ...canaryRoutes(options.hosts.desk)]),
      ...(options.doctor === undefined ? [] : doctorRoutes(options.doctor)),
    ],
    ...(options.hosts === undefined ? {} : { authenticateHost: options.hosts.authenticate }),
    tidegate: options.tidegate,
    authenticate: options.authenticate,
    version: options.version,
    maxBodyBytes: options.maxBodyBytes ?? DEFAULT_BODY_BYTES,
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    hosts: new Set(),
    onDefect: options.onDefect ?? (() => undefined),
  }
  const defect = (error: unknown): string => {
    const incident = randomUUID()
    ground.onDefect(error, incident)
    return incident
  }
  const { hosts, maxBodyBytes, version } = ground
  const mcp =
    options.mcp === undefined
      ? undefined
      : createMcpEndpoint(options.mcp, { version, hosts, origin: () => publicUrl?.origin ?? url, maxBodyBytes, defect })
  const model = options.model === undefined ? undefined : createModelEndpoint(options.model, { hosts, defect })
  const endpoints: readonly Endpoint[] = [mcp, model].filter((each) => each !== undefined)
  const server = createStrictServer(options.arrivalTimeoutMs ?? DEFAULT_ARRIVAL_MS, (request, response) => {
    respond(request, response, ground, endpoints).catch((error: unknown) => {
      ground.onDefect(error, randomUUID())
      response.destroy()
    })
  })
  if (mcp !== undefined) server.maxConnections = MAX_MCP_CONNECTIONS
  return {
    listen: async () => {
      const port = await listen(server, host, options.port ?? 0)
      const name = host.includes(':') ? `[${host.replaceAll(/[[\]]/g, '')}]` : host.toLowerCase()
      for (const each of host === '127.0.0.1' ? [name, 'localhost'] : [name]) ground.hosts.add(`${each}:${port}`)
      if (publicUrl !== undefined) ground.hosts.add(publicUrl.host)
      url = `http://${name}:${port}`
      return { url, port }
    },
    close: () => {
      for (const each of endpoints) each.close()
      return close(server)
    },
  }
}

/** The address under which the outside reaches us: a scheme, a host, perhaps a port, and nothing else. */
function parsePublicUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isPlain = url !== undefined && /^https?:$/.test(url.protocol) && url.origin === text.replace(/\/$/, '').toLowerCase()
  if (url !== undefined && isPlain) return url
  throw new GatewayError('gateway_host_invalid', 'The public address must be like https://pdp.example.com, without a path.')
}

/** A server that gives slow and oversized requests no room. */
function createStrictServer(arrivalMs: number, onRequest: (request: IncomingMessage, response: ServerResponse) => void): Server {
  const server = createServer({ maxHeaderSize: 8_192, connectionsCheckingInterval: 500, requireHostHeader: false }, onRequest)
  server.headersTimeout = arrivalMs
  server.requestTimeout = arrivalMs
  server.keepAliveTimeout = 30_000
  server.maxConnections = MAX_CONNECTIONS
  server.maxHeadersCount = 64
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const code = { HPE_HEADER_OVERFLOW: 'headers_too_large', ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout' } as const
    const known = code[error.code as keyof typeof code] ?? 'invalid_request'
    if (socket.writable) writeRefusal(socket, refuse(known, 'The request cannot be read as HTTP/1.1.'))
    else socket.destroy()
  })
  return server
}

/** Answers what belongs to a protocol of its own. */
interface Endpoint {
  owns(path: string): boolean
  respond(request: IncomingMessage, response: ServerResponse): Promise<void>
  close(): void
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  ground: Ground,
  endpoints: readonly Endpoint[],
): Promise<void> {
  const path = (request.url ?? '').split('?', 1)[0] ?? ''
  const own = endpoints.find((each) => each.owns(path))
  if (own !== undefined) return own.respond(request, response)
  const answered = await answer(request, ground)
  writeReply(request, response, answered.reply, answered)
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  server.once('error', (cause) => {
    reject(
      new GatewayError(
        'gateway_listen_failed',
        `Cannot listen on ${host}:${port}. Is another server running? Set another port.`,
        { cause },
      ),
    )
  })
  // Sound: a server that listens on TCP has an address with a port.
  server.listen(port, host.replaceAll(/[[\]]/g, ''), () => resolve((server.address() as AddressInfo).port))
  return promise
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), GRACE_MS)
  await promise
  clearTimeout(timer)
}
