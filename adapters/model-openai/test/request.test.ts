import { execFileSync } from 'node:child_process'
import type { ModelRequest } from '@tidegate/kernel'
import { describe, expect, test } from 'vitest'
import { createOpenAiModel, MODEL_PRESETS, type ModelOpenAiError, type OpenAiModelOptions } from '../src/index.ts'
import { ask, KEY, REQUEST, summary } from './ask.ts'

const conversation: Partial<ModelRequest> = {
  temperature: 0,
  messages: [
    {
      role: 'user',
      content: [
        { text: 'Look at ', origins: ['user'] },
        { text: 'invoice 7', origins: ['third-party'] },
      ],
    },
    {
      role: 'assistant',
      content: [],
      calls: [
        { callId: 'a', name: 'look', argumentsText: '{"id": 7}' },
        { callId: 'b', name: 'look', argumentsText: '{oops' },
      ],
    },
    { role: 'tool', callId: 'a', name: 'look', content: [{ text: 'paid', origins: ['system'] }] },
    { role: 'tool', callId: 'b', name: 'look', content: [{ text: 'not JSON', origins: ['workflow'] }] },
  ],
}

describe('a request on the wire', () => {
  test('holds the conversation, and nothing about labels', async () => {
    const { seen } = await ask({ kind: 'text', text: 'ok' }, { request: conversation })
    expect(seen[0]?.body).toEqual({
      model: 'test',
      max_tokens: 64,
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
      tools: [{ type: 'function', function: { name: 'look', description: 'Looks.', parameters: { type: 'object' } } }],
      messages: [
        { role: 'system', content: 'You propose.' },
        { role: 'user', content: 'Look at invoice 7' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: 'a', type: 'function', function: { name: 'look', arguments: '{"id": 7}' } },
            { id: 'b', type: 'function', function: { name: 'look', arguments: '"{oops"' } },
          ],
        },
        { role: 'tool', tool_call_id: 'a', content: 'paid' },
        { role: 'tool', tool_call_id: 'b', content: 'not JSON' },
      ],
    })
  })

  test('carries the key in its header only, and asks for it each time', async () => {
    const { seen } = await ask({ kind: 'text', text: 'ok' })
    const { authorization, ...rest } = seen[0]?.headers ?? {}
    expect(authorization).toBe(`Bearer ${KEY}`)
    expect(JSON.stringify([rest, seen[0]?.body])).not.toContain(KEY)
    expect(rest['user-agent']).toBe('tidegate')
    expect(rest['accept-encoding']).toBe('identity')
  })

  test('asks for the key for each call anew', async () => {
    const keys = ['first-key-of-two', 'second-key-of-two']
    let turn = 0
    const options: Partial<OpenAiModelOptions> = { apiKey: async () => keys[turn++] ?? '' }
    const first = await ask({ kind: 'text', text: 'ok' }, { options })
    const second = await ask({ kind: 'text', text: 'ok' }, { options })
    expect([first, second].map(({ seen }) => seen[0]?.headers.authorization)).toEqual(keys.map((key) => `Bearer ${key}`))
  })

  test('goes out without a key where none is needed', async () => {
    const { baseUrl: _, ...rest } = { baseUrl: '', streaming: false }
    const { result, seen } = await ask({ kind: 'text', text: 'ok' }, { options: { ...rest, apiKey: undefined as never } })
    expect(summary(result)).toBe('text')
    expect(seen[0]?.headers.authorization).toBeUndefined()
    expect(seen[0]?.body).not.toHaveProperty('stream')
  })

  test.each(['', 'with space', 'sk-1\n', 'sk-1\r\nx-evil: 1', 'schlüssel'])(
    'does not go out with an unusable key: %j',
    async (key) => {
      const { result, seen } = await ask({ kind: 'text', text: 'ok' }, { options: { apiKey: async () => key } })
      expect(summary(result)).toBe('unauthorized never')
      expect(seen).toHaveLength(0)
    },
  )

  test('does not go out when the key cannot be read, and the reason stays where it is', async () => {
    const apiKey = async () => {
      throw new Error(`no entry in vault for ${KEY}`)
    }
    const { result, seen } = await ask({ kind: 'text', text: 'ok' }, { options: { apiKey } })
    expect(summary(result)).toBe('unauthorized never')
    expect(JSON.stringify(result)).not.toContain(KEY)
    expect(seen).toHaveLength(0)
  })

  test('names the limit as the preset does, and takes further fields', async () => {
    const { seen } = await ask(
      { kind: 'text', text: 'ok' },
      { options: { preset: 'openai', extraBody: { enable_thinking: false, top_p: 0.5 } } },
    )
    expect(seen[0]?.body).toMatchObject({ max_completion_tokens: 64, enable_thinking: false, top_p: 0.5 })
    expect(seen[0]?.body).not.toHaveProperty('max_tokens')
  })
})

