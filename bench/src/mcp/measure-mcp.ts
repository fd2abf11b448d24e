import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runForLine } from '../child.ts'
import { round } from '../load.ts'
import { describeMachine, type Machine } from '../machine.ts'
import { INSTALL_PEERS, PEERS_ROOT, peerEnvironment } from '../peers/peers.ts'
import { type McpFigures, type McpWindow, middleOf, middleRateOf, parseMcpLine } from './mcp-line.ts'
import { freePort, serve, type Serving } from './serving.ts'

export interface McpOptions {
  readonly calls: number
  readonly seconds: number
  readonly rounds: number
  readonly inFlight: number
  readonly signal: AbortSignal
}

/** One way from the client to the tool. */
export interface McpRow {
  readonly name: McpWay
  /** How the reference server is spoken to: the row without a gateway of the same kind is what the others are compared with. */
  readonly upstream: 'http' | 'stdio'
  readonly one?: McpWindow
  readonly many?: McpWindow
  /** Median beside that of the direct way, one call at a time. */
  readonly addedP50Ms?: number
  /** Calls per second over those of the direct way. */
  readonly ratio?: number
  readonly failed?: string
}

export interface McpResult {
  readonly machine: Machine
  readonly inFlight: number
  readonly rounds: number
  readonly rows: readonly McpRow[]
  readonly skipped?: string
}

export const MCP_WAYS = ['direct, http', 'tidegate, http', 'direct, stdio', 'tidegate, stdio', 'mcp-proxy, stdio'] as const
export type McpWay = (typeof MCP_WAYS)[number]

const CLIENT = join(PEERS_ROOT, 'src', 'mcp-load.ts')
const EVERYTHING = join(PEERS_ROOT, 'node_modules', '@modelcontextprotocol', 'server-everything', 'dist', 'index.js')
const PROXY = join(PEERS_ROOT, 'node_modules', 'mcp-proxy', 'dist', 'bin', 'mcp-proxy.mjs')
const OURS = fileURLToPath(new URL('./ours.ts', import.meta.url))
const BOOT_MS = 120_000

/** Where a client finds the tool. */
interface Target {
  readonly name: McpWay
  readonly upstream: McpRow['upstream']
  readonly tool: string
  readonly url?: string
  readonly token?: string
}

/**
 * Measures calls of one tool of a reference server: straight to it, through Tidegate with everything on, and through another gateway.
 * All servers stand still but the one that is measured; the ways take turns, round by round, so that a busy moment hits all of them.
 */
