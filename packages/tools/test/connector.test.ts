import { setTimeout as pause } from 'node:timers/promises'
import type { ConnectorCall, ConnectorResult, Reconciliation } from '@tidegate/kernel'
import { describe, expect, test } from 'vitest'
import { defineTool, done, failed, operation, type ToolCall, type Verification, z } from '../src/index.ts'

type Call = ToolCall<{ id: string }>

interface Functions {
  readonly execute?: (call: Call) => Promise<ConnectorResult>
  readonly preview?: (call: Call) => Promise<ConnectorResult>
  readonly reconcile?: (call: Call) => Promise<Reconciliation>
  readonly verify?: (call: Call) => Promise<Verification>
}

const SECRET = 'correct-horse-battery'

/** A tool of one operation with the given functions, and a call of it. */
function toolOf(mutability: 'read' | 'write', functions: Functions, more: { timeoutMs?: number; idempotency?: 'key' } = {}) {
  const declared = operation({
    title: 'Poke a thing',
    description: 'Pokes one thing.',
    input: z.strictObject({ id: z.string() }),
    output: z.strictObject({ id: z.string() }),
    mutability,
    dataClass: 'internal',
    blastRadius: 'single',
    risk: 'low',
    records: ['/id'],
    secrets: ['key'],
    ...(mutability === 'write' ? { reversibility: 'irreversible' as const, acceptsAmbiguity: true } : {}),
    execute: async ({ arguments: { id } }) => done({ id }),
    ...functions,
    ...more,
  })
  return defineTool({ name: 'box', title: 'Box', operations: { poke: declared } }).connector
}

const call: ConnectorCall = {
  operation: 'box.poke',
  arguments: { id: 'a' },
  session: 'run-1',
  effectId: 'run-1.0',
  attempt: 2,
  timeoutMs: 5000,
  secret: async () => SECRET,
}
const hang = () => new Promise<never>(() => undefined)
const breaks = async ({ secret }: Call) => {
  throw new Error(`the key ${await secret('key')}\nis wrong`)
}
// Sound: these are the mistakes that the connector must survive.
const answers = (value: unknown) => async () => value as never

describe('what a function is given', () => {
  test('is the call, its secrets and a signal', async () => {
    let seen: Call | undefined
    const execute = async (given: Call) => {
      seen = given
      return done({ id: `${given.arguments.id}${(await given.secret('key')).length}` })
    }
    expect(await toolOf('write', { execute }, { idempotency: 'key' }).execute(call)).toEqual({
      kind: 'done',
      output: { id: 'a21' },
      complete: true,
    })
    expect(seen).toMatchObject({ effectId: 'run-1.0', idempotencyKey: 'run-1.0', attempt: 2, timeoutMs: 5000 })
    expect(seen?.signal.aborted).toBe(false)
    await toolOf('write', { execute }).execute(call)
    expect(seen).not.toHaveProperty('idempotencyKey')
  })

  test('is no secret that the operation does not declare', async () => {
    const execute = async ({ secret }: Call) => done({ id: await secret('other') })
    expect(await toolOf('read', { execute }).execute(call)).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('"other"'),
    })
  })
})

