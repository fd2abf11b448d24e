import { inputRequired, McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'

/** A server of the revision of 2026-07-28, written with the protocol's own package. */
export function modernServer(description = 'Adds two numbers'): McpServer {
  const server = new McpServer({ name: 'modern', version: '1.0.0' }, { capabilities: { tools: { listChanged: true } } })
  server.registerTool(
    'add_numbers',
    {
      description,
      inputSchema: z.object({ a: z.number(), b: z.number() }),
      outputSchema: z.object({ sum: z.number() }),
      annotations: { readOnlyHint: true },
    },
    async ({ a, b }) => ({
      content: [{ type: 'text', text: JSON.stringify({ sum: a + b }) }],
      structuredContent: { sum: a + b },
    }),
  )
  server.registerTool('ask_back', { description: 'Asks the caller', inputSchema: z.object({}) }, async () =>
    inputRequired({
      inputRequests: { sure: inputRequired.elicit({ message: 'Sure?', requestedSchema: z.object({ yes: z.boolean() }) }) },
    }),
  )
  server.registerTool('tell_meta', { description: 'Tells the effect', inputSchema: z.object({}) }, async (_args, context) => ({
    content: [{ type: 'text', text: JSON.stringify(context.mcpReq._meta ?? {}) }],
  }))
  return server
}
