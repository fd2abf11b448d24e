import type {
  Connector,
  ConnectorCall,
  ConnectorFailure,
  ConnectorResult,
  Json,
  Operation,
  Reconciliation,
} from '@tidegate/kernel'
import { callTool, fail, failureOf } from './call.ts'
import { type Connection, type ConnectionState, createConnection, type Session } from './connection.ts'
import { decodeDefinitions, type Definitions, encodeDefinitions, readDefinitions } from './definition.ts'
import { deriveArguments, isSeen } from './derive.ts'
import { ToolsMcpError } from './error.ts'
import { MAX_IN_FLIGHT } from './limits.ts'
import { NotSent, RefusedByStatus } from './link/link.ts'
import { type Offer, type Offered, makeOffer } from './make-operation.ts'
import { boundAnswer } from './output.ts'
import { createSecrets } from './secrets.ts'
import type { Look, McpPorts, McpServer } from './server.ts'

/** The live server defines its tools otherwise than they are offered here. Operation ids, sorted. */
export interface McpChange {
  readonly server: string
  readonly added: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
}

/** What is known of a server, for `doctor` and for people. */
export interface McpHealth extends ConnectionState {
  readonly server: string
  readonly transport: 'stdio' | 'http'
  /** How many operations are offered, and how many tools the overlay hides. */
  readonly operations: number
  readonly hidden: number
  /** What the live server has changed since: refused until it is taken over and accepted. */
  readonly differs: McpChange | null
  /** Tools left out and why, texts that look wrong, patterns that are not looked at. */
  readonly issues: readonly string[]
}

/** One upstream server: its operations, and the way to them. */
export interface Upstream {
  readonly server: McpServer
  readonly connector: Connector
  operations(): readonly Operation[]
  /** Connects, lists the tools, and compares. @throws ToolsMcpError `mcp_unreachable` or `mcp_not_listed`. */
  check(): Promise<McpHealth>
  /** Offers what the live server defines, from the next {@link Upstream.operations} on. */
  adopt(): void
  /** What the live server defined at the last look; undefined before the first. */
  live(): Definitions | undefined
  health(): McpHealth
  close(): Promise<void>
}

const NOTHING: Definitions = { tools: new Map(), issues: [] }

/** Whoever starts a server waits a moment longer than its start may take, to hear what was wrong. */
const GRACE_MS = 250

interface Live {
  readonly definitions: Definitions
  readonly offer: Offer
  /** The session in which it was listed, and when. */
  readonly session: number
  readonly atMs: number
}

/**
 * Keeps one upstream server: what it offers, what it defines by now, and the calls to it.
 *
 * 1. A call is made only while the live definition of its tool is exactly the one that is offered, as of the last list; the list is looked at
 *    again in each session, after the server says that it changed, and when it is older than `recheckMs`.
 * 2. `execute` sends at most one `tools/call`. Looking (`reconcile`, `verify`) calls only tools that the owner has classified as reads.
 * 3. No secret that the server was given leaves in an output or in a message (I8).
 * 4. Of a read, nothing is left behind: `unknown` becomes `safe`.
 */
