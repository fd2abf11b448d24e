import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client as ClientV2 } from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { ElicitRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OFFERED, operationOf } from '../../gateway/test/mcp/fake-desk.ts'
import { HOST_TOKENS, type StartedMcp, startMcp } from '../../gateway/test/mcp/start-mcp.ts'
import { eventsOf, linesOf, TOO_LONG } from '../src/mcp/lines.ts'
import { headerValue, lookAt } from '../src/mcp/message.ts'
import { cli, NODE } from './cli-run.ts'

const MAIN = fileURLToPath(new URL('../bin/tidegate.js', import.meta.url))
const project = mkdtempSync(join(tmpdir(), 'tidegate-mcp-'))
const tokens = join(project, '.tidegate', 'tokens')
let started: StartedMcp

beforeAll(async () => {
  started = await startMcp()
  mkdirSync(tokens, { recursive: true })
  writeFileSync(join(project, 'tidegate.yaml'), 'name: test\n')
  const server = { url: started.url.origin, pid: process.pid, version: '0.1.0' }
  writeFileSync(join(project, '.tidegate', 'server.json'), JSON.stringify(server))
  writeFileSync(join(tokens, 'host-claude.token'), `${HOST_TOKENS.claude}\n`, { mode: 0o600 })
  writeFileSync(join(tokens, 'mei.token'), `mei-${'m'.repeat(40)}\n`, { mode: 0o600 })
})
afterAll(async () => {
  await started.gateway.close()
  rmSync(project, { recursive: true, force: true })
})

const INFO = { name: 'test', version: '1' }
const command = { command: NODE, args: [MAIN, 'mcp', '--project', project], stderr: 'pipe' as const }

async function v1(elicits = false): Promise<ClientV1> {
  const client = new ClientV1(INFO, { capabilities: elicits ? { elicitation: {} } : {} })
  if (elicits) {
    client.setRequestHandler(ElicitRequestSchema, () => {
      setTimeout(() => started.desk.decide('granted'), 50)
      return { action: 'accept' as const, content: {} }
    })
  }
  await client.connect(new StdioV1(command) as never)
  return client
}

describe('a client that only speaks stdio', () => {
  test('of SDK 1.32 lists, calls, waits for people and hears of changes', async () => {
    const client = await v1(true)
    expect((await client.listTools()).tools.length).toBe(OFFERED.length)
    const { promise, resolve } = Promise.withResolvers<void>()
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve())
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, n) => client.callTool({ name: 'desk_echo', arguments: { n, text: 'two\nlines' } })),
    )
    expect(results.map(({ structuredContent }) => structuredContent)).toEqual(
      Array.from({ length: 20 }, (_, n) => ({ n, text: 'two\nlines' })),
    )
    expect(await client.callTool({ name: 'desk_asked', arguments: {} })).toMatchObject({
      _meta: { 'dev.tidegate/answer': 'done' },
    })
    started.desk.offer([...OFFERED, operationOf('desk.new')])
    await promise
    started.desk.offer(OFFERED)
    await client.close()
  })

  test('of SDK 2.4 in the stateless revision lists, calls and cancels', async () => {
    const client = new ClientV2(INFO, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
    await client.connect(new StdioV2(command))
    expect((await client.listTools()).tools.length).toBe(OFFERED.length)
    expect(await client.callTool({ name: 'desk_echo', arguments: { n: 1 } })).toMatchObject({ structuredContent: { n: 1 } })
    const abort = new AbortController()
    const call = client.callTool({ name: 'desk_hang', arguments: {} }, { signal: abort.signal })
    await expect.poll(() => started.desk.performed.at(-1)?.operation).toBe('desk.hang')
    const { call: name } = started.desk.performed.at(-1) ?? {}
    abort.abort()
    await expect(call).rejects.toThrow()
    await expect.poll(() => started.desk.abandoned).toContain(name)
    await client.close()
  })
})

