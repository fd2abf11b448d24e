import type { Credits, Invoices, Refunds } from './billing.ts'
import type { Calls } from './calls.ts'
import { type Outbox, TICKET_STATES, type Tickets } from './conversation.ts'
import type { FaultPlan } from './faults.ts'
import { integer, listOf, oneOf, optional, record, text } from './fields.ts'
import { DeskProblem } from './problem.ts'

/** The whole desk behind its HTTP face. */
export interface Desk {
  readonly tickets: Tickets
  readonly invoices: Invoices
  readonly refunds: Refunds
  readonly credits: Credits
  readonly outbox: Outbox
  readonly calls: Calls
  /** Absent unless the desk was started with faults. */
  readonly faults: FaultPlan | undefined
}

/** One call, authenticated and parsed; `input` is whatever JSON the caller sent. */
export interface Call {
  readonly id: string
  readonly query: ReadonlyMap<string, string>
  readonly input: unknown
  readonly idempotencyKey: string | undefined
}

export interface Answer {
  readonly status: number
  readonly body: unknown
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** A path whose `:id` stands for one segment. */
  readonly pattern: string
  /** Whether the call changes the desk and is therefore recorded and run in a transaction. */
  readonly mutates: boolean
  /** The query parameters it understands; any other is refused. */
  readonly queries: readonly string[]
  readonly answer: (call: Call) => Answer
}

/** Attachments as the API and the ticket files carry them. */
export const ATTACHMENTS = listOf(record({ name: text(200), mime: text(100), text: text(65_536, { multiline: true }) }), {
  min: 0,
  max: 20,
})

/** The fields that a ticket of the API and a ticket of a file have in common. */
export const TICKET_FIELDS = {
  customerId: text(64),
  subject: text(300),
  body: text(65_536, { multiline: true }),
  severity: integer(1, 4),
}

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 500
const id = text(64)
const reference = text(200)
const reason = text(1000, { multiline: true })
const amountMinor = integer(1, 1_000_000_000_000)

const TICKET = record({
  ...TICKET_FIELDS,
  attachments: optional(ATTACHMENTS),
  eventId: optional(id),
  reference: optional(reference),
})
const STATE = record({ state: oneOf(...TICKET_STATES), reference })
const CLOSE = record({ ticketIds: listOf(id, { min: 1, max: 500 }), reference })
const ADDRESS = record({ billingAddress: text(500, { multiline: true }), version: optional(integer(1, 1e9)), reference })
const REFUND = record({ invoiceId: id, amountMinor, reason, reference })
const REFUND_PREVIEW = record({ invoiceId: id, amountMinor, reason: optional(reason), reference: optional(reference) })
const CREDIT = record({ customerId: id, amountMinor, reason, reference })
const CREDIT_PREVIEW = record({ customerId: id, amountMinor, reason: optional(reason), reference: optional(reference) })
const MAIL = record({
  ticketId: id,
  recipient: text(254),
  subject: text(300),
  body: text(65_536, { multiline: true }),
  reference,
})
const EXPORT = record({ customerId: id, reference })
const UNDO = record({ reference })

