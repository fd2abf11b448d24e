import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sendRaw } from '../src/raw-request.ts'
import type { ServerProcess } from '../src/server-process.ts'
import { setStage, type Stage } from '../src/stage.ts'
import { customerOf, stockTickets } from '../src/stock.ts'
import { ticketOf } from '../src/ticket.ts'

const HUGE_BYTES = 100_000_000
/** How much more memory refusing a huge body may take at its highest. */
const ROOM_KB = 60_000

let stage: Stage
let server: ServerProcess

beforeAll(async () => {
  stage = await setStage({ customers: 8 })
  server = await stage.start()
})
afterAll(() => stage.close())

const JSON_TYPE = { 'content-type': 'application/json' }
const TRIGGER = { workflow: 'support-billing', source: 'desk', input: { ticketId: 't-1010' } }

function post(body: string | Uint8Array | Readable, headers: Readonly<Record<string, string>> = {}) {
  const authorization = `Bearer ${stage.token('operator')}`
  return sendRaw(`${stage.url}/v1/triggers`, { method: 'POST', headers: { ...JSON_TYPE, authorization, ...headers }, body })
}

/** The same piece again and again, with a breath in between, in which the sender may hear that it is too much. */
async function* piecemeal(chunk: Buffer, times: number): AsyncGenerator<Buffer> {
  for (let i = 0; i < times; i++) {
    yield chunk
    await pause(5)
  }
}

/** The most memory that the server ever had, in kB. */
function peakKb(): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1])
}

describe('a request that makes no sense is refused by name, and opens no run', () => {
  const text = (event: string): string => JSON.stringify({ ...TRIGGER, event })
  const cases: readonly { readonly what: string; readonly body: () => string | Uint8Array; readonly answer: object }[] = [
    {
      what: 'invalid UTF-8',
      body: () => Buffer.concat([Buffer.from(text('utf')).subarray(0, -2), Buffer.from([0xff, 0xfe, 0x22, 0x7d])]),
      answer: { status: 400, body: { code: 'invalid_utf8' } },
    },
    {
      what: 'half a surrogate',
      body: () => text('x').replace('t-1010', '\\ud800'),
      answer: { status: 400, body: { code: expect.stringMatching(/malformed_json|invalid_request/) } },
    },
    {
      what: '__proto__ in the input',
      body: () => text('proto').replace('"ticketId"', '"__proto__":{"roles":["operator"]},"ticketId"'),
      answer: { status: 400, body: { code: 'malformed_json', detail: expect.stringContaining('__proto__') } },
    },
    {
      what: 'a key twice',
      body: () => text('twice').replace('"ticketId"', '"ticketId":"t-1011","ticketId"'),
      answer: {
        status: 400,
        body: { code: 'malformed_json', detail: expect.stringMatching(/a key that was there before, at 1:\d+/) },
      },
    },
    { what: 'broken JSON', body: () => text('broken').slice(0, -1), answer: { status: 400, body: { code: 'malformed_json' } } },
    {
      what: 'nesting without end',
      body: () => text('deep').replace('"t-1010"', `${'['.repeat(5_000)}${']'.repeat(5_000)}`),
      answer: { status: 400, body: { code: 'malformed_json' } },
    },
    {
      what: 'a number that JSON does not have',
      body: () => text('nan').replace('"t-1010"', 'NaN'),
      answer: { status: 400, body: { code: 'malformed_json' } },
    },
    {
      what: 'a field nobody knows',
      body: () => text('extra').replace('"source"', '"sauce":1,"source"'),
      answer: { status: 400, body: { code: 'invalid_request' } },
    },
    {
      what: 'a field of the input nobody knows',
      body: () => text('input').replace('"ticketId"', '"tiketId"'),
      answer: { status: 422, body: { code: 'invalid_input', detail: expect.stringContaining('tiketId') } },
    },
    {
      what: 'a ticket id that is too long',
      body: () => text('long').replace('t-1010', 't'.repeat(65)),
      answer: { status: 422, body: { code: 'invalid_input', detail: expect.stringContaining('ticketId') } },
    },
    {
      what: 'a workflow that is misspelt',
      body: () => text('flow').replace('support-billing', 'suport-billing'),
      answer: { status: 404, body: { code: 'unknown_workflow', detail: expect.stringContaining('support-billing') } },
    },
    { what: 'nothing', body: () => '', answer: { status: 400, body: { code: 'invalid_request' } } },
  ]

  test.each(cases)('$what', async ({ body, answer }) => {
    expect(await post(body())).toMatchObject(answer)
    expect(await stage.client('operator').runs()).toEqual([])
  })

  test.each(['announced', 'not announced'])('a body of 100 MB, %s: 413, and the memory stays where it was', async (how) => {
    const before = peakKb()
    const chunk = Buffer.alloc(1_000_000, 0x20)
    const body = Readable.from(piecemeal(chunk, HUGE_BYTES / chunk.length))
    const length = how === 'announced' ? { 'content-length': String(HUGE_BYTES) } : { 'transfer-encoding': 'chunked' }
    expect(await post(body, length)).toMatchObject({
      status: 413,
      body: { code: 'body_too_large', detail: expect.stringMatching(/at most \d+ bytes/) },
    })
    expect(peakKb() - before).toBeLessThan(ROOM_KB)
  })

  test('a ticket of 100 MB does not even fit into the desk', async () => {
    const huge = Buffer.alloc(HUGE_BYTES, 0x61)
    const answer = await sendRaw(`${stage.desk.url}/tickets`, {
      method: 'POST',
      headers: { ...JSON_TYPE, authorization: `Bearer ${stage.desk.token}` },
      body: huge,
    }).catch((error: unknown) => error)
    expect(answer).toSatisfy(
      (seen: unknown) =>
        seen instanceof Error || (typeof seen === 'object' && seen !== null && 'status' in seen && seen.status === 413),
    )
  })

  test('a wrong token, a foreign page, another host', async () => {
    expect(await post(text('who'), { authorization: `Bearer ${'x'.repeat(43)}` })).toMatchObject({
      status: 401,
      body: { code: 'unauthorized' },
    })
    expect(await post(text('page'), { origin: 'http://evil.example' })).toMatchObject({
      status: 403,
      body: { code: 'forbidden_origin' },
    })
    expect(await post(text('host'), { host: 'evil.example' })).toMatchObject({ status: 421, body: { code: 'wrong_host' } })
    expect(await stage.client('operator').runs()).toEqual([])
  })
})

test('after all of that it still works', async () => {
  const [ticketId = ''] = stockTickets(stage.deskFile, [ticketOf('thanks', customerOf(2))])
  const operator = stage.client('operator')
  const { run } = await operator.trigger({ ...TRIGGER, event: 'fine', input: { ticketId } })
  expect(await operator.settled(run, 10_000)).toMatchObject({ state: 'completed' })
  expect(server.stderr()).not.toMatch(/incident|defect/)
})