export async function measureMcp(options: McpOptions): Promise<McpResult> {
  const machine = describeMachine()
  const head = { machine, inFlight: options.inFlight, rounds: options.rounds }
  const missing = [EVERYTHING, PROXY].filter((file) => !existsSync(file))
  if (missing.length > 0)
    return { ...head, rows: [], skipped: `the reference server or a peer is not installed: ${INSTALL_PEERS}` }
  const scratch = mkdtempSync(join(tmpdir(), 'tidegate-bench-mcp-'))
  const environment = peerEnvironment(scratch)
  const serving: Serving[] = []
  try {
    const targets = await startTargets(environment, serving)
    const measured = new Map<McpWay, (McpFigures | { readonly failed: string })[]>(targets.map(({ name }) => [name, []]))
    for (let i = 0; i < options.rounds; i += 1) {
      for (const target of targets) {
        console.error(`${target.name}, round ${i + 1} of ${options.rounds} ...`)
        measured.get(target.name)?.push(await measureOnce(target, environment, options))
      }
    }
    return { ...head, rows: compare(targets.map(({ name, upstream }) => rowOf(name, upstream, measured.get(name) ?? []))) }
  } finally {
    await Promise.all(serving.map((each) => each.stop()))
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Starts all that is measured; what has started is in `serving`, also when the rest fails. */
async function startTargets(environment: Readonly<Record<string, string>>, serving: Serving[]): Promise<readonly Target[]> {
  const keep = async (starting: Promise<Serving>): Promise<Serving> => {
    const started = await starting
    serving.push(started)
    return started
  }
  const port = await freePort()
  const loopback = ['--import', join(PEERS_ROOT, 'src', 'loopback.ts')]
  const everything = [...loopback, EVERYTHING, 'streamableHttp']
  await keep(
    serve('everything', everything, { environment: { ...environment, PORT: String(port) }, ready: { by: 'port', port } }),
  )
  const url = `http://127.0.0.1:${port}/mcp`
  const own = { environment, ready: { by: 'line' } } as const
  const overHttp = parseAddress((await keep(serve('tidegate', [OURS, '--url', url], own))).line)
  const stdio = [process.execPath, EVERYTHING, 'stdio']
  const overStdio = parseAddress((await keep(serve('tidegate', [OURS, '--', ...stdio], own))).line)
  const proxyPort = await freePort()
  const proxy = [
    PROXY,
    '--host',
    '127.0.0.1',
    '--port',
    String(proxyPort),
    '--server',
    'stream',
    '--no-eventStore',
    '--',
    ...stdio,
  ]
  await keep(serve('mcp-proxy', proxy, { environment, ready: { by: 'port', port: proxyPort } }))
  return [
    { name: 'direct, http', upstream: 'http', tool: 'echo', url },
    { name: 'tidegate, http', upstream: 'http', tool: 'everything_echo', ...overHttp },
    { name: 'direct, stdio', upstream: 'stdio', tool: 'echo' },
    { name: 'tidegate, stdio', upstream: 'stdio', tool: 'everything_echo', ...overStdio },
    { name: 'mcp-proxy, stdio', upstream: 'stdio', tool: 'echo', url: `http://127.0.0.1:${proxyPort}/mcp` },
  ]
}

function parseAddress(line: string): { readonly url: string; readonly token: string } {
  const { url, token } = JSON.parse(line) as { url: string; token: string } // our own program wrote it
  return { url, token }
}

async function measureOnce(
  { name, tool, url, token }: Target,
  environment: Readonly<Record<string, string>>,
  { calls, inFlight, seconds, signal }: McpOptions,
): Promise<McpFigures | { readonly failed: string }> {
  const options = ['--tool', tool, '--calls', String(calls), '--in-flight', String(inFlight), '--seconds', String(seconds)]
  const to = url === undefined ? ['--', process.execPath, EVERYTHING, 'stdio'] : ['--url', url]
  const command = {
    name,
    program: process.execPath,
    args: [CLIENT, ...options, ...to],
    environment: { ...environment, ...(token === undefined ? {} : { MCP_TOKEN: token }) },
  }
  return runForLine(command, { deadlineMs: BOOT_MS + seconds * 3_000, signal }, parseMcpLine)
}

function rowOf(
  name: McpWay,
  upstream: McpRow['upstream'],
  rounds: readonly (McpFigures | { readonly failed: string })[],
): McpRow {
  const failed = rounds.find((each) => 'failed' in each)
  if (failed !== undefined) return { name, upstream, failed: failed.failed }
  const good = rounds.filter((each) => 'one' in each)
  const [one, many] = [middleOf(good.map((each) => each.one)), middleRateOf(good.map((each) => each.many))]
  return { name, upstream, ...(one === undefined ? {} : { one }), ...(many === undefined ? {} : { many }) }
}

/** Holds every row against the direct way to a server of the same kind. */
export function compare(rows: readonly McpRow[]): readonly McpRow[] {
  return rows.map((row) => {
    const direct = rows.find(({ name, upstream }) => name.startsWith('direct') && upstream === row.upstream)
    if (direct === undefined || direct === row) return row
    return {
      ...row,
      ...(row.one === undefined || direct.one === undefined ? {} : { addedP50Ms: round(row.one.p50Ms - direct.one.p50Ms, 3) }),
      ...(row.many === undefined || direct.many === undefined || direct.many.perSecond === 0
        ? {}
        : { ratio: round(row.many.perSecond / direct.many.perSecond, 2) }),
    }
  })
}
