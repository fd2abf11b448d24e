import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { readBytes } from '../request/body.ts'
import { guardOrigin } from '../request/guard.ts'
import { statusOf } from '../reply.ts'
import type { ModelOptions, OpenedQuestion, ReplySink } from './door.ts'
import { type ModelRefusal, refusalOf } from './verdict.ts'

/** What the endpoint has of the gateway that it is part of. */
export interface ModelSurroundings {
  /** What the Host header may say. */
  readonly hosts: ReadonlySet<string>
  /** Writes down a defect and answers the id under which it is found. */
  readonly defect: (error: unknown) => string
}

/** Where hosts ask their models: the base URL that they are given. */
export interface ModelEndpoint {
  /** True for the paths that are answered here. */
  owns(path: string): boolean
  respond(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** Cuts what is under way. */
  close(): void
}

const PREFIX = '/model'
const DEFAULT_BODY_BYTES = 16_777_216
const DEFAULT_UNDER_WAY = 128
const DEFAULT_HELD_BYTES = 268_435_456
/** So long past the time of the call itself: to record it. */
const RECORD_MS = 15_000
const SESSION = /^[\x21-\x7e]{1,200}$/

/**
 * Lets hosts ask their models through the desk: each question is decided, recorded and counted like any other call, and the reply passes
 * while it comes. It ends for the host when it is recorded: who asks again after a reply finds it counted.
 */
export function createModelEndpoint(options: ModelOptions, around: ModelSurroundings): ModelEndpoint {
  const { maxUnderWay = DEFAULT_UNDER_WAY, maxBodyBytes = DEFAULT_BODY_BYTES, maxHeldBytes = DEFAULT_HELD_BYTES } = options
  const underWay = new Set<AbortController>()
  let heldBytes = 0

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const foreign = guardOrigin(request, around.hosts)
    const found = foreign === undefined ? hostOf(request, options) : undefined
    const host = found?.host ?? ''
    const say = (refusal: ModelRefusal): void => writeRefusal(request, response, options, host, refusal)
    if (foreign !== undefined) return say({ ...REFUSE.foreign, status: statusOf(foreign), message: foreign.detail })
    if (found === undefined) return say(REFUSE.token)
    if (!options.door.serves(host)) return say(REFUSE.none)
    if (underWay.size >= maxUnderWay) return say(REFUSE.busy)
    const gone = new AbortController()
    underWay.add(gone)
    response.once('close', () => gone.abort())
    try {
      await ask(request, response, { host, gone: gone.signal, say })
    } catch (error) {
      const incident = around.defect(error)
      if (response.headersSent) response.destroy()
      else say({ ...REFUSE.defect, message: `This is a defect of the server, see ${incident} in its log.` })
    } finally {
      underWay.delete(gone)
    }
  }

  async function ask(request: IncomingMessage, response: ServerResponse, asking: Asking): Promise<void> {
    const { say } = asking
    const body = request.method === 'POST' ? await readBytes(request, maxBodyBytes) : undefined
    if (body !== undefined && 'kind' in body) return say({ ...REFUSE.body, status: statusOf(body), message: body.detail })
    const size = body?.length ?? 0
    if (heldBytes > 0 && heldBytes + size > maxHeldBytes) return say(REFUSE.busy)
    heldBytes += size
    try {
      await pass(request, response, body, asking)
    } finally {
      heldBytes -= size
    }
  }

  async function pass(
    request: IncomingMessage,
    response: ServerResponse,
    body: Uint8Array | undefined,
    asking: Asking,
  ): Promise<void> {
    const { host, gone, say } = asking
    const { method = '', headers } = request
    const [path = '', ...query] = (request.url ?? '').slice(PREFIX.length).split('?')
    const plain = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]))
    const reply = createReply(response, gone)
    const opened = options.door.open({ host, method, path, query: query.join('?'), headers: plain, body, gone, sink: reply.sink })
    if (opened.kind === 'unprepared') return say({ ...REFUSE[opened.why], message: opened.message })
    try {
      await decide(opened, sessionOf(request, host), response, { ...asking, reply })
    } finally {
      opened.close()
    }
  }

  async function decide(
    opened: OpenedQuestion,
    session: string,
    response: ServerResponse,
    asking: Asking & { readonly reply: Reply },
  ) {
    const { operation, arguments: args, timeoutMs } = opened
    const { host, gone, say, reply } = asking
    const call = { host, session, call: `model-${randomUUID()}`, operation, arguments: args }
    const answer = await options.desk.perform(call, { waitMs: timeoutMs + RECORD_MS, signal: gone })
    if (response.destroyed) return
    const refusal = refusalOf(answer)
    if (!reply.hasBegun) say(refusal ?? REFUSE.silent)
    else if (refusal === undefined && reply.isWhole) response.end()
    else response.destroy() // a reply that was cut off must not look as if it were all
  }

  return {
    owns: (path) => path === PREFIX || path.startsWith(`${PREFIX}/`),
    respond,
    close: () => {
      for (const each of underWay) each.abort()
    },
  }
}

