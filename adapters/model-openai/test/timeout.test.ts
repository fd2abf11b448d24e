import type { ServerReply } from '@tidegate/testkit'
import { startModelServer } from '@tidegate/testkit'
import { describe, expect, test } from 'vitest'
import { createOpenAiModel, type OpenAiModelOptions } from '../src/index.ts'
import { ask, KEY, listen, REQUEST, summary } from './ask.ts'

const event = { choices: [{ index: 0, delta: { content: 'a' }, finish_reason: null }] }

/** Each row leaves one limit short and all others long, so that only the limit it names can end the call. */
const cases: readonly (readonly [
  phase: string,
  reply: ServerReply,
  timeouts: OpenAiModelOptions['timeouts'],
  totalMs: number,
])[] = [
  ['did not begin to answer', { kind: 'hang' }, { firstByteMs: 80 }, 5000],
  ['did not begin to answer', { kind: 'events', events: [], end: 'hang' }, { firstByteMs: 80 }, 5000],
  ['fell silent', { kind: 'events', events: [event], end: 'hang' }, { idleMs: 80 }, 5000],
  ['time of the whole call', { kind: 'hang' }, {}, 80],
  ['time of the whole call', { kind: 'events', events: [event], end: 'hang' }, {}, 80],
  ['time of the whole call', { kind: 'events', events: [event], end: 'drip' }, { idleMs: 1000 }, 150],
]

describe('time', () => {
  test.each(cases)('ends a call: %s, %j, %j, %i ms', async (phase, reply, timeouts, timeoutMs) => {
    const { result, tookMs } = await ask(reply, { options: { timeouts: timeouts ?? {} }, request: { timeoutMs } })
    expect(summary(result)).toBe('timeout safe')
    expect(result.kind === 'failed' && result.message).toContain(phase)
    expect(tookMs).toBeLessThan(1500)
  })

  test('an endpoint that drips does not fall silent', async () => {
    const { result } = await ask(
      { kind: 'events', events: [event], end: 'drip' },
      { options: { timeouts: { idleMs: 200 } }, request: { timeoutMs: 600 } },
    )
    expect(result.kind === 'failed' && result.message).toContain('time of the whole call')
  })

  test('connecting includes TLS', async () => {
    const mute = await listen(() => undefined)
    try {
      const baseUrl = `https://127.0.0.1:${mute.port}/v1`
      const model = createOpenAiModel({ preset: 'vllm', name: 'test', baseUrl, timeouts: { connectMs: 80 } })
      const result = await model.call(REQUEST)
      expect(summary(result)).toBe('timeout safe')
      expect(result.kind === 'failed' && result.message).toContain('connection')
    } finally {
      await mute.close()
    }
  })

  test('a key that does not come is part of the whole', async () => {
    const { result, seen } = await ask(
      { kind: 'text', text: 'a' },
      { options: { apiKey: () => new Promise(() => undefined) }, request: { timeoutMs: 60 } },
    )
    expect(summary(result)).toBe('timeout safe')
    expect(seen).toHaveLength(0)
  })
})

describe('a connection', () => {
  test('nobody there', async () => {
    const gone = await listen(() => undefined)
    await gone.close()
    const model = createOpenAiModel({ preset: 'vllm', name: 'test', baseUrl: `http://127.0.0.1:${gone.port}/v1` })
    const result = await model.call(REQUEST)
    expect(summary(result)).toBe('unavailable safe')
    expect(result.kind === 'failed' && result.message).toContain('ECONNREFUSED')
  })

  test.each([
    ['not HTTP', 'SSH-2.0-OpenSSH\r\n', 'malformed never'],
    ['headers without end', `HTTP/1.1 200 OK\r\n${'x-filler: 1234567890\r\n'.repeat(4000)}`, 'malformed never'],
    [
      'a broken chunk',
      'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      'malformed never',
    ],
    [
      'too few bytes',
      'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 999\r\n\r\n: here\n\n',
      'cut_off safe',
    ],
  ])('%s', async (_, bytes, verdict) => {
    const odd = await listen((socket) => socket.once('data', () => socket.end(bytes)))
    try {
      const model = createOpenAiModel({ preset: 'vllm', name: 'test', baseUrl: `http://127.0.0.1:${odd.port}/v1` })
      expect(summary(await model.call(REQUEST))).toBe(verdict)
    } finally {
      await odd.close()
    }
  })

  test('that is reset in the middle of the answer', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: here\n\n'
    const rude = await listen((socket) => {
      socket.once('data', () => socket.write(head, () => setTimeout(() => socket.resetAndDestroy(), 30)))
    })
    try {
      const model = createOpenAiModel({ preset: 'vllm', name: 'test', baseUrl: `http://127.0.0.1:${rude.port}/v1` })
      expect(summary(await model.call(REQUEST))).toBe('cut_off safe')
    } finally {
      await rude.close()
    }
  })

  test('https to a server that speaks none', async () => {
    const plain = await listen((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))
    try {
      const model = createOpenAiModel({ preset: 'vllm', name: 'test', baseUrl: `https://127.0.0.1:${plain.port}/v1` })
      expect(summary(await model.call(REQUEST))).toBe('unavailable never')
    } finally {
      await plain.close()
    }
  })

  test('is kept for the next call, and given up after a stop', async () => {
    const server = await startModelServer({
      script: [{ kind: 'text', text: 'a' }, { kind: 'text', text: 'b' }, { kind: 'hang' }],
    })
    try {
      const model = createOpenAiModel({ preset: 'vllm', name: 'test', baseUrl: server.baseUrl })
      await model.call(REQUEST)
      await model.call(REQUEST)
      expect(await server.connections()).toBe(1)
      const stop = new AbortController()
      const pending = model.call({ ...REQUEST, signal: stop.signal })
      while (server.requests.length < 3) await new Promise((resolve) => setTimeout(resolve, 5))
      stop.abort()
      expect(summary(await pending)).toBe('stopped never')
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(await server.connections()).toBe(0)
    } finally {
      await server.close()
    }
  })

  test('a kept connection is bounded like a new one', async () => {
    const server = await startModelServer({ script: [{ kind: 'text', text: 'a' }, { kind: 'hang' }] })
    try {
      const timeouts = { connectMs: 60_000, firstByteMs: 80 }
      const model = createOpenAiModel({ preset: 'vllm', name: 'test', baseUrl: server.baseUrl, timeouts })
      expect(summary(await model.call(REQUEST))).toBe('text')
      const result = await model.call(REQUEST)
      expect(result.kind === 'failed' && result.message).toContain('did not begin to answer')
    } finally {
      await server.close()
    }
  })

  test('after a stop in the middle of the text nothing more is passed on', async () => {
    const stop = new AbortController()
    const pieces: string[] = []
    const onText = (piece: string): void => {
      pieces.push(piece)
      stop.abort()
    }
    const { result } = await ask(
      { kind: 'text', text: 'a b c d e f g h' },
      { request: { signal: stop.signal, onText }, server: { pieceLength: 2 } },
    )
    expect(summary(result)).toBe('stopped never')
    expect(pieces).toHaveLength(1)
    expect(JSON.stringify(result)).not.toContain(KEY)
  })
})
