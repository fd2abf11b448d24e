import { startModelServer } from '@tidegate/testkit'
import { expect, test } from 'vitest'
import { createToolNames } from '../src/tool-names.ts'
import { createOpenAiModel } from '../src/index.ts'

test.each([
  [['desk.refund.create'], ['desk_refund_create']],
  [
    ['a.b', 'a_b', 'a-b'],
    ['a_b', 'a_b_2', 'a-b'],
  ],
  [
    ['x'.repeat(80), 'x'.repeat(90)],
    ['x'.repeat(64), `${'x'.repeat(62)}_2`],
  ],
])('%j are called %j, and come back', (names, wire) => {
  const tools = createToolNames(names)
  expect(names.map(tools.toWire)).toEqual(wire)
  expect(wire.map(tools.fromWire)).toEqual(names)
  expect(wire.every((name) => /^[a-zA-Z0-9_-]{1,64}$/.test(name))).toBe(true)
})

test('what was not offered comes back as the model wrote it', () => {
  expect(createToolNames(['desk.read']).fromWire('desk_database_drop')).toBe('desk_database_drop')
})

test('an operation id crosses the wire and comes back as it was', async () => {
  const server = await startModelServer({ script: [{ kind: 'calls', calls: [{ name: 'desk_refund_create', arguments: {} }] }] })
  const model = createOpenAiModel({ preset: 'vllm', name: 'm', baseUrl: server.baseUrl })
  const tool = { name: 'desk.refund.create', description: 'd', inputSchema: { type: 'object' } }
  const result = await model.call({ system: 's', messages: [], tools: [tool], maxOutputTokens: 10, timeoutMs: 2_000 })
  expect(result).toMatchObject({ kind: 'calls', calls: [{ name: 'desk.refund.create' }] })
  expect(JSON.stringify(server.requests[0]?.body)).toContain('"name":"desk_refund_create"')
  await server.close()
})
