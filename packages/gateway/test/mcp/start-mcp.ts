import { createGateway, type Gateway, type McpOptions } from '../../src/index.ts'
import { createFakeTidegate } from '../fake-tidegate.ts'
import { authenticate } from '../people.ts'
import { type RawAnswer, send } from '../raw-request.ts'
import { createFakeDesk, type FakeDesk } from './fake-desk.ts'

/** The tokens of the hosts of these tests: one needs tickets. */
export const HOST_TOKENS = { claude: `claude-${'c'.repeat(40)}`, claw: `claw-${'w'.repeat(40)}` } as const

/** Short enough for a test, and in the same order as the real ones. */
export const QUICK_WAITS = { plainMs: 150, progressMs: 2_000, graceMs: 50, mostMs: 10_000, beatMs: 40, offerMs: 20 } as const

/** A gateway with MCP over a fake desk, on a free port. */
export interface StartedMcp {
  readonly gateway: Gateway
  readonly desk: FakeDesk
  readonly url: URL
  readonly port: number
  readonly defects: unknown[]
  /** Posts one message with the headers that a client of an old revision sends. */
  post(body: unknown, headers?: Record<string, string>): Promise<RawAnswer>
}

export async function startMcp(over: Partial<McpOptions> = {}): Promise<StartedMcp> {
  const desk = createFakeDesk()
  const defects: unknown[] = []
  const gateway = createGateway({
    tidegate: createFakeTidegate(),
    authenticate,
    version: '0.1.0',
    maxBodyBytes: 4_000,
    onDefect: (error) => defects.push(error),
    mcp: {
      desk,
      clock: { nowMs: () => 1_000_000 },
      authenticateHost: (token) =>
        token === HOST_TOKENS.claude
          ? { host: 'claude', tickets: false }
          : token === HOST_TOKENS.claw
            ? { host: 'claw', tickets: true }
            : undefined,
      waits: QUICK_WAITS,
      ...over,
    },
  })
  const { port, url } = await gateway.listen()
  const post = (body: unknown, headers: Record<string, string> = {}): Promise<RawAnswer> =>
    send(port, 'POST', '/mcp', {
      headers: { ...LEGACY_HEADERS, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  return { gateway, desk, url: new URL('/mcp', url), port, defects, post }
}

const LEGACY_HEADERS = {
  authorization: `Bearer ${HOST_TOKENS.claude}`,
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
}

export const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
} as const

/** Opens a session and answers the headers of its requests. */
export async function openSession(mcp: StartedMcp, params: object = {}, headers: Record<string, string> = {}) {
  const answer = await mcp.post({ ...INITIALIZE, params: { ...INITIALIZE.params, ...params } }, headers)
  const id = answer.headers['mcp-session-id']
  if (typeof id !== 'string') throw new Error(`no session: ${answer.status} ${answer.text}`)
  return { ...headers, 'mcp-session-id': id }
}

/** A call of a tool, as a message. */
export function callOf(id: number | string, name: string, args: object = {}, meta?: object) {
  return {
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) },
  }
}

/** The messages of an answer, be it a document or a stream. */
export function messagesOf({ headers, text }: RawAnswer): readonly Record<string, never>[] {
  if (headers['content-type'] !== 'text/event-stream') return text === '' ? [] : [JSON.parse(text)]
  return text.split('\n').flatMap((line) => (line.startsWith('data: ') ? [JSON.parse(line.slice(6))] : []))
}