/** The routes of the desk as a table: what is not in it does not exist. */
export function createRoutes(desk: Desk): readonly Route[] {
  const { tickets, invoices, refunds, credits, outbox, calls, faults } = desk
  const byReference = ['reference', 'limit']
  const routes: Route[] = [
    get('/health', [], () => ({ status: 'ok' })),
    get('/tickets', ['state', 'limit'], ({ query }) => tickets.list(stateOf(query), limitOf(query))),
    get('/tickets/:id', [], (call) => tickets.ticket(call.id)),
    post('/tickets', 201, ({ input }) => {
      const { attachments = [], ...ticket } = TICKET(input, 'body')
      return tickets.add({ ...ticket, attachments })
    }),
    post('/tickets/close', 200, ({ input }) => ({ tickets: tickets.close(CLOSE(input, 'body').ticketIds) })),
    post('/tickets/:id/state', 200, (call) => tickets.changeState(call.id, STATE(call.input, 'body').state)),
    get('/customers/:id', [], (call) => invoices.customer(call.id)),
    get('/customers/:id/invoices', ['limit'], (call) => invoices.ofCustomer(call.id, limitOf(call.query))),
    get('/invoices/:id', [], (call) => invoices.invoice(call.id)),
    post('/invoices/:id/address', 200, (call) => invoices.readdress(call.id, ADDRESS(call.input, 'body'))),
    ask('/refunds/preview', ({ input }) => refunds.preview(REFUND_PREVIEW(input, 'body'))),
    post('/refunds', 201, ({ input }) => refunds.add(REFUND(input, 'body'))),
    get('/refunds', byReference, ({ query }) => refunds.list(query.get('reference') ?? null, limitOf(query))),
    get('/refunds/:id', [], (call) => refunds.refund(call.id)),
    undo('/refunds/:id/cancel', refunds.cancel),
    ask('/credits/preview', ({ input }) => credits.preview(CREDIT_PREVIEW(input, 'body'))),
    post('/credits', 201, ({ input }) => credits.add(CREDIT(input, 'body'))),
    get('/credits', byReference, ({ query }) => credits.list(query.get('reference') ?? null, limitOf(query))),
    get('/credits/:id', [], (call) => credits.credit(call.id)),
    undo('/credits/:id/revoke', credits.revoke),
    post('/outbox', 201, (call) => outbox.add(mailOf(call.input), call.idempotencyKey)),
    get('/outbox', byReference, ({ query }) => outbox.list(query.get('reference') ?? null, limitOf(query))),
    undo('/outbox/:id/recall', outbox.recall),
    post('/exports', 201, ({ input }) => {
      const order = EXPORT(input, 'body')
      return invoices.export(order.customerId, order.reference)
    }),
    get('/exports', byReference, ({ query }) => invoices.exports(query.get('reference') ?? null, limitOf(query))),
    get('/calls', byReference, ({ query }) => calls.list(query.get('reference') ?? null, limitOf(query))),
  ]
  if (faults === undefined) return routes
  const clear = (): Answer => {
    faults.clear()
    return answerOf(200, { cleared: true })
  }
  const forget: Route = { method: 'DELETE', pattern: '/faults', mutates: false, queries: [], answer: clear }
  return [...routes, ask('/faults', ({ input }) => faults.plan(input)), forget]
}

function get(pattern: string, queries: readonly string[], answer: (call: Call) => unknown): Route {
  return { method: 'GET', pattern, mutates: false, queries, answer: (call) => answerOf(200, answer(call)) }
}

function post(pattern: string, status: 200 | 201, answer: (call: Call) => unknown): Route {
  return { method: 'POST', pattern, mutates: true, queries: [], answer: (call) => answerOf(status, answer(call)) }
}

/** A POST that takes something back, with nothing but the reference of who does so. */
function undo(pattern: string, takeBack: (id: string) => unknown): Route {
  return post(pattern, 200, (call) => {
    UNDO(call.input, 'body')
    return takeBack(call.id)
  })
}

/** A POST that changes nothing: a question whose parameters are a body. */
function ask(pattern: string, answer: (call: Call) => unknown): Route {
  return { method: 'POST', pattern, mutates: false, queries: [], answer: (call) => answerOf(200, answer(call)) }
}

function answerOf(status: number, body: unknown): Answer {
  return { status, body }
}

function mailOf(input: unknown) {
  const mail = MAIL(input, 'body')
  if (!/^[^\s@]+@[^\s@]+$/.test(mail.recipient))
    throw new DeskProblem('invalid_field', 'body.recipient must be one mail address.')
  return mail
}

function stateOf(query: ReadonlyMap<string, string>) {
  const given = query.get('state')
  if (given === undefined) return null
  const state = TICKET_STATES.find((candidate) => candidate === given)
  if (state === undefined) throw new DeskProblem('invalid_query', `state must be one of ${TICKET_STATES.join(', ')}.`)
  return state
}

function limitOf(query: ReadonlyMap<string, string>): number {
  const given = query.get('limit')
  if (given === undefined) return DEFAULT_LIMIT
  const limit = Number(given)
  if (!/^[0-9]{1,3}$/.test(given) || limit < 1 || limit > MAX_LIMIT) {
    throw new DeskProblem('invalid_query', `limit must be a whole number from 1 to ${MAX_LIMIT}.`)
  }
  return limit
}