describe('the bridge', () => {
  test('writes nothing but messages to stdout, and ends with its client', async () => {
    const initialize = {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: INFO },
    }
    const ping = { jsonrpc: '2.0', id: 'p', method: 'ping' }
    const input = [
      '{',
      '7',
      '',
      JSON.stringify(initialize),
      JSON.stringify(ping),
      JSON.stringify({ jsonrpc: '2.0', method: 'x/y' }),
    ].join('\n')
    const run = await cli(['mcp', '--project', project], { input: `${input}\n` })
    expect(run.code).toBe(0)
    const said = run.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(said).toMatchObject([
      { error: { code: -32_700 } },
      { error: { code: -32_700 } },
      { id: 1, result: { protocolVersion: '2025-11-25' } },
      { id: 'p', result: {} },
    ])
    expect(run.stdout + run.stderr).not.toContain(HOST_TOKENS.claude)
  })

  test('answers in the place of a server that is not there, or does not know it', async () => {
    const token = join(project, 'wrong.token')
    writeFileSync(token, 'x'.repeat(40))
    const input = `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })}\n`
    const stranger = await cli(['mcp', '--server', started.url.origin, '--token-file', token], { input })
    expect(JSON.parse(stranger.stdout)).toMatchObject({ id: 1, error: { message: expect.stringContaining('token of a host') } })
    const alone = await cli(['mcp', '--server', 'http://127.0.0.1:1', '--token-file', token], { input })
    expect(JSON.parse(alone.stdout)).toMatchObject({ id: 1, error: { message: expect.stringContaining('cannot be reached') } })
  })

  test.each([
    [['--host', 'nobody'], 3, 'no token'],
    [['--server', 'nonsense'], 2, 'The server must be like'],
  ])('%j is refused before anything is spoken', async (args, code, text) => {
    const run = await cli(['mcp', '--project', project, ...args])
    expect([run.code, run.stdout]).toEqual([code, ''])
    expect(run.stderr).toContain(text)
  })

  test('never takes the token of a person', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'tidegate-mcp-'))
    mkdirSync(join(empty, '.tidegate', 'tokens'), { recursive: true })
    writeFileSync(join(empty, 'tidegate.yaml'), 'name: test\n')
    writeFileSync(join(empty, '.tidegate', 'tokens', 'mei.token'), 'm'.repeat(40))
    const run = await cli(['mcp', '--project', empty])
    expect([run.code, run.stdout]).toEqual([2, ''])
    rmSync(empty, { recursive: true, force: true })
  })

  test('ends on a signal', async () => {
    const child = spawn(NODE, [MAIN, 'mcp', '--project', project], { stdio: ['pipe', 'pipe', 'ignore'] })
    child.stdin.write(
      `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {} } })}\n`,
    )
    await new Promise((resolve) => child.stdout.once('data', resolve))
    child.kill('SIGTERM')
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(130)
  })
})

describe('lines and messages', () => {
  const from = async function* (pieces: readonly string[]) {
    yield* pieces
  }
  const all = async <T>(items: AsyncIterable<T>) => Array.fromAsync(items)

  test('lines are cut wherever the pieces are', async () => {
    expect(await all(linesOf(from(['{"a"', ':1}\n{"b":2}\n\n', '{"c":3}'])))).toEqual(['{"a":1}', '{"b":2}', '{"c":3}'])
  })

  test('a line without an end is dropped, and what follows is read', async () => {
    const pieces = [...Array.from({ length: 6 }, () => 'x'.repeat(1_000_000)), '\n{"a":1}\n']
    expect(await all(linesOf(from(pieces)))).toEqual([TOO_LONG, '{"a":1}'])
  })

  test('events are read over pieces, comments and carriage returns', async () => {
    const pieces = [': hi\n\nevent: message\nda', 'ta: {"a":1}\r\n\r\n', 'data: {"b":\ndata: 2}\n\ndata: lost']
    expect(await all(eventsOf(from(pieces)))).toEqual(['{"a":1}', '{"b":\n2}'])
  })

  test.each([
    ['plain', 'plain'],
    ['with blank', 'with blank'],
    [' padded ', '=?base64?IHBhZGRlZCA=?='],
    ['a\r\nb: c', '=?base64?YQ0KYjogYw==?='],
    ['=?base64?x?=', '=?base64?PT9iYXNlNjQ/eD89?='],
    ['', '=?base64??='],
  ])('%j as a header is %j', (given, header) => {
    expect(headerValue(given)).toBe(header)
  })

  test.each(['', '{', '7', 'null', '"x"'])('%j is no message', (text) => {
    expect(lookAt(text)).toBeUndefined()
  })
})
