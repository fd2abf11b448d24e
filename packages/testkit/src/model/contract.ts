import assert from 'node:assert/strict'
import {
  type ArgumentsDefect,
  MODEL_FAILURE_CODES,
  MODEL_LIMITS,
  type Model,
  type ModelFailureCode,
  type ModelRequest,
  type ModelResult,
} from '@tidegate/kernel'
import type { ScriptedCall, ScriptedReply } from './script.ts'

/** Sets up the model under test so that it says these things, one per call. `close` frees whatever that took. */
export type OpenModel = (
  script: readonly ScriptedReply[],
) => Promise<{ readonly model: Model; readonly close: () => Promise<void> }>

/** What the contract needs: a title, the model, and the test runner's own functions. */
export interface ModelContract {
  readonly title: string
  readonly open: OpenModel
  readonly describe: (title: string, body: () => void) => void
  readonly test: (title: string, body: () => Promise<void>) => void
}

/** The contract of the Model port, as tests: every adapter and every fake runs it. It knows only the port. */
export function describeModelContract({ title, open, describe, test }: ModelContract): void {
  const ask: Ask = async (reply, change) => {
    const { model, close } = await open([reply])
    try {
      return await model.call({ ...REQUEST, ...change })
    } finally {
      await close()
    }
  }
  describe(`${title}: the contract of Model`, () => {
    for (const [name, run] of Object.entries(ANSWERS)) test(name, () => run(ask))
    for (const [name, run] of Object.entries(LIMITS)) test(name, () => run(ask))
    for (const [text, defect] of DEFECTS) {
      test(`reports arguments as ${defect}: ${text.slice(0, 24)}`, async () => {
        const [call] = callsOf(await ask({ kind: 'calls', calls: [{ name: 'look', arguments: text }] }))
        assert.equal(call?.malformed, defect)
        assert.equal(call?.arguments, null)
      })
    }
    for (const code of MODEL_FAILURE_CODES.filter((each) => each !== 'timeout' && each !== 'stopped')) {
      test(`fails as ${code}`, async () => assertFailed(await ask({ kind: 'failed', code }), code))
    }
    test('answers calls that overlap, each with its own', () => overlap(open))
  })
}

type Ask = (reply: ScriptedReply, change?: Partial<ModelRequest>) => Promise<ModelResult>

const REQUEST: ModelRequest = {
  system: 'You propose.',
  messages: [{ role: 'user', content: [{ text: 'Look at invoice 7.', origins: ['user'] }] }],
  tools: [{ name: 'look', description: 'Looks.', inputSchema: { type: 'object', properties: { id: { type: 'string' } } } }],
  maxOutputTokens: 256,
  timeoutMs: 5000,
}

const LONG = 'Grüße, 你好, 👋🏽: "quoted" \\ and\nbroken lines. '