// What a function does, and what that means for a read and for a write.
test.each<[string, Functions['execute'], string, string, string]>([
  ['throws', breaks, 'unavailable', 'safe', 'unknown'],
  [
    'throws at once',
    (() => {
      throw new Error('x')
    }) as never,
    'unavailable',
    'safe',
    'unknown',
  ],
  ['throws no error', async () => Promise.reject('nonsense'), 'unavailable', 'safe', 'unknown'],
  ['answers nothing', answers(undefined), 'invalid_output', 'safe', 'unknown'],
  ['answers a bare output', answers({ id: 'a' }), 'invalid_output', 'safe', 'unknown'],
  ['answers an unknown kind', answers({ kind: 'okay', output: {} }), 'invalid_output', 'safe', 'unknown'],
  [
    'answers an unknown failure',
    answers({ kind: 'failed', failure: 'x', retry: 'safe', message: '' }),
    'invalid_output',
    'safe',
    'unknown',
  ],
  ['answers what does not fit', answers(done({ id: 1 })), 'invalid_output', 'safe', 'unknown'],
  ['answers more than declared', answers(done({ id: 'a', more: 1 })), 'invalid_output', 'safe', 'unknown'],
  ['answers a date', answers({ kind: 'done', output: { id: new Date(0) }, complete: true }), 'invalid_output', 'safe', 'unknown'],
  [
    'answers undefined inside',
    answers({ kind: 'done', output: { id: undefined }, complete: true }),
    'invalid_output',
    'safe',
    'unknown',
  ],
  ['answers far too much', async () => done({ id: 'x'.repeat(1_100_000) }), 'invalid_output', 'safe', 'unknown'],
  [
    'answers with a secret',
    async ({ secret }) => done({ id: `echo ${await secret('key')}` }),
    'invalid_output',
    'safe',
    'unknown',
  ],
  [
    'says unknown',
    async () => failed({ failure: 'unavailable', retry: 'unknown', message: 'x' }),
    'unavailable',
    'safe',
    'unknown',
  ],
  [
    'says never',
    async () => failed({ failure: 'semantic', retry: 'never', message: 'x', code: 'no' }),
    'semantic',
    'never',
    'never',
  ],
  ['says safe', async () => failed({ failure: 'unavailable', retry: 'safe', message: 'x' }), 'unavailable', 'safe', 'safe'],
])('a function that %s', async (_what, execute, failure, read, write) => {
  for (const [mutability, retry] of [
    ['read', read],
    ['write', write],
  ] as const) {
    const result = await toolOf(mutability, execute === undefined ? {} : { execute }).execute(call)
    expect(result).toMatchObject({ kind: 'failed', failure, retry })
    expect(JSON.stringify(result)).not.toContain(SECRET)
  }
})

test('a secret is struck out of what a function says, and so are line breaks', async () => {
  const execute = async ({ secret }: Call) =>
    failed({ failure: 'refused', retry: 'never', message: `no ${await secret('key')}\r\n\u001b[31mx`, code: SECRET })
  expect(await toolOf('write', { execute }).execute(call)).toMatchObject({
    message: 'no [secret]  [31mx'.replace('  ', ' '),
    code: '[secret]',
  })
})

describe('time', () => {
  test('a function that hangs is given up, and told so', async () => {
    let signal: AbortSignal | undefined
    const execute = (given: Call) => {
      signal = given.signal
      return hang()
    }
    const startedMs = performance.now()
    expect(await toolOf('write', { execute }, { timeoutMs: 50 }).execute(call)).toMatchObject({
      failure: 'timeout',
      retry: 'unknown',
    })
    expect(performance.now() - startedMs).toBeLessThan(400)
    expect(signal?.aborted).toBe(true)
    expect(await toolOf('read', { execute: hang }).execute({ ...call, timeoutMs: 20 })).toMatchObject({
      failure: 'timeout',
      retry: 'safe',
    })
  })

  test('a last word is heard from whoever knows better', async () => {
    const nothingSent = failed({ failure: 'unavailable', retry: 'safe', message: 'nothing was sent' })
    const execute = ({ signal }: Call) =>
      new Promise<ConnectorResult>((resolve) => signal.addEventListener('abort', () => resolve(nothingSent)))
    expect(await toolOf('write', { execute }, { timeoutMs: 20 }).execute(call)).toMatchObject({
      retry: 'safe',
      message: 'nothing was sent',
    })
  })

  test('what comes later, an answer or an error, is not heard', async () => {
    const late = async () => {
      await pause(120)
      throw new Error('too late')
    }
    expect(await toolOf('write', { execute: late }, { timeoutMs: 10 }).execute(call)).toMatchObject({ failure: 'timeout' })
    await pause(150)
  })
})

