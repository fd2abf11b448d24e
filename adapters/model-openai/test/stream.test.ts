import { gzipSync } from 'node:zlib'
import type { ServerReply } from '@tidegate/testkit'
import { describe, expect, test } from 'vitest'
import { ask, KEY, summary } from './ask.ts'

const STREAM = { 'content-type': 'text/event-stream' }
const done = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }

function say(delta: unknown, reason: string | null = null): unknown {
  return { choices: [{ index: 0, delta, finish_reason: reason }] }
}

function call(piece: unknown): unknown {
  return say({ tool_calls: [piece] })
}

function named(index: number | undefined, id: string | undefined, name: string | undefined, given = ''): unknown {
  return call({ index, id, type: 'function', function: { name, arguments: given } })
}

const called = say({}, 'tool_calls')

/** Streams that follow the protocol, as different servers understand it. */
const good: readonly (readonly [why: string, kind: string, events: readonly unknown[]])[] = [
  [
    'usage comes last',
    'text',
    [say({ content: 'a' }), done, { choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } }, '[DONE]'],
  ],
  ['no [DONE]', 'text', [say({ content: 'a' }), done]],
  ['reasoning is dropped', 'text', [say({ reasoning_content: 'hm' }), say({ content: 'a' }), done]],
  [
    'null everywhere',
    'text',
    [say({ role: 'assistant', content: null, refusal: null, tool_calls: null }), say({ content: 'a' }), done],
  ],
  ['a refusal of another type is none', 'text', [say({ content: 'a', refusal: false }), done]],
  ['the id is empty in later pieces', 'calls', [named(0, 'a', 'look', '{'), named(0, '', undefined, '}'), called]],
  ['id and name are repeated in each piece', 'calls', [named(0, 'a', 'look', '{'), named(0, 'a', 'look', '}'), called]],
  ['the name comes later', 'calls', [named(0, 'a', undefined), named(0, undefined, 'look', '{}'), called]],
  ['calls end with stop', 'calls', [named(0, 'a', 'look', '{}'), done]],
  ['no index, whole calls', 'calls', [named(undefined, 'a', 'look', '{}'), named(undefined, 'b', 'look', '{}'), called]],
  ['all parallel calls have index 0', 'calls', [named(0, 'a', 'look', '{}'), named(0, 'b', 'look', '{}'), called]],
  ['a refusal in the last chunk', 'refused', [say({ refusal: 'No.' }, 'stop')]],
  ['a refusal beside a call', 'refused', [named(0, 'a', 'look', '{}'), say({ refusal: 'No.' }, 'stop')]],
]

