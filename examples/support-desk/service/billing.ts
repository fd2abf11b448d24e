import { type Ground, integerOf, nextId, only, type Page, page, type Row } from './database.ts'
import { DeskProblem } from './problem.ts'

const CUSTOMER = 'id, name, email, plan, locale, currency, status'
const INVOICE = `id, customer_id AS customerId, number, amount_minor AS amountMinor, currency, state,
  billing_address AS billingAddress, version, updated_at AS updatedAt`
const REFUND = 'id, invoice_id AS invoiceId, amount_minor AS amountMinor, reason, reference, state, created_at AS createdAt'
const CREDIT = 'id, customer_id AS customerId, amount_minor AS amountMinor, reason, reference, state'
const EXPORT = 'id, customer_id AS customerId, reference'

/** Everyone: the export of every customer at once. The desk does it when asked; whether it may be asked is not its business. */
const EVERYBODY = '*'

export interface RefundOrder {
  readonly invoiceId: string
  readonly amountMinor: number
  readonly reason: string
  readonly reference: string
}

export interface CreditOrder {
  readonly customerId: string
  readonly amountMinor: number
  readonly reason: string
  readonly reference: string
}

export type Invoices = ReturnType<typeof createInvoices>
export type Refunds = ReturnType<typeof createRefunds>
export type Credits = ReturnType<typeof createCredits>

/** Customers, their invoices and the export of both. Addresses change as often as they are told to: nothing here is idempotent. */
export function createInvoices({ db, now }: Ground) {
  const customerById = db.prepare(`SELECT ${CUSTOMER} FROM customers WHERE id = ?`)
  const invoiceById = db.prepare(`SELECT ${INVOICE} FROM invoices WHERE id = ?`)
  const invoicesOf = db.prepare(`SELECT ${INVOICE} FROM invoices WHERE customer_id = ? ORDER BY id LIMIT ?`)
  const readdress = db.prepare(
    `UPDATE invoices SET billing_address = ?, version = version + 1, updated_at = ? WHERE id = ? RETURNING ${INVOICE}`,
  )
  const addExport = db.prepare(
    `INSERT INTO exports (id, customer_id, reference) VALUES (${nextId('exports', 'ex')}, ?, ?) RETURNING ${EXPORT}`,
  )
  const counts = db.prepare(`SELECT count(DISTINCT c.id) AS customers, count(i.id) AS invoices
    FROM customers c LEFT JOIN invoices i ON i.customer_id = c.id WHERE ?1 = '${EVERYBODY}' OR c.id = ?1`)
  const exports = db.prepare(`SELECT ${EXPORT} FROM exports WHERE ?1 IS NULL OR reference = ?1 ORDER BY rowid LIMIT ?2`)

  function customer(id: string): Row {
    const row = customerById.get(id)
    if (row === undefined) throw new DeskProblem('customer_unknown', `There is no customer ${id}.`)
    return row
  }

  function invoice(id: string): Row {
    const row = invoiceById.get(id)
    if (row === undefined) throw new DeskProblem('invoice_unknown', `There is no invoice ${id}.`)
    return row
  }

  return {
    customer,
    invoice,
    ofCustomer(id: string, limit: number): Page {
      customer(id)
      return page(invoicesOf, [id], limit)
    },
    /** Writes another address on an invoice; with `version`, only if the invoice still is at that version. */
    readdress(id: string, order: { readonly billingAddress: string; readonly version: number | undefined }) {
      const before = invoice(id)
      if (before.state === 'void') throw new DeskProblem('invoice_void', `Invoice ${id} is void and cannot change.`)
      if (order.version !== undefined && order.version !== integerOf(before, 'version')) {
        throw new DeskProblem('version_conflict', `Invoice ${id} is at version ${before.version}. Read it again.`)
      }
      const after = only(readdress.get(order.billingAddress, new Date(now()).toISOString(), id))
      return { invoice: after, previousAddress: before.billingAddress }
    },
    export(customerId: string, reference: string) {
      if (customerId !== EVERYBODY) customer(customerId)
      const scope = only(counts.get(customerId))
      return { export: only(addExport.get(customerId, reference)), customers: scope.customers, invoices: scope.invoices }
    },
    exports: (reference: string | null, limit: number): Page => page(exports, [reference], limit),
  }
}

