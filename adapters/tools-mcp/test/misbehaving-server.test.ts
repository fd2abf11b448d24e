import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createMcpTools, type McpServer, type McpTools } from '../src/index.ts'
import { call, callOf, connectorOf, createGround, nodeProgram, READ, serverOf, textOf } from './ports.ts'

const ground = createGround()
const open: McpTools[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((tools) => tools.close()))
})
afterAll(() => ground.remove())

const program = fileURLToPath(new URL('./servers/raw-program.ts', import.meta.url))
let count = 0

async function start(mode: string, more: Partial<McpServer> = {}) {
  count += 1
  if (more.start !== 'lazy') ground.remembered.clear()
  const notes = join(ground.directory, `notes-${count}`)
  const tools = await createMcpTools(
    [serverOf({ name: 'raw', transport: nodeProgram(program, [mode, notes]), ...more })],
    ground.ports,
  )
  open.push(tools)
  return { tools, notes, received: () => (existsSync(notes) ? readFileSync(notes, 'utf8').trim().split('\n') : []) }
}

/** One for several tests, which end it themselves. */
function startShared(): Promise<McpTools> {
  return createMcpTools([serverOf({ name: 'raw', transport: nodeProgram(program) })], ground.ports)
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')) // one that nobody has buried yet is dead
  } catch {
    return false
  }
}

/** Waits until something is so, for a moment. */
async function until(so: () => boolean): Promise<boolean> {
  for (let i = 0; i < 100 && !so(); i++) await new Promise((resolve) => setTimeout(resolve, 20))
  return so()
}

describe('a call whose outcome nobody knows is unknown, and is sent once', () => {
  test.each([
    { tool: 'hang', failure: 'timeout', code: 'mcp_timeout', timeoutMs: 300 },
    { tool: 'die', failure: 'unavailable', code: 'mcp_exited' },
    { tool: 'flood', failure: 'unavailable', code: 'mcp_flooding' },
    { tool: 'wrong-id', failure: 'timeout', code: 'mcp_timeout', timeoutMs: 300 },
    { tool: 'wrong-type', failure: 'invalid_output', code: 'mcp_invalid_answer' },
    { tool: 'huge', failure: 'invalid_output', code: 'mcp_too_large' },
    { tool: 'huge-tail', failure: 'invalid_output', code: 'mcp_too_large' },
    { tool: 'fail', failure: 'unavailable', code: 'mcp_32603' },
  ])('$tool', async ({ tool, failure, code, timeoutMs = 10_000 }) => {
    const { tools, received } = await start('plain')
    const result = await call(tools, `raw.${tool}`, {}, timeoutMs)
    expect(result).toMatchObject({ kind: 'failed', failure, retry: 'unknown', code })
    expect(received()).toEqual([tool.replace('-', '_')])
  })

  test('of a read it is safe, because nothing is left behind', async () => {
    const { tools } = await start('plain', { overlay: { die: READ } })
    expect(await call(tools, 'raw.die', {})).toMatchObject({ kind: 'failed', retry: 'safe' })
  })
})

describe('a call that did not happen', () => {
  let shared: McpTools
  beforeAll(async () => {
    shared = await startShared()
  })
  afterAll(() => shared.close())

  test.each([
    { tool: 'refuse', failure: 'semantic', retry: 'never', code: 'mcp_32602' },
    { tool: 'ask', failure: 'semantic', retry: 'never', code: 'mcp_tool_error' },
  ])('$tool', async ({ tool, failure, retry, code }) => {
    const result = await call(shared, `raw.${tool}`, {})
    expect(result).toMatchObject({ kind: 'failed', failure, retry, code })
    expect(JSON.stringify(result)).not.toContain('\\u001b')
  })

  test('a server that has died is started again, and the call that finds it dead had no effect', async () => {
    const { tools, received } = await start('plain')
    await call(tools, 'raw.die', {})
    const next = await call(tools, 'raw.plain', {})
    expect(next).toMatchObject({ kind: 'failed', failure: 'unavailable', retry: 'safe', code: 'mcp_unreachable' })
    expect(next).toHaveProperty('retryAfterMs')
    expect(received()).toEqual(['die'])
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(await call(tools, 'raw.plain', {})).toMatchObject({ kind: 'done' })
  })

  test('an operation that is not offered', async () => {
    const result = await connectorOf(shared, 'raw.x').execute(callOf('raw.nothing', {}))
    expect(result).toMatchObject({ failure: 'refused', retry: 'never', code: 'operation_undeclared' })
  })
})