const ANSWERS: Readonly<Record<string, (ask: Ask) => Promise<void>>> = {
  'answers with text, passes it on in order, and reports usage': async (ask) => {
    const pieces: string[] = []
    const result = await ask(
      { kind: 'text', text: LONG, usage: { inputTokens: 12, outputTokens: 34 } },
      { onText: (piece) => pieces.push(piece) },
    )
    assert.equal(result.kind, 'text')
    assert.equal(textOf(result), LONG)
    assert.equal(pieces.join(''), LONG)
    assert.ok(!pieces.includes(''))
    assert.deepEqual(result.usage, { inputTokens: 12, outputTokens: 34, estimated: false })
    assert.equal(result.finishReason, 'stop')
    assert.equal(typeof result.reportedModel, 'string')
  },
  'says that usage is unknown when the endpoint does not tell': async (ask) => {
    const { usage } = await ask({ kind: 'text', text: 'yes', usage: null })
    assert.deepEqual(usage, { inputTokens: 0, outputTokens: 0, estimated: true })
  },
  'proposes one call': async (ask) => {
    const result = await ask({
      kind: 'calls',
      calls: [{ name: 'look', callId: 'a1', arguments: { id: LONG, deep: [{ n: 1.5 }] } }],
    })
    const [call, ...rest] = callsOf(result)
    assert.equal(rest.length, 0)
    assert.equal(call?.callId, 'a1')
    assert.equal(call?.name, 'look')
    assert.deepEqual(call?.arguments, { id: LONG, deep: [{ n: 1.5 }] })
    assert.equal(call?.argumentsText, JSON.stringify({ id: LONG, deep: [{ n: 1.5 }] }))
    assert.equal(textOf(result), '')
  },
  'proposes several calls with text beside them, in order': async (ask) => {
    const names = ['look', 'never-offered', 'look']
    const result = await ask({ kind: 'calls', text: 'I look.', calls: names.map((name, at) => ({ name, arguments: { at } })) })
    assert.deepEqual(
      callsOf(result).map(({ name, arguments: given }) => [name, given]),
      names.map((name, at) => [name, { at }]),
    )
    assert.equal(new Set(callsOf(result).map(({ callId }) => callId)).size, 3)
    assert.equal(textOf(result), 'I look.')
  },
  'keeps good calls beside a malformed one': async (ask) => {
    const result = await ask({
      kind: 'calls',
      calls: [
        { name: 'look', arguments: '{"id": ' },
        { name: 'look', arguments: {} },
      ],
    })
    assert.deepEqual(
      callsOf(result).map(({ malformed }) => malformed),
      ['not_json', undefined],
    )
    assert.equal(callsOf(result)[0]?.argumentsText, '{"id": ')
  },
  'passes a refusal on in the words of the model': async (ask) => {
    const result = await ask({ kind: 'refused', text: 'I would rather not.' })
    assert.equal(result.kind, 'refused')
    assert.equal(textOf(result), 'I would rather not.')
  },
  'passes on how long to wait': async (ask) => {
    const result = await ask({ kind: 'failed', code: 'rate_limited', retryAfterMs: 7000 })
    assertFailed(result, 'rate_limited')
    assert.equal(result.kind === 'failed' && result.retryAfterMs, 7000)
    assert.equal(result.kind === 'failed' && result.retry, 'safe')
  },
}

