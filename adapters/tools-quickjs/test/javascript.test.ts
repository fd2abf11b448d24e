import type { ConnectorCall, Json } from '@tidegate/kernel'
import { afterAll, describe, expect, test } from 'vitest'
import { createJavaScript } from '../src/index.ts'

const tool = createJavaScript({ timeoutMs: 400, memoryBytes: 16_777_216 })
afterAll(() => tool.close())

async function run(code: string, input: Json = null) {
  const shaped = tool.operations[0]?.input.parse({ code, input })
  if (shaped?.ok !== true) throw new Error('refused')
  const call: ConnectorCall = {
    ...{ operation: 'javascript.run', arguments: shaped.value, session: 's', effectId: 'r.0', attempt: 1, timeoutMs: 5_000 },
    secret: async () => '',
  }
  return tool.connector.execute(call)
}

describe('computing', () => {
  test.each<[string, Json, Json]>([
    ['return input.a + input.b', { a: 1, b: 2 }, 3],
    ['return input.map((x) => x.toUpperCase()).sort()', ['b', 'ä'], ['B', 'Ä']],
    ['const m = new Map(input); return [...m.keys()]', [['k', 1]], ['k']],
    ['return undefined', null, null],
    ['return { "__proto__": 1, x: [null] }', null, { x: [null] }],
  ])('%s', async (code, input, result) => {
    expect(await run(code, input)).toEqual({ kind: 'done', output: { result }, complete: true })
  })

  test('an error is the script’s own, and the next script is not touched by it', async () => {
    expect(await run('globalThis.x = 1; throw new TypeError("no")')).toMatchObject({ kind: 'failed', message: 'TypeError: no' })
    expect(await run('return typeof globalThis.x')).toMatchObject({ output: { result: 'undefined' } })
    expect(await run('return }')).toMatchObject({ kind: 'failed', failure: 'semantic' })
  })
})

describe('what it cannot do', () => {
  test.each(['process', 'require', 'fetch', 'setTimeout', 'XMLHttpRequest', 'Deno', 'Bun', 'WebAssembly', 'std', 'os'])(
    'there is no %s',
    async (name) => expect(await run(`return typeof ${name}`)).toMatchObject({ output: { result: 'undefined' } }),
  )

  test('no module can be brought in', async () => {
    for (const code of ['return import("node:fs").constructor.name', 'import fs from "fs"'])
      expect(JSON.stringify(await run(code))).not.toContain('readFile')
    expect(await run('return (() => 1).constructor("return typeof process")()')).toMatchObject({
      output: { result: 'undefined' },
    })
  })

  test.each([
    ['for (;;) {}', /too long/],
    ['const a = []; for (;;) a.push("x".repeat(1000000))', /memory|too long/],
    ['return "x".repeat(300000)', /more than/],
    ['let s = "a"; while (true) s += s', /memory|too long|string/i],
    ['const f = () => f(); return f()', /stack|overflow|memory/i],
    ['return /^(a+)+$/.test("a".repeat(40) + "!")', /too long/],
    ['const o = {}; o.o = o; return o', /circular/i],
  ])('%s is stopped', async (code, message) => {
    const result = await run(code)
    expect(result).toMatchObject({ kind: 'failed' })
    expect(result.kind === 'failed' && result.message).toMatch(message)
    expect(await run('return 1')).toMatchObject({ output: { result: 1 } })
  })

  test('arguments that are not a script are refused', () => {
    const parse = tool.operations[0]?.input.parse
    for (const value of [null, [], {}, { code: '' }, { code: 1 }, { code: 'x', more: 1 }, { code: 'x'.repeat(70_000) }])
      expect(parse?.(value)).toMatchObject({ ok: false })
  })
})
