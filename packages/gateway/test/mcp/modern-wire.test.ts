import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RawAnswer } from '../raw-request.ts'
import { callOf, HOST_TOKENS, messagesOf, type StartedMcp, startMcp } from './start-mcp.ts'

let mcp: StartedMcp
let nowMs = 1_000_000
beforeAll(async () => {
  mcp = await startMcp({ clock: { nowMs: () => nowMs } })
})
afterAll(() => mcp.gateway.close())

const VERSION = '2026-07-28'
const SERVER = { 'io.modelcontextprotocol/serverInfo': { name: 'tidegate', title: 'Tidegate', version: '0.1.0' } }
const TASKS = { extensions: { 'io.modelcontextprotocol/tasks': {} } }
const ELICITS = { elicitation: { form: {} } }

const metaOf = (capabilities: object = {}, version = VERSION) => ({
  'io.modelcontextprotocol/protocolVersion': version,
  'io.modelcontextprotocol/clientCapabilities': capabilities,
})

/** Sends a request as the revision wants it, and whatever a test wants to be different. */
function ask(
  method: string,
  params: Record<string, unknown> = {},
  over: { headers?: Record<string, string>; capabilities?: object; meta?: object; id?: number } = {},
): Promise<RawAnswer> {
  const name = params.name ?? params.taskId
  const headers = {
    'mcp-protocol-version': VERSION,
    'mcp-method': method,
    ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
    ...over.headers,
  }
  const meta = over.meta ?? metaOf(over.capabilities)
  return mcp.post({ jsonrpc: '2.0', id: over.id ?? 1, method, params: { ...params, _meta: meta } }, headers)
}

interface ModernResult {
  readonly resultType: string
  readonly requestState: string
  readonly taskId: string
  readonly _meta: Record<string, unknown>
}

async function resultOf(answer: Promise<RawAnswer>): Promise<ModernResult> {
  const given = await answer
  expect(given.status).toBe(200)
  const last = messagesOf(given).at(-1) as unknown as { result: ModernResult }
  return last.result
}

async function errorOf(answer: Promise<RawAnswer>): Promise<readonly [number, number]> {
  const given = await answer
  const last = messagesOf(given).at(-1) as unknown as { error: { code: number } }
  return [given.status, last.error.code]
}

const call = (name: string, args: object = {}, more: object = {}) => ({ name, arguments: args, ...more })

describe('what a request must say', () => {
  test('discovery, with everything that is spoken here', async () => {
    expect(await resultOf(ask('server/discover'))).toMatchObject({
      resultType: 'complete',
      supportedVersions: [VERSION, '2025-11-25', '2025-06-18', '2025-03-26'],
      capabilities: { tools: { listChanged: true }, extensions: { 'io.modelcontextprotocol/tasks': {} } },
      ttlMs: 3_600_000,
      cacheScope: 'private',
      _meta: SERVER,
    })
  })

  test('a list may be kept for a while, by this client alone', async () => {
    const list = await resultOf(ask('tools/list'))
    expect(list).toMatchObject({ resultType: 'complete', ttlMs: 60_000, cacheScope: 'private', _meta: SERVER })
    expect(JSON.stringify(await resultOf(ask('tools/list')))).toBe(JSON.stringify(list))
  })

  const MISMATCH = [400, -32_020]
  test.each([
    ['no version', { headers: { 'mcp-protocol-version': '' } }, MISMATCH],
    ['a version that is not that of the body', { headers: { 'mcp-protocol-version': '2025-11-25' } }, MISMATCH],
    ['no method', { headers: { 'mcp-method': '' } }, MISMATCH],
    ['another method', { headers: { 'mcp-method': 'tools/list' } }, MISMATCH],
    ['a method in other letters', { headers: { 'mcp-method': 'Tools/Call' } }, MISMATCH],
    ['another name', { headers: { 'mcp-name': 'desk_denied' } }, MISMATCH],
    ['no name', { headers: { 'mcp-name': '' } }, MISMATCH],
    ['a name in base64', { headers: { 'mcp-name': `=?base64?${btoa('desk_echo')}?=` } }, undefined],
    ['another name in base64', { headers: { 'mcp-name': `=?base64?${btoa('desk_denied')}?=` } }, MISMATCH],
    ['no capabilities', { meta: { 'io.modelcontextprotocol/protocolVersion': VERSION } }, [400, -32_602]],
    ['nothing in the body', { meta: {} }, [400, -32_602]],
    [
      'a version of tomorrow',
      { headers: { 'mcp-protocol-version': '2099-01-01' }, meta: metaOf({}, '2099-01-01') },
      [400, -32_022],
    ],
  ] as const)('%s', async (_, over, wanted) => {
    const answer = ask('tools/call', call('desk_echo'), over)
    if (wanted === undefined) expect(await resultOf(answer)).toMatchObject({ resultType: 'complete' })
    else expect(await errorOf(answer)).toEqual(wanted)
  })

  test('a header that comes twice', async () => {
    const before = mcp.desk.performed.length
    const answer = await ask('tools/call', call('desk_echo'), { headers: { 'mcp-name': 'desk_echo, desk_denied' } })
    expect(answer.status).toBe(400)
    expect(mcp.desk.performed.length).toBe(before)
  })

  test('a version that nobody knows, from a client without a session', async () => {
    const answer = await mcp.post({ jsonrpc: '2.0', id: 1, method: 'tools/list' }, { 'mcp-protocol-version': '1900-01-01' })
    expect(JSON.parse(answer.text)).toMatchObject({
      error: { code: -32_022, data: { supported: [VERSION, '2025-11-25', '2025-06-18', '2025-03-26'], requested: '1900-01-01' } },
    })
  })

  test.each(['ping', 'logging/setLevel', 'prompts/list', 'resources/list', 'initialize', 'no/such'])(
    '%s is no method of it',
    async (method) => {
      expect(await errorOf(ask(method))).toEqual([404, -32_601])
    },
  )

  test('no batches, and no responses of clients', async () => {
    const headers = { 'mcp-protocol-version': VERSION }
    expect((await mcp.post([callOf(1, 'desk_echo')], headers)).status).toBe(400)
    expect((await mcp.post({ jsonrpc: '2.0', id: 1, result: {} }, headers)).status).toBe(400)
    expect((await mcp.post({ jsonrpc: '2.0', method: 'notifications/cancelled' }, headers)).status).toBe(202)
  })

  test('the id of a session means nothing', async () => {
    expect(await resultOf(ask('tools/call', call('desk_echo', { n: 1 }), { headers: { 'mcp-session-id': 'x' } }))).toMatchObject({
      structuredContent: { n: 1 },
    })
  })
})

