import { describe, expect, test } from 'vitest'
import { Calls, type ToolRequest } from '../src/link/calls.ts'
import { createEventReader } from '../src/link/event-reader.ts'
import { headerValueOf } from '../src/link/http-call.ts'
import { readResult } from '../src/result.ts'

const REQUEST: ToolRequest = { name: 't', arguments: {}, meta: {}, revision: undefined, timeoutMs: 5_000 }
const result = { content: [] }

function begin(more: Partial<ToolRequest> = {}) {
  const calls = new Calls()
  const late: number[] = []
  const call = calls.open({ ...REQUEST, ...more }, (id) => late.push(id))
  return { calls, late, call }
}

describe('an answer', () => {
  test.each([
    ['as it should be', {}, { kind: 'result' }],
    ['an error', { result: undefined, error: { code: -1, message: 'no' } }, { kind: 'error', code: -1, message: 'no' }],
  ])('%s settles its call', async (_, over, expected) => {
    const { calls, call } = begin()
    expect(calls.take({ jsonrpc: '2.0', id: call.id, result, ...over })).toBe(true)
    expect(await call.reply).toMatchObject(expected)
  })

  test('whose id came back as a text settles it too', async () => {
    const { calls, call } = begin()
    calls.take({ jsonrpc: '2.0', id: String(call.id), result })
    expect(await call.reply).toMatchObject({ kind: 'result' })
  })

  test.each([
    ['of another version', { jsonrpc: '1.0' }],
    ['that is a result and an error', { error: { code: 1, message: 'x' } }],
    ['that is neither', { result: undefined }],
    ['whose result is no object', { result: 7 }],
    ['whose result is a list', { result: [] }],
    ['whose error has no code', { result: undefined, error: { message: 'x' } }],
    ['whose error has no message', { result: undefined, error: { code: 1 } }],
  ])('%s is none', async (_, over) => {
    const { calls, call } = begin()
    expect(calls.take({ jsonrpc: '2.0', id: call.id, result, ...over })).toBe(true)
    await expect(call.reply).rejects.toMatchObject({ name: 'Lost', why: 'invalid' })
  })

  test('to another call, or a second one, changes nothing', async () => {
    const { calls, call } = begin()
    expect(calls.take({ jsonrpc: '2.0', id: call.id + 1, result })).toBe(true)
    expect(calls.has(call.id)).toBe(true)
    calls.take({ jsonrpc: '2.0', id: call.id, result: { content: [], n: 1 } })
    expect(calls.take({ jsonrpc: '2.0', id: call.id, result: { content: [], n: 2 } })).toBe(true)
    expect(await call.reply).toMatchObject({ result: { n: 1 } })
  })

  test.each([
    { id: 3, result },
    { id: 'x', result },
    { id: null, result },
    { id: 1e9, method: 'ping' },
    { method: 'notifications/x' },
  ])('that is none of ours is left to others: %j', (message) =>
    expect(begin().calls.take({ jsonrpc: '2.0', ...message })).toBe(false),
  )
})

test('a call whose time is up is lost, and the server is told once', async () => {
  const { calls, call, late } = begin({ timeoutMs: 5 })
  await expect(call.reply).rejects.toMatchObject({ why: 'timeout' })
  expect(late).toEqual([call.id])
  expect(calls.take({ jsonrpc: '2.0', id: call.id, result })).toBe(true) // too late
})

test('the end of a connection ends its calls', async () => {
  const { calls, call, late } = begin()
  calls.loseAll()
  await expect(call.reply).rejects.toMatchObject({ why: 'ended' })
  expect(late).toEqual([])
})

test('progress is told to whoever asked for it, under the id of the call', async () => {
  const told: unknown[] = []
  const { calls, call } = begin({ progress: (each) => told.push(each) })
  expect(JSON.parse(call.text)).toMatchObject({ method: 'tools/call', params: { _meta: { progressToken: call.id } } })
  const hear = (params: object) => calls.take({ jsonrpc: '2.0', method: 'notifications/progress', params })
  expect(hear({ progressToken: call.id, progress: 1, total: 2 })).toBe(true)
  hear({ progressToken: call.id, progress: 'much' })
  expect(hear({ progressToken: 4, progress: 1 })).toBe(false)
  calls.loseAll()
  hear({ progressToken: call.id, progress: 2 })
  expect(told).toEqual([{ progress: 1, total: 2 }])
  await expect(call.reply).rejects.toThrow()
})

