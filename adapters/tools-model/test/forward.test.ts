import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createModelProxy, type HostModel } from '../src/index.ts'
import { ask, KEY } from './ask.ts'
import { ANTHROPIC_EVENTS, type FakeProvider, OPENAI_EVENTS, OPENAI_USAGE, startFakeProvider } from './fake-provider.ts'

// What passes, what is recorded of it, and what it costs: against a provider that speaks the real formats.

let provider: FakeProvider
beforeAll(async () => {
  provider = await startFakeProvider()
})
afterAll(() => provider.close())

const PRICE = { inputPerMillion: 3, outputPerMillion: 15, cachedInputPerMillion: 0.3 }
const proxyOf = (more: Partial<HostModel> = {}, limits = {}) =>
  createModelProxy({
    models: [
      { host: 'claw', format: 'openai', baseUrl: `${provider.url}/v1`, secret: 'key', timeoutMs: 5_000, price: PRICE, ...more },
    ],
    limits,
  })
const anthropic = () => proxyOf({ format: 'anthropic', baseUrl: provider.url })
const MESSAGES = [{ role: 'user', content: 'hi' }]
const chat = (model: string, more: object = {}) => ({ model, messages: MESSAGES, ...more })

test('a reply in one piece passes as it came, with what it used and without what is not the client’s', async () => {
  const { result, status, headers, text, isWhole } = await ask(proxyOf(), {
    json: chat('plain'),
    headers: { cookie: 'x', authorization: 'Bearer host-token' },
  })
  expect(status).toBe(200)
  expect(JSON.parse(text)).toMatchObject({ choices: [{ message: { content: 'hello' } }] })
  expect(isWhole).toBe(true)
  expect(Object.keys(headers).toSorted()).toEqual(['content-type', 'x-request-id'])
  expect(result).toMatchObject({
    kind: 'done',
    complete: true,
    output: { status: 200, ended: 'itself', text: 'hello', stopReason: 'stop', toolCalls: 0, model: 'plain' },
    // 8 fresh at 3, 4 cached at 0.3, 5 of output at 15
    usage: { model: 'plain', inputTokens: 12, outputTokens: 5, costMicros: 101 },
  })
  const { head = '', body = '' } = provider.asked.at(-1) ?? {}
  expect(head).toMatch(/^POST \/v1\/chat\/completions HTTP\/1\.1/)
  expect(head).toContain(`Bearer ${KEY}`)
  expect(head).not.toMatch(/host-token|cookie/)
  expect(JSON.parse(body)).toEqual(chat('plain')) // nothing is added where nothing is streamed
})

test.each(['split', 'crlf'])('a stream that is cut anywhere (%s) passes and is understood', async (how) => {
  const { output, text, result } = await ask(proxyOf(), {
    json: chat(how, { stream: true, stream_options: { include_usage: true } }),
  })
  expect(text.replaceAll('\r\n', '\n')).toBe(
    [...OPENAI_EVENTS, OPENAI_USAGE, ...(how === 'split' ? ['data: [DONE]\n\n'] : [])].join(''),
  )
  expect(output).toMatchObject({
    text: 'Größe 漢字 🎈.',
    stopReason: 'tool_calls',
    toolCalls: 1,
    calls: [{ name: 'look', arguments: '{"at":"a"}' }],
    usage: { input: 12, cached: 4, output: 5, isEstimate: false },
  })
  expect(result).toMatchObject({ usage: { inputTokens: 12, outputTokens: 5 } })
})

test('a client that did not ask for usage does not see it, and it is counted all the same', async () => {
  const { text, result } = await ask(proxyOf(), { json: chat('split', { stream: true, stream_options: { other: 1 } }) })
  expect(JSON.parse(provider.asked.at(-1)?.body ?? '')).toMatchObject({ stream_options: { other: 1, include_usage: true } })
  expect(text).toBe([...OPENAI_EVENTS, 'data: [DONE]\n\n'].join(''))
  expect(result).toMatchObject({ usage: { inputTokens: 12, outputTokens: 5 } })
})