interface Asking {
  readonly host: string
  readonly gone: AbortSignal
  readonly say: (refusal: ModelRefusal) => void
}

interface Reply {
  readonly sink: ReplySink
  readonly hasBegun: boolean
  readonly isWhole: boolean
}

/** The reply to one request: it begins when the model's does, and waits for a client that reads slowly. */
function createReply(response: ServerResponse, gone: AbortSignal): Reply {
  let hasBegun = false
  let isWhole = false
  const sink: ReplySink = {
    head(status, headers) {
      if (gone.aborted || hasBegun) return
      hasBegun = true
      response.writeHead(status, { ...headers, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
      response.flushHeaders()
    },
    write(chunk) {
      if (gone.aborted || response.destroyed) return Promise.reject(new Error('nobody reads this any more'))
      if (response.write(chunk)) return Promise.resolve()
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const leave = (): void => reject(new Error('nobody reads this any more'))
      const drained = (): void => {
        response.off('close', leave)
        resolve()
      }
      response.once('drain', drained)
      response.once('close', leave)
      return promise
    },
    end(isComplete) {
      isWhole = isComplete
    },
  }
  return {
    sink,
    get hasBegun() {
      return hasBegun
    },
    get isWhole() {
      return isWhole
    },
  }
}

/** Whose request it is: by `Authorization: Bearer` or by `x-api-key`, as clients of one provider or the other send it. Two that differ are none. */
function hostOf(request: IncomingMessage, { authenticateHost }: ModelOptions): { readonly host: string } | undefined {
  const { authorization = [], 'x-api-key': keys = [] } = request.headersDistinct
  const bearers = authorization.map((value) => /^Bearer (.{1,512})$/i.exec(value)?.[1])
  const tokens = [...bearers, ...keys].filter((token) => token !== undefined && /^[\x21-\x7e]{1,512}$/.test(token))
  const found = tokens.flatMap((token) => authenticateHost(token ?? '') ?? [])
  const [first] = found
  return found.every(({ host }) => host === first?.host) ? first : undefined
}

function sessionOf({ headersDistinct }: IncomingMessage, host: string): string {
  const [session, ...more] = headersDistinct['x-tidegate-session'] ?? []
  return session !== undefined && more.length === 0 && SESSION.test(session) ? session : host
}

function refusal(status: number, code: string, message: string, isPassing = false): ModelRefusal {
  return { status, code, message, isPassing }
}

const REFUSE = {
  foreign: refusal(421, 'tidegate_wrong_host', ''),
  token: refusal(401, 'tidegate_unauthorized', 'Send the token of a host, as `Authorization: Bearer <token>` or as `x-api-key`.'),
  none: refusal(404, 'tidegate_no_model', 'The project names no model for this host: hosts[].model in tidegate.yaml.'),
  busy: refusal(429, 'tidegate_busy', 'Too many questions to models are under way. Try again soon.', true),
  body: refusal(400, 'tidegate_invalid', ''),
  path: refusal(404, 'tidegate_unknown_path', ''),
  silent: refusal(502, 'tidegate_unreached', 'The model has not answered.'),
  defect: refusal(500, 'tidegate_defect', ''),
} as const

/** Says no as the provider would. `x-should-retry` is what the clients of both formats go by: without it they would ask again and again. */
function writeRefusal(
  request: IncomingMessage,
  response: ServerResponse,
  { door }: ModelOptions,
  host: string,
  { status, code, message, isPassing }: ModelRefusal,
): void {
  if (response.headersSent || response.destroyed) return
  const text = JSON.stringify(door.errorOf(host, code, message, status))
  const isUnread = !request.complete
  if (isUnread) request.resume()
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-should-retry': String(isPassing),
    ...(isUnread ? { connection: 'close' } : {}),
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
  })
  response.end(text)
}
