import { Client, type ClientOptions, type StandardSchemaV1, type VersionNegotiationOptions } from '@modelcontextprotocol/client'
import { ToolsMcpError } from './error.ts'
import { BACKOFF_MS, MAX_LIST_BYTES, MAX_LIST_PAGES, PROBE_MS, STEADY_MS } from './limits.ts'
import { HttpLink, parsePlace } from './link/http-link.ts'
import { type Link, type LinkFault, NotSent, RefusedByStatus } from './link/link.ts'
import { StdioLink } from './link/stdio-link.ts'
import type { Secrets } from './secrets.ts'
import type { Given, McpPorts, McpServer } from './server.ts'

/** A server that answers, in the era that it speaks. */
export interface Session {
  readonly client: Client
  readonly link: Link
  /** Counts the starts of this server: what was learnt in one session says nothing about another. */
  readonly n: number
}

/** What is known of a connection. */
export interface ConnectionState {
  readonly state: 'idle' | 'connected' | 'failing' | 'closed'
  readonly era: 'legacy' | 'modern' | null
  readonly protocolVersion: string | null
  readonly serverName: string | null
  readonly pid: number | null
  /** Why the last start failed, or how the last session ended; cleaned of secrets. */
  readonly detail: string
}

/** The one connection to a server. */
export interface Connection {
  /**
   * The session there is, or a new one within the time.
   *
   * @throws NotSent when there is none: the server cannot be reached, or was so bad lately that it is not tried yet.
   */
  open(withinMs: number): Promise<Session>
  /** All tools as the server lists them now. @throws ToolsMcpError `mcp_not_listed`, or NotSent. */
  list(session: Session, withinMs: number): Promise<readonly unknown[]>
  /** Ends a session that the server no longer knows; the next call opens another. */
  drop(session: Session): void
  state(): ConnectionState
  /** How long to wait before a start is tried again; 0 when nothing stands against it. */
  waitMs(): number
  close(): Promise<void>
}

/** What a connection tells. */
export interface ConnectionEvents {
  /** The server says that its tools have changed. */
  readonly changed: () => void
}

/**
 * Keeps the connection to one server: started when it is first needed, one for all calls, and again after it has ended.
 *
 * A server that fails to start is left alone for a while, twice as long each time; one that has lived for a moment is started again at once.
 * Calls of a session that ended are not sent again: what became of them is for the caller to judge.
 */
