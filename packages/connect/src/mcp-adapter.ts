import { basename, join } from 'node:path'
import type { Json } from '@tidegate/kernel'
import type { ConnectRequest, Detection, Finding, HostAdapter, HostEnvironment, Plan, Withdrawal } from './adapter.ts'
import { ConnectError } from './error.ts'
import { proveMcpClient } from './prove/prove-mcp-client.ts'
import { readFileState } from './file-state.ts'
import { removeAt, setAt } from './relaxed/edit-relaxed.ts'
import { nodeAt, parseRelaxed, plainOf } from './relaxed/parse-relaxed.ts'

/** The key of our entry, and the word of its command line by which it is recognised as ours. */
const SERVER = 'tidegate'
const SERVERS = 'mcpServers'
const WORD = 'mcp'

/**
 * Connects an MCP client that reads `mcpServers` from a JSON file: `.mcp.json`, and the files of most desktop clients. Our entry starts
 * the command line, which speaks MCP over its stdin and stdout and adds the token by itself: no secret stands in the file.
 */
export function createMcpAdapter(): HostAdapter {
  return { kind: 'mcp', title: 'an MCP client', detect, plan, check, withdraw, prove: proveMcpClient }
}

async function detect(environment: HostEnvironment, config?: string): Promise<Detection> {
  const file = config ?? join(environment.cwd, '.mcp.json')
  const exists = readFileState(file) !== undefined
  return { installed: true, files: [{ role: 'servers', file, exists }], notes: [], surfaces: ['mcp'] }
}

async function plan(request: ConnectRequest, detection: Detection): Promise<Plan> {
  const file = fileOf(detection)
  const before = readFileState(file)?.bytes
  const text = textOf(before)
  const existing = nodeAt(parseRelaxed(text), [SERVERS, SERVER])
  const entry = entryOf(request)
  if (existing !== undefined && !isOurs(plainOf(existing)))
    throw new ConnectError(
      'configuration_unsupported',
      `${file} has a server "${SERVER}" that is not ours. Give it another name first.`,
    )
  const same = existing !== undefined && JSON.stringify(plainOf(existing)) === JSON.stringify(entry)
  const after = same ? text : setAt(text, [SERVERS, SERVER], entry)
  const others = otherServers(text)
  return {
    edits: [{ file, before, after: new TextEncoder().encode(after), why: `adds the MCP server "${SERVER}"` }],
    notes:
      others.length === 0 ? [] : [`Other MCP servers stay as they are, and do not come through Tidegate: ${others.join(', ')}.`],
  }
}

async function check(_: ConnectRequest, detection: Detection): Promise<readonly Finding[]> {
  const file = fileOf(detection)
  const entry = nodeAt(parseRelaxed(textOf(readFileState(file)?.bytes)), [SERVERS, SERVER])
  return entry !== undefined && isOurs(plainOf(entry))
    ? [{ name: basename(file), state: 'ok', detail: `has the server "${SERVER}"`, cure: '' }]
    : [
        {
          name: basename(file),
          state: 'wrong',
          detail: 'our server is not in it.',
          cure: 'Somebody else writes this file; try again.',
        },
      ]
}

function withdraw(file: string, current: Uint8Array): Withdrawal {
  const text = textOf(current)
  try {
    const entry = nodeAt(parseRelaxed(text), [SERVERS, SERVER])
    if (entry === undefined || !isOurs(plainOf(entry))) return { state: 'clean', after: current, removed: [] }
  } catch (error) {
    return { state: 'unclear', why: error instanceof Error ? error.message : String(error) }
  }
  const without = removeAt(text, [SERVERS, SERVER])
  const servers = nodeAt(parseRelaxed(without), [SERVERS])
  const rest = servers?.kind === 'object' && servers.members.length === 0 ? removeAt(without, [SERVERS]) : without
  const root = parseRelaxed(rest)
  const after = root.kind === 'object' && root.members.length === 0 ? undefined : new TextEncoder().encode(rest)
  return { state: 'clean', after, removed: [`the MCP server "${SERVER}" from ${basename(file)}`] }
}

function fileOf(detection: Detection): string {
  const [first] = detection.files
  if (first === undefined) throw new ConnectError('configuration_unsupported', 'No file was named.')
  return first.file
}

function entryOf({ command: [program, ...args], project, name }: ConnectRequest): { readonly [key: string]: Json } {
  return { type: 'stdio', command: program, args: [...args, WORD, '--host', name, '--project', project] }
}

/** Whether an entry starts our command line. */
function isOurs(entry: Json): boolean {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return false
  const { args } = entry as { readonly [key: string]: Json }
  return (
    Array.isArray(args) &&
    args.includes(WORD) &&
    args.includes('--host') &&
    args.some((each) => String(each).includes('tidegate'))
  )
}

function otherServers(text: string): readonly string[] {
  const servers = nodeAt(parseRelaxed(text), [SERVERS])
  return servers?.kind === 'object' ? servers.members.map(({ key }) => key).filter((key) => key !== SERVER) : []
}

/** An empty file, as clients make them, is an empty object. */
function textOf(bytes: Uint8Array | undefined): string {
  const text = bytes === undefined ? '' : new TextDecoder().decode(bytes)
  return text.trim() === '' ? '{}\n' : text
}
