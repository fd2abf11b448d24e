import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OFFERED, operationOf } from './fake-desk.ts'
import { HOST_TOKENS, QUICK_WAITS, type StartedMcp, startMcp } from './start-mcp.ts'

let mcp: StartedMcp
beforeAll(async () => {
  mcp = await startMcp()
})
afterAll(() => mcp.gateway.close())

const INFO = { name: 'test', version: '1' }
const requestInit = { headers: { authorization: `Bearer ${HOST_TOKENS.claude}` } }

/** What both generations of the SDK's client have in common. */
interface AnyClient {
  listTools(params?: {
    cursor?: string
  }): Promise<{ tools: { name: string; annotations?: object | undefined }[]; nextCursor?: string | undefined }>
  callTool(params: { name: string; arguments?: Record<string, unknown> }, ...rest: never[]): Promise<unknown>
  close(): Promise<void>
}

type Elicit = () => Promise<{ action: 'accept' | 'decline'; content?: Record<string, string> }>

async function v1(elicit?: Elicit): Promise<ClientV1> {
  const client = new ClientV1(INFO, { capabilities: elicit === undefined ? {} : { elicitation: {} } })
  if (elicit !== undefined) client.setRequestHandler(ElicitRequestSchema, elicit)
  await client.connect(new TransportV1(mcp.url, { requestInit }) as never)
  return client
}

async function v2(mode: 'legacy' | 'auto' | { pin: string }, elicit?: Elicit): Promise<ClientV2> {
  const client = new ClientV2(INFO, {
    capabilities: elicit === undefined ? {} : { elicitation: { form: {} } },
    versionNegotiation: { mode },
  })
  if (elicit !== undefined) client.setRequestHandler('elicitation/create', elicit)
  await client.connect(new TransportV2(mcp.url, { requestInit }))
  return client
}

const CLIENTS: readonly (readonly [string, string, (elicit?: Elicit) => Promise<AnyClient>])[] = [
  ['SDK 1.32', 'legacy', (elicit) => v1(elicit) as Promise<AnyClient>],
  ['SDK 2.4, legacy', 'legacy', (elicit) => v2('legacy', elicit) as Promise<AnyClient>],
  ['SDK 2.4, auto', 'modern', (elicit) => v2('auto', elicit) as Promise<AnyClient>],
  ['SDK 2.4, pinned', 'modern', (elicit) => v2({ pin: '2026-07-28' }, elicit) as Promise<AnyClient>],
]

describe.each(CLIENTS)('%s', (_, era, connect) => {
  test('lists the tools that are offered, in order, with what they do', async () => {
    const client = await connect()
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toEqual(OFFERED.map(({ id }) => id.replace('.', '_')).toSorted())
    expect(tools.find(({ name }) => name === 'desk_denied')?.annotations).toMatchObject({
      readOnlyHint: false,
      destructiveHint: true,
      idempotentHint: false,
    })
    await client.close()
  })

  test('calls a tool and gets its output, as text and as data', async () => {
    const client = await connect()
    const result = await client.callTool({ name: 'desk_echo', arguments: { message: 'héllo', deep: { n: [1] } } })
    expect(result).toMatchObject({
      content: [{ type: 'text', text: '{"message":"héllo","deep":{"n":[1]}}' }],
      structuredContent: { message: 'héllo', deep: { n: [1] } },
      _meta: { 'dev.tidegate/answer': 'done', 'dev.tidegate/run': expect.any(String) },
    })
    expect(mcp.desk.performed.at(-1)).toMatchObject({ host: 'claude', operation: 'desk.echo' })
    await client.close()
  })

  test('makes many calls at once, each with its own answer', async () => {
    const client = await connect()
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, n) => client.callTool({ name: 'desk_echo', arguments: { n } })),
    )
    expect(results.map((result) => (result as { structuredContent: { n: number } }).structuredContent.n)).toEqual(
      Array.from({ length: 40 }, (_, n) => n),
    )
    await client.close()
  })

  test.each(['denied', 'stopped', 'unknown', 'rehearsed'])(
    'is told that a call was %s, as an error of the tool',
    async (verb) => {
      const client = await connect()
      const result = await client.callTool({ name: `desk_${verb}`, arguments: {} })
      expect(result).toMatchObject({ isError: true, _meta: { 'dev.tidegate/answer': verb } })
      await client.close()
    },
  )

  test('is told in words when people have to be asked, and may call again', async () => {
    const client = await connect()
    const result = await client.callTool({ name: 'desk_asked', arguments: { message: 'later' } })
    expect(result).toMatchObject({
      isError: true,
      _meta: { 'dev.tidegate/answer': 'pending', 'dev.tidegate/approval': expect.any(String) },
    })
    expect(JSON.stringify(result)).toContain('call again later with the same arguments')
    // The run goes on by itself; only the waiting is over.
    await expect.poll(() => mcp.desk.abandoned).toContain(mcp.desk.performed.at(-1)?.call)
    await client.close()
  })

  test('waits when its person says so, and gets the answer once people have decided', async () => {
    let asked = 0
    const client = await connect(async () => {
      asked += 1
      setTimeout(() => mcp.desk.decide('granted'), 3 * QUICK_WAITS.plainMs)
      return { action: 'accept', content: {} }
    })
    const result = await client.callTool({ name: 'desk_asked', arguments: { message: `${era} waits` } })
    expect(asked).toBe(1)
    expect(result).toMatchObject({ _meta: { 'dev.tidegate/answer': 'done' } })
    await client.close()
  })

  test('does not approve by accepting: people still decide', async () => {
    const client = await connect(async () => {
      setTimeout(() => mcp.desk.decide('refused'), 60)
      return { action: 'accept', content: { approve: 'yes' } }
    })
    const result = await client.callTool({ name: 'desk_asked', arguments: { message: `${era} refused` } })
    expect(result).toMatchObject({ isError: true, _meta: { 'dev.tidegate/answer': 'denied' } })
    await client.close()
  })

  test('does not wait when its person does not want to', async () => {
    const client = await connect(async () => ({ action: 'decline' }))
    const startedMs = performance.now()
    const result = await client.callTool({ name: 'desk_asked', arguments: { message: `${era} declined` } })
    expect(result).toMatchObject({ isError: true, _meta: { 'dev.tidegate/answer': 'pending' } })
    expect(performance.now() - startedMs).toBeLessThan(QUICK_WAITS.mostMs / 2)
    await client.close()
  })

  test('is told nothing of a defect but where to find it', async () => {
    const client = await connect()
    const failed = await client.callTool({ name: 'desk_broken', arguments: {} }).then(String, String)
    expect(failed).toContain('The log of the server has it as')
    expect(failed).not.toContain('hunter2')
    expect(String(mcp.defects.at(-1))).toContain('hunter2')
    await client.close()
  })

  test('cannot tell a tool that is not offered from one that does not exist', async () => {
    const client = await connect()
    const [hidden, none] = await Promise.all(
      ['desk_secret', 'nothing_here'].map((name) => client.callTool({ name, arguments: {} }).then(String, String)),
    )
    expect(hidden?.replaceAll('desk_secret', 'X')).toBe(none?.replaceAll('nothing_here', 'X'))
    await client.close()
  })
})

