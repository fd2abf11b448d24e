import { z } from '@tidegate/tools'

/** The name of the secret that opens the desk. */
export const DESK_TOKEN = 'desk-token'
/** Attempts at a write: another one is made only when the desk, or a look-up, says that there was no effect. */
export const MAX_ATTEMPTS = 3

const idOf = (prefix: string, example: string) =>
  z.string().regex(new RegExp(`^${prefix}-[0-9]{1,12}$`), `must be one exact id such as ${example}`)

export const ticketId = idOf('t', 't-1001')
export const customerId = idOf('c', 'c-101')
export const invoiceId = idOf('inv', 'inv-5001')
export const refundId = idOf('rf', 'rf-1')
export const creditId = idOf('cr', 'cr-1')
export const messageId = idOf('ml', 'ml-1')

export const ticketState = z.enum(['open', 'pending', 'answered', 'closed'])
/** Cents, fen: the smallest unit of the currency. */
export const amountMinor = z.int().min(1).max(1_000_000_000_000)
export const reason = z.string().trim().min(1).max(1000)
/** A text that the desk holds and somebody else wrote. */
export const text = (max: number) => z.string().max(max)