/** Refunds of paid invoices. The same reference twice makes two refunds, as long as the invoice has that much left. */
export function createRefunds({ db, now }: Ground, invoices: Invoices) {
  const add = db.prepare(`INSERT INTO refunds (id, invoice_id, amount_minor, reason, reference, state, created_at)
    VALUES (${nextId('refunds', 'rf')}, ?, ?, ?, ?, 'active', ?) RETURNING ${REFUND}`)
  const byId = db.prepare(`SELECT ${REFUND} FROM refunds WHERE id = ?`)
  const list = db.prepare(`SELECT ${REFUND} FROM refunds WHERE ?1 IS NULL OR reference = ?1 ORDER BY rowid LIMIT ?2`)
  const cancel = db.prepare(`UPDATE refunds SET state = 'cancelled' WHERE id = ? RETURNING ${REFUND}`)
  const refunded = db.prepare(
    `SELECT coalesce(sum(amount_minor), 0) AS total FROM refunds WHERE invoice_id = ? AND state = 'active'`,
  )

  /** What the refund would do, without doing it; fails exactly as the refund would. Amounts in minor units. */
  function preview(order: Pick<RefundOrder, 'invoiceId' | 'amountMinor'>) {
    const invoice = invoices.invoice(order.invoiceId)
    if (invoice.state !== 'paid') {
      throw new DeskProblem(
        'invoice_not_paid',
        `Invoice ${order.invoiceId} is ${invoice.state}. Only a paid one can be refunded.`,
      )
    }
    const refundable = integerOf(invoice, 'amountMinor') - integerOf(only(refunded.get(order.invoiceId)), 'total')
    if (order.amountMinor > refundable) {
      throw new DeskProblem('amount_exceeds_refundable', `Of invoice ${order.invoiceId}, ${refundable} minor units are left.`)
    }
    return { invoice, refundable, after: refundable - order.amountMinor }
  }

  function refund(id: string): Row {
    const row = byId.get(id)
    if (row === undefined) throw new DeskProblem('refund_unknown', `There is no refund ${id}.`)
    return row
  }

  return {
    preview,
    refund,
    list: (reference: string | null, limit: number): Page => page(list, [reference], limit),
    add(order: RefundOrder): Row {
      preview(order)
      return only(add.get(order.invoiceId, order.amountMinor, order.reason, order.reference, new Date(now()).toISOString()))
    },
    cancel(id: string): Row {
      if (refund(id).state !== 'active') throw new DeskProblem('refund_not_active', `Refund ${id} was cancelled before.`)
      return only(cancel.get(id))
    },
  }
}

/** Goodwill credits, in the currency of the customer. The same reference twice makes two credits. */
export function createCredits({ db }: Ground, invoices: Invoices) {
  const add = db.prepare(`INSERT INTO credits (id, customer_id, amount_minor, reason, reference, state)
    VALUES (${nextId('credits', 'cr')}, ?, ?, ?, ?, 'active') RETURNING ${CREDIT}`)
  const byId = db.prepare(`SELECT ${CREDIT} FROM credits WHERE id = ?`)
  const list = db.prepare(`SELECT ${CREDIT} FROM credits WHERE ?1 IS NULL OR reference = ?1 ORDER BY rowid LIMIT ?2`)
  const revoke = db.prepare(`UPDATE credits SET state = 'revoked' WHERE id = ? RETURNING ${CREDIT}`)
  const credited = db.prepare(
    `SELECT coalesce(sum(amount_minor), 0) AS total FROM credits WHERE customer_id = ? AND state = 'active'`,
  )

  /** What the credit would do, without doing it; `balance` and `after` are the active credits in minor units. */
  function preview(order: Pick<CreditOrder, 'customerId' | 'amountMinor'>) {
    const customer = invoices.customer(order.customerId)
    if (customer.status !== 'active') throw new DeskProblem('customer_closed', `The account ${order.customerId} is closed.`)
    const balance = integerOf(only(credited.get(order.customerId)), 'total')
    return { customer, balance, after: balance + order.amountMinor }
  }

  function credit(id: string): Row {
    const row = byId.get(id)
    if (row === undefined) throw new DeskProblem('credit_unknown', `There is no credit ${id}.`)
    return row
  }

  return {
    preview,
    credit,
    list: (reference: string | null, limit: number): Page => page(list, [reference], limit),
    add(order: CreditOrder): Row {
      preview(order)
      return only(add.get(order.customerId, order.amountMinor, order.reason, order.reference))
    },
    revoke(id: string): Row {
      if (credit(id).state !== 'active') throw new DeskProblem('credit_not_active', `Credit ${id} was revoked before.`)
      return only(revoke.get(id))
    },
  }
}