describe('what can be lived with', () => {
  let tools: McpTools
  beforeAll(async () => {
    tools = await startShared()
  })
  afterAll(() => tools.close())

  test('keys that reach a prototype do not get through', async () => {
    const result = await call(tools, 'raw.odd-keys', {})
    expect(JSON.stringify(result)).not.toMatch(/admin|__proto__/)
    expect(Object.getPrototypeOf({})).not.toHaveProperty('admin')
  })

  test('lines that are no messages are passed over', async () => {
    expect(textOf(await call(tools, 'raw.noise', {}))).toBe('noise')
  })

  test('an answer too large costs its own call and no other', async () => {
    const [huge, plain] = await Promise.all([call(tools, 'raw.huge', {}), call(tools, 'raw.plain', {})])
    expect(huge).toMatchObject({ kind: 'failed', code: 'mcp_too_large' })
    expect(plain).toMatchObject({ kind: 'done' })
    expect(tools.health()[0]).toMatchObject({ state: 'connected' })
  })

  test('a long text is cut, and the output says so', async () => {
    const result = await call(tools, 'raw.long', {})
    expect(result).toMatchObject({ kind: 'done', complete: false })
    expect(Buffer.byteLength(JSON.stringify(result))).toBeLessThan(1_100_000)
    expect(textOf(result).length).toBeGreaterThan(100_000)
  })

  test('of a large image there remain size and digest', async () => {
    const result = await call(tools, 'raw.image', {})
    expect(result).toMatchObject({
      output: {
        content: [
          { kind: 'image', sizeBytes: 100_000 },
          { kind: 'image', sizeBytes: 10, data: 'AQEBAQEBAQEBAQ==' },
        ],
      },
    })
    expect(JSON.stringify(result)).toMatch(/"sizeBytes":100000,"sha256":"[0-9a-f]{64}"\}/)
  })
})

describe('a definition that changes', () => {
  test('between two calls is refused at the next look, without a word from the server', async () => {
    const { tools, received } = await start('plain', { recheckMs: 0 })
    expect(await call(tools, 'raw.plain', {})).toMatchObject({ kind: 'done' })
    await call(tools, 'raw.turn', {})
    expect(await call(tools, 'raw.plain', {})).toMatchObject({
      kind: 'failed',
      failure: 'refused',
      retry: 'never',
      code: 'mcp_tool_changed',
    })
    expect(received()).toEqual(['plain', 'turn'])
    expect(tools.health()[0]?.differs).toMatchObject({ changed: ['raw.plain'] })
  })

  test('while we were away is refused as well: what is remembered is what is offered', async () => {
    const first = await start('plain')
    const remembered = ground.remembered.get('raw') ?? ''
    await first.tools.close()
    ground.remembered.set('raw', remembered.replace('Does nothing special', 'Did something else'))
    const { tools } = await start('plain', { start: 'lazy' })
    expect(tools.health()[0]).toMatchObject({ state: 'idle' })
    expect(await call(tools, 'raw.plain', {})).toMatchObject({ kind: 'failed', code: 'mcp_tool_changed' })
    expect(await call(tools, 'raw.noise', {})).toMatchObject({ kind: 'done' })
  })

  test('since the last start is told, and has another version', async () => {
    const first = await start('plain')
    const version = (tools: McpTools) => tools.operations().find(({ id }) => id === 'raw.plain')?.schemaVersion
    await first.tools.close()
    const again = await createMcpTools([serverOf({ name: 'raw', transport: nodeProgram(program) })], ground.ports)
    open.push(again)
    expect(version(again)).toBe(version(first.tools))
    await again.close()
    ground.remembered.set('raw', (ground.remembered.get('raw') ?? '').replace('Does nothing special', 'Did something else'))
    ground.lines.length = 0
    const changed = await createMcpTools([serverOf({ name: 'raw', transport: nodeProgram(program) })], ground.ports)
    open.push(changed)
    expect(ground.lines).toMatchObject([{ level: 'warning', code: 'mcp_tools_changed' }])
    expect(ground.lines[0]?.message).toContain('changed: raw.plain')
  })

  test('a tool that is gone is unavailable', async () => {
    const first = await start('plain')
    await first.tools.close()
    const { tools } = await start('names', { start: 'lazy' })
    expect(await call(tools, 'raw.plain', {})).toMatchObject({
      kind: 'failed',
      failure: 'unavailable',
      retry: 'never',
      code: 'mcp_tool_gone',
    })
  })
})