const LIMITS: Readonly<Record<string, (ask: Ask) => Promise<void>>> = {
  'gives up after timeoutMs': async (ask) => assertFailed(await ask({ kind: 'silence' }, { timeoutMs: 60 }), 'timeout'),
  'stops when the signal aborts': async (ask) => {
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 40)
    const result = await ask({ kind: 'silence' }, { signal: stop.signal })
    assertFailed(result, 'stopped')
    assert.equal(result.kind === 'failed' && result.retry, 'never')
  },
  'does not begin when the signal has aborted before': async (ask) => {
    const pieces: string[] = []
    const result = await ask(
      { kind: 'text', text: 'yes' },
      { signal: AbortSignal.abort(), onText: (piece) => pieces.push(piece) },
    )
    assertFailed(result, 'stopped')
    assert.deepEqual(pieces, [])
  },
  'takes as many calls as the limit, and not one more': async (ask) => {
    const calls = Array.from({ length: MODEL_LIMITS.callsPerReply }, (): ScriptedCall => ({ name: 'look', arguments: {} }))
    assert.equal(callsOf(await ask({ kind: 'calls', calls })).length, calls.length)
    assertFailed(await ask({ kind: 'calls', calls: [...calls, { name: 'look', arguments: {} }] }), 'malformed')
  },
  'takes as much text as the limit, and not one unit more': async (ask) => {
    const text = 'x'.repeat(MODEL_LIMITS.textLength)
    assert.equal(textOf(await ask({ kind: 'text', text })), text)
    assertFailed(await ask({ kind: 'text', text: `${text}x` }), 'cut_off')
  },
  'holds refusals to the same limit': async (ask) => {
    assertFailed(await ask({ kind: 'refused', text: 'x'.repeat(MODEL_LIMITS.textLength + 1) }), 'cut_off')
  },
  'takes arguments as long as the limit, and keeps the beginning of longer ones': async (ask) => {
    const fitting = `{"a":"${'x'.repeat(MODEL_LIMITS.argumentsLength - 8)}"}`
    const [first] = callsOf(await ask({ kind: 'calls', calls: [{ name: 'look', arguments: fitting }] }))
    assert.equal(first?.malformed, undefined)
    const [second] = callsOf(await ask({ kind: 'calls', calls: [{ name: 'look', arguments: `${fitting} ${fitting}` }] }))
    assert.equal(second?.malformed, 'too_large')
    assert.equal(second?.argumentsText, fitting)
  },
  'refuses call ids that repeat': async (ask) => {
    const calls = [1, 2].map((id): ScriptedCall => ({ name: 'look', callId: 'same', arguments: { id } }))
    assertFailed(await ask({ kind: 'calls', calls }), 'malformed')
  },
  'refuses names of tools that are none': async (ask) => {
    for (const name of ['', 'two words', 'x'.repeat(MODEL_LIMITS.nameLength + 1), 'look\n']) {
      assertFailed(await ask({ kind: 'calls', calls: [{ name, arguments: {} }] }), 'malformed')
    }
  },
  'refuses an answer without content': async (ask) => {
    assertFailed(await ask({ kind: 'text', text: '' }), 'malformed')
    assertFailed(await ask({ kind: 'text', text: ' \n' }), 'malformed')
    assertFailed(await ask({ kind: 'calls', calls: [] }), 'malformed')
  },
  'fails only when the listener of the caller does': async (ask) => {
    const onText = (): void => {
      throw new RangeError('mine')
    }
    await assert.rejects(ask({ kind: 'text', text: 'yes' }, { onText }), RangeError)
  },
}

const DEFECTS: readonly (readonly [string, ArgumentsDefect])[] = [
  ['', 'empty'],
  ['  ', 'empty'],
  ['{id: 7}', 'not_json'],
  ['{"id": 7} {"id": 8}', 'not_json'],
  ["{'id': 7}", 'not_json'],
  ['[7]', 'not_object'],
  ['"seven"', 'not_object'],
  ['null', 'not_object'],
  ['{"id": 7, "id": 8}', 'duplicate_key'],
  ['{"__proto__": {"id": 7}}', 'forbidden_key'],
  ['{"id": "\\ud800"}', 'not_unicode'],
  ['{"id": 1e999}', 'number_range'],
  [`${'{"a":'.repeat(MODEL_LIMITS.argumentsDepth)}{}${'}'.repeat(MODEL_LIMITS.argumentsDepth)}`, 'too_deep'],
]

async function overlap(open: OpenModel): Promise<void> {
  const { model, close } = await open(['a', 'b', 'c', 'd'].map((text) => ({ kind: 'text', text, delayMs: 20 })))
  try {
    const results = await Promise.all(['a', 'b', 'c', 'd'].map(() => model.call(REQUEST)))
    assert.deepEqual(results.map(textOf).toSorted(), ['a', 'b', 'c', 'd'])
  } finally {
    await close()
  }
}

function assertFailed(result: ModelResult, code: ModelFailureCode): void {
  assert.equal(result.kind, 'failed', `is ${result.kind}, and should have failed as ${code}`)
  if (result.kind !== 'failed') return
  assert.equal(result.code, code, result.message)
  assert.notEqual(result.message, '')
  assert.ok(!('text' in result) && !('calls' in result))
}

function callsOf(result: ModelResult): Extract<ModelResult, { kind: 'calls' }>['calls'] {
  assert.equal(result.kind, 'calls', result.kind === 'failed' ? result.message : result.kind)
  return result.kind === 'calls' ? result.calls : []
}

function textOf(result: ModelResult): string | undefined {
  return result.kind === 'failed' ? undefined : result.text
}
