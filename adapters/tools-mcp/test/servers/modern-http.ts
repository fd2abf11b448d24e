import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createMcpHandler } from '@modelcontextprotocol/server'
import { modernServer } from './modern.ts'

/** A server of 2026-07-28 over HTTP on this machine. `requests` holds the headers of each request; `say` changes a description. */
export async function startModernHttp(token?: string) {
  const requests: IncomingMessage['headers'][] = []
  let description = 'Adds two numbers'
  const mcp = createMcpHandler(() => modernServer(description), { legacy: 'reject' })
  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    requests.push(incoming.headers)
    if (token !== undefined && incoming.headers.authorization !== `Bearer ${token}`) {
      outgoing.writeHead(401).end()
      return
    }
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const body = chunks.length === 0 ? null : Buffer.concat(chunks)
    const headers = new Headers(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]))
    const controller = new AbortController()
    outgoing.once('close', () => controller.abort())
    const request = new Request(`http://127.0.0.1${incoming.url ?? '/'}`, {
      ...{ method: incoming.method ?? 'GET', headers, signal: controller.signal },
      ...(body === null ? {} : { body }),
    })
    const response = await mcp.fetch(request)
    outgoing.writeHead(response.status, Object.fromEntries(response.headers))
    outgoing.flushHeaders()
    if (response.body !== null) for await (const chunk of response.body) outgoing.write(chunk)
    outgoing.end()
  }
  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing).catch(() => outgoing.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // Sound: a server that listens on TCP has such an address.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    requests,
    say(text: string) {
      description = text
      mcp.notify.toolsChanged()
    },
    async close() {
      await mcp.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