describe('lists', () => {
  test('of 5,000 tools: a thousand are taken, those of the overlay first', async () => {
    const { tools } = await start('many', { overlay: { tool_4999: READ } })
    expect(tools.operations()).toHaveLength(1_000)
    expect(tools.operations()[0]?.id).toBe('raw.tool-4999')
    expect(tools.health()[0]?.issues.join()).toContain('more than 1000 tools')
  })

  test('without an end are refused', async () => {
    const { tools } = await start('endless')
    expect(tools.operations()).toEqual([])
    expect(ground.lines.at(-1)).toMatchObject({ level: 'error', code: 'mcp_unreachable' })
  })

  test('that are none are refused', async () => {
    const { tools } = await start('nolist')
    expect(tools.operations()).toEqual([])
  })

  test('names: nothing collides, nothing looks like something else', async () => {
    const { tools } = await start('names', { overlay: { readFile: { ...READ, id: 'read-other' } } })
    const ids = tools.operations().map(({ id }) => id)
    expect(ids).toContain('raw.read-file')
    expect(ids).toContain('raw.read-other')
    expect(ids).toContain('raw.other')
    expect(ids).toContain('raw.a.b')
    expect(ids).toContain('raw.getting-http-url')
    expect(ids).toContain('raw.proto')
    expect(ids).not.toContain('raw.same')
    expect(ids.filter((id) => id.startsWith('raw.x-'))).toHaveLength(3)
    for (const id of ids) expect(id).toMatch(/^[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+$/)
    const issues = tools.health()[0]?.issues.join('\n') ?? ''
    expect(issues).toContain('same: the server defines it more than once')
    expect(issues).not.toContain('\u202e')
  })

  test('two tools for one id are both left out', async () => {
    const { tools } = await start('names')
    expect(tools.operations().map(({ id }) => id)).not.toContain('raw.read-file')
    expect(tools.health()[0]?.issues.join('\n')).toContain('read_file and readFile would both be raw.read-file')
  })
})

describe('schemas', () => {
  test('what cannot be checked is left out; what could take long is not run', async () => {
    const { tools } = await start('schemas')
    expect(
      tools
        .operations()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(['raw.bomb', 'raw.evil-pattern', 'raw.good-pattern', 'raw.loop'])
    const evil = tools.operations().find(({ id }) => id === 'raw.evil-pattern')
    const began = performance.now()
    expect(evil?.input.parse({ a: `${'a'.repeat(40)}!` })).toMatchObject({ ok: true }) // the server looks at it itself
    for (const id of ['raw.loop', 'raw.bomb']) {
      const operation = tools.operations().find((each) => each.id === id)
      expect(operation?.input.parse({ a: 'x' })).toMatchObject({ ok: false })
    }
    expect(performance.now() - began).toBeLessThan(1_000)
    const good = tools.operations().find(({ id }) => id === 'raw.good-pattern')
    expect(good?.input.parse({ a: 'abc' })).toMatchObject({ ok: true })
    expect(good?.input.parse({ a: 'a1' })).toMatchObject({ ok: false })
    expect(tools.health()[0]?.issues.join('\n')).toContain('evil_pattern: the pattern at /properties/a/pattern')
  })
})

test('descriptions are cleaned, cut, and what looks wrong in them is said', async () => {
  const { tools } = await start('poison')
  const described = (name: string) => tools.operations().find(({ id }) => id === `raw.${name}`)?.description ?? ''
  expect(described('hidden')).not.toContain('ignore')
  expect(described('hidden')).toContain('hidden_markup, instruction_like, invisible_characters')
  expect(described('bold')).toContain('instruction_like')
  expect(described('long').length).toBeLessThan(2_001)
  expect(tools.operations().find(({ id }) => id === 'raw.long')).toMatchObject({ mutability: 'write', risk: 'high' })
})

describe('programs', () => {
  test('that end at once say why, and are not tried again at once', async () => {
    const { tools } = await start('dies')
    expect(tools.health()[0]).toMatchObject({ state: 'failing', operations: 0 })
    expect(tools.health()[0]?.detail).toContain('cannot open the database')
    await expect(tools.check('raw')).rejects.toMatchObject({ code: 'mcp_unreachable' })
  })

  test('that say nothing are given up in time', async () => {
    const began = performance.now()
    const { tools } = await start('silent', { startTimeoutMs: 800 })
    expect(performance.now() - began).toBeLessThan(3_500)
    expect(tools.health()[0]).toMatchObject({ state: 'failing' })
  })

  test('that do not exist are no reason to stop', async () => {
    const transport = { kind: 'stdio', command: 'no-such-program', args: [], env: {} } as const
    const { tools } = await start('plain', { transport })
    expect(tools.health()[0]).toMatchObject({ state: 'failing', operations: 0 })
  })

  test('that do not want to end are ended, and their children with them', async () => {
    const { tools } = await start('stubborn')
    const pid = tools.health()[0]?.pid ?? 0
    const child = Number(textOf(await call(tools, 'raw.child', {})))
    expect(isAlive(pid) && isAlive(child)).toBe(true)
    await tools.close()
    expect(await until(() => !isAlive(pid) && !isAlive(child))).toBe(true)
  })

  test('that die leave no children', async () => {
    const { tools } = await start('plain')
    const child = Number(textOf(await call(tools, 'raw.child', {})))
    await call(tools, 'raw.die', {})
    expect(await until(() => !isAlive(child))).toBe(true)
  })
})

test.each([
  { command: 'sh -c true', why: 'arguments in the command' },
  { command: '', why: 'no command' },
  { command: '$(true)', why: 'words of a shell' },
])('a configuration with $why is refused', async ({ command }) => {
  const transport = { kind: 'stdio', command, args: [], env: {} } as const
  await expect(start('plain', { transport })).rejects.toMatchObject({ code: 'mcp_server' })
})

test.each(['tidegate', 'Files', 'a.b', ''])('a server called "%s" is refused', async (name) => {
  await expect(start('plain', { name })).rejects.toMatchObject({ code: 'mcp_server' })
})

test.each(['http://example.com/mcp', 'https://user:password@example.com/', 'file:///etc/passwd', 'example.com'])(
  'the address %s is refused',
  async (url) => {
    await expect(start('plain', { transport: { kind: 'http', url, headers: {} } })).rejects.toMatchObject({ code: 'mcp_server' })
  },
)
