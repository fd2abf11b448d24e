import {
  Client,
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  type ClientOptions,
  PROTOCOL_VERSION_META_KEY,
  type VersionNegotiationOptions,
} from '@modelcontextprotocol/client'
import type { JsonObject } from '@tidegate/kernel'
import { ToolsMcpError } from './error.ts'
import { PROBE_MS } from './limits.ts'
import { HttpLink, parsePlace } from './link/http-link.ts'
import { type Link, NotSent, RefusedByStatus } from './link/link.ts'
import { StdioLink } from './link/stdio-link.ts'
import type { Secrets } from './secrets.ts'
import type { Given, McpPorts, McpServer } from './server.ts'
import { timeLimit, until } from './until.ts'

/** A server that answers, in the era that it speaks. */
export interface Session {
  readonly client: Client
  readonly link: Link
  /** What each request says in its `_meta`, where requests stand alone (2026-07-28). */
  readonly envelope?: Envelope
}

/** What a request of the stateless revision says about its client. */
export interface Envelope {
  readonly revision: string
  readonly meta: JsonObject
}

/** What a session is opened with. */
export interface SessionParts {
  readonly ports: McpPorts
  readonly secrets: Secrets
  /** The server says that its tools have changed. */
  readonly changed: () => void
  /** Ends a session that came to nothing, without anybody waiting for it. */
  readonly discard: (session: Session) => void
}

type Protocol = McpServer['protocol']

/**
 * Opens a session with a server. A server may break at the question which era it speaks; then it is asked again as in 2025.
 *
 * @throws NotSent with what was wrong, which may hold what a server wrote: it is not cleaned.
 */
export async function openSession(server: McpServer, protocol: Protocol, parts: SessionParts): Promise<Session> {
  const { clock } = parts.ports
  const beganMs = clock.monotonicMs()
  try {
    return await openIn(protocol, server, server.startTimeoutMs, parts)
  } catch (error) {
    const leftMs = server.startTimeoutMs - (clock.monotonicMs() - beganMs)
    if (protocol !== 'auto' || leftMs < 100 || isHopeless(error)) throw error
    return openIn('2025', server, leftMs, parts)
  }
}

async function openIn(protocol: Protocol, server: McpServer, withinMs: number, parts: SessionParts): Promise<Session> {
  const link = await createLink(server, parts)
  const client = new Client({ ...parts.ports.client }, clientOptions(protocol, parts.changed))
  client.onerror = () => undefined // what matters of it ends a request or the connection
  const session: Session = { client, link }
  const signal = timeLimit(withinMs)
  try {
    await until(client.connect(link, { timeout: withinMs, signal }), signal)
    if (link.broken() !== undefined) throw new NotSent('It has ended at once.')
    const envelope = envelopeOf(client, parts.ports)
    return envelope === undefined ? session : { ...session, envelope }
  } catch (error) {
    const said = withLastWords(error instanceof Error ? error.message : 'unknown', link)
    parts.discard(session)
    throw new NotSent(said, { cause: error })
  }
}

function envelopeOf(client: Client, { client: { name, version } }: McpPorts): Envelope | undefined {
  const revision = client.getNegotiatedProtocolVersion()
  if (client.getProtocolEra() !== 'modern' || revision === undefined) return undefined
  const meta = {
    [PROTOCOL_VERSION_META_KEY]: revision,
    [CLIENT_INFO_META_KEY]: { name, version },
    [CLIENT_CAPABILITIES_META_KEY]: {},
  }
  return { revision, meta }
}

/** What was wrong, with the last words of a program about it. */
export function withLastWords(message: string, link: Link): string {
  const words = link.lastWords().trim()
  return words === '' ? message : `${message} Its last words: ${words.slice(-300)}`
}

async function createLink({ name, transport }: McpServer, { ports, secrets }: SessionParts): Promise<Link> {
  const now = () => ports.clock.monotonicMs()
  if (transport.kind === 'http')
    return new HttpLink({ url: parsePlace(transport.url), headers: () => revealAll(transport.headers, secrets) }, now)
  const home = ports.homeOf(name)
  const own = { PATH: ports.path, HOME: home, TMPDIR: home, LANG: 'C.UTF-8' }
  const env = { ...own, ...(await revealAll(transport.env, secrets)) }
  return new StdioLink({ command: transport.command, args: transport.args, env, cwd: transport.cwd ?? home }, now)
}

async function revealAll(given: Readonly<Record<string, Given>>, secrets: Secrets): Promise<Readonly<Record<string, string>>> {
  try {
    const entries = await Promise.all(
      Object.entries(given).map(async ([name, each]) => [name, await secrets.reveal(each)] as const),
    )
    return Object.fromEntries(entries)
  } catch (cause) {
    throw new NotSent('A secret for the server is not to be had.', { cause, final: true })
  }
}

function clientOptions(protocol: Protocol, changed: () => void): ClientOptions {
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
    jsonSchemaValidator: {
      getValidator: () => () => {
        throw new ToolsMcpError('mcp_server', 'No schema of a server is compiled.')
      },
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