describe('preview', () => {
  test('answers plain data of any form, and leaves nothing behind', async () => {
    expect(await toolOf('write', { preview: async () => done({ before: 1, after: [2] }) }).preview(call)).toMatchObject({
      output: { before: 1, after: [2] },
    })
    expect(await toolOf('write', { preview: breaks }).preview(call)).toMatchObject({ kind: 'failed', retry: 'safe' })
    expect(await toolOf('write', { preview: answers(done(new Map() as never)) }).preview(call)).toMatchObject({
      failure: 'invalid_output',
      retry: 'safe',
    })
    expect(await toolOf('write', { preview: async ({ secret }) => done(await secret('key')) }).preview(call)).toMatchObject({
      failure: 'invalid_output',
    })
    expect(await toolOf('write', {}).preview(call)).toMatchObject({
      failure: 'refused',
      retry: 'never',
      code: 'preview_undeclared',
    })
  })
})

describe('reconcile', () => {
  const found = (answer: unknown) => toolOf('write', { reconcile: answers(answer) }).reconcile(call)
  test('passes on what was found, when it fits', async () => {
    expect(await found({ kind: 'absent' })).toEqual({ kind: 'absent' })
    expect(await found({ kind: 'happened', output: { id: 'a' } })).toEqual({ kind: 'happened', output: { id: 'a' } })
    expect(await found({ kind: 'doubled', count: 2, output: { id: 'a' } })).toEqual({
      kind: 'doubled',
      count: 2,
      output: { id: 'a' },
    })
  })
  test.each([
    undefined,
    { kind: 'gone' },
    { kind: 'happened', output: { id: 1 } },
    { kind: 'happened' },
    { kind: 'doubled', count: 1, output: { id: 'a' } },
    { kind: 'doubled', count: Number.NaN, output: { id: 'a' } },
    { kind: 'unknown', message: 'x' },
  ])('%j proves nothing', async (answer) => {
    expect(await found(answer)).toMatchObject({ kind: 'unknown' })
  })
  test('a look-up that breaks or hangs proves nothing, and one that is missing neither', async () => {
    expect(await toolOf('write', { reconcile: breaks }).reconcile(call)).toMatchObject({ kind: 'unknown' })
    expect(await toolOf('write', { reconcile: hang }, { timeoutMs: 10 }).reconcile(call)).toMatchObject({ kind: 'unknown' })
    expect(await toolOf('write', {}).reconcile(call)).toMatchObject({ kind: 'unknown' })
    expect(await toolOf('read', {}).reconcile(call)).toEqual({ kind: 'absent' })
  })
})

describe('verify', () => {
  test('holds only when it was seen', async () => {
    const seen = (answer: unknown) => toolOf('write', { verify: answers(answer) }).verify(call, { id: 'a' })
    expect(await seen({ holds: true, detail: 'there' })).toEqual({ holds: true, detail: 'there' })
    expect(await seen({ holds: false, detail: 'gone' })).toEqual({ holds: false, detail: 'gone' })
    for (const answer of [undefined, true, { holds: 'yes', detail: '' }, { holds: true }])
      expect(await seen(answer)).toMatchObject({ holds: false })
    expect(await toolOf('write', { verify: breaks }).verify(call, {})).toMatchObject({ holds: false })
    expect(await toolOf('write', { verify: hang }, { timeoutMs: 10 }).verify(call, {})).toMatchObject({ holds: false })
    expect(await toolOf('write', {}).verify(call, {})).toMatchObject({ holds: false })
  })
})

test('an operation that nobody declared is refused on every way', async () => {
  const tool = toolOf('write', {})
  const other = { ...call, operation: 'box.constructor' }
  expect(await tool.execute(other)).toMatchObject({ failure: 'refused', retry: 'never', code: 'operation_undeclared' })
  expect(await tool.preview(other)).toMatchObject({ failure: 'refused', retry: 'never' })
  expect(await tool.reconcile(other)).toMatchObject({ kind: 'unknown' })
  expect(await tool.verify(other, {})).toMatchObject({ holds: false })
})
