import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { createMcpTools, type McpTools } from '../src/index.ts'
import { call, createGround, READ, serverOf, textOf } from './ports.ts'

const ground = createGround()
afterAll(() => ground.remove())

type Answer = (call: { readonly id: number; readonly answer: ServerResponse; readonly n: number }) => void

/** A server over HTTP, by hand, of the one era or the other: answers everything but calls. */
async function startRaw(onCall: Answer, isModern: boolean) {
  let calls = 0
  const seen: string[] = []
  const resumed: (string | undefined)[] = []
  const json = (answer: ServerResponse, id: number | undefined, result: object) => {
    answer.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'session-1' })
    answer.end(JSON.stringify({ jsonrpc: '2.0', id, result: isModern ? { resultType: 'complete', ...result } : result }))
  }
  const tools = ['a', 'b'].map((name) => ({ name, inputSchema: { type: 'object' } }))
  const take = async (request: IncomingMessage, answer: ServerResponse): Promise<void> => {
    if (request.method !== 'POST') {
      if (request.headers['last-event-id'] !== undefined) resumed.push(String(request.headers['last-event-id']))
      answer.writeHead(405).end()
      return
    }
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const { id, method } = JSON.parse(text) as { readonly id?: number; readonly method: string }
    seen.push(method)
    if (id === undefined) answer.writeHead(202).end()
    else if (method === 'server/discover' && !isModern) answer.writeHead(404).end()
    else if (method === 'server/discover') {
      const serverInfo = { name: 'raw', version: '0' }
      json(answer, id, {
        supportedVersions: ['2026-07-28'],
        capabilities: { tools: {} },
        serverInfo,
        ttlMs: 0,
        cacheScope: 'private',
      })
    } else if (method === 'initialize') {
      const capabilities = { tools: {} }
      json(answer, id, { protocolVersion: '2025-11-25', capabilities, serverInfo: { name: 'raw', version: '0' } })
    } else if (method === 'tools/list') json(answer, id, isModern ? { tools, ttlMs: 0, cacheScope: 'private' } : { tools })
    else onCall({ id, answer, n: ++calls })
  }
  const server = createServer((request, answer) => {
    take(request, answer).catch(() => answer.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // Sound: a server that listens on TCP has such an address.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    calls: () => calls,
    seen,
    resumed,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

async function start(onCall: Answer, { isModern = false } = {}) {
  const server = await startRaw(onCall, isModern)
  const transport = { kind: 'http', url: server.url, headers: {} } as const
  const tools: McpTools = await createMcpTools([serverOf({ name: 'raw', transport, overlay: { b: READ } })], ground.ports)
  open.push(server, tools)
  return { server, tools }
}

const SSE = { 'content-type': 'text/event-stream' }
const done = (id: number, text: string) => ({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }] } })