describe('options', () => {
  const good: OpenAiModelOptions = { preset: 'dashscope', name: 'qwen-plus', apiKey: async () => KEY }
  const codeOf = (change: Partial<OpenAiModelOptions>): string => {
    try {
      return createOpenAiModel({ ...good, ...change }).id
    } catch (error) {
      // Sound: only this class is thrown; anything else has no code, and the row fails.
      return (error as ModelOpenAiError).code
    }
  }

  test.each(Object.keys(MODEL_PRESETS) as OpenAiModelOptions['preset'][])('preset %s is accepted as it stands', (preset) => {
    expect(codeOf({ preset })).toBe(`${preset}/qwen-plus`)
  })

  test.each<[string, Partial<OpenAiModelOptions>]>([
    ['model_option', { preset: 'constructor' as never }],
    ['model_option', { name: '' }],
    ['model_option', { name: 'two words' }],
    ['model_option', { apiKey: undefined as never }],
    ['model_option', { timeouts: { idleMs: 0 } }],
    ['model_option', { timeouts: { connectMs: Number.POSITIVE_INFINITY } }],
    ['model_option', { maxReplyBytes: 1.5 }],
    ['model_option', { extraBody: { messages: [] } }],
    ['model_option', { extraBody: { n: 2 } }],
    ['dashscope/Qwen/Qwen3-8B:latest', { name: 'Qwen/Qwen3-8B:latest' }],
  ])('%s: %j', (code, change) => {
    expect(codeOf(change)).toBe(code)
  })

  test.each([
    ['https://example.com/v1', 'ok'],
    ['https://example.com:8443/', 'ok'],
    ['http://127.0.0.1:8000/v1', 'ok'],
    ['http://localhost:8000/v1', 'ok'],
    ['http://[::1]:8000/v1', 'ok'],
    ['http://2130706433/', 'ok'],
    ['http://example.com/v1', 'model_base_url'],
    ['http://10.0.0.1/v1', 'model_base_url'],
    ['http://127.0.0.1.example.com/v1', 'model_base_url'],
    ['http://localhost.example.com/v1', 'model_base_url'],
    ['http://0.0.0.0/v1', 'model_base_url'],
    ['https://user:pass@example.com/v1', 'model_base_url'],
    ['https://example.com/v1?key=1', 'model_base_url'],
    ['https://example.com/v1?', 'model_base_url'],
    ['https://example.com/v1#x', 'model_base_url'],
    ['file:///etc/passwd', 'model_base_url'],
    ['ftp://example.com', 'model_base_url'],
    ['example.com', 'model_base_url'],
    ['', 'model_base_url'],
    [`https://example.com/${'x'.repeat(3000)}`, 'model_base_url'],
  ])('baseUrl %s: %s', (baseUrl, verdict) => {
    expect(codeOf({ baseUrl })).toBe(verdict === 'ok' ? 'dashscope/qwen-plus' : verdict)
  })

  test('a refused baseUrl is not repeated', () => {
    expect(() => createOpenAiModel({ ...good, baseUrl: 'https://user:hunter2@example.com/' })).toThrow(/^(?!.*hunter2).*password/)
  })

  test('the SDK is not loaded before the first call', () => {
    const script = [
      "import { registerHooks } from 'node:module'",
      'const seen = []',
      'registerHooks({ load: (url, context, next) => { seen.push(url); return next(url, context) } })',
      `const { createOpenAiModel } = await import(${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)})`,
      `const model = createOpenAiModel({ preset: 'vllm', name: 'x', baseUrl: 'http://127.0.0.1:9/v1' })`,
      "const before = seen.some((url) => url.includes('@ai-sdk'))",
      `await model.call(${JSON.stringify({ ...REQUEST, tools: [] })})`,
      "console.log(before, seen.some((url) => url.includes('@ai-sdk')))",
    ]
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script.join('\n')], { encoding: 'utf8' })
    expect(printed.trim()).toBe('false true')
  })
})