export function createUpstream(server: McpServer, ports: McpPorts, onChange: (change: McpChange) => void): Upstream {
  const secrets = createSecrets(ports.secret)
  let isStale = false
  const connection: Connection = createConnection(server, {
    ports,
    secrets,
    events: {
      changed: () => {
        isStale = true
        void refreshQuietly()
      },
    },
  })
  let offered = makeOffer(server, rememberedBy(server, ports) ?? NOTHING)
  let live: Live | undefined
  let listing: Promise<Live> | undefined
  let told = ''
  let inFlight = 0

  const differences = (): McpChange | null => {
    if (live === undefined) return null
    const change = compare(server.name, offered, live.offer)
    return change.added.length + change.changed.length + change.removed.length === 0 ? null : change
  }
  const look = async (session: Session, withinMs: number): Promise<Live> => {
    isStale = false
    const definitions = readDefinitions(await connection.list(session, withinMs))
    live = { definitions, offer: makeOffer(server, definitions), session: session.n, atMs: ports.clock.monotonicMs() }
    const change = differences()
    const text = JSON.stringify(change)
    if (change !== null && text !== told) onChange(change)
    told = text
    return live
  }
  /** The live definitions, looked at again when they are too old. One look at a time. */
  const fresh = (session: Session, withinMs: number): Promise<Live> | Live => {
    const isFresh =
      live !== undefined &&
      !isStale &&
      live.session === session.n &&
      ports.clock.monotonicMs() - live.atMs < (server.recheckMs === 0 ? 0 : server.recheckMs)
    if (isFresh && live !== undefined) return live
    listing ??= look(session, withinMs).finally(() => {
      listing = undefined
    })
    return listing
  }
  const refreshQuietly = async (): Promise<void> => {
    try {
      await fresh(await connection.open(server.startTimeoutMs + GRACE_MS), server.startTimeoutMs)
    } catch {
      isStale = true // the next call looks, and says what is wrong
    }
  }

  const reach = async (item: Offered, call: ConnectorCall, timeoutMs: number): Promise<ConnectorResult> => {
    const startedMs = ports.clock.monotonicMs()
    const left = () => timeoutMs - (ports.clock.monotonicMs() - startedMs)
    let session: Session
    try {
      session = await connection.open(timeoutMs)
      const { offer } = await fresh(session, Math.max(1, left()))
      const now = offer.byId.get(item.operation.id)
      if (now === undefined) return gone(item)
      if (now.operation.schemaVersion !== item.operation.schemaVersion) return changed(item)
    } catch (error) {
      return notReached(error, connection.waitMs())
    }
    if (left() < 1) return fail('unavailable', 'safe', 'The server took too long to get ready.', 'mcp_not_sent')
    const called = await callTool(session, item, call, { timeoutMs: Math.ceil(left()), progress: ports.progress })
    if (called.kind === 'failed') {
      if (called.code === 'mcp_http_404') connection.drop(session)
      return called
    }
    const { output, complete } = boundAnswer(called.answer)
    const fitting = item.operation.output.parse(output)
    if (!fitting.ok)
      return fail(
        'invalid_output',
        'unknown',
        `The answer does not fit what the tool declares: ${sayIssue(fitting.issues)}`,
        'mcp_invalid_answer',
      )
    if (secrets.leaks(fitting.value))
      return fail(
        'invalid_output',
        'unknown',
        'The answer holds a secret that the server was given, and is not passed on.',
        'mcp_secret',
      )
    return { kind: 'done', output: fitting.value, complete }
  }
  const run = async (item: Offered, call: ConnectorCall): Promise<ConnectorResult> => {
    if (inFlight >= MAX_IN_FLIGHT)
      return fail('unavailable', 'safe', `${MAX_IN_FLIGHT} calls are under way at this server.`, 'mcp_not_sent')
    inFlight += 1
    try {
      const timeoutMs = Math.max(1, Math.min(call.timeoutMs, item.operation.timeoutMs))
      const result = await reach(item, call, timeoutMs)
      if (result.kind === 'done') return result
      const cleaned: ConnectorFailure = { ...result, message: secrets.clean(result.message) }
      return item.operation.mutability === 'read' && cleaned.retry === 'unknown' ? { ...cleaned, retry: 'safe' } : cleaned
    } catch (error) {
      return { ...failureOf(error, undefined), message: secrets.clean('The call broke off.') }
    } finally {
      inFlight -= 1
    }
  }
  /** Asks another tool about an effect. The words say why nothing was found out. */
  const ask = async (asked: Look, call: ConnectorCall, output: Json): Promise<{ readonly seen: boolean } | string> => {
    const item = [...offered.byId.values()].find(({ toolName }) => toolName === asked.tool)
    if (item === undefined || item.operation.mutability !== 'read') return 'The tool that would be asked is not there.'
    const args = deriveArguments(asked.arguments, { arguments: call.arguments, output })
    const parsed = args === undefined ? undefined : item.operation.input.parse(args)
    if (parsed?.ok !== true) return 'The arguments of the look-up cannot be told from the call.'
    const result = await run(item, { ...call, operation: item.operation.id, arguments: parsed.value })
    if (result.kind === 'done') return result.complete ? { seen: isSeen(asked, result.output) } : 'The answer was cut short.'
    return result.message // a tool that fails has not said that nothing is there
  }

  const connector: Connector = {
    async execute(call) {
      const item = offered.byId.get(call.operation)
      return item === undefined ? undeclared(call) : run(item, call)
    },
    preview: async (call) => fail('refused', 'never', `${call.operation} declares no preview.`, 'preview_undeclared'),
    async reconcile(call): Promise<Reconciliation> {
      const item = offered.byId.get(call.operation)
      if (item?.operation.mutability === 'read') return { kind: 'absent' }
      const asked = item?.classified?.reconcile
      if (asked === undefined) return { kind: 'unknown', message: `${call.operation} declares no way to look.` }
      const answer = await ask(asked, call, null)
      if (typeof answer === 'string') return { kind: 'unknown', message: answer }
      return answer.seen ? { kind: 'happened', output: { content: [] } } : { kind: 'absent' }
    },
    async verify(call, output) {
      const asked = offered.byId.get(call.operation)?.classified?.verify
      if (asked === undefined) return { holds: false, detail: `${call.operation} declares no way to verify.` }
      const answer = await ask(asked, call, output)
      if (typeof answer === 'string') return { holds: false, detail: `Could not be looked at: ${answer}` }
      return { holds: answer.seen, detail: answer.seen ? 'Seen at the server.' : 'Not seen at the server.' }
    },
  }
  const health = (): McpHealth => ({
    server: server.name,
    transport: server.transport.kind,
    ...connection.state(),
    operations: offered.byId.size,
    hidden: offered.hidden.length,
    differs: differences(),
    issues: offered.issues,
  })

  return {
    server,
    connector,
    operations: () => [...offered.byId.values()].map(({ operation }) => operation),
    async check() {
      try {
        const session = await connection.open(server.startTimeoutMs + GRACE_MS)
        isStale = true
        await fresh(session, server.startTimeoutMs)
      } catch (cause) {
        if (cause instanceof ToolsMcpError) throw new ToolsMcpError(cause.code, secrets.clean(cause.message), { cause })
        const message = cause instanceof Error ? cause.message : 'unknown'
        throw new ToolsMcpError('mcp_unreachable', secrets.clean(message), { cause })
      }
      return health()
    },
    adopt() {
      if (live === undefined) return
      offered = live.offer
      told = ''
      remember(server, ports, live.definitions)
    },
    live: () => live?.definitions,
    health,
    close: () => connection.close(),
  }
}

