import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TOKENS } from '../people.ts'
import { send } from '../raw-request.ts'
import { callOf, HOST_TOKENS, INITIALIZE, messagesOf, openSession, type StartedMcp, startMcp } from './start-mcp.ts'

let mcp: StartedMcp
beforeAll(async () => {
  mcp = await startMcp()
})
afterAll(() => mcp.gateway.close())

const codeOf = (text: string): unknown => (JSON.parse(text) as { error: { code: number } }).error.code

describe('who may speak', () => {
  test.each([
    ['no token', {}],
    ['a token of nobody', { authorization: `Bearer ${'x'.repeat(40)}` }],
    ['the token of a person', { authorization: `Bearer ${TOKENS.otto}` }],
    ['a token in another scheme', { authorization: `Basic ${HOST_TOKENS.claude}` }],
  ])('%s is sent to the metadata of the resource, and is not read', async (_, headers) => {
    const before = mcp.desk.performed.length
    const answer = await send(mcp.port, 'POST', '/mcp', {
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(INITIALIZE),
    })
    expect(answer.status).toBe(401)
    const { origin } = mcp.url
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer /)
    expect(answer.headers['www-authenticate']).toContain(`resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`)
    expect(mcp.desk.performed.length).toBe(before)
  })

  test.each(['/.well-known/oauth-protected-resource/mcp', '/.well-known/oauth-protected-resource'])(
    '%s needs no token',
    async (path) => {
      const answer = await send(mcp.port, 'GET', path)
      expect(answer.status).toBe(200)
      expect(JSON.parse(answer.text)).toEqual({
        resource: `${mcp.url.origin}/mcp`,
        bearer_methods_supported: ['header'],
        resource_name: 'Tidegate',
      })
      expect((await send(mcp.port, 'POST', path, { body: '{}' })).status).toBe(405)
    },
  )

  test('the token of a host opens nothing else', async () => {
    const answer = await send(mcp.port, 'GET', '/v1/runs', { headers: { authorization: `Bearer ${HOST_TOKENS.claude}` } })
    expect(answer.status).toBe(401)
  })

  test.each([
    ['a page of another origin', { origin: 'http://evil.example' }, 403],
    ['a name that was rebound', { host: 'evil.example' }, 421],
    ['a browser on another site', { 'sec-fetch-site': 'cross-site' }, 403],
  ])('%s is refused before its token is looked at', async (_, headers, status) => {
    expect((await mcp.post(INITIALIZE, headers)).status).toBe(status)
    expect((await send(mcp.port, 'GET', '/.well-known/oauth-protected-resource', { headers })).status).toBe(status)
  })
})

describe('what is not a message', () => {
  test.each([
    ['no JSON', '{', 400, -32_700],
    ['a name that reaches a prototype', '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"__proto__":{}}}', 400, -32_700],
    ['two values for one name', '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', 400, -32_700],
    ['too deep', `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":${'['.repeat(60)}${']'.repeat(60)}}}`, 400, -32_700],
    ['too large', `"${'x'.repeat(5_000)}"`, 413, -32_600],
    ['nothing', '', 400, -32_600],
  ])('%s', async (_, body, status, code) => {
    const headers = await openSession(mcp)
    const answer = await mcp.post(body, headers)
    expect([answer.status, codeOf(answer.text)]).toEqual([status, code])
  })

  test.each([
    ['another version of JSON-RPC', { jsonrpc: '1.0', id: 1, method: 'ping' }],
    ['an id that is null', { jsonrpc: '2.0', id: null, method: 'ping' }],
    ['an id with a fraction', { jsonrpc: '2.0', id: 1.5, method: 'ping' }],
    ['an id without an end', { jsonrpc: '2.0', id: 'x'.repeat(300), method: 'ping' }],
    ['a method that is a number', { jsonrpc: '2.0', id: 1, method: 1 }],
    ['params in a list', { jsonrpc: '2.0', id: 1, method: 'ping', params: [] }],
    ['neither this nor that', { jsonrpc: '2.0', id: 1 }],
    ['a result and an error', { jsonrpc: '2.0', id: 1, result: {}, error: {} }],
    ['a text', 'ping'],
  ])('%s', async (_, message) => {
    const headers = await openSession(mcp)
    const answer = await mcp.post(JSON.stringify(message), headers)
    expect([answer.status, codeOf(answer.text)]).toEqual([400, -32_600])
  })

  test('another content type, and one that reads neither documents nor streams', async () => {
    expect((await mcp.post(INITIALIZE, { 'content-type': 'text/plain' })).status).toBe(415)
    expect((await mcp.post(INITIALIZE, { accept: 'text/html' })).status).toBe(406)
    expect((await mcp.post(INITIALIZE, { accept: 'application/json' })).status).toBe(200)
  })

  test('a client that only reads streams gets a stream', async () => {
    const answer = await mcp.post(INITIALIZE, { accept: 'text/event-stream' })
    expect(answer.headers['content-type']).toBe('text/event-stream')
    expect(messagesOf(answer)).toMatchObject([{ id: 0, result: { protocolVersion: '2025-11-25' } }])
  })

  test('another method of HTTP', async () => {
    const authorization = `Bearer ${HOST_TOKENS.claude}`
    const answer = await send(mcp.port, 'PUT', '/mcp', { headers: { authorization } })
    expect([answer.status, answer.headers.allow]).toEqual([405, 'POST, GET, DELETE'])
  })
})

