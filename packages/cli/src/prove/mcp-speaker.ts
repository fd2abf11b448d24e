/** The two ways of speaking MCP: with a session that is opened first, and without (2026-07-28). */
export const ERAS = ['2025-11-25', '2026-07-28'] as const
export type Era = (typeof ERAS)[number]

/** Where to speak, and as whom. */
export interface Speaker {
  readonly url: string
  readonly token: string
  readonly era: Era
  readonly signal: AbortSignal
}

/** A tool as the far side lists it. */
export interface ListedTool {
  readonly name: string
  readonly inputSchema: Readonly<Record<string, unknown>>
  readonly readOnly: boolean
}

/** The least client of MCP that can tell whether a call is let through: it believes nothing that it is answered. */
export interface McpConversation {
  /** The first thousand tools. */
  list(): Promise<readonly ListedTool[]>
  /** Calls a tool; answers what came back, as text, and whether it was an error. */
  call(name: string, args: object): Promise<{ readonly isError: boolean; readonly text: string }>
}

type Fields = Readonly<Record<string, unknown>>

const CALL_MS = 60_000
const CLIENT = { name: 'tidegate-doctor', version: '1' }

/** Opens a conversation; a session is opened where the era has one. */
export async function openConversation(speaker: Speaker): Promise<McpConversation> {
  const { era } = speaker
  const isOld = era === '2025-11-25'
  const session: { id: string | undefined } = { id: undefined }
  let last = 0
  const meta = {
    'io.modelcontextprotocol/protocolVersion': era,
    'io.modelcontextprotocol/clientInfo': CLIENT,
    'io.modelcontextprotocol/clientCapabilities': {},
  }

  async function ask(method: string, params: Fields, isNote = false): Promise<Fields> {
    last++
    const named = typeof params.name === 'string' && !isOld ? { 'mcp-name': params.name } : {}
    const answer = await fetch(new URL('/mcp', speaker.url), {
      method: 'POST',
      signal: AbortSignal.any([speaker.signal, AbortSignal.timeout(CALL_MS)]),
      headers: {
        authorization: `Bearer ${speaker.token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(isOld && method === 'initialize' ? {} : { 'mcp-protocol-version': era }),
        ...(isOld ? {} : { 'mcp-method': method, ...named }),
        ...(session.id === undefined ? {} : { 'mcp-session-id': session.id }),
      },
      body: JSON.stringify({
        ...{ jsonrpc: '2.0', method, params: isOld ? params : { ...params, _meta: meta } },
        ...(isNote ? {} : { id: last }),
      }),
    })
    const text = await answer.text()
    session.id ??= answer.headers.get('mcp-session-id') ?? undefined
    return isNote ? {} : readResponse(text, answer.status, last)
  }

  if (isOld) {
    const hello = await ask('initialize', { protocolVersion: era, capabilities: {}, clientInfo: CLIENT })
    if (hello.error !== undefined) throw new Error(`MCP was not opened: ${JSON.stringify(hello.error).slice(0, 200)}`)
    await ask('notifications/initialized', {}, true)
  }
  return {
    async list() {
      const { result, error } = await ask('tools/list', {})
      if (!isRecord(result)) throw new Error(`tools/list was refused: ${JSON.stringify(error).slice(0, 200)}`)
      const tools = Array.isArray(result.tools) ? result.tools.slice(0, 1_000) : []
      return tools.flatMap((tool: unknown): readonly ListedTool[] => {
        if (!isRecord(tool) || typeof tool.name !== 'string') return []
        const readOnly = isRecord(tool.annotations) && tool.annotations.readOnlyHint === true
        return [{ name: tool.name, inputSchema: isRecord(tool.inputSchema) ? tool.inputSchema : {}, readOnly }]
      })
    },
    async call(name, args) {
      const { result, error } = await ask('tools/call', { name, arguments: args })
      const isError = !isRecord(result) || result.isError === true
      return { isError, text: JSON.stringify(result ?? error ?? null) }
    },
  }
}

/** The response to one request, out of a document or of the events of a stream. */
function readResponse(text: string, status: number, id: number): Fields {
  const lines = text.includes('data:')
    ? text.split(/\r?\n/).flatMap((line) => (line.startsWith('data:') ? [line.slice(5).trim()] : []))
    : [text]
  for (const line of lines) {
    try {
      const value: unknown = JSON.parse(line)
      if (isRecord(value) && (value.id === id || value.error !== undefined)) return value
    } catch {
      // An event that is no message is not the response.
    }
  }
  return { error: { status } }
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
