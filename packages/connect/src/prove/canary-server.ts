/**
 * An MCP server over stdin and stdout with one tool, `look`, that leaves a file named after its word in the folder that the program was
 * given, and does nothing else. A host that is proved gets it besides its own servers, so that a call of a foreign MCP tool can be seen.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const [, , folder = ''] = process.argv
const CANARY = /^tidegate-canary-[0-9a-f]{32}$/
const LOOK = {
  name: 'look',
  description: 'A canary of Tidegate: it leaves a file, and does nothing else.',
  inputSchema: { type: 'object', properties: { word: { type: 'string' } }, required: ['word'] },
}

interface Asked {
  readonly id?: unknown
  readonly method?: string
  readonly params?: { readonly protocolVersion?: string; readonly arguments?: { readonly word?: unknown } }
}

function resultOf({ method, params }: Asked): object {
  switch (method) {
    case 'initialize': {
      const protocolVersion = params?.protocolVersion ?? '2025-06-18'
      return { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'canary', version: '1.0.0' } }
    }
    case 'tools/list':
      return { tools: [LOOK] }
    case 'tools/call': {
      const word = String(params?.arguments?.word)
      if (CANARY.test(word)) writeFileSync(join(folder, word), '')
      return { content: [{ type: 'text', text: 'seen' }] }
    }
    default:
      return {}
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  try {
    const asked = JSON.parse(line) as Asked // only the host that we started writes here
    if (asked.id === undefined) return
    process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id: asked.id, result: resultOf(asked) })}\n`)
  } catch {
    // A line that is no message gets no answer.
  }
})