test('messages of Anthropic pass and are counted with all that was read from and written to the cache', async () => {
  const { text, result, output } = await ask(anthropic(), {
    path: '/v1/messages',
    query: 'beta=true',
    json: chat('messages', { stream: true, max_tokens: 100 }),
    headers: { 'anthropic-beta': 'tools-1', 'x-api-key': 'host-token', 'anthropic-version': '2024-01-01' },
  })
  expect(text).toBe(ANTHROPIC_EVENTS.join(''))
  expect(output).toMatchObject({
    text: 'Größe 🎈',
    calls: [{ name: 'look', arguments: '{"at":"a"}' }],
    stopReason: 'tool_use',
    usage: { input: 117, cached: 100, output: 42 },
  })
  expect(result).toMatchObject({
    usage: { inputTokens: 117, outputTokens: 42, costMicros: Math.ceil(17 * 3 + 100 * 0.3 + 42 * 15) },
  })
  const { head = '' } = provider.asked.at(-1) ?? {}
  expect(head).toMatch(/^POST \/v1\/messages\?beta=true /)
  expect(head).toMatch(new RegExp(`x-api-key: ${KEY}`, 'i'))
  expect(head).toMatch(/anthropic-beta: tools-1/i)
  expect(head).toMatch(/anthropic-version: 2024-01-01/i)
  expect(head).not.toContain('host-token')
  const plain = await ask(anthropic(), { path: '/v1/messages', json: chat('message') })
  expect(plain.result).toMatchObject({
    usage: { inputTokens: 3, outputTokens: 4 },
    output: { calls: [{ arguments: '{"at":"a"}' }] },
  })
})

test('lists of models and counts of tokens pass, and use nothing up', async () => {
  const list = await ask(proxyOf(), { method: 'GET', path: '/v1/models' })
  expect(JSON.parse(list.text)).toMatchObject({ object: 'list' })
  const count = await ask(anthropic(), { path: '/v1/messages/count_tokens', json: chat('x') })
  expect(JSON.parse(count.text)).toEqual({ input_tokens: 99 })
  for (const { result } of [list, count]) expect(result).toMatchObject({ kind: 'done' })
  for (const { result } of [list, count]) expect(result).not.toHaveProperty('usage')
})

test.each([
  ['no-usage', { stream: true }, 'says nothing about it'],
  ['bad-usage', {}, 'says what cannot be'],
  ['garbage', { stream: true }, 'is garbage'],
  ['not-json', {}, 'is not what it says to be'],
] as const)('where the provider %s, the use is guessed rather too high (%s, %s)', async (how, more, _why) => {
  const { result, isWhole, output } = await ask(proxyOf(), { json: chat(how, more) })
  expect(isWhole).toBe(true)
  expect(output).toMatchObject({ usage: { isEstimate: true } })
  const bytes = Buffer.byteLength(provider.asked.at(-1)?.body ?? '')
  expect(result).toMatchObject({ usage: { inputTokens: Math.ceil(bytes / 3) } })
})

test('garbage passes byte for byte', async () => {
  const { text } = await ask(proxyOf(), { json: chat('garbage', { stream: true }) })
  expect(text).toBe('data: {"choices": 7}\n\ndata: {broken\n\n\u0000\u0001\n\nevent: x\n\n: comment\n\n')
})

test('an event without end passes, is not kept in memory, and what comes after it is read', async () => {
  const { text, output } = await ask(proxyOf(), {
    json: chat('one-line', { stream: true, stream_options: { include_usage: true } }),
  })
  expect(text.length).toBe(40 * 65_536 + 2 + OPENAI_USAGE.length)
  expect(output).toMatchObject({ usage: { input: 12 } })
})

test('errors of the provider pass with their status', async () => {
  const { status, headers, text, result } = await ask(proxyOf(), { json: chat('too-many') })
  expect([status, headers['retry-after'], JSON.parse(text)]).toEqual([429, '7', { error: { message: 'slow down' } }])
  expect(result).toMatchObject({ kind: 'done', output: { status: 429 } })
  expect(result).not.toHaveProperty('usage')
  const huge = await ask(proxyOf(), { json: chat('huge-error') })
  expect([huge.status, JSON.parse(huge.text)]).toMatchObject([500, { error: { code: 'provider_refused' } }])
})

