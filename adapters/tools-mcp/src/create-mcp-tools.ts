import { type Connector, type Operation, OWN_TOOL } from '@tidegate/kernel'
import { decodeDefinitions } from './definition.ts'
import { ToolsMcpError } from './error.ts'
import { SERVER_NAME } from './operation-id.ts'
import { parsePlace } from './link/http-link.ts'
import { makeOffer } from './make-operation.ts'
import type { McpMemory, McpPorts, McpServer } from './server.ts'
import type { McpChange } from './catalogue.ts'
import { createUpstream, type McpHealth, type Upstream } from './upstream.ts'

/** The operations of one server with the way to them, as the runtime registers a tool. */
export interface McpTool {
  readonly name: string
  readonly title: string
  readonly operations: readonly Operation[]
  readonly connector: Connector
}

/** The upstream MCP servers of a project. */
export interface McpTools {
  /** One per server. What a server changes later does not show here before {@link McpTools.adopt}. */
  tools(): readonly McpTool[]
  operations(): readonly Operation[]
  connectorOf(server: string): Connector | undefined
  /** Tells of each difference between a live server and what is offered. The answer ends it. */
  watch(listener: (change: McpChange) => void): () => void
  /** Offers what a live server defines by now. The operations get another schema version, and are quarantined until they are accepted. */
  adopt(server: string): void
  /** Connects to a server now and compares. @throws ToolsMcpError */
  check(server: string): Promise<McpHealth>
  health(): readonly McpHealth[]
  /** Ends all connections. A program that we started is gone, with all that it started, when this resolves. */
  close(): Promise<void>
}

/**
 * Makes operations of upstream MCP servers.
 *
 * An eager server is connected and listed first; so is a lazy one of which nothing is remembered. One that cannot be reached offers what is
 * remembered of it, and nothing when that is nothing: this never throws for a server's sake, {@link McpTools.health} says what is wrong.
 *
 * @throws ToolsMcpError `mcp_server` for a configuration that must not be used.
 */
export async function createMcpTools(servers: readonly McpServer[], ports: McpPorts): Promise<McpTools> {
  checkServers(servers)
  const listeners = new Set<(change: McpChange) => void>()
  let isReady = false
  const tell = (change: McpChange): void => {
    if (!isReady) return
    ports.log({ level: 'warning', code: 'mcp_tools_changed', message: sayChange(change, LIVE) })
    for (const listener of listeners) listener(change)
  }
  const upstreams = new Map(servers.map((server) => [server.name, createUpstream(server, ports, tell)]))
  await Promise.all([...upstreams.values()].map((upstream) => begin(upstream, ports)))
  isReady = true
  const upstreamOf = (name: string): Upstream => {
    const upstream = upstreams.get(name)
    if (upstream === undefined) throw new ToolsMcpError('mcp_server', `No MCP server is called ${name.slice(0, 64)}.`)
    return upstream
  }
  return {
    tools: () =>
      [...upstreams.values()].map(({ server, connector, operations }) => ({
        name: server.name,
        title: server.title ?? server.name,
        operations: operations(),
        connector,
      })),
    operations: () => [...upstreams.values()].flatMap((upstream) => upstream.operations()),
    connectorOf: (name) => upstreams.get(name)?.connector,
    watch(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    adopt: (name) => upstreamOf(name).adopt(),
    check: (name) => upstreamOf(name).check(),
    health: () => [...upstreams.values()].map((upstream) => upstream.health()),
    async close() {
      await Promise.all([...upstreams.values()].map((upstream) => upstream.close()))
    },
  }
}

/**
 * The operations that are remembered of a server, without connecting to it: for whoever looks at a project and calls nothing. Empty when
 * nothing is remembered.
 */
export function rememberedOperations(server: McpServer, memory: McpMemory): readonly Operation[] {
  const text = memory.read(server.name)
  const definitions = text === undefined ? undefined : decodeDefinitions(text)
  return definitions === undefined ? [] : [...makeOffer(server, definitions).byId.values()].map(({ operation }) => operation)
}

/** @throws ToolsMcpError `mcp_server` */
export function checkServers(servers: readonly McpServer[]): void {
  const seen = new Set<string>()
  for (const { name, transport } of servers) {
    const refuse = (why: string) => new ToolsMcpError('mcp_server', `The MCP server ${name.slice(0, 64)} ${why}`)
    if (name === OWN_TOOL) throw refuse('has the name of Tidegate itself. Rename it.')
    if (!SERVER_NAME.test(name)) throw refuse('needs a name of lower case letters, digits and "-", at most 32.')
    if (seen.has(name)) throw refuse('is there twice. Rename one.')
    seen.add(name)
    if (transport.kind === 'http') parsePlace(transport.url)
    else if (transport.command === '' || /[\s;|&$`<>]/.test(transport.command))
      throw refuse('needs the name or the path of a program as its command; arguments go into args.')
  }
}

/** What is seen at the first look is offered: acceptance is the business of whoever registers it. */
async function begin(upstream: Upstream, { log }: McpPorts): Promise<void> {
  const { server } = upstream
  if (server.start === 'lazy' && upstream.operations().length > 0) return
  try {
    const { differs } = await upstream.check()
    const isKnown = upstream.operations().length > 0
    if (differs !== null && isKnown) log({ level: 'warning', code: 'mcp_tools_changed', message: sayChange(differs, SINCE) })
    upstream.adopt()
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown'
    const count = upstream.operations().length
    const then = count > 0 ? `its ${count} operations are those remembered` : 'it has no operations'
    log({ level: 'error', code: 'mcp_unreachable', message: `The MCP server ${server.name} cannot be used, so ${then}: ${why}` })
  }
}

const SINCE = 'since it was last started here; until they are accepted, changed ones are quarantined where reviewers are named.'
const LIVE = 'than they are offered; changed ones are refused.'

function sayChange({ server, added, changed, removed }: McpChange, how: string): string {
  const some = (word: string, ids: readonly string[]) =>
    ids.length === 0 ? [] : [`${word}: ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ` and ${ids.length - 5} more` : ''}`]
  const parts = [...some('changed', changed), ...some('gone', removed), ...some('new', added)]
  return `The MCP server ${server} defines its tools otherwise ${how} ${parts.join('; ')}`
}
