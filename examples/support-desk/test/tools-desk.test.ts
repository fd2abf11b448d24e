import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConnectorCall, ConnectorResult, Json, JsonObject, Operation } from '@tidegate/kernel'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Tool } from '@tidegate/tools'
import { type RunningDesk, startDesk, TICKETS_DIRECTORY } from '../service/start.ts'
import { tool as exported } from '../tools/desk.ts'

const directory = mkdtempSync(join(tmpdir(), 'desk-tools-'))
let desk: RunningDesk
let tool: Tool
let effects = 0

beforeAll(async () => {
  desk = await startDesk(directory, ['--seed', '--tickets', TICKETS_DIRECTORY, '--faults'])
  tool = exported({ settings: { baseUrl: desk.url } })
})

afterAll(async () => {
  await desk.stop()
  rmSync(directory, { recursive: true })
})

beforeEach(async () => {
  await desk.call('DELETE', '/faults')
})

const fault = (match: string, mode: string, ms?: number) =>
  desk.call('POST', '/faults', { match, mode, ...(ms === undefined ? {} : { ms }) })

function find(name: string): Operation {
  const found = tool.operations.find(({ id }) => id === `desk.${name}`)
  if (found === undefined) throw new Error(`no operation desk.${name}`)
  return found
}

/** A call as the runtime makes it: its arguments have passed the shape of the operation. */
function callOf(name: string, args: JsonObject, timeoutMs = 3000): ConnectorCall {
  const parsed = find(name).input.parse(args)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
  effects += 1
  return {
    operation: `desk.${name}`,
    arguments: parsed.value,
    session: 's',
    effectId: `run-${effects}.0`,
    attempt: 1,
    timeoutMs,
    secret: async () => desk.token,
  }
}

const execute = (name: string, args: JsonObject) => tool.connector.execute(callOf(name, args))

function outputOf(result: ConnectorResult): Json {
  if (result.kind !== 'done') throw new Error(result.message)
  return result.output
}

/** Takes an effect back as the runtime does, and returns the call for looking at it. */
async function takeBack(call: ConnectorCall, output: Json) {
  const undo = find(call.operation.slice(5)).compensation?.({ arguments: call.arguments, output })
  if (undo === null || undo === undefined) throw new Error('nothing to take back')
  const undoCall = callOf(undo.operation.slice(5), undo.arguments as JsonObject)
  const undone = outputOf(await tool.connector.execute(undoCall))
  return tool.connector.verify(undoCall, undone)
}

describe('reading', () => {
  test('a ticket, with who wrote what', async () => {
    expect(await execute('ticket.read', { ticketId: 't-1006' })).toMatchObject({
      kind: 'done',
      complete: true,
      output: { id: 't-1006', customerId: 'c-106', attachments: [{ text: expect.any(String) }], state: 'open' },
    })
    expect(find('ticket.read').origins).toMatchObject({
      '/body': 'user',
      '/attachments/*/text': 'third-party',
      '/state': 'system',
    })
  })

  test('a customer, an invoice and a list; a long list says that it is cut short', async () => {
    expect(await execute('customer.read', { customerId: 'c-104' })).toMatchObject({
      output: { name: '李秀英', status: 'active' },
    })
    expect(await execute('invoice.read', { invoiceId: 'inv-5004' })).toMatchObject({
      output: { amountMinor: 48_000, currency: 'EUR' },
    })
    const short = await execute('invoice.list', { customerId: 'c-103' })
    expect(short).toMatchObject({
      complete: true,
      output: { complete: true, invoiceIds: ['inv-5003', 'inv-5004'], items: [{ id: 'inv-5003' }, { id: 'inv-5004' }] },
    })
    expect(await execute('invoice.list', { customerId: 'c-112' })).toMatchObject({ complete: false, output: { complete: false } })
  })

  test('what does not exist is an answer', async () => {
    expect(await execute('ticket.read', { ticketId: 't-999' })).toMatchObject({
      kind: 'failed',
      failure: 'semantic',
      retry: 'never',
      code: 'ticket_unknown',
    })
  })

  test.each(['*', 'all', 'c-101,c-102', 'c-101/../c-102', 'c-%', ''])(
    'a customer %j is refused before anything is sent',
    (customerId) => {
      expect(find('invoice.export').input.parse({ customerId })).toMatchObject({ ok: false, issues: [{ path: '/customerId' }] })
    },
  )
})

