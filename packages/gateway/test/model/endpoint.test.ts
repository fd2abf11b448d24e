import { request } from 'node:http'
import type { HostAnswer } from '@tidegate/runtime'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { DONE, HOST_TOKENS, type Play, type StartedModel, startModel } from './fake-door.ts'

// The face that hosts ask their models at: who may, how a reply passes, and how a no is said.

let started: StartedModel | undefined
afterEach(async () => {
  await started?.gateway.close()
  started = undefined
})

async function begin(play: Play, more: Parameters<typeof startModel>[1] = {}): Promise<StartedModel> {
  started = await startModel(play, more)
  return started
}

const PATH = '/model/v1/chat/completions'
const BEARER = { authorization: `Bearer ${HOST_TOKENS.claw}` }
const ask = (
  { url }: StartedModel,
  headers: Record<string, string> = BEARER,
  more: { path?: string; body?: string; method?: string } = {},
) =>
  fetch(`${url}${more.path ?? PATH}`, {
    method: more.method ?? 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    ...(more.method === 'GET' ? {} : { body: more.body ?? '{"model":"m"}' }),
  })
const bytes = (text: string): Uint8Array => Buffer.from(text)
const REPLY = { 'content-type': 'text/event-stream' }

describe('a reply', () => {
  test('reaches the host piece by piece, and ends when it is recorded', async () => {
    const recorded = Promise.withResolvers<void>()
    const model = await begin(async ({ sink }) => {
      sink.head(200, REPLY)
      await sink.write(bytes('data: 1\n\n'))
      sink.end(true)
      await recorded.promise
      return DONE
    })
    const response = await ask(model)
    const reader = response.body?.getReader()
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('data: 1\n\n')
    const end = reader?.read()
    const first = await Promise.race([end, new Promise((resolve) => setTimeout(() => resolve('waiting'), 50))])
    expect(first).toBe('waiting')
    recorded.resolve()
    expect(await end).toMatchObject({ done: true })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(model.open.size).toBe(0)
  })

  test.each([
    [
      'was cut off',
      async ({ sink }: Parameters<Play>[0]) => {
        sink.head(200, REPLY)
        await sink.write(bytes('x'))
        sink.end(false)
        return DONE
      },
    ],
    [
      'could not be recorded',
      async ({ sink }: Parameters<Play>[0]): Promise<HostAnswer> => {
        sink.head(200, REPLY)
        await sink.write(bytes('x'))
        sink.end(true)
        return { kind: 'unknown', run: 'r', message: 'not yet' }
      },
    ],
    [
      'broke in our hands',
      async ({ sink }: Parameters<Play>[0]) => {
        sink.head(200, REPLY)
        await sink.write(bytes('x'))
        throw new Error('defect')
      },
    ],
  ] as const)('that %s does not look whole', async (_, play) => {
    const response = await ask(await begin(play))
    await expect(response.text()).rejects.toThrow()
  })

  test('waits for a host that reads slowly, and is given up when the host leaves', async () => {
    let written = 0
    const ended = Promise.withResolvers<string>()
    const model = await begin(async ({ sink, gone }, signal) => {
      sink.head(200, REPLY)
      gone.addEventListener('abort', () => ended.resolve(`gone, ${String(signal?.aborted)}`))
      try {
        for (;;) {
          await sink.write(new Uint8Array(262_144))
          written++
        }
      } catch {
        return DONE
      }
    })
    const asking = request({
      port: model.port,
      path: PATH,
      method: 'POST',
      headers: { ...BEARER, 'content-type': 'application/json' },
    })
    asking.on('error', () => undefined)
    asking.on('response', (response) => response.pause())
    asking.end('{}')
    await vi.waitFor(() => expect(written).toBeGreaterThan(0))
    await new Promise((resolve) => setTimeout(resolve, 150))
    const before = written
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(written).toBe(before)
    expect(before).toBeLessThan(200)
    asking.destroy()
    expect(await ended.promise).toBe('gone, true')
    await vi.waitFor(() => expect(model.open.size).toBe(0))
  })
})

