import { createHash } from 'node:crypto'
import { type Ground, nextId, only, type Page, page, type Row } from './database.ts'
import { DeskProblem } from './problem.ts'

const TICKET =
  'id, customer_id AS customerId, subject, body, attachments, severity, state, event_id AS eventId, updated_at AS updatedAt'
const MAIL = 'id, ticket_id AS ticketId, recipient, subject, body, reference, state, queued_at AS queuedAt'

/** The states of a ticket. Every change between them is allowed; reopening is how a wrong close is undone. */
export const TICKET_STATES = ['open', 'pending', 'answered', 'closed'] as const

export type TicketState = (typeof TICKET_STATES)[number]

/** A ticket as it is written, by the API or from a file. `attachments` hold text that a stranger wrote. */
export interface NewTicket {
  readonly customerId: string
  readonly subject: string
  readonly body: string
  readonly attachments: readonly { readonly name: string; readonly mime: string; readonly text: string }[]
  readonly severity: number
}

export interface MailOrder {
  readonly ticketId: string
  readonly recipient: string
  readonly subject: string
  readonly body: string
  readonly reference: string
}

export type Tickets = ReturnType<typeof createTickets>
export type Outbox = ReturnType<typeof createOutbox>

/** The tickets. Their customer need not exist: anybody may write to a desk. State changes are not idempotent. */
export function createTickets({ db, now }: Ground) {
  const byId = db.prepare(`SELECT ${TICKET} FROM tickets WHERE id = ?`)
  const list = db.prepare(`SELECT ${TICKET} FROM tickets WHERE ?1 IS NULL OR state = ?1 ORDER BY id LIMIT ?2`)
  const columns = '(id, customer_id, subject, body, attachments, severity, state, event_id, updated_at)'
  const add = db.prepare(`INSERT INTO tickets ${columns}
    SELECT next.id, ?, ?, ?, ?, ?, 'open', coalesce(?, 'evt-' || next.id), ? FROM (SELECT ${nextId('tickets', 't', 2000)} AS id) next
    RETURNING ${TICKET}`)
  const load = db.prepare(`INSERT INTO tickets ${columns} VALUES (?, ?, ?, ?, ?, ?, 'open', ?, ?) ON CONFLICT (id) DO NOTHING`)
  const change = db.prepare(`UPDATE tickets SET state = ?, updated_at = ? WHERE id = ? RETURNING ${TICKET}`)

  function stored(id: string): Row {
    const row = byId.get(id)
    if (row === undefined) throw new DeskProblem('ticket_unknown', `There is no ticket ${id}.`)
    return row
  }

  function changeState(id: string, state: TicketState) {
    const previousState = stored(id).state
    return { ticket: rendered(only(change.get(state, new Date(now()).toISOString(), id))), previousState }
  }

  return {
    ticket: (id: string) => rendered(stored(id)),
    list(state: TicketState | null, limit: number) {
      const { items, complete } = page(list, [state], limit)
      return { items: items.map(rendered), complete }
    },
    /** Adds a ticket as t-2001 and up, open. Without an event id it gets one of its own. */
    add(ticket: NewTicket & { readonly eventId: string | undefined }) {
      const { customerId, subject, body, attachments, severity, eventId } = ticket
      const at = new Date(now()).toISOString()
      return rendered(only(add.get(customerId, subject, body, JSON.stringify(attachments), severity, eventId ?? null, at)))
    },
    /** Adds a ticket of a file under its own id; one that is there already stays as it is. */
    load(ticket: NewTicket & { readonly id: string; readonly eventId: string; readonly updatedAt: string }): void {
      const { id, customerId, subject, body, attachments, severity, eventId, updatedAt } = ticket
      load.run(id, customerId, subject, body, JSON.stringify(attachments), severity, eventId, updatedAt)
    },
    changeState,
    /** Closes all of them or, when one does not exist, none (the caller's transaction). */
    close: (ids: readonly string[]) =>
      ids.map((id) => ({ id, previousState: changeState(id, 'closed').previousState, state: 'closed' })),
  }
}

/**
 * The outgoing mail. A mail waits in the outbox for `sendAfterMs` and is then sent; only a waiting one can be recalled.
 *
 * The one place of the desk that honours an idempotency key: same key and same body gives the first answer again, another body
 * is `idempotency_conflict`. The key is kept in the transaction of the mail, so that no crash can part them.
 */
export function createOutbox({ db, now }: Ground, tickets: Tickets, sendAfterMs: number) {
  const add = db.prepare(`INSERT INTO outbox (id, ticket_id, recipient, subject, body, reference, state, queued_at)
    VALUES (${nextId('outbox', 'ml')}, ?, ?, ?, ?, ?, 'queued', ?) RETURNING ${MAIL}`)
  const list = db.prepare(`SELECT ${MAIL} FROM outbox WHERE ?1 IS NULL OR reference = ?1 ORDER BY rowid LIMIT ?2`)
  const byId = db.prepare(`SELECT ${MAIL} FROM outbox WHERE id = ?`)
  const recall = db.prepare(`UPDATE outbox SET state = 'recalled' WHERE id = ? RETURNING ${MAIL}`)
  const send = db.prepare(`UPDATE outbox SET state = 'sent' WHERE state = 'queued' AND queued_at <= ?`)
  const keyed = db.prepare('SELECT digest, answer FROM outbox_keys WHERE key = ?')
  const keep = db.prepare('INSERT INTO outbox_keys (key, digest, answer) VALUES (?, ?, ?)')
  const sendDue = () => send.run(new Date(now() - sendAfterMs).toISOString())

  function queue(order: MailOrder): Row {
    const { ticketId, recipient, subject, body, reference } = order
    tickets.ticket(ticketId)
    if (recipient.toLowerCase().endsWith('@bounce.example')) {
      throw new DeskProblem('recipient_rejected', 'The mail system of the recipient rejects this address.')
    }
    return only(add.get(ticketId, recipient, subject, body, reference, new Date(now()).toISOString()))
  }

  return {
    add(order: MailOrder, key: string | undefined): unknown {
      if (key === undefined) return queue(order)
      const fields = [order.ticketId, order.recipient, order.subject, order.body, order.reference]
      const digest = createHash('sha256').update(JSON.stringify(fields)).digest('hex')
      const first = keyed.get(key)
      if (first === undefined) {
        const mail = queue(order)
        keep.run(key, digest, JSON.stringify(mail))
        return mail
      }
      if (first.digest !== digest)
        throw new DeskProblem('idempotency_conflict', 'This idempotency key was used for another mail.')
      return JSON.parse(String(first.answer))
    },
    list(reference: string | null, limit: number): Page {
      sendDue()
      return page(list, [reference], limit)
    },
    recall(id: string): Row {
      sendDue()
      const mail = byId.get(id)
      if (mail === undefined) throw new DeskProblem('mail_unknown', `There is no mail ${id}.`)
      if (mail.state === 'sent') throw new DeskProblem('already_sent', `Mail ${id} was sent and cannot be recalled.`)
      if (mail.state === 'recalled') throw new DeskProblem('already_recalled', `Mail ${id} was recalled before.`)
      return only(recall.get(id))
    },
  }
}

function rendered(row: Row): Record<string, unknown> {
  return { ...row, attachments: JSON.parse(String(row.attachments)) }
}