/** Streams that no honest server sends. */
const bad: readonly (readonly [why: string, verdict: string, events: readonly unknown[]])[] = [
  ['nothing at all', 'cut_off safe', []],
  ['only [DONE]', 'cut_off safe', ['[DONE]']],
  ['no finish reason', 'cut_off safe', [say({ content: 'a' }), '[DONE]']],
  ['a call without an end', 'cut_off safe', [named(0, 'a', 'look', '{"id": 1')]],
  ['cut at maxOutputTokens', 'cut_off never', [say({ content: 'a' }, 'length')]],
  ['a call cut at maxOutputTokens', 'cut_off never', [named(0, 'a', 'look', '{}'), say({}, 'length')]],
  ['filtered', 'content_filtered never', [say({ content: 'a' }, 'content_filter')]],
  ['an empty answer', 'malformed safe', [done]],
  ['calls announced, none sent', 'malformed safe', [say({ content: 'a' }), called]],
  ['an unknown finish reason', 'malformed safe', [say({ content: 'a' }, 'constructor')]],
  ['two finish reasons', 'malformed safe', [say({ content: 'a' }, 'tool_calls'), say({}, 'stop')]],
  ['text after the end', 'malformed safe', [say({ content: 'a' }, 'stop'), say({ content: 'b' })]],
  ['a call after the end', 'malformed safe', [say({ content: 'a' }, 'stop'), named(0, 'a', 'look', '{}')]],
  ['not JSON', 'malformed safe', [say({ content: 'a' }), '{"choices": [', done]],
  ['not an object', 'malformed safe', ['[]']],
  ['__proto__ in a chunk', 'malformed safe', ['{"__proto__": {"a": 1}, "choices": []}', done]],
  ['no choices', 'malformed safe', [{ id: 'x' }, done]],
  [
    'two choices',
    'malformed safe',
    [
      {
        choices: [
          { index: 0, delta: { content: 'a' } },
          { index: 1, delta: { content: 'b' } },
        ],
      },
      done,
    ],
  ],
  ['another choice', 'malformed safe', [{ choices: [{ index: 1, delta: { content: 'b' }, finish_reason: 'stop' }] }]],
  ['content that is no text', 'malformed safe', [say({ content: [{ type: 'text', text: 'a' }] }), done]],
  ['a lone surrogate', 'malformed safe', [say({ content: '\ud800' }), done]],
  ['a lone surrogate in a refusal', 'malformed safe', [say({ refusal: '\ud800' }), done]],
  ['the old form of calls', 'malformed safe', [say({ content: 'a', function_call: { name: 'look', arguments: '{}' } }, 'stop')]],
  ['a call without an id', 'malformed safe', [named(0, undefined, 'look', '{}'), called]],
  ['a call without a name', 'malformed safe', [named(0, 'a', 'look', '{}'), named(1, 'b', undefined, '{}'), called]],
  ['an id with a lone surrogate', 'malformed safe', [named(0, '\ud800', 'look', '{}'), called]],
  ['a call with neither index nor id', 'malformed safe', [named(undefined, undefined, 'look', '{}'), called]],
  ['a repeated id', 'malformed safe', [named(0, 'a', 'look', '{}'), named(1, 'a', 'look', '{}'), called]],
  [
    'a repeated id without an index',
    'malformed safe',
    [named(undefined, 'a', 'look', '{}'), named(undefined, 'a', 'look', '{}'), called],
  ],
  ['an id that changes', 'malformed safe', [named(0, 'a', 'look', '{'), named(0, 'b', undefined, '}'), called]],
  ['a name that changes', 'malformed safe', [named(0, 'a', 'look', '{'), named(0, undefined, 'pay', '}'), called]],
  ['a negative index', 'malformed safe', [named(-1, 'a', 'look', '{}'), called]],
  ['an index that is no whole number', 'malformed safe', [named(0.5, 'a', 'look', '{}'), called]],
  [
    'a call of another type',
    'malformed safe',
    [call({ index: 0, id: 'a', type: 'custom', function: { name: 'look', arguments: '{}' } }), called],
  ],
  [
    'arguments that are no text',
    'malformed safe',
    [call({ index: 0, id: 'a', function: { name: 'look', arguments: {} } }), called],
  ],
  ['an id that is too long', 'malformed safe', [named(0, 'x'.repeat(129), 'look', '{}'), called]],
  ['33 calls', 'malformed safe', [...Array.from({ length: 33 }, (_, at) => named(at, `c${at}`, 'look', '{}')), called]],
  [
    'an error in the middle',
    'rate_limited safe',
    [say({ content: 'a' }), { error: { message: 'x', code: 'rate_limit_exceeded' } }],
  ],
  ['an error with a number', 'context_too_long never', [{ error: { message: 'maximum context length is 8', code: 400 } }]],
  ['an error that says nothing', 'unavailable safe', [{ error: { message: 'x' } }]],
]

describe('a stream', () => {
  test.each(good)('is read: %s', async (_, kind, events) => {
    expect(summary((await ask({ kind: 'events', events })).result)).toBe(kind)
  })

  test.each(bad)('is refused: %s', async (_, verdict, events) => {
    const { result } = await ask({ kind: 'events', events })
    expect(summary(result)).toBe(verdict)
    expect(JSON.stringify(result)).not.toContain('"text":')
  })

  test('parallel calls numbered 0 are told apart', async () => {
    const events = [named(0, 'a', 'look', '{"n":1}'), named(0, 'b', 'look', '{"n":'), named(0, '', undefined, '2}'), called]
    const { result } = await ask({ kind: 'events', events })
    expect(result).toMatchObject({
      calls: [
        { callId: 'a', arguments: { n: 1 } },
        { callId: 'b', arguments: { n: 2 } },
      ],
    })
  })

  test('torn into packets of one byte it is the same', async () => {
    const said: ServerReply = {
      kind: 'calls',
      text: 'Grüße 你好 👋🏽',
      calls: [{ name: 'look', callId: 'x', arguments: { to: '你好 👋🏽' } }],
    }
    const torn = await ask(said, { server: { packetBytes: 1, pieceLength: 1 } })
    const { result } = await ask(said)
    expect(torn.result).toEqual(result)
    expect(torn.pieces.join('')).toBe('Grüße 你好 👋🏽')
  })

  test('usage counts for a failed call, and nonsense does not', async () => {
    const usage = { prompt_tokens: 9, completion_tokens: 64 }
    const cut = await ask({ kind: 'events', events: [say({ content: 'a' }, 'length'), { choices: [], usage }] })
    expect(cut.result.usage).toEqual({ inputTokens: 9, outputTokens: 64, estimated: false })
    const lie = await ask({
      kind: 'events',
      events: [say({ content: 'a' }, 'stop'), { choices: [], usage: { prompt_tokens: -9, completion_tokens: 1 } }],
    })
    expect(lie.result.usage).toEqual({ inputTokens: 0, outputTokens: 0, estimated: true })
  })
})

