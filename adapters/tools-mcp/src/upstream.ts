import type { Connector, Operation } from '@tidegate/kernel'
import { Catalogue, type McpChange } from './catalogue.ts'
import { Connection, type ConnectionState } from './connection.ts'
import { createMcpConnector } from './connector.ts'
import type { Definitions } from './definition.ts'
import { ToolsMcpError } from './error.ts'
import { createSecrets } from './secrets.ts'
import type { McpPorts, McpServer } from './server.ts'

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

/** Whoever starts a server waits a moment longer than its start may take, to hear what was wrong. */
const GRACE_MS = 250

/** Puts one upstream server together. Nothing is started or connected yet. */
export function createUpstream(server: McpServer, ports: McpPorts, onChange: (change: McpChange) => void): Upstream {
  const secrets = createSecrets(ports.secret)
  const catalogue = new Catalogue(server, ports, onChange)
  const withinMs = server.startTimeoutMs + GRACE_MS
  const connection: Connection = new Connection(server, {
    ...{ ports, secrets },
    changed: () => void catalogue.refresh(connection, withinMs),
  })
  const health = (): McpHealth => ({
    server: server.name,
    transport: server.transport.kind,
    ...connection.state(),
    operations: catalogue.offered.byId.size,
    hidden: catalogue.offered.hidden.length,
    differs: catalogue.differences(),
    issues: catalogue.offered.issues,
  })
  return {
    server,
    connector: createMcpConnector({ ports, catalogue, connection, secrets }),
    operations: () => [...catalogue.offered.byId.values()].map(({ operation }) => operation),
    async check() {
      try {
        const session = await connection.open(withinMs)
        catalogue.markStale()
        await catalogue.fresh(session, server.startTimeoutMs)
      } catch (cause) {
        const code = cause instanceof ToolsMcpError ? cause.code : 'mcp_unreachable'
        throw new ToolsMcpError(code, secrets.clean(cause instanceof Error ? cause.message : 'unknown'), { cause })
      }
      return health()
    },
    adopt: () => catalogue.adopt(),
    live: () => catalogue.live?.definitions,
    health,
    close: () => connection.close(),
  }
}