describe('a tool that is not offered', () => {
  test('is denied by the desk, which records that somebody tried', async () => {
    const result = await resultOf(ask('tools/call', call('desk_none', { n: 1 })))
    expect(result).toMatchObject({ resultType: 'complete', isError: true, _meta: { 'dev.tidegate/answer': 'denied' } })
    expect(mcp.desk.performed.at(-1)).toMatchObject({ operation: 'desk_none', arguments: { n: 1 } })
  })

  test('is not asked for when the call is malformed', async () => {
    const before = mcp.desk.performed.length
    expect(await errorOf(ask('tools/call', call('desk_none', [])))).toEqual([200, -32_602])
    expect(mcp.desk.performed.length).toBe(before)
  })
})

describe('conversations', () => {
  test('are as the client names them, or one for the host; calls are never the same', async () => {
    const meta = { ...metaOf(), 'dev.tidegate/session': 'my conversation' }
    await ask('tools/call', call('desk_echo'))
    await ask('tools/call', call('desk_echo'))
    await ask('tools/call', call('desk_echo'), { meta })
    const [first, second, named] = mcp.desk.performed.slice(-3)
    expect(first?.session).toBe('mcp-claude')
    expect(second?.call).not.toBe(first?.call)
    expect(named?.session).toMatch(/^mcp-claude-[\w-]{22}$/)
  })
})

