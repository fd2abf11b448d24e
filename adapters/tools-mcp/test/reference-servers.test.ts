import { readFileSync, writeFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
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
    transport: nodeProgram(referenceServer('server-filesystem'), [files]),
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
        reconcile: { tool: 'read_text_file', arguments: { path: { from: '/arguments/path' } }, at: '/structured/content', equals: 'wanted' },
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

  test('a draft names every tool, and classifies none', async () => {
    const text = await draftOverlay(server, ground.ports)
    expect(text).toContain('"read_text_file":')
    expect(text).toContain('files.read-text-file')
    expect(text.split('\n').filter((line) => /^ {2}[^ #]/.test(line) && !/dataClass|blastRadius|risk/.test(line))).toEqual([])
  })
})