describe('a call over HTTP', () => {
  test.each([
    { what: 'a redirect', status: 307, failure: 'unavailable', retry: 'unknown', code: 'mcp_http_307' },
    { what: 'no permission', status: 403, failure: 'refused', retry: 'never', code: 'mcp_http_403' },
    { what: 'too many', status: 429, failure: 'unavailable', retry: 'safe', code: 'mcp_http_429' },
    { what: 'a conflict', status: 409, failure: 'semantic', retry: 'never', code: 'mcp_http_409' },
    { what: 'a broken server', status: 500, failure: 'unavailable', retry: 'unknown', code: 'mcp_http_500' },
    { what: 'a broken gateway', status: 502, failure: 'unavailable', retry: 'unknown', code: 'mcp_http_502' },
  ])('$what', async ({ status, failure, retry, code }) => {
    const { server, tools } = await start(({ answer }) => {
      answer.writeHead(status, { location: 'http://127.0.0.1:1/', 'retry-after': '7' }).end('words of the server')
    })
    expect(tools.health()[0]).toMatchObject({ era: 'legacy', protocolVersion: '2025-11-25' })
    const result = await call(tools, 'raw.a', {})
    expect(result).toMatchObject({ kind: 'failed', failure, retry, code, ...(status === 429 ? { retryAfterMs: 7_000 } : {}) })
    expect(server.calls()).toBe(1)
  })

  test('a session that the server has forgotten is opened anew', async () => {
    const { server, tools } = await start(({ id, answer, n }) => {
      if (n === 1) answer.writeHead(404).end()
      else answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(done(id, 'again')))
    })
    expect(await call(tools, 'raw.a', {})).toMatchObject({ failure: 'unavailable', retry: 'safe', code: 'mcp_http_404' })
    expect(textOf(await call(tools, 'raw.a', {}))).toBe('again')
    expect(server.seen.filter((method) => method === 'initialize')).toHaveLength(2)
  })

  test.each([
    { what: 'breaks off before its answer', answer: (to: ServerResponse) => to.destroy(), code: 'mcp_broken' },
    {
      what: 'breaks off in the middle of its answer',
      answer: (to: ServerResponse) => {
        to.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
        to.write('{"jsonrpc":"2.0"', () => to.destroy())
      },
      code: 'mcp_broken',
    },
    {
      what: 'ends its stream without an answer',
      answer: (to: ServerResponse) => to.writeHead(200, SSE).end(': nothing\n\n'),
      code: 'mcp_exited',
    },
    {
      what: 'answers with something else',
      answer: (to: ServerResponse) => to.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
      code: 'mcp_invalid_answer',
    },
    {
      what: 'answers without an end',
      answer: (to: ServerResponse) => {
        to.writeHead(200, { 'content-type': 'application/json' })
        const more = (): boolean => to.destroyed || to.write('x'.repeat(1_000_000), () => more())
        more()
      },
      code: 'mcp_too_large',
    },
    {
      what: 'streams an event without an end',
      answer: (to: ServerResponse) => {
        to.writeHead(200, SSE)
        const more = (): boolean => to.destroyed || to.write('data: x\n'.repeat(100_000), () => more())
        more()
      },
      code: 'mcp_exited',
    },
  ])('to a server that $what has an unknown outcome', async ({ answer, code }) => {
    const { server, tools } = await start(({ answer: to }) => answer(to))
    expect(await call(tools, 'raw.a', {})).toMatchObject({ kind: 'failed', retry: 'unknown', code })
    expect(server.calls()).toBe(1)
    expect(await call(tools, 'raw.b', {})).toMatchObject({ kind: 'failed', retry: 'safe', code }) // a read
  })

  test('that takes too long', async () => {
    const closed: boolean[] = []
    const { server, tools } = await start(({ answer }) => answer.once('close', () => closed.push(true)))
    expect(await call(tools, 'raw.a', {}, 200)).toMatchObject({ failure: 'timeout', retry: 'unknown', code: 'mcp_timeout' })
    expect(server.calls()).toBe(1)
    await vi.waitFor(() => expect(closed).toEqual([true])) // nothing stays open behind it
    expect(server.seen).toContain('notifications/cancelled')
  })

  test('a stream with progress before the answer', async () => {
    const { tools } = await start(({ id, answer }) => {
      answer.writeHead(200, SSE)
      const log = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x' } }
      answer.write(`event: message\ndata: ${JSON.stringify(log)}\n\n`)
      answer.end(`event: message\ndata: ${JSON.stringify(done(id, 'streamed'))}\n\n`)
    })
    expect(textOf(await call(tools, 'raw.a', {}))).toBe('streamed')
  })
})

test('a stream that broke off is listened to again where the server says how, and the call is sent once', async () => {
  const { server, tools } = await start(({ answer }) => answer.writeHead(200, SSE).end('id: e1\nretry: 50\ndata:\n\n'))
  const result = await call(tools, 'raw.a', {})
  expect(result).toMatchObject({ kind: 'failed', retry: 'unknown', code: 'mcp_exited' }) // this server answers GET with 405
  expect(server.calls()).toBe(1)
  expect(server.resumed).toEqual(['e1'])
})

test('a call whose headers the server calls wrong is not sent again by the protocol itself', async () => {
  const error = { code: -32_020, message: 'Header mismatch' }
  const { server, tools } = await start(
    ({ id, answer }) => {
      answer.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, error }))
    },
    { isModern: true },
  )
  expect(tools.health()[0]).toMatchObject({ era: 'modern' })
  expect(await call(tools, 'raw.a', {})).toMatchObject({ failure: 'semantic', retry: 'never', code: 'mcp_32020' })
  expect(server.calls()).toBe(1)
  expect(server.seen.filter((method) => method === 'tools/list')).toHaveLength(1)
})

test('input that is asked for in return is not given, whatever we said that we can', async () => {
  const result = { resultType: 'input_required', requestState: 'abc', inputRequests: {} }
  const { server, tools } = await start(
    ({ id, answer }) => {
      answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result }))
    },
    { isModern: true },
  )
  expect(await call(tools, 'raw.a', {})).toMatchObject({ failure: 'refused', retry: 'never', code: 'mcp_input_required' })
  expect(server.calls()).toBe(1)
})
