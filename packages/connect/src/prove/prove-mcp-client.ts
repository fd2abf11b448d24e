import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { nodeAt, parseRelaxed, plainOf } from '../relaxed/parse-relaxed.ts'
import type { Canary } from './canary.ts'
import { type Fired, type ProvePorts, proveSurface, type ProveRequest } from './prove.ts'
import type { SurfaceProof } from './surface.ts'

const CALL_MS = 60_000
const REVISION = '2025-06-18'

/**
 * Proves the entry of an MCP client's configuration: starts the program that stands there exactly as the client would, and calls one of our
 * tools. What the client does by other servers is not ours, and nothing is said of it.
 */
export async function proveMcpClient({ detection }: ProveRequest, ports: ProvePorts): Promise<readonly SurfaceProof[]> {
  const file = detection.files[0]?.file
  if (file === undefined) throw new Error('no file of the client is known')
  const { command, args } = entryIn(file)
  const names = detection.surfaces
  const tool = ports.tools.find(({ harmless }) => harmless !== undefined)
  if (tool?.harmless === undefined) {
    const none = ports.tools.length === 0
    const detail = none
      ? 'no operation of ours is offered to this host'
      : 'none of the operations that are offered to this host is sure to be harmless'
    return names.map((name) => ({ name, state: none ? 'absent' : 'unfired', detail }))
  }
  const { name: called, harmless } = tool
  const fire = async (canary: Canary): Promise<Fired> => {
    const talk = startTalk(command, args, { name: called, arguments: harmless(canary.word) })
    return {
      canary,
      timeoutMs: CALL_MS,
      over: talk.over,
      results: () => [],
      end: async () => talk.end(),
      why: () => `our entry in ${file} answered: ${talk.heard().slice(-300) || 'nothing'}`,
    }
  }
  const proofs: SurfaceProof[] = []
  for (const name of names) proofs.push(await proveSurface(ports, name, fire))
  return proofs
}

function entryIn(file: string): { readonly command: string; readonly args: readonly string[] } {
  const node = nodeAt(parseRelaxed(readFileSync(file, 'utf8')), ['mcpServers', 'tidegate'])
  const entry = node === undefined ? undefined : plainOf(node)
  if (typeof entry !== 'object' || entry === null || !('command' in entry) || typeof entry.command !== 'string')
    throw new Error(`there is no server of ours in ${file}: connect it again`)
  const args = 'args' in entry && Array.isArray(entry.args) ? entry.args.map(String) : []
  return { command: entry.command, args }
}

/** Opens a session over stdin and stdout and makes one call. */
function startTalk(command: string, args: readonly string[], call: object) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  const over = Promise.withResolvers<void>()
  let heard = ''
  const say = (message: object): void => {
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  }
  child.stdin.on('error', () => undefined)
  child.once('error', () => over.resolve()).once('exit', () => over.resolve())
  createInterface({ input: child.stdout }).on('line', (line) => {
    heard = (heard + line).slice(-2_000)
    const id = idOf(line)
    if (id === 1) {
      say({ method: 'notifications/initialized' })
      say({ id: 2, method: 'tools/call', params: call })
    }
    if (id === 2) over.resolve()
  })
  const clientInfo = { name: 'tidegate-doctor', version: '1' }
  say({ id: 1, method: 'initialize', params: { protocolVersion: REVISION, capabilities: {}, clientInfo } })
  return {
    over: over.promise,
    heard: () => heard,
    end: () => {
      child.kill('SIGKILL')
    },
  }
}

function idOf(line: string): unknown {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined
  } catch {
    return undefined
  }
}