export function createConnection(
  server: McpServer,
  { ports, secrets, events }: { readonly ports: McpPorts; readonly secrets: Secrets; readonly events: ConnectionEvents },
): Connection {
  const place = server.transport.kind === 'http' ? parsePlace(server.transport.url) : undefined
  let session: Session | undefined
  let opening: Promise<Session> | undefined
  let era: 'auto' | '2025' | '2026' = server.protocol
  let failures = 0
  let notBeforeMs = 0
  let count = 0
  let closed = false
  let detail = ''
  const endings = new Set<Promise<unknown>>()
  const now = () => ports.clock.monotonicMs()

  const fail = (error: unknown): NotSent => {
    failures += 1
    notBeforeMs = now() + Math.min(BACKOFF_MS.last, BACKOFF_MS.first * 2 ** Math.min(failures - 1, 10))
    detail = secrets.clean(wordsOf(error))
    return new NotSent(`The MCP server ${server.name} cannot be used: ${detail}`, { cause: error })
  }
  const ended = (gone: Session, sinceMs: number): void => {
    if (session === gone) session = undefined
    if (closed) return
    const fault = gone.link.broken()
    detail = secrets.clean(saidBy(fault ?? { code: 'mcp_exited', message: 'The connection has ended.' }, gone.link))
    if (now() - sinceMs >= STEADY_MS) failures = 0
    else {
      failures += 1
      notBeforeMs = now() + Math.min(BACKOFF_MS.last, BACKOFF_MS.first * 2 ** Math.min(failures - 1, 10))
    }
    const code = fault?.code ?? 'mcp_exited'
    ports.log({ level: 'warning', code, message: `The MCP server ${server.name} is gone: ${detail}` })
  }

  /** Ends what is of no use any more, without waiting for it; {@link Connection.close} does. */
  const end = (client: Client, link: Link): void => {
    const ending: Promise<unknown> = Promise.allSettled([client.close(), link.close()]).then(() => endings.delete(ending))
    endings.add(ending)
  }

  const start = async (protocol: 'auto' | '2025' | '2026', withinMs: number): Promise<Session> => {
    const link = await createLink()
    const client = new Client({ ...ports.client }, clientOptions(protocol, events.changed))
    client.onerror = () => undefined // what matters of it ends a request or the connection
    const made: Session = { client, link, n: ++count }
    const deadline = new AbortController()
    const timer = setTimeout(() => deadline.abort(new NotSent('It did not answer in time.')), withinMs)
    try {
      await until(client.connect(link, { timeout: withinMs, signal: deadline.signal }), deadline.signal)
      const sinceMs = now()
      client.onclose = () => ended(made, sinceMs)
      if (link.broken() !== undefined) throw new NotSent('It has ended at once.')
      return made
    } catch (error) {
      const said = saidBy({ code: 'mcp_unreachable', message: wordsOf(error) }, link)
      end(client, link)
      throw new NotSent(said, { cause: error })
    } finally {
      clearTimeout(timer)
    }
  }

  /** A server may break at the question which era it speaks. Then it is asked again as in 2025. */
  const startInEra = async (withinMs: number): Promise<Session> => {
    const sinceMs = now()
    try {
      return await start(era, withinMs)
    } catch (error) {
      const left = withinMs - (now() - sinceMs)
      if (era !== 'auto' || left < 100 || isHopeless(error)) throw error
      return start('2025', left)
    }
  }

  const createLink = async (): Promise<Link> => {
    const { transport } = server
    if (place !== undefined && transport.kind === 'http')
      return new HttpLink({ url: place, headers: () => revealAll(transport.headers, secrets) }, now)
    if (transport.kind !== 'stdio') throw new ToolsMcpError('mcp_server', `The MCP server ${server.name} has no address.`)
    const home = ports.homeOf(server.name)
    const own = { PATH: ports.path, HOME: home, TMPDIR: home, LANG: 'C.UTF-8' }
    const env = { ...own, ...(await revealAll(transport.env, secrets)) }
    return new StdioLink({ command: transport.command, args: transport.args, env, cwd: transport.cwd ?? home }, now)
  }

  const open = async (withinMs: number): Promise<Session> => {
    if (closed) throw new NotSent('Tidegate is closing its connections.')
    if (session !== undefined) return session
    if (opening === undefined) {
      const waitMs = notBeforeMs - now()
      if (failures > 0 && waitMs > 0) throw new NotSent(`The MCP server ${server.name} is not tried yet: ${detail}`)
      opening = startInEra(server.startTimeoutMs).then(
        (made) => {
          opening = undefined
          if (closed) {
            end(made.client, made.link)
            throw new NotSent('Tidegate is closing its connections.')
          }
          session = made
          if (made.client.getProtocolEra() === 'legacy' && era === 'auto') era = '2025'
          return made
        },
        (error: unknown) => {
          opening = undefined
          throw fail(error)
        },
      )
      opening.catch(() => undefined) // whoever waits for it is told; somebody may have stopped waiting
    }
    const made = await until(opening, timeLimit(withinMs))
    return made
  }

  return {
    open,
    drop(gone) {
      if (session !== gone) return
      session = undefined
      end(gone.client, gone.link)
    },
    list: (open, withinMs) => listTools(open, server.name, withinMs),
    waitMs: () => (failures > 0 && session === undefined ? Math.max(0, Math.ceil(notBeforeMs - now())) : 0),
    state: () => ({
      state: closed ? 'closed' : session !== undefined ? 'connected' : failures > 0 ? 'failing' : 'idle',
      era: session?.client.getProtocolEra() ?? null,
      protocolVersion: session?.client.getNegotiatedProtocolVersion() ?? null,
      serverName: nameOf(session),
      pid: session?.link.pid ?? null,
      detail,
    }),
    async close() {
      closed = true
      await opening?.catch(() => undefined)
      const open = session
      session = undefined
      if (open !== undefined) end(open.client, open.link)
      await Promise.all(endings)
    },
  }
}