function rememberedBy({ name }: McpServer, { memory }: McpPorts): Definitions | undefined {
  const text = memory?.read(name)
  return text === undefined ? undefined : decodeDefinitions(text)
}

/** What cannot be remembered is looked up at the next start: that is told, and harms nobody. */
function remember({ name }: McpServer, { memory, log }: McpPorts, definitions: Definitions): void {
  try {
    memory?.write(name, encodeDefinitions(definitions))
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown'
    log({
      level: 'warning',
      code: 'mcp_not_remembered',
      message: `The tools of the MCP server ${name} are not remembered: ${why}`,
    })
  }
}

function compare(server: string, before: Offer, after: Offer): McpChange {
  const versionOf = (offer: Offer, id: string) => offer.byId.get(id)?.operation.schemaVersion
  const ids = [...new Set([...before.byId.keys(), ...after.byId.keys()])].sort()
  return {
    server,
    added: ids.filter((id) => !before.byId.has(id)),
    removed: ids.filter((id) => !after.byId.has(id)),
    changed: ids.filter((id) => before.byId.has(id) && after.byId.has(id) && versionOf(before, id) !== versionOf(after, id)),
  }
}

function undeclared({ operation }: ConnectorCall): ConnectorFailure {
  return fail('refused', 'never', `No MCP server offers the operation ${operation}.`, 'operation_undeclared')
}

function gone({ operation }: Offered): ConnectorFailure {
  return fail('unavailable', 'never', `${operation.id} is gone: its server does not offer it any more.`, 'mcp_tool_gone')
}

function changed({ operation }: Offered): ConnectorFailure {
  const message = `The server has changed what ${operation.id} is since it was accepted. Look at the difference: tidegate tools review`
  return fail('refused', 'never', message, 'mcp_tool_changed')
}

/** Nothing of the call was sent: the server did not start, or did not say what its tools are. */
function notReached(error: unknown, waitMs: number): ConnectorFailure {
  const message = error instanceof Error ? error.message : 'unknown'
  const failure = error instanceof RefusedByStatus && (error.status === 401 || error.status === 403) ? 'refused' : 'unavailable'
  const code = error instanceof NotSent ? 'mcp_unreachable' : 'mcp_not_listed'
  return { ...fail(failure, 'safe', message, code), ...(waitMs > 0 ? { retryAfterMs: waitMs } : {}) }
}

function sayIssue(issues: readonly { readonly path: string; readonly message: string }[]): string {
  const [first] = issues
  return first === undefined ? 'it is of another form' : `${first.path || '(root)'} ${first.message}`
}
