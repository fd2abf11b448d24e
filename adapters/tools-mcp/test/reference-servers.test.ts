import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseOverlay } from '@tidegate/project'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMcpTools, draftOverlay, type McpTools } from '../src/index.ts'
import { call, callOf, connectorOf, createGround, nodeProgram, READ, referenceServer, serverOf, textOf } from './ports.ts'

const ground = createGround()
afterAll(() => ground.remove())

describe('the reference server for files, over stdio', () => {
  const files = join(ground.directory, 'files')
  mkdirSync(files)
  const server = serverOf({
    name: 'files',
    transport: nodeProgram(referenceServer('filesystem'), [files]),
    overlay: {
      read_text_file: READ,
      get_file_info: READ,
      write_file: {
        mutability: 'write',
        dataClass: 'internal',
        blastRadius: 'single',
        risk: 'low',
        nature: [],
        reversibility: 'irreversible',
        records: ['/path'],
        reconcile: {
          tool: 'read_text_file',
          arguments: { path: { from: '/arguments/path' } },
          at: '/structured/content',
          equals: 'wanted',
        },
      },
      move_file: { hidden: true },
    },
  })
  let tools: McpTools
  beforeAll(async () => {
    tools = await createMcpTools([server], ground.ports)
  })
  afterAll(() => tools.close())

  test('speaks the era of 2025, and every tool that is not hidden is an operation', () => {
    const [health] = tools.health()
    expect(health).toMatchObject({ state: 'connected', era: 'legacy', hidden: 1 })
    const ids = tools.operations().map(({ id }) => id)
    expect(ids).toContain('files.read-text-file')
    expect(ids).not.toContain('files.move-file')
    expect(ids.length).toBe(health?.operations)
  })

  test('what nobody classified is a write of unknown nature and high risk, whatever the server says of itself', () => {
    const list = tools.operations().find(({ id }) => id === 'files.list-directory')
    expect(list).toMatchObject({
      mutability: 'write',
      nature: ['unclassified'],
      risk: 'high',
      reversibility: 'irreversible',
      dataClass: 'regulated',
    })
    expect(list?.description).toContain('unverified: only reads')
  })

  test('writes and reads', async () => {
    const path = join(files, 'a.txt')
    expect(await call(tools, 'files.write-file', { path, content: 'hello' })).toMatchObject({ kind: 'done', complete: true })
    expect(readFileSync(path, 'utf8')).toBe('hello')
    const read = await call(tools, 'files.read-text-file', { path })
    expect(read).toMatchObject({ kind: 'done', output: { structured: { content: 'hello' }, content: [] } })
  })

  test('an error of the tool is a failure that had no effect and is not tried again', async () => {
    const outside = await call(tools, 'files.read-text-file', { path: '/etc/hostname' })
    expect(outside).toMatchObject({ kind: 'failed', failure: 'semantic', retry: 'never', code: 'mcp_tool_error' })
  })

  test('arguments that do not fit are refused before anything is sent', async () => {
    await expect(call(tools, 'files.read-text-file', { path: 7 })).rejects.toThrow('must be string')
    await expect(call(tools, 'files.read-text-file', {})).rejects.toThrow('is missing')
  })

  test('reconciles by asking another tool', async () => {
    const path = join(files, 'b.txt')
    const lost = callOf('files.write-file', { path, content: 'wanted' })
    const connector = connectorOf(tools, 'files.write-file')
    expect(await connector.reconcile(lost)).toMatchObject({ kind: 'unknown' }) // the look fails: there is no such file
    writeFileSync(path, 'other')
    expect(await connector.reconcile(lost)).toEqual({ kind: 'absent' })
    writeFileSync(path, 'wanted')
    expect(await connector.reconcile(lost)).toMatchObject({ kind: 'happened' })
  })

  test('a draft is an overlay that classifies nothing, and with the # taken away one that classifies everything', async () => {
    const text = await draftOverlay(server, ground.ports)
    expect(text).toContain('files.read-text-file')
    expect(parseOverlay(text, 'files.yaml')).toEqual({ ok: true, overlay: {} })
    const taken = text.replace(/^ {2}# ( {2}(?:mutability|reversibility|records|nature)|"\w+":)/gm, '  $1')
    const answer = parseOverlay(taken, 'files.yaml')
    expect(answer.ok ? Object.keys(answer.overlay) : answer.problems).toHaveLength(tools.operations().length + 1)
    expect(answer).toMatchObject({
      overlay: { read_text_file: { mutability: 'read' }, write_file: { mutability: 'destructive' } },
    })
  })
})

describe('the reference server with everything', () => {
  const sum = { 'get-sum': READ, 'trigger-long-running-operation': { ...READ, timeoutMs: 30_000 } }

  /** Starts it as a server of HTTP; the answer ends it. */
  async function startOverHttp(): Promise<{ url: string; close: () => Promise<void> }> {
    const preload = fileURLToPath(new URL('./servers/loopback-only.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', preload, referenceServer('everything'), 'streamableHttp'], {
      env: { PATH: process.env.PATH ?? '' },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const port = await new Promise<string>((resolve, reject) => {
      child.once('exit', () => reject(new Error('it has ended')))
      child.stdout.on('data', (chunk: Buffer) => {
        const found = /^port (\d+)$/m.exec(chunk.toString())?.[1]
        if (found !== undefined) resolve(found)
      })
    })
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    return {
      url: `http://127.0.0.1:${port}/mcp`,
      async close() {
        child.kill('SIGKILL')
        await ended
      },
    }
  }

  async function exercise(tools: McpTools): Promise<void> {
    expect(tools.health()[0]).toMatchObject({ state: 'connected', era: 'legacy' })
    expect(textOf(await call(tools, 'all.get-sum', { a: 2, b: 40 }))).toContain('42')
    const image = await call(tools, 'all.get-tiny-image', {})
    expect(image).toMatchObject({ kind: 'done' })
    expect(JSON.stringify(image)).toMatch(/"kind":"image","mimeType":"image\/png","sizeBytes":\d+,"sha256":"[0-9a-f]{64}"/)
    const weather = await call(tools, 'all.get-structured-content', { location: 'New York' })
    expect(weather).toMatchObject({ kind: 'done', output: { structured: { temperature: 33 } } })
    const links = await call(tools, 'all.get-resource-links', { count: 2 })
    expect(JSON.stringify(links)).toContain('"kind":"resource_link"')
    const slow = await call(tools, 'all.trigger-long-running-operation', { duration: 10, steps: 100 }, 300)
    expect(slow).toMatchObject({ kind: 'failed', failure: 'timeout', retry: 'safe', code: 'mcp_timeout' }) // a read: nothing is left behind
    expect(textOf(await call(tools, 'all.get-sum', { a: 1, b: 1 }))).toContain('2')
  }

  test('over stdio', async () => {
    const transport = nodeProgram(referenceServer('everything'), ['stdio'])
    const tools = await createMcpTools([serverOf({ name: 'all', transport, overlay: sum })], ground.ports)
    await exercise(tools)
    await tools.close()
  })

  test('tells of progress to whoever listens', async () => {
    const told: (readonly [string, number])[] = []
    const ports = {
      ...ground.ports,
      progress: (effect: string, { progress }: { progress: number }) => void told.push([effect, progress]),
    }
    const transport = nodeProgram(referenceServer('everything'), ['stdio'])
    const tools = await createMcpTools([serverOf({ name: 'all', transport })], ports)
    const long = await call(tools, 'all.trigger-long-running-operation', { duration: 0.3, steps: 3 })
    expect(long).toMatchObject({ kind: 'done' })
    expect(told.map(([, progress]) => progress)).toEqual([1, 2, 3])
    expect(new Set(told.map(([effect]) => effect)).size).toBe(1)
    await tools.close()
  })

  test('its environment is empty but for what is declared', async () => {
    ground.secrets['desk-token'] = 'a-secret-of-some-length'
    const transport = nodeProgram(referenceServer('everything'), ['stdio'], {
      MODE: { value: 'quiet' },
      TOKEN: { secret: 'desk-token' },
    })
    const quiet = { ...transport, env: { MODE: { value: 'quiet' } } }
    const tools = await createMcpTools(
      [serverOf({ name: 'all', transport: quiet }), serverOf({ name: 'told', transport })],
      ground.ports,
    )
    const seen = JSON.parse(textOf(await call(tools, 'all.get-env', {}))) as Record<string, string>
    expect(Object.keys(seen).sort()).toEqual(['HOME', 'LANG', 'MODE', 'PATH', 'TMPDIR'])
    expect(seen.HOME).toContain(ground.directory)
    // A server that gives its secret away does not get it past us.
    const leak = await call(tools, 'told.get-env', {})
    expect(leak).toMatchObject({ kind: 'failed', failure: 'invalid_output', retry: 'unknown', code: 'mcp_secret' })
    expect(JSON.stringify(leak)).not.toContain('a-secret')
    expect(tools.operations().find(({ id }) => id === 'told.get-env')?.secrets).toEqual(['desk-token'])
    await tools.close()
  })

  test('over streamable HTTP', async () => {
    const server = await startOverHttp()
    const transport = { kind: 'http', url: server.url, headers: {} } as const
    const tools = await createMcpTools([serverOf({ name: 'all', transport, overlay: sum })], ground.ports)
    await exercise(tools)
    await tools.close()
    await server.close()
  })
})

describe('the reference server for memory', () => {
  const look = { tool: 'open_nodes', arguments: { names: { from: '/arguments/names' } }, at: '/structured/entities/0' }
  const file = join(ground.directory, 'memory.jsonl')
  const server = serverOf({
    name: 'memory',
    transport: nodeProgram(referenceServer('memory'), [], { MEMORY_FILE_PATH: { value: file } }),
    overlay: {
      open_nodes: READ,
      read_graph: READ,
      add_observations: {
        ...{ mutability: 'write', dataClass: 'internal', blastRadius: 'cross-system', risk: 'low', nature: [] },
        reversibility: 'compensable',
        compensate: { tool: 'delete_entities', arguments: { entityNames: { from: '/arguments/names' } } },
      },
      create_entities: {
        ...{ mutability: 'write', dataClass: 'internal', blastRadius: 'cross-system', risk: 'low', nature: [] },
        reversibility: 'compensable',
        compensate: { tool: 'delete_entities', arguments: { entityNames: { from: '/arguments/entities/0/observations' } } },
      },
      delete_entities: {
        ...{ mutability: 'destructive', dataClass: 'internal', blastRadius: 'cross-system', risk: 'medium' },
        reversibility: 'irreversible',
        verify: { ...look, arguments: { names: { from: '/arguments/entityNames' } }, absent: true },
      },
    },
  })
  let tools: McpTools
  beforeAll(async () => {
    tools = await createMcpTools([server], ground.ports)
  })
  afterAll(() => tools.close())

  test('writes, takes back by another tool, and sees that it is gone', async () => {
    const args = { entities: [{ name: 'Mei', entityType: 'person', observations: ['Mei'] }] }
    const made = await call(tools, 'memory.create-entities', args)
    expect(made).toMatchObject({ kind: 'done' })
    expect(JSON.stringify(await call(tools, 'memory.read-graph', {}))).toContain('Mei')
    const operation = tools.operations().find(({ id }) => id === 'memory.create-entities')
    const back = operation?.compensation?.({ arguments: args, output: made.kind === 'done' ? made.output : null })
    expect(back).toEqual({ operation: 'memory.delete-entities', arguments: { entityNames: ['Mei'] } })
    const connector = connectorOf(tools, 'memory.delete-entities')
    const undo = callOf('memory.delete-entities', { entityNames: ['Mei'] })
    expect(await connector.verify(undo, { content: [] })).toMatchObject({ holds: false })
    expect(await connector.execute(undo)).toMatchObject({ kind: 'done' })
    expect(await connector.verify(undo, { content: [] })).toMatchObject({ holds: true })
  })

  test('what takes back with arguments that nobody can tell goes to a person', () => {
    const operation = tools.operations().find(({ id }) => id === 'memory.add-observations')
    expect(operation?.compensation?.({ arguments: {}, output: null })).toEqual({
      operation: 'memory.delete-entities',
      arguments: null,
    })
  })
})