/** No other era helps where a program does not exist or access is denied. */
function isHopeless(error: unknown): boolean {
  let at: unknown = error
  for (let depth = 0; depth < 5 && at instanceof Error; depth++) {
    if (at instanceof NotSent && at.final) return true
    if (at instanceof RefusedByStatus && (at.status === 401 || at.status === 403)) return true
    at = at.cause
  }
  return false
}

function clientOptions(protocol: 'auto' | '2025' | '2026', changed: () => void): ClientOptions {
  const negotiation: VersionNegotiationOptions =
    protocol === 'auto'
      ? { mode: 'auto', probe: { timeoutMs: PROBE_MS } }
      : { mode: protocol === '2025' ? 'legacy' : { pin: '2026-07-28' } }
  return {
    capabilities: {}, // nobody here can be asked anything: no elicitation, no sampling, no roots
    versionNegotiation: negotiation,
    inputRequired: { autoFulfill: false },
    listChanged: { tools: { autoRefresh: false, debounceMs: 50, onChanged: changed } },
    // Outputs are held against their schema by us, without running patterns or code that a server wrote.
    jsonSchemaValidator: { getValidator: () => (input) => ({ valid: true, data: input as never, errorMessage: undefined }) },
  }
}

async function listTools({ client }: Session, name: string, withinMs: number): Promise<readonly unknown[]> {
  const fault = (message: string, cause?: unknown) =>
    new ToolsMcpError('mcp_not_listed', `The MCP server ${name} cannot list its tools: ${message}`, { cause })
  if (client.getServerCapabilities()?.tools === undefined) return []
  const deadline = timeLimit(withinMs)
  const tools: unknown[] = []
  let bytes = 0
  let cursor: string | undefined
  for (let page = 0; page < MAX_LIST_PAGES; page++) {
    const params = cursor === undefined ? {} : { cursor }
    let result: ListResult
    try {
      result = await client.request({ method: 'tools/list', params }, ANYTHING, { timeout: withinMs, signal: deadline })
    } catch (error) {
      if (error instanceof NotSent) throw error
      throw fault(wordsOf(error), error)
    }
    if (!Array.isArray(result.tools)) throw fault('its answer has no list.')
    bytes += JSON.stringify(result.tools).length
    if (bytes > MAX_LIST_BYTES) throw fault(`the list has more than ${MAX_LIST_BYTES} bytes.`)
    tools.push(...(result.tools as readonly unknown[]))
    if (typeof result.nextCursor !== 'string' || result.nextCursor === '') return tools
    if (result.nextCursor === cursor) throw fault('its pages go round in a circle.')
    cursor = result.nextCursor
  }
  throw fault(`it has more than ${MAX_LIST_PAGES} pages.`)
}

interface ListResult {
  readonly tools?: unknown
  readonly nextCursor?: unknown
}

/** Takes a result as it is: it is read, with limits, by ourselves. */
const ANYTHING: StandardSchemaV1<unknown, ListResult> = {
  '~standard': {
    version: 1,
    vendor: 'tidegate',
    validate: (value: unknown): { readonly value: ListResult } | { readonly issues: readonly { readonly message: string }[] } =>
      typeof value === 'object' && value !== null ? { value } : { issues: [{ message: 'is no object' }] },
  },
}

async function revealAll(given: Readonly<Record<string, Given>>, secrets: Secrets): Promise<Readonly<Record<string, string>>> {
  const entries = await Promise.all(
    Object.entries(given).map(async ([name, each]) => [name, await secrets.reveal(each)] as const),
  )
  return Object.fromEntries(entries)
}

/** A signal that aborts after so long. */
function timeLimit(ms: number): AbortSignal {
  return AbortSignal.timeout(Math.max(1, Math.ceil(ms)))
}

/** Waits for a promise no longer than a signal allows; rejects with {@link NotSent} when it aborts. */
function until<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new NotSent('It did not answer in time.', { cause: signal.reason }))
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

function nameOf(session: Session | undefined): string | null {
  const named = session?.client.getServerVersion()
  return named === undefined ? null : `${named.name} ${named.version}`.replace(/[^\x20-\x7e]/g, '?').slice(0, 100)
}

function saidBy(fault: LinkFault, link: Link): string {
  const words = link.lastWords().trim()
  return words === '' ? fault.message : `${fault.message} Its last words: ${words.slice(-300)}`
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : 'something that is no error was thrown'
}
