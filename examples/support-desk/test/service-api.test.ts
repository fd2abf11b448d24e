import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DESK_PROBLEMS, type DeskProblemCode } from '../service/problem.ts'
import { type RunningDesk, startDesk, TICKETS_DIRECTORY } from '../service/start.ts'

const directory = mkdtempSync(join(tmpdir(), 'desk-api-'))
let desk: RunningDesk

beforeAll(async () => {
  desk = await startDesk(directory, ['--seed', '--tickets', TICKETS_DIRECTORY])
})

afterAll(async () => {
  await desk.stop()
  rmSync(directory, { recursive: true })
})

const get = (path: string) => desk.call('GET', path)
const post = (path: string, body: unknown, headers?: Record<string, string>) => desk.call('POST', path, body, headers)
const itemsOf = async (path: string) => (await get(path)).answer.items
const undo = { reference: 'undo' }

describe('who may call', () => {
  test.each(['', 'Bearer', 'Bearer wrong-token-wrong-token', 'Basic YTpi'])(
    'authorization %j is refused',
    async (authorization) => {
      const response = await fetch(`${desk.url}/tickets`, { headers: { authorization } })
      expect(response.status).toBe(401)
      expect(response.headers.get('content-type')).toBe('application/problem+json')
      expect(await response.json()).toMatchObject({ code: 'unauthorized', status: 401 })
    },
  )

  test('health needs no token, and an unauthorised mutation leaves no trace', async () => {
    expect((await fetch(`${desk.url}/health`)).status).toBe(200)
    const body = JSON.stringify({ customerId: '*', reference: 'intruder' })
    await fetch(`${desk.url}/exports`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    expect(await itemsOf('/exports?reference=intruder')).toEqual([])
    expect(await itemsOf('/calls?reference=intruder')).toEqual([])
  })
})

describe('tickets', () => {
  test('are created, read, listed by state and changed; the previous state comes back', async () => {
    const ticket = { customerId: 'c-101', subject: '您好', body: 'line\nline', severity: 2 }
    const created = await post('/tickets', { ...ticket, attachments: [{ name: 'a.txt', mime: 'text/plain', text: 'x' }] })
    expect(created).toMatchObject({ status: 201, answer: { ...ticket, state: 'open', attachments: [{ name: 'a.txt' }] } })
    const id = String(created.answer.id)
    expect(id).toMatch(/^t-2\d{3}$/)
    expect(created.answer.eventId).toBe(`evt-${id}`)
    expect((await get(`/tickets/${id}`)).answer).toEqual(created.answer)
    const change = await post(`/tickets/${id}/state`, { state: 'answered', reference: 'state-1' })
    expect(change.answer).toMatchObject({ previousState: 'open', ticket: { id, state: 'answered' } })
    expect(await itemsOf('/tickets?state=answered')).toMatchObject([{ id }])
    expect(await itemsOf('/tickets?state=open')).not.toContainEqual(expect.objectContaining({ id }))
  })

  test('a batch closes all or none', async () => {
    const none = await post('/tickets/close', { ticketIds: ['t-1001', 't-0'], reference: 'close-1' })
    expect(none).toMatchObject({ status: 404, answer: { code: 'ticket_unknown' } })
    expect((await get('/tickets/t-1001')).answer.state).toBe('open')
    const all = await post('/tickets/close', { ticketIds: ['t-1001', 't-1010'], reference: 'close-2' })
    expect(all.answer.tickets).toEqual([
      { id: 't-1001', previousState: 'open', state: 'closed' },
      { id: 't-1010', previousState: 'open', state: 'closed' },
    ])
  })
})

describe('customers and invoices', () => {
  test('read back as seeded', async () => {
    expect((await get('/customers/c-104')).answer).toMatchObject({
      name: '李秀英',
      locale: 'zh-CN',
      currency: 'CNY',
      status: 'active',
    })
    expect((await get('/invoices/inv-5004')).answer).toMatchObject({
      customerId: 'c-103',
      amountMinor: 48_000,
      currency: 'EUR',
      version: 1,
    })
  })

  test('a list says whether it was cut short', async () => {
    const cut = await get('/customers/c-112/invoices')
    expect(cut.answer).toMatchObject({ complete: false })
    expect(cut.answer.items).toHaveLength(50)
    const whole = await get('/customers/c-112/invoices?limit=130')
    expect(whole.answer).toMatchObject({ complete: true })
    expect(whole.answer.items).toHaveLength(130)
    expect((await get('/customers/c-112/invoices?limit=129')).answer.complete).toBe(false)
  })

  test('an address change returns the previous one, and the same reference twice changes twice', async () => {
    const path = '/invoices/inv-5002/address'
    const first = await post(path, { billingAddress: 'Lindenstraße 21', reference: 'addr', version: 1 })
    expect(first.answer).toMatchObject({ previousAddress: 'Lindenstraße 12, 10969 Berlin, Germany', invoice: { version: 2 } })
    const second = await post(path, { billingAddress: 'Lindenstraße 21', reference: 'addr' })
    expect(second.answer).toMatchObject({ previousAddress: 'Lindenstraße 21', invoice: { version: 3 } })
    expect(await itemsOf('/calls?reference=addr')).toMatchObject([
      { path, status: 200 },
      { path, status: 200 },
    ])
    expect(await post(path, { billingAddress: 'X', reference: 'addr-2', version: 1 })).toMatchObject({
      status: 409,
      answer: { code: 'version_conflict' },
    })
    expect((await get('/invoices/inv-5002')).answer).toMatchObject({ billingAddress: 'Lindenstraße 21', version: 3 })
  })
})

describe('refunds', () => {
  const order = { invoiceId: 'inv-5013', amountMinor: 1200, reason: 'one seat too many', reference: 'refund-1' }

  test('a preview shows the difference and changes nothing', async () => {
    const preview = await post('/refunds/preview', { invoiceId: 'inv-5013', amountMinor: 1200 })
    expect(preview).toMatchObject({ status: 200, answer: { invoice: { id: 'inv-5013' }, refundable: 3600, after: 2400 } })
    expect((await post('/refunds/preview', order)).answer).toEqual(preview.answer)
    expect(await itemsOf('/refunds?reference=refund-1')).toEqual([])
    expect(await itemsOf('/calls?reference=refund-1')).toEqual([])
  })

  test('the same reference twice is two refunds, up to what is left; a cancelled one frees its amount', async () => {
    const first = await post('/refunds', order)
    expect(first).toMatchObject({ status: 201, answer: { ...order, state: 'active' } })
    expect((await post('/refunds', order)).status).toBe(201)
    expect(await itemsOf('/refunds?reference=refund-1')).toHaveLength(2)
    expect((await get('/refunds?reference=refund-1&limit=1')).answer).toMatchObject({ complete: false, items: [first.answer] })
    expect((await post('/refunds', { ...order, amountMinor: 1201 })).answer).toMatchObject({ code: 'amount_exceeds_refundable' })
    expect((await post('/refunds/preview', { ...order, amountMinor: 1201 })).status).toBe(422)
    const path = `/refunds/${first.answer.id}`
    expect((await post(`${path}/cancel`, undo)).answer.state).toBe('cancelled')
    expect((await get(path)).answer.state).toBe('cancelled')
    expect(await post(`${path}/cancel`, undo)).toMatchObject({ status: 409, answer: { code: 'refund_not_active' } })
    expect((await post('/refunds', { ...order, amountMinor: 2400 })).status).toBe(201)
    expect(await itemsOf('/calls?reference=refund-1')).toMatchObject([201, 201, 422, 201].map((status) => ({ status })))
  })
})

test('credits double like refunds, and are revoked once', async () => {
  const order = { customerId: 'c-104', amountMinor: 5000, reason: '服务中断', reference: 'credit-1' }
  expect((await post('/credits/preview', order)).answer).toMatchObject({ balance: 0, after: 5000, customer: { id: 'c-104' } })
  const first = await post('/credits', order)
  expect(first).toMatchObject({ status: 201, answer: { ...order, state: 'active' } })
  expect((await post('/credits', order)).status).toBe(201)
  expect(await itemsOf('/credits?reference=credit-1')).toHaveLength(2)
  const path = `/credits/${first.answer.id}`
  expect((await post(`${path}/revoke`, undo)).answer.state).toBe('revoked')
  expect((await post(`${path}/revoke`, undo)).answer.code).toBe('credit_not_active')
  expect((await get(path)).answer.state).toBe('revoked')
  expect((await post('/credits/preview', order)).answer.balance).toBe(5000)
})

describe('outbox', () => {
  const mail = {
    ticketId: 't-1001',
    recipient: 'a@harbour.example',
    subject: 'Re: copy',
    body: 'Here it is.\n',
    reference: 'mail-1',
  }

  test('without a key, twice is two mails; with a key, the first answer again, or a conflict', async () => {
    await post('/outbox', mail)
    await post('/outbox', mail)
    expect(await itemsOf('/outbox?reference=mail-1')).toHaveLength(2)
    const keyed = { ...mail, reference: 'mail-2' }
    const key = { 'idempotency-key': 'key-1' }
    const first = await post('/outbox', keyed, key)
    expect(await post('/outbox', keyed, key)).toEqual(first)
    expect(await post('/outbox', { ...keyed, body: 'other' }, key)).toMatchObject({
      status: 409,
      answer: { code: 'idempotency_conflict' },
    })
    expect(await itemsOf('/outbox?reference=mail-2')).toEqual([first.answer])
    expect(await itemsOf('/calls?reference=mail-2')).toMatchObject([{ status: 201 }, { status: 201 }, { status: 409 }])
  })

  test('a bouncing recipient is rejected, under its key as well, and leaves no mail', async () => {
    const bouncing = { ...mail, recipient: 'tomas.herrera@Bounce.example', reference: 'mail-3' }
    const answer = { status: 422, answer: { code: 'recipient_rejected' } }
    expect(await post('/outbox', bouncing, { 'idempotency-key': 'key-3' })).toMatchObject(answer)
    expect(await itemsOf('/outbox?reference=mail-3')).toEqual([])
    expect((await post('/outbox', { ...bouncing, recipient: 'ok@harbour.example' }, { 'idempotency-key': 'key-3' })).status).toBe(
      201,
    )
  })

  test('a waiting mail is recalled once', async () => {
    const path = `/outbox/${(await post('/outbox', mail)).answer.id}/recall`
    expect((await post(path, undo)).answer.state).toBe('recalled')
    expect(await post(path, undo)).toMatchObject({ status: 409, answer: { code: 'already_recalled' } })
  })
})

test('the export of everybody is done when it is asked for, and as often', async () => {
  const everybody = { customerId: '*', reference: 'export-1' }
  const done = await post('/exports', everybody)
  expect(done).toMatchObject({ status: 201, answer: { export: everybody, customers: 13, invoices: 144 } })
  await post('/exports', everybody)
  expect(await itemsOf('/exports?reference=export-1')).toHaveLength(2)
  expect((await post('/exports', { customerId: 'c-106', reference: 'export-2' })).answer).toMatchObject({
    customers: 1,
    invoices: 2,
  })
})

const refusals: [string, string, unknown, number, DeskProblemCode][] = [
  ['GET', '/tickets/t-0', undefined, 404, 'ticket_unknown'],
  ['GET', '/customers/c-999', undefined, 404, 'customer_unknown'],
  ['GET', '/customers/c-999/invoices', undefined, 404, 'customer_unknown'],
  ['GET', '/invoices/inv-0', undefined, 404, 'invoice_unknown'],
  ['GET', '/refunds/rf-999', undefined, 404, 'refund_unknown'],
  ['GET', '/credits/cr-999', undefined, 404, 'credit_unknown'],
  ['POST', '/outbox/ml-999/recall', undo, 404, 'mail_unknown'],
  ['POST', '/exports', { customerId: 'c-999', reference: 'r' }, 404, 'customer_unknown'],
  ['POST', '/refunds', { invoiceId: 'inv-5002', amountMinor: 1, reason: 'r', reference: 'r' }, 422, 'invoice_not_paid'],
  ['POST', '/credits', { customerId: 'c-113', amountMinor: 1, reason: 'r', reference: 'r' }, 422, 'customer_closed'],
  ['POST', '/invoices/inv-5009/address', { billingAddress: 'x', reference: 'r' }, 409, 'invoice_void'],
  ['GET', '/', undefined, 404, 'route_unknown'],
  ['GET', '/tickets/..%2fcalls', undefined, 404, 'route_unknown'],
  ['POST', '/faults', { match: 'GET /tickets', mode: 'slow' }, 404, 'route_unknown'],
  ['DELETE', '/refunds', undefined, 405, 'method_not_allowed'],
  ['GET', '/tickets?state=lost', undefined, 400, 'invalid_query'],
  ['GET', '/tickets?limit=0', undefined, 400, 'invalid_query'],
  ['GET', '/tickets?limit=501', undefined, 400, 'invalid_query'],
  ['GET', '/tickets?limit=1e2', undefined, 400, 'invalid_query'],
  ['GET', '/refunds?refrence=x', undefined, 400, 'invalid_query'],
  ['GET', '/refunds?reference=a&reference=b', undefined, 400, 'invalid_query'],
  ['GET', `/calls?reference=${'x'.repeat(2100)}`, undefined, 400, 'invalid_query'],
]

test.each(refusals)('%s %s (%j) answers %i %s', async (method, path, body, status, code) => {
  const problem = { type: `urn:support-desk:problem:${code}`, title: DESK_PROBLEMS[code][1], status, code }
  expect(await desk.call(method, path, body)).toMatchObject({ status, answer: problem })
})