const WRITES: readonly (readonly [name: string, args: JsonObject, undone: string | null])[] = [
  ['ticket.set-state', { ticketId: 't-1001', state: 'pending' }, 'ticket.set-state'],
  [
    'invoice.correct-address',
    { invoiceId: 'inv-5002', billingAddress: 'Neue Straße 1, 10115 Berlin' },
    'invoice.correct-address',
  ],
  ['refund.create', { invoiceId: 'inv-5004', amountMinor: 12_000, reason: 'charged twice' }, 'refund.cancel'],
  ['refund.small', { invoiceId: 'inv-5013', amountMinor: 1200, reason: 'goodwill' }, 'refund.cancel'],
  ['credit.grant', { customerId: 'c-104', amountMinor: 2000, reason: '服务中断' }, 'credit.revoke'],
  [
    'reply.send',
    { ticketId: 't-1001', recipient: 'aoife@harbour.example', subject: 'Copy', body: 'Here it is.' },
    'reply.recall',
  ],
  ['ticket.close-many', { ticketIds: ['t-1007', 't-1010'] }, null],
  ['invoice.export', { customerId: 'c-105' }, null],
]

describe.each(WRITES)('%s', (name, args, undone) => {
  test('is absent, executed, found, seen, and taken back', async () => {
    const call = callOf(name, args)
    expect(await tool.connector.reconcile(call)).toEqual({ kind: 'absent' })
    const preview = await tool.connector.preview(call)
    expect(preview).toMatchObject({ kind: 'done' })
    expect(await tool.connector.preview(call)).toEqual(preview)
    expect(await tool.connector.reconcile(call)).toEqual({ kind: 'absent' })
    const output = outputOf(await tool.connector.execute(call))
    expect(await tool.connector.reconcile(call)).toMatchObject({ kind: 'happened' })
    expect(await tool.connector.verify(call, output)).toMatchObject({ holds: true })
    expect(find(name).compensation === undefined).toBe(undone === null)
    if (undone === null) return
    expect(await takeBack(call, output)).toMatchObject({ holds: true })
    expect(await tool.connector.verify(call, output)).toMatchObject({ holds: false })
  })

  test('twice under one reference is doubled, but for the one with a key', async () => {
    const call = callOf(name, args)
    await tool.connector.execute(call)
    await tool.connector.execute(call)
    expect(await tool.connector.reconcile(call)).toMatchObject(
      name === 'reply.send' ? { kind: 'happened' } : { kind: 'doubled', count: 2 },
    )
  })
})

describe('taking back', () => {
  test('a compensation is itself found, and never doubled by accident', async () => {
    const refund = outputOf(await execute('refund.small', { invoiceId: 'inv-5013', amountMinor: 100, reason: 'r' })) as JsonObject
    const cancel = callOf('refund.cancel', { refundId: String(refund.id) })
    expect(await tool.connector.reconcile(cancel)).toEqual({ kind: 'absent' })
    expect(await tool.connector.execute(cancel)).toMatchObject({ kind: 'done', output: { state: 'cancelled' } })
    expect(await tool.connector.reconcile(cancel)).toEqual({ kind: 'happened', output: { id: refund.id, state: 'cancelled' } })
    expect(await tool.connector.execute(cancel)).toMatchObject({ failure: 'semantic', retry: 'never', code: 'refund_not_active' })
    expect(await tool.connector.reconcile(cancel)).toMatchObject({ kind: 'happened' })
  })

  test('a recall that was found by look-up is still verified', async () => {
    const send = callOf('reply.send', { ticketId: 't-1001', recipient: 'a@b.example', subject: 's', body: 'b' })
    const mail = outputOf(await tool.connector.execute(send)) as JsonObject
    const recall = callOf('reply.recall', { messageId: String(mail.id) })
    await tool.connector.execute(recall)
    const found = await tool.connector.reconcile(recall)
    expect(found).toMatchObject({ kind: 'happened', output: { sentAs: null } })
    if (found.kind === 'happened') expect(await tool.connector.verify(recall, found.output)).toMatchObject({ holds: true })
  })

  test('what nobody can tell goes to a person: the undo is a call that no operation accepts', () => {
    const done = {
      arguments: { ticketId: 't-1001', state: 'closed' },
      output: { ticketId: 't-1001', state: 'closed', previousState: null },
    }
    const undo = find('ticket.set-state').compensation?.(done)
    expect(undo).toEqual({ operation: 'desk.ticket.set-state', arguments: null })
    expect(find('ticket.set-state').input.parse(null)).toMatchObject({ ok: false })
    expect(find('ticket.set-state').compensation?.({ ...done, output: { ...done.output, previousState: 'closed' } })).toBeNull()
  })
})