describe('an answer that is none', () => {
  const text = `data: ${JSON.stringify(say({ content: 'a' }, 'stop'))}\n\n`
  const cases: readonly (readonly [why: string, verdict: string, reply: ServerReply])[] = [
    ['a web page', 'malformed never', { kind: 'raw', status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' }],
    ['no media type', 'malformed never', { kind: 'raw', status: 200, headers: {}, body: text }],
    [
      'JSON instead of a stream',
      'malformed never',
      { kind: 'raw', status: 200, headers: { 'content-type': 'application/json' }, body: '{"choices": []}' },
    ],
    [
      'an error with status 200',
      'unauthorized never',
      { kind: 'raw', status: 200, headers: { 'content-type': 'application/json' }, body: '{"error":{"code":"invalid_api_key"}}' },
    ],
    [
      'compressed',
      'malformed never',
      { kind: 'raw', status: 200, headers: { ...STREAM, 'content-encoding': 'gzip' }, body: gzipSync(text) },
    ],
    [
      'not UTF-8',
      'malformed safe',
      {
        kind: 'raw',
        status: 200,
        headers: STREAM,
        body: Buffer.concat([
          Buffer.from(text.replace('"a"', '"a')).subarray(0, 40),
          Buffer.from([0xc3, 0x28]),
          Buffer.from(text),
        ]),
      },
    ],
    [
      'UTF-8 that ends in the middle of a character',
      'malformed safe',
      { kind: 'raw', status: 200, headers: STREAM, body: Buffer.concat([Buffer.from(text), Buffer.from([0xe4, 0xbd])]) },
    ],
    ['larger than maxReplyBytes', 'malformed never', { kind: 'flood', sizeBytes: 50_000_000 }],
    ['a connection that breaks', 'cut_off safe', { kind: 'events', events: [say({ content: 'a' })], end: 'cut' }],
    [
      'a connection that breaks after the end',
      'cut_off safe',
      { kind: 'events', events: [say({ content: 'a' }, 'stop'), '[DONE]'], end: 'cut' },
    ],
    ['a connection that is dropped', 'unavailable safe', { kind: 'drop' }],
  ]
  test.each(cases)('is refused: %s', async (_, verdict, reply) => {
    const { result } = await ask(reply, { options: { maxReplyBytes: 1_000_000 } })
    expect(summary(result)).toBe(verdict)
  })
})

describe('an endpoint that echoes the key', () => {
  const places: readonly (readonly [string, readonly unknown[]])[] = [
    ['in text', [say({ content: `You are ${KEY}!` }), done]],
    ['in a refusal', [say({ refusal: KEY }), done]],
    ['in a call id', [named(0, KEY, 'look', '{}'), called]],
    ['in a name', [named(0, 'a', KEY, '{}'), called]],
    ['in arguments', [named(0, 'a', 'look', JSON.stringify({ [KEY]: 1 })), called]],
    ['in escaped arguments', [named(0, 'a', 'look', `{"id": "\\u0073${KEY.slice(1)}"}`), called]],
    ['piece by piece', [...[...`Key: ${KEY} and more`].map((content) => say({ content })), done]],
  ]
  test.each(places)('is not believed: %s', async (_, events) => {
    const { result, pieces } = await ask({ kind: 'events', events })
    expect(summary(result)).toBe('malformed never')
    expect(JSON.stringify(result)).not.toContain(KEY)
    expect(pieces.join('')).not.toContain(KEY.slice(0, 4))
  })

  test('a key that JSON has to escape is found too', async () => {
    const key = 'ab"cd\\ef-123456'
    const events = [named(0, 'a', 'look', JSON.stringify({ key })), called]
    const { result } = await ask({ kind: 'events', events }, { options: { apiKey: async () => key } })
    expect(summary(result)).toBe('malformed never')
  })

  test('in the name of the model it is left out', async () => {
    const { result } = await ask({
      kind: 'events',
      events: [{ model: `x-${KEY}`, ...(say({ content: 'a' }, 'stop') as object) }],
    })
    expect(result).toMatchObject({ kind: 'text', reportedModel: null })
  })

  test('text that only begins like the key arrives whole', async () => {
    const said = `${KEY.slice(0, 9)} sk-4 sk-`
    const { result, pieces } = await ask({ kind: 'text', text: said })
    expect(result).toMatchObject({ kind: 'text', text: said })
    expect(pieces.join('')).toBe(said)
  })
})