describe('waiting for people', () => {
  test('asks the client whether to wait, and goes on with the same call', async () => {
    const params = call('desk_asked', { n: 'mrtr' })
    const first = await resultOf(ask('tools/call', params, { capabilities: ELICITS }))
    expect(first).toMatchObject({
      resultType: 'input_required',
      inputRequests: { wait: { method: 'elicitation/create', params: { mode: 'form', requestedSchema: { type: 'object' } } } },
      requestState: expect.any(String),
    })
    setTimeout(() => mcp.desk.decide('granted'), 30)
    const again = { ...params, requestState: first.requestState, inputResponses: { wait: { action: 'accept', content: {} } } }
    expect(await resultOf(ask('tools/call', again, { capabilities: ELICITS, id: 2 }))).toMatchObject({
      resultType: 'complete',
      _meta: { 'dev.tidegate/answer': 'done' },
    })
    const [before, after] = mcp.desk.performed.slice(-2)
    expect(after?.call).toBe(before?.call)
  })

  test('what the client sends is no vote', async () => {
    const params = call('desk_asked', { n: 'no vote' })
    const { requestState } = await resultOf(ask('tools/call', params, { capabilities: ELICITS }))
    for (const inputResponses of [
      { wait: { action: 'accept', content: { approve: true, approved: 'yes' } } },
      { wait: { action: 'decline' } },
      {},
    ]) {
      const answer = await resultOf(ask('tools/call', { ...params, requestState, inputResponses }, { capabilities: ELICITS }))
      expect(answer._meta['dev.tidegate/answer'] ?? answer.resultType).not.toBe('done')
    }
    mcp.desk.decide('refused')
  })

  test('a state is good for its host, its arguments and its time, and nothing else', async () => {
    const params = call('desk_asked', { n: 'state' })
    const { requestState } = await resultOf(ask('tools/call', params, { capabilities: ELICITS }))
    const before = mcp.desk.performed.length
    const stay = { inputResponses: { wait: { action: 'accept' } }, requestState }
    const flipped = `${requestState.slice(0, -2)}${requestState.endsWith('AA') ? 'BB' : 'AA'}`
    const claw = { authorization: `Bearer ${HOST_TOKENS.claw}` }
    const refused = [
      ask('tools/call', { ...call('desk_asked', { n: 'other' }), ...stay }, { capabilities: ELICITS }),
      ask('tools/call', { ...call('desk_echo', { n: 'state' }), ...stay }, { capabilities: ELICITS }),
      ask('tools/call', { ...params, ...stay }, { capabilities: ELICITS, headers: claw }),
      ask('tools/call', { ...params, ...stay, requestState: flipped }, { capabilities: ELICITS }),
      ask('tools/call', { ...params, ...stay, requestState: 'x' }, { capabilities: ELICITS }),
      ask('tools/call', { ...params, ...stay, requestState: 7 }, { capabilities: ELICITS }),
      ask('tasks/get', { taskId: requestState }, { capabilities: TASKS }),
    ]
    for (const answer of refused) expect(await errorOf(answer)).toEqual([200, -32_602])
    expect(mcp.desk.performed.length).toBe(before)
    mcp.desk.decide('refused')
  })

  test('asks once, has the client come back by itself, and does not do so for ever', async () => {
    const params = call('desk_asked', { n: 'rounds' })
    let given = await resultOf(ask('tools/call', params, { capabilities: ELICITS }))
    let inputResponses: object | undefined = { wait: { action: 'accept', content: {} } }
    let rounds = 0
    for (; given.resultType === 'input_required' && rounds < 20; rounds += 1) {
      const again = { ...params, requestState: given.requestState, ...(inputResponses === undefined ? {} : { inputResponses }) }
      given = await resultOf(ask('tools/call', again, { capabilities: ELICITS }))
      expect(given).not.toHaveProperty('inputRequests')
      inputResponses = undefined
    }
    expect(rounds).toBe(9)
    expect(given).toMatchObject({ isError: true, _meta: { 'dev.tidegate/answer': 'pending' } })
    expect(new Set(mcp.desk.performed.slice(-10).map((each) => each.call)).size).toBe(1)
    mcp.desk.decide('refused')
  })

  test('a client that comes back without an answer of its person is not kept waiting', async () => {
    const params = call('desk_asked', { n: 'silent' })
    const { requestState } = await resultOf(ask('tools/call', params, { capabilities: ELICITS }))
    expect(await resultOf(ask('tools/call', { ...params, requestState }, { capabilities: ELICITS }))).toMatchObject({
      resultType: 'complete',
      isError: true,
    })
    mcp.desk.decide('refused')
  })

  test('a state is good for an hour', async () => {
    const params = call('desk_asked', { n: 'aged' })
    const { requestState } = await resultOf(ask('tools/call', params, { capabilities: ELICITS }))
    const again = { ...params, requestState, inputResponses: { wait: { action: 'decline' } } }
    nowMs += 3_600_000
    expect(await resultOf(ask('tools/call', again, { capabilities: ELICITS }))).toMatchObject({ resultType: 'complete' })
    nowMs += 1
    expect(await errorOf(ask('tools/call', again, { capabilities: ELICITS }))).toEqual([200, -32_602])
    mcp.desk.decide('refused')
  })

  test('a task, for a client that knows tasks', async () => {
    const task = await resultOf(ask('tools/call', call('desk_asked', { n: 'task' }), { capabilities: TASKS }))
    expect(task).toMatchObject({
      resultType: 'task',
      status: 'working',
      pollIntervalMs: expect.any(Number),
      taskId: expect.any(String),
    })
    const get = () => resultOf(ask('tasks/get', { taskId: task.taskId }, { capabilities: TASKS }))
    expect(await get()).toMatchObject({ resultType: 'complete', status: 'working', taskId: task.taskId })
    expect(await resultOf(ask('tasks/cancel', { taskId: task.taskId }, { capabilities: TASKS }))).toEqual({
      resultType: 'complete',
      _meta: SERVER,
    })
    expect(
      await resultOf(
        ask('tasks/update', { taskId: task.taskId, inputResponses: { wait: { action: 'accept' } } }, { capabilities: TASKS }),
      ),
    ).toEqual({
      resultType: 'complete',
      _meta: SERVER,
    })
    expect(await get()).toMatchObject({ status: 'working' })
    mcp.desk.decide('granted')
    expect(await get()).toMatchObject({
      resultType: 'complete',
      status: 'completed',
      result: { content: [{ type: 'text' }], _meta: { 'dev.tidegate/answer': 'done' } },
    })
    expect(new Set(mcp.desk.performed.slice(-3).map((each) => each.call)).size).toBe(1)
  })

  test('a task is good for its host alone, and for clients that know tasks', async () => {
    const { taskId } = await resultOf(ask('tools/call', call('desk_asked', { n: 'whose' }), { capabilities: TASKS }))
    const claw = { authorization: `Bearer ${HOST_TOKENS.claw}` }
    expect(await errorOf(ask('tasks/get', { taskId }, { capabilities: TASKS, headers: claw }))).toEqual([200, -32_602])
    expect(await errorOf(ask('tasks/get', { taskId: 'x' }, { capabilities: TASKS }))).toEqual([200, -32_602])
    expect(await errorOf(ask('tasks/get', { taskId }))).toEqual([400, -32_021])
    expect(await errorOf(ask('tasks/get', { taskId }, { capabilities: TASKS, headers: { 'mcp-name': 'other' } }))).toEqual([
      400, -32_020,
    ])
    mcp.desk.decide('refused')
  })

  test('arguments that do not fit into the id of a task: the client is told to call again', async () => {
    const args = { text: 'x'.repeat(3_400) }
    const answer = await resultOf(ask('tools/call', call('desk_asked', args), { capabilities: TASKS }))
    expect(answer).toMatchObject({ resultType: 'complete', isError: true, _meta: { 'dev.tidegate/answer': 'pending' } })
    mcp.desk.decide('refused')
  })

  test('a client that says nothing of itself is told to call again', async () => {
    expect(await resultOf(ask('tools/call', call('desk_asked', { n: 'plain' })))).toMatchObject({
      resultType: 'complete',
      isError: true,
      _meta: { 'dev.tidegate/answer': 'pending', 'dev.tidegate/approval': expect.any(String) },
    })
    mcp.desk.decide('refused')
  })

  test('progress on the stream of the call, when the client has asked for it', async () => {
    setTimeout(() => mcp.desk.decide('granted'), 200)
    const answer = await ask('tools/call', call('desk_asked', { n: 'progress' }), { meta: { ...metaOf(), progressToken: 'p' } })
    const messages = messagesOf(answer) as readonly { method?: string; params?: { progress: number }; id?: number }[]
    expect(messages.at(-1)).toMatchObject({ id: 1, result: { resultType: 'complete' } })
    const notes = messages.slice(0, -1)
    expect(notes.length).toBeGreaterThan(1)
    for (const [i, note] of notes.entries())
      expect(note).toMatchObject({ method: 'notifications/progress', params: { progressToken: 'p', progress: i + 1 } })
  })
})