test.each(['bad-key', 'echo-key'])('an error that repeats the key (%s) gives away nothing of it', async (how) => {
  const { text, result } = await ask(proxyOf(), { json: chat(how) })
  if (how === 'bad-key')
    expect(JSON.parse(text)).toMatchObject({ error: { message: expect.stringMatching(/^The provider does not accept the key/) } })
  for (const seen of [text, JSON.stringify(result)]) {
    expect(seen).not.toContain(KEY)
    expect(seen).not.toContain(KEY.slice(-4))
  }
})

test('a redirect is not followed', async () => {
  const before = provider.asked.length
  const { result, status } = await ask(proxyOf(), { json: chat('redirect') })
  expect(result).toMatchObject({ kind: 'failed', failure: 'semantic', retry: 'never', code: 'model_redirected' })
  expect([status, provider.asked.length]).toEqual([undefined, before + 1])
})

test('a provider that never answers is given up, and the question is counted', async () => {
  const { result } = await ask(proxyOf({ timeoutMs: 150 }), { json: chat('hang') })
  expect(result).toMatchObject({ kind: 'failed', failure: 'timeout', usage: { outputTokens: 0 } })
  if (result.kind === 'failed') expect(result.usage?.inputTokens).toBeGreaterThan(10)
})

test('a reply that falls silent is cut off, and says so', async () => {
  const { isWhole, output, result } = await ask(proxyOf({}, { silenceMs: 100 }), { json: chat('hang-inside', { stream: true }) })
  expect(isWhole).toBe(false)
  expect(output).toMatchObject({ ended: 'time', text: 'Größe 漢字 ' })
  expect(result).toMatchObject({ complete: false, usage: { outputTokens: 5 } })
})

test.each([
  ['cut', 'openai'],
  ['cut-anthropic', 'anthropic'],
] as const)('a connection that breaks in the middle (%s) is no end', async (how, format) => {
  const proxy = format === 'openai' ? proxyOf() : anthropic()
  const { isWhole, output, result } = await ask(proxy, {
    path: format === 'openai' ? '/v1/chat/completions' : '/v1/messages',
    json: chat(how),
  })
  expect(isWhole).toBe(false)
  expect(output).toMatchObject({ ended: 'upstream' })
  expect(result).toMatchObject({ complete: false, output: { usage: { isEstimate: true } } })
  if (format === 'anthropic') expect(output).toMatchObject({ usage: { input: 117, output: 4 } }) // the 1 of the start is no count
})

test('a client that leaves ends the call at the provider, and what was said until then is counted', async () => {
  const before = provider.left
  const gone = new AbortController()
  const { output, result } = await ask(proxyOf(), {
    json: chat('huge', { stream: true }),
    signal: gone.signal,
    onChunk: () => gone.abort(),
  })
  expect(output).toMatchObject({ ended: 'client' })
  if (result.kind === 'done') expect(result.usage?.outputTokens).toBeGreaterThanOrEqual(20_000)
  await vi.waitFor(() => expect(provider.left).toBe(before + 1))
})

test('a reply without end is cut off, and little of it is kept', async () => {
  const { output, isWhole } = await ask(proxyOf({}, { maxReplyBytes: 2_000_000 }), { json: chat('huge', { stream: true }) })
  expect(output).toMatchObject({ ended: 'size', isCut: true })
  expect(String(output.text).length).toBe(262_144)
  expect(isWhole).toBe(false)
})

test('a client that reads slowly holds the provider back', async () => {
  let chunks = 0
  const gone = new AbortController()
  const reading = ask(proxyOf(), {
    json: chat('huge', { stream: true }),
    signal: gone.signal,
    onChunk: () => {
      chunks++
      return new Promise(() => undefined)
    },
  })
  await new Promise((resolve) => setTimeout(resolve, 150))
  expect(chunks).toBe(1)
  gone.abort()
  expect((await reading).output).toMatchObject({ ended: 'client' })
})
