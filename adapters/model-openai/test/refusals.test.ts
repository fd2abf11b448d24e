import { describe, expect, test } from 'vitest'
import { parseRetryAfter } from '../src/retry-after.ts'
import { ask, KEY, summary } from './ask.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

/** What endpoints answer when they refuse; the bodies are in the forms of OpenAI, Azure, Model Studio, vLLM, Ollama and proxies. */
const cases: readonly (readonly [verdict: string, status: number, body: unknown])[] = [
  [
    'unauthorized never',
    401,
    { error: { message: `Incorrect API key provided: ${KEY}`, type: 'invalid_request_error', code: 'invalid_api_key' } },
  ],
  ['unauthorized never', 401, ''],
  ['unauthorized never', 403, { error: { message: 'no', code: 'unsupported_country' } }],
  ['unauthorized never', 402, { error: { message: 'Insufficient Balance' } }],
  ['unauthorized never', 400, { error: { message: 'Access denied', code: 'Arrearage', type: 'Arrearage' } }],
  ['context_too_long never', 400, { error: { message: 'too many', code: 'context_length_exceeded' } }],
  ['context_too_long never', 400, { object: 'error', message: "This model's maximum context length is 4096 tokens.", code: 400 }],
  [
    'context_too_long never',
    400,
    { error: { message: 'Range of input length should be [1, 30720]', code: 'invalid_parameter_error' } },
  ],
  ['context_too_long never', 413, '<html>'],
  ['content_filtered never', 400, { error: { message: 'filtered', code: 'content_filter' } }],
  ['content_filtered never', 400, { error: { message: 'Output data may be inappropriate', code: 'data_inspection_failed' } }],
  ['rate_limited safe', 429, { error: { message: 'slow', code: 'rate_limit_exceeded' } }],
  ['rate_limited safe', 429, 'not JSON'],
  ['rate_limited safe', 400, { error: { message: 'slow', code: 'Throttling.RateQuota' } }],
  ['rate_limited never', 429, { error: { message: 'quota', code: 'insufficient_quota' } }],
  ['unavailable never', 404, { error: { message: 'model "x" not found', type: 'api_error' } }],
  ['unavailable never', 404, '404 page not found'],
  ['unavailable never', 405, ''],
  ['unavailable safe', 500, { error: 'runner crashed' }],
  ['unavailable safe', 502, '<html><h1>Bad Gateway</h1>'],
  ['unavailable safe', 503, ''],
  ['unavailable safe', 529, { error: { type: 'overloaded' } }],
  ['timeout safe', 504, ''],
  ['timeout safe', 408, ''],
  ['malformed never', 400, { error: { message: 'bad temperature', type: 'invalid_request_error', param: 'temperature' } }],
  ['malformed never', 422, { detail: [{ loc: ['body'], msg: 'field required' }] }],
  ['malformed never', 418, ''],
  ['malformed never', 400, { error: { message: 'x', code: 'constructor', type: '__proto__' } }],
  ['malformed never', 204, ''],
]

describe('an endpoint that refuses', () => {
  test.each(cases)('%s: %i %j', async (verdict, status, body) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const { result } = await ask({ kind: 'raw', status, headers: typeof body === 'string' ? {} : JSON_TYPE, body: text })
    expect(summary(result)).toBe(verdict)
    expect(JSON.stringify(result)).not.toContain(KEY)
  })

  test.each([301, 302, 303, 307, 308])('a redirect is not followed: %i', async (status) => {
    const { result, seen } = await ask({ kind: 'raw', status, headers: { location: '/v1/chat/completions' }, body: '' })
    expect(summary(result)).toBe('unavailable never')
    expect(seen).toHaveLength(1)
  })

  test('nothing is retried', async () => {
    const { seen } = await ask(
      { kind: 'raw', status: 503, headers: {}, body: '' },
      { server: { script: () => ({ kind: 'raw', status: 503, headers: {}, body: '' }) } },
    )
    expect(seen).toHaveLength(1)
  })

  test('what it says is shown only where it looks like a code', async () => {
    const error = { message: 'the prompt was: hunter2', code: 'see https://x/?k=1', type: 'weird_new_type' }
    const { result } = await ask({ kind: 'raw', status: 400, headers: JSON_TYPE, body: JSON.stringify({ error }) })
    expect(result.kind === 'failed' && result.message).toContain('(HTTP 400, weird_new_type)')
    expect(JSON.stringify(result)).not.toMatch(/hunter2|https:/)
  })

  test('a key that looks like a code is not shown either', async () => {
    const apiKey = async () => 'abcdefghijklmnop'
    for (const code of ['abcdefghijklmnop', 'defghijk']) {
      const { result } = await ask(
        { kind: 'raw', status: 400, headers: JSON_TYPE, body: JSON.stringify({ error: { code } }) },
        { options: { apiKey } },
      )
      expect(result.kind === 'failed' && result.message).toContain('(HTTP 400)')
    }
  })

  test('an error is read up to 64 KiB; beyond, its status must do', async () => {
    const error = JSON.stringify({ error: { code: 'invalid_api_key' } })
    const near = await ask({ kind: 'raw', status: 500, headers: JSON_TYPE, body: ' '.repeat(60_000) + error })
    expect(summary(near.result)).toBe('unauthorized never')
    const far = await ask({ kind: 'raw', status: 500, headers: JSON_TYPE, body: ' '.repeat(1_000_000) + error })
    expect(summary(far.result)).toBe('unavailable safe')
  })
})

describe('Retry-After', () => {
  const now = Date.UTC(2026, 0, 1)
  test.each([
    ['7', undefined, 7000],
    ['0', undefined, 0],
    [' 12 ', undefined, 12_000],
    ['Thu, 01 Jan 2026 00:00:30 GMT', undefined, 30_000],
    ['Wed, 31 Dec 2025 23:59:00 GMT', undefined, 0],
    ['999999999999', undefined, 86_400_000],
    ['5', '250', 250],
    ['5', '12.5', 13],
    ['5', 'soon', 5000],
    ['-5', undefined, undefined],
    ['1e3', undefined, undefined],
    ['2026-01-01', undefined, undefined],
    ['Thu, 99 Xyz 2026 00:00:30 GMT', undefined, undefined],
    [undefined, undefined, undefined],
  ])('%j and %j -> %j', (retryAfter, retryAfterMs, wait) => {
    expect(parseRetryAfter({ retryAfter, retryAfterMs }, now)).toBe(wait)
  })

  test('reaches the result, as seconds and as a date', async () => {
    for (const [header, wait] of [
      ['3', 3000],
      ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ] as const) {
      const { result } = await ask(
        { kind: 'raw', status: 429, headers: { 'retry-after': header }, body: '' },
        { options: { nowMs: () => now } },
      )
      expect(result).toMatchObject({ kind: 'failed', code: 'rate_limited', retryAfterMs: wait })
    }
  })
})
