import { mkdtempSync, mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Connector, ConnectorCall, ConnectorResult, Json, JsonObject, LogLine, OverlayEntry } from '@tidegate/kernel'
import type { McpMemory, McpPorts, McpServer, McpTools, StdioServer } from '../src/index.ts'

/** A place of its own for one test file, and the ports over it. */
export function createGround() {
  const directory = mkdtempSync(join(tmpdir(), 'tools-mcp-'))
  const lines: LogLine[] = []
  const remembered = new Map<string, string>()
  const memory: McpMemory = { read: (name) => remembered.get(name), write: (name, text) => remembered.set(name, text) }
  const secrets: Record<string, string> = {}
  const ports: McpPorts = {
    secret: async (name) => {
      const value = secrets[name]
      if (value === undefined) throw new Error(`no secret ${name}`)
      return value
    },
    clock: {
      nowMs: () => Date.now(),
      monotonicMs: () => performance.now(),
      at: (_timeMs, _callback) => () => undefined,
    },
    log: (line) => lines.push(line),
    path: dirname(process.execPath),
    homeOf: (server) => {
      const home = join(directory, 'homes', server)
      mkdirSync(home, { recursive: true, mode: 0o700 })
      return home
    },
    memory,
    client: { name: 'tidegate', version: '0.0.0-test' },
  }
  return { directory, lines, remembered, secrets, ports, remove: () => rmSync(directory, { recursive: true, force: true }) }
}

/** A classification for tests: a read of nothing special. */
export const READ: OverlayEntry = {
  mutability: 'read',
  dataClass: 'internal',
  blastRadius: 'single',
  risk: 'low',
  records: [],
}

/** A server with what a test does not care about filled in. */
export function serverOf(given: Partial<McpServer> & Pick<McpServer, 'name' | 'transport'>): McpServer {
  return {
    overlay: {},
    protocol: 'auto',
    start: 'eager',
    startTimeoutMs: 15_000,
    timeoutMs: 10_000,
    recheckMs: 60_000,
    ...given,
  }
}

/** A Node program as a server. */
export function nodeProgram(file: string, args: readonly string[] = [], env: StdioServer['env'] = {}): StdioServer {
  return { kind: 'stdio', command: process.execPath, args: [file, ...args], env }
}

const REFERENCE_SERVERS = {
  everything: import.meta.resolve('@modelcontextprotocol/server-everything/package.json'),
  filesystem: import.meta.resolve('@modelcontextprotocol/server-filesystem/package.json'),
  memory: import.meta.resolve('@modelcontextprotocol/server-memory/package.json'),
} as const

/** The program of a reference server. */
export function referenceServer(name: keyof typeof REFERENCE_SERVERS): string {
  return join(dirname(fileURLToPath(REFERENCE_SERVERS[name])), 'dist', 'index.js')
}

let calls = 0

/** Calls an operation as the runtime does: through its shape, then its connector. */
export async function call(tools: McpTools, operation: string, args: JsonObject, timeoutMs = 10_000): Promise<ConnectorResult> {
  const found = tools.operations().find(({ id }) => id === operation)
  if (found === undefined) throw new Error(`${operation} is not there; there are ${tools.operations().map(({ id }) => id)}`)
  const parsed = found.input.parse(args)
  if (!parsed.ok) throw new Error(`refused: ${JSON.stringify(parsed.issues)}`)
  return connectorOf(tools, operation).execute(callOf(operation, parsed.value, timeoutMs))
}

export function callOf(operation: string, args: Json, timeoutMs = 10_000): ConnectorCall {
  calls += 1
  const secret = () => Promise.reject(new Error('no secrets here'))
  return { operation, arguments: args, session: 'session', effectId: `run.${calls}`, attempt: 1, timeoutMs, secret }
}

export function connectorOf(tools: McpTools, operation: string): Connector {
  const connector = tools.connectorOf(operation.split('.')[0] ?? '')
  if (connector === undefined) throw new Error(`no connector for ${operation}`)
  return connector
}

/** The first text of an output. */
export function textOf(result: ConnectorResult): string {
  const { content = [] } = result.kind === 'done' ? (result.output as { content?: readonly { text?: string }[] }) : {}
  return content.map(({ text }) => text ?? '').join('')
}
