import type { StandardSchemaV1 } from '@modelcontextprotocol/client'
import { ToolsMcpError } from './error.ts'
import { MAX_LIST_BYTES, MAX_LIST_PAGES } from './limits.ts'
import { NotSent } from './link/link.ts'
import type { Session } from './open-session.ts'
import { timeLimit } from './until.ts'

/**
 * All tools as a server lists them now, page by page, as they came.
 *
 * @throws ToolsMcpError `mcp_not_listed` when it does not, or not within the limits; NotSent when it was not even asked.
 */
export async function listTools({ client }: Session, name: string, withinMs: number): Promise<readonly unknown[]> {
  const fault = (message: string, cause?: unknown) =>
    new ToolsMcpError('mcp_not_listed', `The MCP server ${name} cannot list its tools: ${message}`, { cause })
  if (client.getServerCapabilities()?.tools === undefined) return []
  const signal = timeLimit(withinMs)
  const tools: unknown[] = []
  let bytes = 0
  let cursor: string | undefined
  for (let page = 0; page < MAX_LIST_PAGES; page++) {
    const params = cursor === undefined ? {} : { cursor }
    let result: ListResult
    try {
      result = await client.request({ method: 'tools/list', params }, ANYTHING, { timeout: withinMs, signal })
    } catch (error) {
      if (error instanceof NotSent) throw error
      throw fault(error instanceof Error ? error.message : 'unknown', error)
    }
    if (!Array.isArray(result.tools)) throw fault('its answer has no list.')
    bytes += JSON.stringify(result.tools).length
    if (bytes > MAX_LIST_BYTES) throw fault(`the list has more than ${MAX_LIST_BYTES} bytes.`)
    tools.push(...(result.tools as readonly unknown[]))
    if (typeof result.nextCursor !== 'string' || result.nextCursor === '') return tools
    if (result.nextCursor === cursor) throw fault('its pages go round in a circle.')
    cursor = result.nextCursor
  }
  throw fault(`it has more than ${MAX_LIST_PAGES} pages.`)
}

interface ListResult {
  readonly tools?: unknown
  readonly nextCursor?: unknown
}

/** Takes a result as it is: it is read, with limits, by ourselves. */
const ANYTHING: StandardSchemaV1<unknown, ListResult> = {
  '~standard': {
    version: 1,
    vendor: 'tidegate',
    validate: (value) => (typeof value === 'object' && value !== null ? { value } : { issues: [{ message: 'is no object' }] }),
  },
}