describe('revisions with sessions', () => {
  test.each([
    ['2025-11-25', '2025-11-25'],
    ['2025-06-18', '2025-06-18'],
    ['2025-03-26', '2025-03-26'],
    ['2024-11-05', '2025-11-25'],
    ['2026-07-28', '2025-11-25'],
    ['1900-01-01', '2025-11-25'],
  ])('%s is answered with %s', async (asked, given) => {
    const answer = await mcp.post({ ...INITIALIZE, params: { ...INITIALIZE.params, protocolVersion: asked } })
    expect(JSON.parse(answer.text)).toMatchObject({
      result: {
        protocolVersion: given,
        capabilities: { tools: { listChanged: true } },
        serverInfo: { name: 'tidegate', version: '0.1.0' },
      },
    })
    expect(answer.headers['mcp-session-id']).toMatch(/^[\x21-\x7e]{40,512}$/)
  })

  test('a session id is minted here, is different every time, and good for nobody else', async () => {
    const [first, second] = [await openSession(mcp), await openSession(mcp)]
    expect(first['mcp-session-id']).not.toBe(second['mcp-session-id'])
    const stolen = { ...first, authorization: `Bearer ${HOST_TOKENS.claw}` }
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }
    expect((await mcp.post(ping, first)).status).toBe(200)
    expect((await mcp.post(ping, stolen)).status).toBe(404)
    expect((await mcp.post(ping, { 'mcp-session-id': `${first['mcp-session-id']}x` })).status).toBe(404)
    expect((await mcp.post(ping, { 'mcp-session-id': 'mine' })).status).toBe(404)
    expect((await mcp.post(ping)).status).toBe(400)
  })

  test('a session that was ended is not there any more', async () => {
    const session = await openSession(mcp)
    const headers = { authorization: `Bearer ${HOST_TOKENS.claude}`, ...session }
    expect((await send(mcp.port, 'DELETE', '/mcp', { headers })).status).toBe(204)
    expect((await send(mcp.port, 'DELETE', '/mcp', { headers })).status).toBe(404)
    expect((await mcp.post({ jsonrpc: '2.0', id: 1, method: 'ping' }, session)).status).toBe(404)
  })

  test.each([
    ['2025-11-25', 200],
    ['2025-06-18', 200],
    ['2024-11-05', 400],
    ['nonsense', 400],
  ])('a session of 2025-11-25 with the header %s', async (version, status) => {
    const session = await openSession(mcp)
    const answer = await mcp.post({ jsonrpc: '2.0', id: 1, method: 'ping' }, { ...session, 'mcp-protocol-version': version })
    expect(answer.status).toBe(status)
  })

  test('a session is taken up again by another process that has the same secret, and by no other', async () => {
    const secret = new Uint8Array(32).fill(7)
    const first = await startMcp({ secret })
    const session = await openSession(first, { capabilities: { elicitation: {} } })
    await first.gateway.close()
    const [second, stranger] = [await startMcp({ secret }), await startMcp()]
    const echo = callOf(1, 'desk_echo', { n: 1 })
    expect((await second.post(echo, session)).status).toBe(200)
    expect((await stranger.post(echo, session)).status).toBe(404)
    await Promise.all([second.gateway.close(), stranger.gateway.close()])
  })

  test('a session ends after seven days', async () => {
    let nowMs = 1_000_000
    const aged = await startMcp({ clock: { nowMs: () => nowMs } })
    const session = await openSession(aged)
    nowMs += 7 * 86_400_000
    expect((await aged.post({ jsonrpc: '2.0', id: 1, method: 'ping' }, session)).status).toBe(200)
    nowMs += 1
    expect((await aged.post({ jsonrpc: '2.0', id: 2, method: 'ping' }, session)).status).toBe(404)
    await aged.gateway.close()
  })

  test('a thousand sessions and more: what fell out of memory is taken up again', async () => {
    const small = await startMcp({ maxSessions: 50 })
    const sessions = await Promise.all(Array.from({ length: 200 }, () => openSession(small)))
    const answers = await Promise.all(sessions.map((session, id) => small.post(callOf(id, 'desk_echo', { id }), session)))
    expect(answers.map(({ status }) => status)).toEqual(sessions.map(() => 200))
    expect(new Set(small.desk.performed.map(({ session }) => session)).size).toBe(200)
    await small.gateway.close()
  })

  test('requests that are answered without the desk', async () => {
    const session = await openSession(mcp)
    const ask = async (method: string, params: object = {}) =>
      JSON.parse((await mcp.post({ jsonrpc: '2.0', id: 1, method, params }, session)).text)
    expect(await ask('ping')).toEqual({ jsonrpc: '2.0', id: 1, result: {} })
    expect(await ask('logging/setLevel', { level: 'debug' })).toEqual({ jsonrpc: '2.0', id: 1, result: {} })
    for (const method of ['prompts/list', 'resources/list', 'completion/complete', 'no/such'])
      expect(await ask(method)).toMatchObject({ error: { code: -32_601 } })
    expect(await ask('tools/list', { cursor: 'no' })).toMatchObject({ error: { code: -32_602 } })
    expect(await ask('tools/call', { name: 'desk_echo', arguments: [] })).toMatchObject({ error: { code: -32_602 } })
    expect(await ask('tools/call', { name: 7 })).toMatchObject({ error: { code: -32_602 } })
    expect(await ask('initialize')).toMatchObject({ error: { code: -32_600 } })
  })

  test.each([
    ['desk_none', 'desk_none'],
    ['desk.echo', 'desk_echo'],
    ['a/b', 'a_b'],
    ['../../etc passwd', 'unnamed_tool'],
    ['', 'unnamed_tool'],
    ['x'.repeat(200), 'unnamed_tool'],
  ])('the tool "%s", which is not offered, is denied by the desk', async (name, operation) => {
    const session = await openSession(mcp)
    const { status, text } = await mcp.post(callOf(1, name, { n: 1 }), session)
    expect(status).toBe(200)
    const { result } = JSON.parse(text)
    expect(result).toMatchObject({ isError: true, _meta: { 'dev.tidegate/answer': 'denied' } })
    expect(result.content[0].text).toMatch(/^Denied: no tool declares the operation .*It was not done\./)
    expect(mcp.desk.performed.at(-1)).toMatchObject({ operation, arguments: { n: 1 } })
    // Nothing that is not offered can be called by the id of an operation: none is without a dot.
    expect(mcp.desk.performed.at(-1)?.operation).not.toContain('.')
  })

  test('notifications are taken without an answer, known or not', async () => {
    const session = await openSession(mcp)
    for (const method of ['notifications/initialized', 'notifications/cancelled', 'notifications/made-up']) {
      const answer = await mcp.post({ jsonrpc: '2.0', method }, session)
      expect([answer.status, answer.text]).toEqual([202, ''])
    }
    // The answer to a question that nobody asked.
    expect((await mcp.post({ jsonrpc: '2.0', id: 'e-1', result: { action: 'accept' } }, session)).status).toBe(202)
  })

  test('batches are a thing of 2025-03-26', async () => {
    const batch = [
      callOf(1, 'desk_echo', { n: 1 }),
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      callOf(2, 'desk_none'),
      7,
    ]
    const old = await openSession(mcp, { protocolVersion: '2025-03-26' })
    const answer = await mcp.post(batch, old)
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.text)).toMatchObject([
      { id: 1, result: { structuredContent: { n: 1 } } },
      { id: 2, result: { isError: true } },
      { error: { code: -32_600 } },
    ])
    expect((await mcp.post([{ jsonrpc: '2.0', method: 'notifications/initialized' }], old)).status).toBe(202)
    expect((await mcp.post([], old)).status).toBe(400)
    expect((await mcp.post([INITIALIZE], old)).status).toBe(400)
    expect(
      (
        await mcp.post(
          Array.from({ length: 33 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'ping' })),
          old,
        )
      ).status,
    ).toBe(400)
    expect((await mcp.post(batch, await openSession(mcp))).status).toBe(400)
  })

  test('an id that is under way is not taken twice; the same request later is the same call', async () => {
    const session = await openSession(mcp)
    const hanging = mcp.post(callOf(1, 'desk_hang'), session)
    await expect.poll(() => mcp.desk.performed.at(-1)?.operation).toBe('desk.hang')
    expect(JSON.parse((await mcp.post(callOf(1, 'desk_echo'), session)).text)).toMatchObject({ error: { code: -32_600 } })
    expect(JSON.parse((await mcp.post(callOf('1', 'desk_echo'), session)).text)).toMatchObject({ result: {} })
    await mcp.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }, session)
    const cancelled = await hanging
    expect(messagesOf(cancelled)).toEqual([])
    const names = []
    for (const args of [{ n: 1 }, { n: 1 }, { n: 2 }]) {
      await mcp.post(callOf(5, 'desk_echo', args), session)
      names.push(mcp.desk.performed.at(-1)?.call)
    }
    expect(names[0]).toBe(names[1])
    expect(names[0]).not.toBe(names[2])
  })

  test('one session cannot have ever more calls under way', async () => {
    const session = await openSession(mcp)
    const before = mcp.desk.performed.length
    const hanging = Array.from({ length: 64 }, (_, id) => mcp.post(callOf(id, 'desk_hang'), session))
    await expect.poll(() => mcp.desk.performed.length).toBe(before + 64)
    expect(JSON.parse((await mcp.post(callOf(99, 'desk_echo'), session)).text)).toMatchObject({ error: { code: -32_603 } })
    await send(mcp.port, 'DELETE', '/mcp', { headers: { authorization: `Bearer ${HOST_TOKENS.claude}`, ...session } })
    for (const answer of await Promise.all(hanging)) expect(messagesOf(answer)).toEqual([])
  })

  test('a client that goes away ends the waiting', async () => {
    const session = await openSession(mcp)
    const body = JSON.stringify(callOf(1, 'desk_hang', { gone: true }))
    const head = [
      'POST /mcp HTTP/1.1',
      `Host: 127.0.0.1:${mcp.port}`,
      `Authorization: Bearer ${HOST_TOKENS.claude}`,
      'Content-Type: application/json',
      `Mcp-Session-Id: ${session['mcp-session-id']}`,
      `Content-Length: ${body.length}`,
    ]
    const socket = connect(mcp.port, '127.0.0.1', () => socket.write(`${head.join('\r\n')}\r\n\r\n${body}`))
    await expect.poll(() => mcp.desk.performed.at(-1)?.arguments).toEqual({ gone: true })
    const { call } = mcp.desk.performed.at(-1) ?? {}
    socket.destroy()
    await expect.poll(() => mcp.desk.abandoned).toContain(call)
  })

  test('a stream for a session, and none without', async () => {
    const authorization = `Bearer ${HOST_TOKENS.claude}`
    const session = await openSession(mcp)
    expect((await send(mcp.port, 'GET', '/mcp', { headers: { authorization, accept: 'text/event-stream' } })).status).toBe(405)
    expect(
      (await send(mcp.port, 'GET', '/mcp', { headers: { authorization, ...session, accept: 'application/json' } })).status,
    ).toBe(406)
    // A second stream takes the place of the first, which ends: a client that came back is not kept out by what it left behind.
    const headers = { authorization, ...session, accept: 'text/event-stream' }
    const first = send(mcp.port, 'GET', '/mcp', { headers })
    await new Promise((resolve) => setTimeout(resolve, 50))
    const second = send(mcp.port, 'GET', '/mcp', { headers })
    expect((await first).status).toBe(200)
    await send(mcp.port, 'DELETE', '/mcp', { headers: { authorization, ...session } })
    expect((await second).status).toBe(200)
  })
})

