import { meterListSchema } from '@tidegate/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { STATUS_OF_CODE } from '../src/index.ts'
import { createFakeTidegate } from './fake-tidegate.ts'
import { TOKENS } from './people.ts'
import { send } from './raw-request.ts'
import { gatewayOver } from './start-gateway.ts'

const tidegate = createFakeTidegate()
const gateway = gatewayOver(tidegate)
let port = 0
beforeAll(async () => {
  port = (await gateway.listen()).port
})
afterAll(() => gateway.close())

type Name = keyof typeof TOKENS

async function ask(who: Name, method: string, path: string, body?: object) {
  const headers = { authorization: `Bearer ${TOKENS[who]}`, 'content-type': 'application/json' }
  const answer = await send(port, method, path, { headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  return { status: answer.status, json: JSON.parse(answer.text) }
}

let event = 0
async function trigger(play: string): Promise<string> {
  event += 1
  const { json } = await ask('otto', 'POST', '/v1/triggers', {
    workflow: 'support-billing',
    source: 'desk',
    event: `evt-${event}`,
    input: { ticketId: 't-1003', play },
  })
  return json.run
}

const codeOf = ({ status, json }: { status: number; json: { code: keyof typeof STATUS_OF_CODE } }) => {
  expect(STATUS_OF_CODE[json.code]).toBe(status)
  return json.code
}

describe('triggers', () => {
  const body = { workflow: 'support-billing', source: 'desk', event: 'once', input: { ticketId: 't-1' } }

  test('an event opens one run, however often it comes', async () => {
    const first = await ask('otto', 'POST', '/v1/triggers', body)
    const again = await ask('otto', 'POST', '/v1/triggers', body)
    expect([first.status, first.json.kind, again.status, again.json.kind]).toEqual([202, 'opened', 200, 'duplicate'])
    expect(again.json.run).toBe(first.json.run)
    expect(tidegate.calls.at(-1)?.with).toMatchObject({ user: 'user:otto', client: 'client:gateway' })
  })

  test('on behalf of somebody else only by a dispatcher, who then stands in the chain', async () => {
    const other = { ...body, event: 'other', user: 'user:cleo' }
    expect(codeOf(await ask('mei', 'POST', '/v1/triggers', other))).toBe('not_entitled')
    expect((await ask('dan', 'POST', '/v1/triggers', other)).status).toBe(202)
    expect(tidegate.calls.at(-1)?.with).toMatchObject({ user: 'user:cleo', client: 'user:dan' })
  })

  test('what the runtime refuses', async () => {
    expect(codeOf(await ask('otto', 'POST', '/v1/triggers', { ...body, workflow: 'none' }))).toBe('unknown_workflow')
  })
})

describe('runs', () => {
  test('are listed newest first, and by state', async () => {
    const run = await trigger('refund')
    expect((await ask('otto', 'GET', '/v1/runs?limit=1')).json.runs[0]).toMatchObject({ run, state: 'waiting' })
    const waiting = await ask('otto', 'GET', '/v1/runs?state=waiting,running')
    expect(waiting.json.runs.every(({ state }: { state: string }) => state === 'waiting')).toBe(true)
    expect((await ask('otto', 'GET', '/v1/runs?workflow=none')).json.runs).toEqual([])
  })

  test('one is shown with its actions and its story', async () => {
    const run = await trigger('done')
    const { status, json } = await ask('mei', 'GET', `/v1/runs/${run}`)
    expect(status).toBe(200)
    expect(json).toMatchObject({ run, state: 'completed', input: { ticketId: 't-1003' } })
    expect(json.actions.map(({ operation }: { operation: string }) => operation)).toEqual(['desk.ticket.read', 'desk.reply.send'])
    expect(json.story.lines.map(({ kind }: { kind: string }) => kind)).toEqual(['asked', 'saw', 'decided', 'touched', 'checked'])
  })

  test('settled waits no longer than asked', async () => {
    const run = await trigger('slow')
    const { json } = await ask('otto', 'GET', `/v1/runs/${run}/settled?timeoutMs=20`)
    expect(json.state).toBe('running')
  })

  test('an unknown one is not found, in every way it can be asked for', async () => {
    const answers = [
      await ask('otto', 'GET', '/v1/runs/none'),
      await ask('otto', 'GET', '/v1/runs/none/settled'),
      await ask('otto', 'POST', '/v1/runs/none/undo', { why: 'x' }),
    ]
    expect(answers.map(codeOf)).toEqual(['not_found', 'not_found', 'not_found'])
  })

  test('undo opens a run, once, by an operator, of a finished run that changed something', async () => {
    const run = await trigger('done')
    const undo = (who: Name, of: string) => ask(who, 'POST', `/v1/runs/${of}/undo`, { why: 'a mistake' })
    expect(codeOf(await undo('mei', run))).toBe('not_entitled')
    const done = await undo('otto', run)
    expect([done.status, done.json]).toEqual([202, { run: `undo-${run}`, effects: 1 }])
    expect(codeOf(await undo('otto', run))).toBe('already_undone')
    expect(codeOf(await undo('otto', await trigger('slow')))).toBe('not_finished')
    expect(codeOf(await undo('otto', await trigger('attack')))).toBe('nothing_to_undo')
    expect(codeOf(await ask('otto', 'POST', `/v1/runs/${run}/undo`, { why: '  ' }))).toBe('invalid_request')
  })
})

describe('approvals', () => {
  test('are listed, shown, voted on once, and never by whoever asks', async () => {
    const run = await trigger('refund')
    const id = `apr-${run}`
    expect((await ask('mei', 'GET', '/v1/approvals')).json.approvals.map((each: { id: string }) => each.id)).toContain(id)
    const { json: shown } = await ask('mei', 'GET', `/v1/approvals/${id}`)
    expect(shown).toMatchObject({
      id,
      run,
      state: 'open',
      risk: 'high',
      arguments: { invoiceId: 'inv-5004' },
      preview: { after: { refundable: 0 } },
    })
    const vote = (who: Name, digest: string) =>
      ask(who, 'POST', `/v1/approvals/${id}/votes`, { vote: 'approve', why: 'checked', digest })
    expect(codeOf(await vote('mei', 'f'.repeat(64)))).toBe('digest_mismatch')
    expect(codeOf(await vote('otto', shown.digest))).toBe('is_requester')
    expect(codeOf(await vote('dan', shown.digest))).toBe('not_entitled')
    const yes = await vote('mei', shown.digest)
    expect([yes.status, yes.json]).toEqual([200, { state: 'granted', run }])
    expect(codeOf(await vote('mei', shown.digest))).toBe('approval_closed')
    expect(
      (await ask('mei', 'GET', '/v1/approvals?state=all')).json.approvals.find((each: { id: string }) => each.id === id).state,
    ).toBe('consumed')
  })

  test('an unknown one is not found', async () => {
    expect(codeOf(await ask('mei', 'GET', '/v1/approvals/none'))).toBe('not_found')
    expect(
      codeOf(await ask('mei', 'POST', '/v1/approvals/none/votes', { vote: 'refuse', why: 'x', digest: 'a'.repeat(64) })),
    ).toBe('not_found')
  })

  test('a vote needs a reason and a digest', async () => {
    expect(codeOf(await ask('mei', 'POST', '/v1/approvals/a/votes', { vote: 'approve', why: '', digest: 'a'.repeat(64) }))).toBe(
      'invalid_request',
    )
    expect(codeOf(await ask('mei', 'POST', '/v1/approvals/a/votes', { vote: 'approve', why: 'x' }))).toBe('invalid_request')
  })
})

describe('stops', () => {
  test('are raised by operators, say what still runs, and are lifted', async () => {
    await trigger('slow')
    const stop = { scope: 'tool:desk', why: 'drill' }
    expect(codeOf(await ask('mei', 'POST', '/v1/stops', stop))).toBe('not_entitled')
    const raised = await ask('otto', 'POST', '/v1/stops', stop)
    expect(raised.status).toBe(201)
    expect(raised.json).toMatchObject({ stop: { scope: 'tool:desk', mode: 'hold' }, acknowledgedMs: 3.25 })
    expect(raised.json.running.length).toBeGreaterThan(0)
    expect((await ask('mei', 'GET', '/v1/stops')).json.stops).toHaveLength(1)
    const lifted = await ask('otto', 'POST', '/v1/stops/lift', { scope: 'tool:desk', why: 'over' })
    expect([lifted.status, lifted.json.stops.length]).toEqual([200, 1])
    expect(codeOf(await ask('otto', 'POST', '/v1/stops/lift', { stop: 'none', why: 'over' }))).toBe('not_found')
  })

  test.each([
    [{ scope: 'everything', why: 'x' }],
    [{ scope: 'agent:', why: 'x' }],
    [{ scope: 'global' }],
    [{ scope: 'global', why: 'x', mode: 'soft' }],
  ])('%j is no stop', async (body) => {
    expect(codeOf(await ask('otto', 'POST', '/v1/stops', body))).toBe('invalid_request')
  })

  test('a lift names either a stop or a scope', async () => {
    expect(codeOf(await ask('otto', 'POST', '/v1/stops/lift', { why: 'x' }))).toBe('invalid_request')
    expect(codeOf(await ask('otto', 'POST', '/v1/stops/lift', { why: 'x', stop: 's', scope: 'global' }))).toBe('invalid_request')
  })
})

test('the queue shows what waits, and what was settled only on request', async () => {
  const run = await trigger('attack')
  const item = `q-${run}`
  const items = async (query: string) =>
    (await ask('otto', 'GET', `/v1/queue${query}`)).json.items.map((each: { item: string }) => each.item)
  expect(await items('')).toContain(item)
  expect(codeOf(await ask('mei', 'POST', `/v1/queue/${item}/resolve`, { why: 'x' }))).toBe('not_entitled')
  expect((await ask('otto', 'POST', `/v1/queue/${item}/resolve`, { why: 'looked at it' })).json).toEqual({ item, resolved: true })
  expect(codeOf(await ask('otto', 'POST', `/v1/queue/${item}/resolve`, { why: 'x' }))).toBe('already_resolved')
  expect(await items('')).not.toContain(item)
  expect(await items('?all=true')).toContain(item)
  expect(codeOf(await ask('otto', 'POST', '/v1/queue/none/resolve', { why: 'x' }))).toBe('not_found')
})

test('the ledger: head, verification, receipts, export', async () => {
  expect((await ask('mei', 'GET', '/v1/ledger/head')).json).toMatchObject({ size: 42 })
  expect((await ask('mei', 'POST', '/v1/ledger/verify')).json).toMatchObject({ verified: true, problems: [] })
  expect((await ask('mei', 'GET', '/v1/ledger/receipt?index=3')).json.index).toBe(3)
  expect((await ask('mei', 'GET', '/v1/ledger/receipt?run=r1')).json.index).toBe(41)
  expect(codeOf(await ask('mei', 'GET', '/v1/ledger/receipt?index=42'))).toBe('not_found')
  expect(codeOf(await ask('mei', 'POST', '/v1/ledger/export', { directory: '/x' }))).toBe('not_entitled')
  expect(codeOf(await ask('otto', 'POST', '/v1/ledger/export', { directory: 'relative' }))).toBe('invalid_request')
  expect((await ask('otto', 'POST', '/v1/ledger/export', { directory: '/x' })).json).toEqual({
    size: 42,
    files: 5,
    directory: '/x',
  })
  expect(tidegate.calls.at(-1)?.with).toEqual({ directory: '/x', payloads: false })
})

test('many who ask for the ledger to be verified share one verification', async () => {
  const before = tidegate.calls.filter(({ name }) => name === 'ledgerVerify').length
  const answers = await Promise.all(Array.from({ length: 8 }, () => ask('mei', 'POST', '/v1/ledger/verify')))
  expect(answers.every(({ json }) => json.verified)).toBe(true)
  expect(tidegate.calls.filter(({ name }) => name === 'ledgerVerify').length - before).toBeLessThan(8)
})

test('limits: what is counted, and how full it is; one by its name', async () => {
  const { status, json } = await ask('mei', 'GET', '/v1/limits')
  expect(status).toBe(200)
  expect(meterListSchema.parse(json)).toEqual(json)
  expect(json.meters).toMatchObject([
    {
      name: 'refunds-per-customer',
      per: '/customerId',
      limits: [
        { policy: 'limit.refunds-per-customer', bound: 'above', value: 2_000, outcome: 'ask' },
        { policy: 'limit.refunds-per-customer.2', value: 5_000, outcome: 'deny' },
      ],
      keys: 22,
      largest: [
        { kind: 'hash', value: 4_000, reserved: 1_500, full: 0.8 }, // beyond the first limit, so of the second
        { kind: 'hash', value: 500, reserved: 0, full: 0.25 },
      ],
    },
    { name: 'look-before-refund', window: { kind: 'run' }, self: false, keys: 0, largest: [] },
    { name: 'model-cost', largest: [{ kind: 'name', full: 0.005 }] },
  ])
  expect((await ask('mei', 'GET', '/v1/limits/model-cost')).json).toEqual(json.meters[2])
  expect(codeOf(await ask('mei', 'GET', '/v1/limits/none'))).toBe('not_found')
})

test('what is declared: tools, operations, workflows, and oneself', async () => {
  expect((await ask('mei', 'GET', '/v1/tools')).json.tools).toHaveLength(1)
  expect((await ask('mei', 'GET', '/v1/tools/desk')).json.operations.length).toBeGreaterThan(3)
  expect((await ask('mei', 'GET', '/v1/tools/desk.refund.create')).json.operations).toMatchObject([
    { id: 'desk.refund.create', risk: 'high', canCompensate: false },
  ])
  expect(codeOf(await ask('mei', 'GET', '/v1/tools/none'))).toBe('not_found')
  expect((await ask('mei', 'GET', '/v1/workflows')).json.workflows).toMatchObject([{ name: 'support-billing', stage: 3 }])
  expect((await ask('mei', 'GET', '/v1/workflows/support-billing')).json.operations.length).toBeGreaterThan(3)
  expect(codeOf(await ask('mei', 'GET', '/v1/workflows/none'))).toBe('not_found')
  expect((await ask('mei', 'GET', '/v1/me')).json).toEqual({ id: 'user:mei', roles: ['billing-lead'], version: '0.1.0' })
})