const image = { type: 'image', data: 'AQ==', mimeType: 'image/png' }

describe('the result of a call', () => {
  test.each([
    ['no content', {}, 'complete', undefined],
    ['a text', { content: [{ type: 'text', text: 'a' }] }, 'complete', 'complete'],
    ['all kinds', { content: [image, { type: 'resource', resource: { uri: 'a:b', text: '' } }] }, 'complete', 'complete'],
    ['a link', { content: [{ type: 'resource_link', uri: 'a:b', name: 'n' }] }, 'complete', 'complete'],
    ['data', { content: [], structuredContent: { a: 1 } }, 'complete', 'complete'],
    ['data that is a list', { content: [], structuredContent: [1] }, undefined, 'complete'],
    ['content that is none', { content: 7 }, undefined, undefined],
    ['a text without a text', { content: [{ type: 'text' }] }, undefined, undefined],
    ['an image that is not base64', { content: [{ ...image, data: '%' }] }, undefined, undefined],
    ['a link without a name', { content: [{ type: 'resource_link', uri: 'a:b' }] }, undefined, undefined],
    ['a resource without content', { content: [{ type: 'resource', resource: { uri: 'a:b' } }] }, undefined, undefined],
    ['a kind that nobody knows', { content: [{ type: 'applet' }] }, undefined, undefined],
    ['a block that is a text', { content: ['a'] }, undefined, undefined],
    ['an odd isError', { content: [], isError: 'yes' }, undefined, undefined],
    ['an odd _meta', { content: [], _meta: 7 }, undefined, undefined],
    ['the result of something else', { task: {} }, undefined, undefined],
  ])('%s', (_, given, legacy, modern) => {
    expect(readResult(given, { isModern: false })?.kind).toBe(legacy)
    expect(readResult({ resultType: 'complete', ...given }, { isModern: true })?.kind).toBe(modern)
    expect(readResult(given, { isModern: true })).toBeUndefined()
  })

  test.each([
    [{ resultType: 'input_required', requestState: 'a' }, 'input_required'],
    [{ resultType: 'input_required', inputRequests: { a: {} } }, 'input_required'],
    [{ resultType: 'input_required', inputRequests: {} }, undefined],
    [{ resultType: 'task', content: [] }, undefined],
  ])('%j is %s', (given, kind) => expect(readResult(given, { isModern: true })?.kind).toBe(kind))
})

describe('a stream of events', () => {
  function read(chunks: readonly string[], most = 1_000) {
    const seen: unknown[] = []
    const sink = {
      message: (data: string) => seen.push(data),
      id: (id: string) => seen.push({ id }),
      retry: (retry: number) => seen.push({ retry }),
    }
    const take = createEventReader(most, sink)
    return { fine: chunks.map(take), seen }
  }
  const text = 'id: 7\nretry: 50\n: note\nevent: message\ndata: {"a":\ndata: 1}\n\nevent: other\ndata: x\n\ndata:y\n\n'
  const wanted = [{ id: '7' }, { retry: 50 }, '{"a":\n1}', 'y']

  test.each(['\n', '\r\n', '\r'])('is cut at %j, wherever its pieces end', (end) => {
    const whole = text.replaceAll('\n', end)
    expect(read([whole]).seen).toEqual(wanted)
    expect(read([...whole]).seen).toEqual(wanted)
  })

  test('ends with an event that is too large', () => {
    expect(read(['data: x\n\n'.repeat(1_000)], 100).fine).toEqual([true])
    expect(read(['data: ', 'x'.repeat(60), 'x'.repeat(60), 'x\n\n'], 100)).toEqual({ fine: [true, true, false, false], seen: [] })
    expect(read(['data: x\n'.repeat(100)], 100).fine).toEqual([false])
  })
})

test.each([
  ['add_numbers', 'add_numbers'],
  ['a b', 'a b'],
  [' a', '=?base64?IGE=?='],
  ['ü', '=?base64?w7w=?='],
  ['a\r\nx: y', '=?base64?YQ0KeDogeQ==?='],
  ['=?base64?YQ==?=', '=?base64?PT9iYXNlNjQ/WVE9PT89?='],
  ['', '=?base64??='],
])('the name %j is %j in a header', (name, value) => expect(headerValueOf(name)).toBe(value))