describe('tickets', () => {
  test('are taken out before anything else, and have their place in the schema', async () => {
    const headers = { authorization: `Bearer ${HOST_TOKENS.claw}` }
    const session = await openSession(mcp, {}, headers)
    const list = JSON.parse((await mcp.post({ jsonrpc: '2.0', id: 1, method: 'tools/list' }, session)).text)
    const [tool] = list.result.tools
    expect(tool.inputSchema.properties._tidegate_ticket).toMatchObject({ type: 'string' })
    expect(tool.inputSchema.required ?? []).not.toContain('_tidegate_ticket')
    const answer = await mcp.post(callOf(2, 'desk_echo', { n: 1, _tidegate_ticket: 'tgt1.abc' }), session)
    expect(JSON.parse(answer.text)).toMatchObject({ result: { structuredContent: { n: 1 } } })
    expect(answer.text).not.toContain('tgt1.abc')
    expect(mcp.desk.performed.at(-1)).toMatchObject({ host: 'claw', arguments: { n: 1 }, ticket: 'tgt1.abc' })
    const { call } = mcp.desk.performed.at(-1) ?? {}
    await mcp.post(callOf(2, 'desk_echo', { n: 1, _tidegate_ticket: 'tgt1.def' }), session)
    expect(mcp.desk.performed.at(-1)?.call).toBe(call)
    const wrong = await mcp.post(callOf(3, 'desk_echo', { _tidegate_ticket: 7 }), session)
    expect(codeOf(wrong.text)).toBe(-32_602)
  })

  test('have no place for hosts that need none', async () => {
    const session = await openSession(mcp)
    const answer = await mcp.post({ jsonrpc: '2.0', id: 1, method: 'tools/list' }, session)
    expect(answer.text).not.toContain('_tidegate_ticket')
  })
})
