import { expect, test } from 'vitest'
import { tool as exported } from '../tools/desk.ts'

const tool = exported({ settings: { baseUrl: 'http://127.0.0.1:1' } })

// What the operations say about themselves: changing a class changes what policy decides, so it is changed here as well.
test.each([
  ['ticket.read', 'read', 'customer', 'single', 'low', 'reversible', null],
  ['ticket.set-state', 'write', 'internal', 'single', 'low', 'reversible', 'ticket.set-state'],
  ['ticket.close-many', 'write', 'internal', 'batch', 'high', 'irreversible', null],
  ['customer.read', 'read', 'customer', 'single', 'low', 'reversible', null],
  ['invoice.list', 'read', 'customer', 'single', 'low', 'reversible', null],
  ['invoice.read', 'read', 'customer', 'single', 'low', 'reversible', null],
  ['invoice.correct-address', 'write', 'customer', 'single', 'medium', 'reversible', 'invoice.correct-address'],
  ['invoice.export', 'write', 'regulated', 'single', 'high', 'irreversible', null],
  ['refund.create', 'write', 'customer', 'single', 'high', 'compensable', 'refund.cancel'],
  ['refund.small', 'write', 'customer', 'single', 'medium', 'compensable', 'refund.cancel'],
  ['refund.cancel', 'write', 'customer', 'single', 'medium', 'irreversible', null],
  ['credit.grant', 'write', 'customer', 'single', 'low', 'compensable', 'credit.revoke'],
  ['credit.revoke', 'write', 'customer', 'single', 'low', 'irreversible', null],
  ['reply.send', 'write', 'customer', 'single', 'low', 'compensable', 'reply.recall'],
  ['reply.recall', 'write', 'customer', 'single', 'low', 'irreversible', null],
])('%s: %s, %s, %s, %s, %s, taken back by %s', (name, mutability, dataClass, blastRadius, risk, reversibility, back) => {
  const operation = tool.operations.find(({ id }) => id === `desk.${name}`)
  expect(operation).toMatchObject({
    mutability,
    dataClass,
    blastRadius,
    risk,
    reversibility,
    maxAttempts: 3,
    secrets: ['desk-token'],
  })
  const output = {
    id: 'x',
    ticketId: 'x',
    invoiceId: 'x',
    state: 'closed',
    previousState: 'open',
    billingAddress: 'b',
    previousAddress: 'a',
  }
  expect(operation?.compensation?.({ arguments: {}, output })?.operation ?? null).toBe(back === null ? null : `desk.${back}`)
})

test('every write can be looked up, and there are no operations but these', () => {
  expect(tool.operations).toHaveLength(15)
  for (const { id, mutability, canReconcile, canVerify } of tool.operations) {
    expect([id, canReconcile, canVerify]).toEqual([id, mutability !== 'read', mutability !== 'read'])
  }
})

// Who learns of a call, what it aims at, and what in its answer is a stranger's or an echo.
test.each([
  ['ticket.read', 'none', [], ['/attachments']],
  ['ticket.set-state', 'internal', ['/ticketId'], ['/ticketId']],
  ['ticket.close-many', 'external', ['/ticketIds/*'], ['/tickets/*/id']],
  ['customer.read', 'none', [], []],
  ['invoice.list', 'none', [], ['/customerId']],
  ['invoice.read', 'none', [], []],
  ['invoice.correct-address', 'external', ['/invoiceId'], ['/billingAddress', '/invoiceId']],
  ['invoice.export', 'external', ['/customerId'], ['/customerId']],
  ['refund.create', 'external', ['/invoiceId'], ['/amountMinor', '/invoiceId', '/reason']],
  ['refund.small', 'external', ['/invoiceId'], ['/amountMinor', '/invoiceId', '/reason']],
  ['refund.cancel', 'external', ['/refundId'], ['/id']],
  ['credit.grant', 'external', ['/customerId'], ['/amountMinor', '/customerId', '/reason']],
  ['credit.revoke', 'external', ['/creditId'], ['/id']],
  ['reply.send', 'external', ['/recipient', '/ticketId'], ['/recipient', '/ticketId']],
  ['reply.recall', 'external', ['/messageId'], ['/id']],
])('%s is seen by: %s; aims at %j; not trusted by itself: %j', (name, egress, targets, doubtful) => {
  const flow = tool.operations.find(({ id }) => id === `desk.${name}`)?.flow
  const named = Object.entries(flow?.inputs ?? {}).filter(([, { role }]) => role === 'sink')
  const weak = Object.entries(flow?.outputs ?? {}).filter(([, { origin }]) => origin === 'third-party' || origin === 'arguments')
  expect(flow?.egress).toBe(egress)
  expect(named.map(([pointer]) => pointer).toSorted()).toEqual(targets)
  const written = weak.map(([pointer]) => pointer).filter((pointer) => !pointer.startsWith('/attachments/'))
  expect(written.toSorted()).toEqual(doubtful)
})

test.each([
  ['refund.small', { invoiceId: 'inv-1', amountMinor: 2001, reason: 'r' }, '/amountMinor'],
  ['credit.grant', { customerId: 'c-1', amountMinor: 2001, reason: 'r' }, '/amountMinor'],
  ['refund.create', { invoiceId: 'inv-1', amountMinor: -1, reason: 'r' }, '/amountMinor'],
  ['refund.create', { invoiceId: 'inv-1', amountMinor: 1.5, reason: 'r' }, '/amountMinor'],
  ['refund.create', { invoiceId: 'inv-1', amountMinor: 1, reason: 'r', reference: 'run-2.0' }, '/reference'],
  ['invoice.list', { customerId: 'c-*' }, '/customerId'],
  ['reply.send', { ticketId: 't-1', recipient: 'a@b.example, c@d.example', subject: 's', body: 'b' }, '/recipient'],
  ['ticket.close-many', { ticketIds: ['t-1', 't-1'] }, '/ticketIds'],
  ['ticket.close-many', { ticketIds: [] }, '/ticketIds'],
  ['ticket.set-state', { ticketId: 't-1', state: 'deleted' }, '/state'],
])('%s refuses %j', (name, args, path) => {
  const operation = tool.operations.find(({ id }) => id === `desk.${name}`)
  expect(operation?.input.parse(args)).toMatchObject({ ok: false, issues: [{ path }] })
})
