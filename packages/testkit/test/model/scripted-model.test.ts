import type { Clock, ModelRequest } from '@tidegate/kernel'
import { describe, expect, test } from 'vitest'
import { createScriptedModel, describeModelContract, startModelServer } from '../../src/model/index.ts'

describeModelContract({
  title: 'scripted',
  open: async (script) => ({ model: createScriptedModel({ script }), close: async () => undefined }),
  describe,
  test,
})

const request: ModelRequest = { system: '', messages: [], tools: [], maxOutputTokens: 8, timeoutMs: 1000 }

/** A clock that stands still until it is told. */
function createManualClock(): Clock & { advance(timeMs: number): void } {
  const due = new Set<{ timeMs: number; callback: () => void }>()
  let nowMs = 0
  const advance = (timeMs: number): void => {
    nowMs += timeMs
    for (const entry of [...due].filter((each) => each.timeMs <= nowMs).toSorted((a, b) => a.timeMs - b.timeMs)) {
      if (due.delete(entry)) entry.callback()
    }
  }
  const at = (timeMs: number, callback: () => void): (() => void) => {
    const entry = { timeMs, callback }
    due.add(entry)
    return () => due.delete(entry)
  }
  return { nowMs: () => nowMs, monotonicMs: () => nowMs, at, advance }
}

describe('a scripted model', () => {
  test('remembers what it was asked, and answers by turn', async () => {
    const model = createScriptedModel({ script: (asked, turn) => ({ kind: 'text', text: `${turn}: ${asked.system}` }) })
    await model.call({ ...request, system: 'a' })
    expect(await model.call({ ...request, system: 'b' })).toMatchObject({ kind: 'text', text: '1: b' })
    expect(model.requests.map(({ system }) => system)).toEqual(['a', 'b'])
  })

  test('rejects when it is asked more often than its script says', async () => {
    const model = createScriptedModel({ script: [{ kind: 'text', text: 'a' }] })
    await model.call(request)
    await expect(model.call(request)).rejects.toThrow('number 2')
  })

  test.each([
    [400, 'text'],
    [1000, 'timeout'],
  ])('lives by the clock it is given: after %i ms, %s', async (timeMs, outcome) => {
    const clock = createManualClock()
    const script = [{ kind: 'text', text: 'a', delayMs: timeMs === 400 ? 400 : 5000 }] as const
    const pending = createScriptedModel({ script, clock }).call(request)
    clock.advance(timeMs)
    const result = await pending
    expect(result.kind === 'failed' ? result.code : result.kind).toBe(outcome)
  })

  test('gives calls ids that differ between turns and are the same each time', async () => {
    const script = [1, 2].map(() => ({ kind: 'calls', calls: [{ name: 'look', arguments: {} }] }) as const)
    const model = createScriptedModel({ script })
    const results = [await model.call(request), await model.call(request)]
    expect(results.map((result) => result.kind === 'calls' && result.calls[0]?.callId)).toEqual(['call-0-0', 'call-1-0'])
  })
})

describe('the server double', () => {
  test('speaks the protocol, streamed and not, and records what it saw', async () => {
    const server = await startModelServer({ script: (_, turn) => ({ kind: 'text', text: `turn ${turn}` }) })
    try {
      const post = (body: object) => fetch(`${server.baseUrl}/chat/completions`, { method: 'POST', body: JSON.stringify(body) })
      const whole = await (await post({ model: 'm' })).json()
      expect(whole).toMatchObject({
        object: 'chat.completion',
        model: 'm',
        choices: [{ message: { content: 'turn 0' }, finish_reason: 'stop' }],
      })
      const stream = await (await post({ model: 'm', stream: true, stream_options: { include_usage: true } })).text()
      const events = stream.split('\n\n').filter((event) => event !== '')
      expect(events.at(-1)).toBe('data: [DONE]')
      expect(JSON.parse(events.at(-2)?.slice(6) ?? '')).toMatchObject({
        choices: [],
        usage: { prompt_tokens: 10, completion_tokens: 5 },
      })
      expect(server.requests.map(({ body }) => body)).toMatchObject([{ model: 'm' }, { stream: true }])
    } finally {
      await server.close()
    }
  })

  test('knows one path, and answers 500 when its script has ended', async () => {
    const server = await startModelServer({ script: [] })
    try {
      expect((await fetch(`${server.baseUrl}/models`)).status).toBe(404)
      expect((await fetch(`${server.baseUrl}/chat/completions`, { method: 'POST', body: '{}' })).status).toBe(500)
    } finally {
      await server.close()
    }
  })
})