test('a client of SDK 1.32 hears about progress, which keeps it from giving up', async () => {
  const client = await v1()
  const notes: number[] = []
  setTimeout(() => mcp.desk.decide('granted'), 500)
  const result = await client.callTool({ name: 'desk_asked', arguments: { message: 'progress' } }, undefined, {
    timeout: 200,
    resetTimeoutOnProgress: true,
    onprogress: ({ progress }) => notes.push(progress),
  })
  expect(result).toMatchObject({ _meta: { 'dev.tidegate/answer': 'done' } })
  expect(notes.length).toBeGreaterThan(3)
  expect(notes).toEqual(notes.toSorted((a, b) => a - b))
  await client.close()
})

test('a client of SDK 1.32 that gives up ends the waiting, and its session goes on', async () => {
  const client = await v1()
  const abort = new AbortController()
  const call = client.callTool({ name: 'desk_hang', arguments: {} }, undefined, { signal: abort.signal })
  await expect.poll(() => mcp.desk.performed.at(-1)?.operation).toBe('desk.hang')
  const { call: name = '' } = mcp.desk.performed.at(-1) ?? {}
  abort.abort('changed my mind')
  await expect(call).rejects.toThrow()
  await expect.poll(() => mcp.desk.abandoned).toContain(name)
  await expect(client.callTool({ name: 'desk_echo', arguments: {} })).resolves.toMatchObject({ structuredContent: {} })
  await client.close()
})

test('a client of SDK 2.4 that gives up ends the waiting by leaving', async () => {
  const client = await v2({ pin: '2026-07-28' })
  const abort = new AbortController()
  const call = client.callTool({ name: 'desk_hang', arguments: {} }, { signal: abort.signal })
  await expect.poll(() => mcp.desk.performed.at(-1)?.operation).toBe('desk.hang')
  const { call: name = '' } = mcp.desk.performed.at(-1) ?? {}
  abort.abort('changed my mind')
  await expect(call).rejects.toThrow()
  await expect.poll(() => mcp.desk.abandoned).toContain(name)
  await client.close()
})

describe('what is offered changes', () => {
  test('a client of SDK 1.32 is told, and sees the new list', async () => {
    const client = await v1()
    const { promise, resolve } = Promise.withResolvers<void>()
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve())
    await expect.poll(() => client.ping()).toEqual({})
    // The stream is opened behind the connection: it may not be there yet.
    await new Promise((done) => setTimeout(done, 100))
    mcp.desk.offer([...OFFERED, operationOf('desk.new')])
    await promise
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('desk_new')
    mcp.desk.offer(OFFERED)
    await client.close()
  })

  test('a client of SDK 2.4 is told through its subscription', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const client = new ClientV2(INFO, {
      capabilities: {},
      versionNegotiation: { mode: { pin: '2026-07-28' } },
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => resolve() } },
    })
    await client.connect(new TransportV2(mcp.url, { requestInit }))
    await new Promise((done) => setTimeout(done, 100))
    mcp.desk.offer(OFFERED.slice(1))
    await promise
    mcp.desk.offer(OFFERED)
    await client.close()
  })
})

test('a long list comes in pages', async () => {
  mcp.desk.offer(Array.from({ length: 600 }, (_, n) => operationOf(`desk.tool-${String(n).padStart(4, '0')}`)))
  const client = await v1()
  const names: string[] = []
  let cursor: string | undefined
  do {
    const page = await client.listTools(cursor === undefined ? {} : { cursor })
    names.push(...page.tools.map(({ name }) => name))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  expect(names.length).toBe(600)
  expect(names).toEqual(names.toSorted())
  mcp.desk.offer(OFFERED)
  await client.close()
})