describe('faults of the desk', () => {
  const refund = { invoiceId: 'inv-5003', amountMinor: 100, reason: 'fault' }
  test.each([
    ['error-before', { failure: 'unavailable', retry: 'unknown', code: 'internal_error' }, 'absent'],
    ['error-after', { failure: 'unavailable', retry: 'unknown', code: 'internal_error' }, 'happened'],
    ['drop-after', { failure: 'unavailable', retry: 'unknown', code: 'http_cut' }, 'happened'],
    ['garbage', { failure: 'invalid_output', retry: 'unknown' }, 'happened'],
    ['html', { failure: 'invalid_output', retry: 'unknown' }, 'happened'],
    ['huge', { failure: 'invalid_output', retry: 'unknown' }, 'happened'],
    ['partial', { kind: 'done', complete: false }, 'happened'],
  ])('%s: a write is never guessed about, and the look-up tells', async (mode, expected, found) => {
    await fault('POST /refunds', mode)
    const call = callOf('refund.create', refund)
    expect(await tool.connector.execute(call)).toMatchObject(expected)
    expect(await tool.connector.reconcile(call)).toMatchObject({ kind: found })
  })

  test('hang: the call ends in time, unknown, and the look-up sees that it is absent', async () => {
    await fault('POST /refunds', 'hang', 10_000)
    const call = { ...callOf('refund.create', refund), timeoutMs: 300 }
    const startedMs = performance.now()
    expect(await tool.connector.execute(call)).toMatchObject({ failure: 'timeout', retry: 'unknown' })
    expect(performance.now() - startedMs).toBeLessThan(1000)
    expect(await tool.connector.reconcile(call)).toEqual({ kind: 'absent' })
  })

  test.each(['error-after', 'drop-after', 'garbage', 'html', 'huge'])('%s: a read may simply be tried again', async (mode) => {
    await fault('GET /tickets/:id', mode)
    expect(await execute('ticket.read', { ticketId: 't-1001' })).toMatchObject({ kind: 'failed', retry: 'safe' })
    expect(await execute('ticket.read', { ticketId: 't-1001' })).toMatchObject({ kind: 'done' })
  })

  test('a look-up whose list is cut short, or that fails, proves nothing', async () => {
    const call = callOf('refund.create', refund)
    await tool.connector.execute(call)
    for (const mode of ['partial', 'error-before', 'garbage', 'drop-after']) {
      await fault('GET /refunds', mode)
      expect(await tool.connector.reconcile(call), mode).toMatchObject({ kind: 'unknown' })
    }
    expect(await tool.connector.reconcile(call)).toMatchObject({ kind: 'happened' })
  })

  test('a verification that cannot look does not hold', async () => {
    const call = callOf('credit.grant', { customerId: 'c-101', amountMinor: 10, reason: 'r' })
    const output = outputOf(await tool.connector.execute(call))
    await fault('GET /credits/:id', 'error-before')
    expect(await tool.connector.verify(call, output)).toMatchObject({ holds: false })
    expect(await tool.connector.verify(call, output)).toMatchObject({ holds: true })
  })
})

describe('what the desk refuses', () => {
  test.each([
    ['refund.create', { invoiceId: 'inv-5003', amountMinor: 900_000, reason: 'r' }, 'amount_exceeds_refundable'],
    ['refund.create', { invoiceId: 'inv-5007', amountMinor: 1, reason: 'r' }, 'invoice_not_paid'],
    ['invoice.correct-address', { invoiceId: 'inv-5009', billingAddress: 'x' }, 'invoice_void'],
    ['reply.send', { ticketId: 't-1009', recipient: 'tomas@bounce.example', subject: 's', body: 'b' }, 'recipient_rejected'],
    ['credit.grant', { customerId: 'c-113', amountMinor: 1, reason: 'r' }, 'customer_closed'],
  ])('%s is answered never, with the code of the desk', async (name, args, code) => {
    expect(await execute(name, args)).toMatchObject({ kind: 'failed', failure: 'semantic', retry: 'never', code })
  })

  test('a wrong token is refused, and appears nowhere', async () => {
    const call = { ...callOf('ticket.read', { ticketId: 't-1001' }), secret: async () => 'a-wrong-token-of-somebody' }
    const result = await tool.connector.execute(call)
    expect(result).toMatchObject({ failure: 'semantic', retry: 'never', code: 'unauthorized' })
    expect(JSON.stringify(result)).not.toContain('a-wrong-token')
  })

  test('a desk that is not there is safe to try again, also for a write', async () => {
    const gone = exported({ settings: { baseUrl: 'http://127.0.0.1:9' } })
    const call = callOf('refund.create', { invoiceId: 'inv-5003', amountMinor: 1, reason: 'r' })
    expect(await gone.connector.execute(call)).toMatchObject({ failure: 'unavailable', retry: 'safe', code: 'http_connect' })
  })
})

test.each([undefined, {}, { baseUrl: 'nonsense' }, { baseUrl: 'http://127.0.0.1:1', token: 'x' }])(
  'settings %j are refused',
  (settings) => {
    expect(() => exported({ settings })).toThrow(expect.objectContaining({ code: 'tool_settings' }))
  },
)
