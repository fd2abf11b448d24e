import { afterEach, describe, expect, test } from 'vitest'
import { parseCommand } from '../src/command-line.ts'
import { compare, type McpRow } from '../src/mcp/measure-mcp.ts'
import { middleOf, middleRateOf, parseMcpLine } from '../src/mcp/mcp-line.ts'
import { renderMcpTable } from '../src/mcp/mcp-table.ts'
import { freePort, serve, type Serving } from '../src/mcp/serving.ts'

const windowOf = (p50Ms: number, perSecond: number) => ({ calls: 10, perSecond, p50Ms, p99Ms: p50Ms * 2 })

describe('the command line', () => {
  test('knows sensible defaults, and every option', () => {
    expect(parseCommand(['mcp'])).toEqual({ kind: 'mcp', calls: 2_000, inFlight: 16, seconds: 5, rounds: 3, json: false })
    const given = ['mcp', '--json', '--calls', '7', '--in-flight', '3', '--seconds', '2', '--rounds', '1']
    expect(parseCommand(given)).toEqual({ kind: 'mcp', calls: 7, inFlight: 3, seconds: 2, rounds: 1, json: true })
  })

  test.each([[['--calls', '0']], [['--rounds', '101']], [['--only', 'x']], [['x']]])('%j is refused', (args) => {
    expect(() => parseCommand(['mcp', ...args])).toThrow(expect.objectContaining({ code: 'arguments_invalid' }))
  })
})

describe('the line of the client', () => {
  const line = { one: windowOf(1, 900), many: windowOf(9, 1_800), inFlight: 16, client: '2.4.0' }

  test('is read, and what is not known is dropped', () => {
    expect(parseMcpLine(JSON.stringify(line))).toEqual({ one: line.one, many: line.many, inFlight: 16 })
  })

  test.each([
    ['', 'nothing'],
    ['{', 'half'],
    ['[]', 'a list'],
    [JSON.stringify({ ...line, inFlight: 'x' }), 'no number'],
    [JSON.stringify({ ...line, many: undefined }), 'half of it'],
    [JSON.stringify({ ...line, one: { ...line.one, p50Ms: -1 } }), 'a negative time'],
  ])('%j is refused: %s', (text) => {
    expect(() => parseMcpLine(text)).toThrow(expect.objectContaining({ code: 'report_invalid' }))
  })

  test('of several rounds the middle one counts', () => {
    const rounds = [windowOf(9, 1), windowOf(1, 9), windowOf(2, 5)]
    expect([middleOf(rounds)?.p50Ms, middleRateOf(rounds)?.perSecond]).toEqual([2, 5])
    expect([middleOf([]), middleRateOf([])]).toEqual([undefined, undefined])
  })
})

describe('the rows', () => {
  const rows: readonly McpRow[] = [
    { name: 'direct, http', upstream: 'http', one: windowOf(1, 1), many: windowOf(1, 1_000) },
    { name: 'tidegate, http', upstream: 'http', one: windowOf(1.5, 1), many: windowOf(1, 800) },
    { name: 'direct, stdio', upstream: 'stdio', failed: 'it has ended' },
    { name: 'mcp-proxy, stdio', upstream: 'stdio', one: windowOf(3, 1), many: windowOf(1, 10) },
  ]

  test('are held against the direct way to the same kind of server, and against nothing when that failed', () => {
    expect(compare(rows).map(({ addedP50Ms, ratio }) => [addedP50Ms, ratio])).toEqual([
      [undefined, undefined],
      [0.5, 0.8],
      [undefined, undefined],
      [undefined, undefined],
    ])
  })

  test('are told as a table, failures too', () => {
    const machine = { cores: 2, node: '24', cpu: 'x', platform: 'x', memoryGb: 1, loadBefore: 0, storage: 'disk' }
    const text = renderMcpTable({ machine, inFlight: 16, rounds: 3, rows: compare(rows) })
    expect(text).toMatch(/tidegate, http +1\.50 +3\.00 +0\.50 +800 +0\.80/)
    expect(text).toContain('direct, stdio: FAILED: it has ended')
    expect(renderMcpTable({ machine, inFlight: 16, rounds: 3, rows: [], skipped: 'not here' })).toContain('skipped: not here')
  })
})

describe('a server beside the benchmark', () => {
  const started: Serving[] = []
  afterEach(async () => {
    await Promise.all(started.splice(0).map((each) => each.stop()))
  })
  const environment = { PATH: process.env.PATH ?? '' }
  const program = (code: string) => ['-e', code]

  test('says where it is, and ends when its input does', async () => {
    const server = await serve('own', program('console.log("here"); process.stdin.resume()'), {
      environment,
      ready: { by: 'line' },
    })
    started.push(server)
    expect(server.line).toBe('here')
  })

  test('is reached at its port', async () => {
    const port = await freePort()
    const code = `require('node:http').createServer((q, r) => r.end()).listen(${port}, '127.0.0.1'); process.stdin.resume().on('end', () => process.exit())`
    started.push(await serve('own', program(code), { environment, ready: { by: 'port', port } }))
  })

  test.each([
    ['one that ends', 'process.exit(1)'],
    ['one that says too much', 'process.stdout.write("x".repeat(9000))'],
  ])('%s is not there', async (_, code) => {
    await expect(serve('own', program(code), { environment, ready: { by: 'line' } })).rejects.toMatchObject({
      code: 'contender_missing',
    })
  })
})