describe('a no', () => {
  const denied = (reasons: readonly string[]): HostAnswer => ({ kind: 'denied', run: 'r', reasons, failure: 'policy_denial' })
  test.each([
    [denied(['never (own.no)']), 403, 'tidegate_denied', 'false'],
    [denied(['too much (limit.tokens-per-day)']), 429, 'tidegate_limit', 'false'],
    [denied(['limit.tokens-per-day.2']), 429, 'tidegate_limit', 'false'],
    [denied(['too much (limit.tokens)', 'never (own.no)']), 403, 'tidegate_denied', 'false'],
    [denied(['(limit.x) is no limit (own.no)']), 403, 'tidegate_denied', 'false'],
    [{ kind: 'stopped', run: 'r', why: 'an incident' }, 503, 'tidegate_stopped', 'false'],
    [{ kind: 'pending', run: 'r', approval: 'a1', deadlineMs: 1 }, 403, 'tidegate_asked', 'false'],
    [{ kind: 'rehearsed', run: 'r', preview: null, reasons: ['tried out'] }, 403, 'tidegate_denied', 'false'],
    [{ kind: 'failed', run: 'r', failure: 'connector_timeout', message: 'late' }, 504, 'tidegate_unreached', 'true'],
    [{ kind: 'failed', run: 'r', failure: 'connector_semantic', message: 'no' }, 502, 'tidegate_unreached', 'false'],
    [{ kind: 'unknown', run: 'r', message: 'x' }, 504, 'tidegate_unknown', 'false'],
    [{ kind: 'permit', run: 'r', arguments: {} }, 500, 'tidegate_defect', 'false'],
    [{ kind: 'refused', code: 'too_busy', message: '' }, 429, 'tidegate_busy', 'true'],
    [{ kind: 'refused', code: 'not_recorded', message: '' }, 503, 'tidegate_not_recorded', 'false'],
    [{ kind: 'refused', code: 'unknown_host', message: '' }, 403, 'tidegate_unknown_host', 'false'],
    [{ kind: 'refused', code: 'invalid_call', message: '' }, 400, 'tidegate_invalid', 'false'],
    [DONE, 502, 'tidegate_unreached', 'false'],
  ] as const)('%j is said as %i %s', async (answer, status, code, retry) => {
    const response = await ask(await begin(async () => answer as HostAnswer))
    expect([response.status, await response.json()]).toMatchObject([status, { code, status, host: 'claw' }])
    expect([response.headers.get('x-should-retry'), response.headers.get('retry-after')]).toEqual([retry, null])
  })

  test('a defect tells nothing but where it is found', async () => {
    const model = await begin(() => Promise.reject(new Error('the secret is hunter2')))
    const response = await ask(model)
    const text = await response.text()
    expect([response.status, text.includes('hunter2')]).toEqual([500, false])
    expect(model.defects).toHaveLength(1)
  })
})

describe('who may ask', () => {
  test.each([
    ['by bearer', BEARER, 'claw'],
    ['by key', { 'x-api-key': HOST_TOKENS.other }, 'other'],
    ['by both, the same', { ...BEARER, 'x-api-key': HOST_TOKENS.claw }, 'claw'],
    ['by key, with a foreign bearer', { authorization: 'Bearer of-the-provider', 'x-api-key': HOST_TOKENS.claw }, 'claw'],
  ])('%s', async (_, headers, host) => {
    const model = await begin(async () => DONE)
    await ask(model, headers)
    expect(model.performed).toMatchObject([{ host, session: host, operation: 'model.chat' }])
    expect(JSON.stringify(model.performed)).not.toContain(HOST_TOKENS.claw)
  })

  test.each([
    ['nobody', {}, {}, 401],
    ['two at once', { ...BEARER, 'x-api-key': HOST_TOKENS.other }, {}, 401],
    ['a host without a model', { authorization: `Bearer ${HOST_TOKENS.bare}` }, {}, 404],
    ['a web page', { ...BEARER, origin: 'https://evil.example' }, {}, 403],
    ['a form', { ...BEARER, 'content-type': 'text/plain' }, {}, 415],
    ['compressed', { ...BEARER, 'content-encoding': 'gzip' }, {}, 415],
    ['too much', BEARER, { body: `"${'x'.repeat(20_000)}"` }, 413],
    ['another path', BEARER, { path: '/model/v1/files' }, 404],
  ])('not %s', async (_, headers, more, status) => {
    const model = await begin(async () => DONE, { maxBodyBytes: 10_000 })
    const response = await ask(model, headers as Record<string, string>, more)
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ status })
    expect(model.performed).toEqual([])
  })

  test('a session is the one that the host names, and the host itself where it names none that can be one', async () => {
    const model = await begin(async () => DONE)
    for (const session of ['s-1', 'x'.repeat(300)]) await ask(model, { ...BEARER, 'x-tidegate-session': session })
    await ask(model)
    expect(model.performed.map(({ session }) => session)).toEqual(['s-1', 'claw', 'claw'])
    expect(new Set(model.performed.map(({ call }) => call)).size).toBe(3)
  })

  test.each([
    ['questions', { maxUnderWay: 2 }],
    ['bytes', { maxHeldBytes: 30 }], // two of 13 bytes
  ])('no more %s than there is room for', async (_, limits) => {
    const doors: (() => void)[] = []
    const model = await begin(() => new Promise((resolve) => doors.push(() => resolve(DONE))), limits)
    const asking = [ask(model), ask(model)]
    await vi.waitFor(() => expect(doors).toHaveLength(2))
    const third = await ask(model)
    expect([third.status, third.headers.get('x-should-retry')]).toEqual([429, 'true'])
    for (const open of doors) open()
    await Promise.all(asking)
    const fourth = ask(model)
    await vi.waitFor(() => expect(doors).toHaveLength(3))
    doors[2]?.()
    expect((await fourth).status).toBe(502)
  })
})