describe('subscriptions', () => {
  test('are acknowledged with what is honoured, told of changes, and ended in good order', async () => {
    const own = await startMcp()
    const listening = own.post(
      {
        jsonrpc: '2.0',
        id: 'sub',
        method: 'subscriptions/listen',
        params: { notifications: { toolsListChanged: true, promptsListChanged: true }, _meta: metaOf() },
      },
      { 'mcp-protocol-version': VERSION, 'mcp-method': 'subscriptions/listen' },
    )
    await new Promise((resolve) => setTimeout(resolve, 60))
    own.desk.offer([])
    await new Promise((resolve) => setTimeout(resolve, 60))
    await own.gateway.close()
    const _meta = { 'io.modelcontextprotocol/subscriptionId': 'sub' }
    expect(messagesOf(await listening)).toMatchObject([
      { method: 'notifications/subscriptions/acknowledged', params: { _meta, notifications: { toolsListChanged: true } } },
      { method: 'notifications/tools/list_changed', params: { _meta } },
      { id: 'sub', result: { resultType: 'complete', _meta } },
    ])
  })

  test('need a filter, and tasks the extension', async () => {
    expect(await errorOf(ask('subscriptions/listen'))).toEqual([400, -32_602])
    expect(await errorOf(ask('subscriptions/listen', { notifications: { taskIds: ['x'] } }))).toEqual([400, -32_021])
  })
})
