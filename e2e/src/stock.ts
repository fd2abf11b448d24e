import { DatabaseSync } from 'node:sqlite'
import type { NewTicket } from './ticket.ts'

/** A customer of the desk that was added for a test. */
export interface Customer {
  readonly id: string
  readonly invoices: readonly [string, string]
  /** The mail system of the recipient rejects what is sent there. */
  readonly bounces: boolean
}

/** Every so many customers one cannot be reached by mail. */
const BOUNCES_EVERY = 4

/** The nth customer, from 0: c-20000 with invoices inv-40000 and inv-40001, and so on. */
export function customerOf(n: number): Customer {
  return { id: `c-${20_000 + n}`, invoices: [`inv-${40_000 + 2 * n}`, `inv-${40_001 + 2 * n}`], bounces: n % BOUNCES_EVERY === 1 }
}

/** Adds customers with two paid invoices of 100,000.00 each to the file of a desk, also of one that runs. */
export function stockDesk(file: string, count: number): void {
  if (count === 0) return
  const db = new DatabaseSync(file)
  try {
    db.exec('PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE')
    const addCustomer = db.prepare("INSERT INTO customers VALUES (?, ?, ?, 'team', 'en-IE', 'EUR', 'active')")
    const addInvoice = db.prepare(
      "INSERT INTO invoices VALUES (?, ?, ?, 10000000, 'EUR', 'paid', 'Old Street 1, 10115 Berlin', 1, '2025-11-03T08:00:00.000Z')",
    )
    for (let n = 0; n < count; n++) {
      const { id, invoices, bounces } = customerOf(n)
      addCustomer.run(id, `Customer ${n}`, `customer-${n}@${bounces ? 'bounce' : 'customer'}.example`)
      for (const invoice of invoices) addInvoice.run(invoice, id, `2025-${invoice.slice(4)}`)
    }
    db.exec('COMMIT')
  } finally {
    db.close()
  }
}

/** Writes tickets into the file of a desk at once, and answers their ids: t-900000 and up. */
export function stockTickets(file: string, tickets: readonly NewTicket[]): readonly string[] {
  const db = new DatabaseSync(file)
  try {
    db.exec('PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE')
    const first = 900_000 + Number(db.prepare('SELECT count(*) AS n FROM tickets').get()?.n)
    const add = db.prepare("INSERT INTO tickets VALUES (?, ?, ?, ?, ?, ?, 'open', ?, '2025-11-03T08:00:00.000Z')")
    const ids = tickets.map((_, i) => `t-${first + i}`)
    for (const [i, { customerId, subject, body, severity, attachments = [] }] of tickets.entries()) {
      add.run(ids[i] ?? '', customerId, subject, body, JSON.stringify(attachments), severity, `evt-${ids[i]}`)
    }
    db.exec('COMMIT')
    return ids
  } finally {
    db.close()
  }
}
