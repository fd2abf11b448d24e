import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Tickets } from './conversation.ts'
import { optional, record, text } from './fields.ts'
import { DeskProblem } from './problem.ts'
import { ATTACHMENTS, TICKET_FIELDS } from './routes.ts'

const TICKET_FILE = record({
  about: text(500),
  id: text(6),
  ...TICKET_FIELDS,
  attachments: optional(ATTACHMENTS),
  eventId: text(64),
  updatedAt: text(24),
})

/**
 * Loads every `*.json` of a directory as a ticket and returns how many there were. The files own the ids t-1000 to t-1999 (the
 * API starts at t-2001); a ticket that exists keeps its state. `about` is for people and is not stored.
 */
export function loadTicketFiles(directory: string, tickets: Tickets): number {
  const names = readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .sort()
  for (const name of names) {
    try {
      const { attachments = [], ...ticket } = TICKET_FILE(JSON.parse(readFileSync(join(directory, name), 'utf8')), 'ticket')
      if (`${ticket.id}.json` !== name || !/^t-1[0-9]{3}$/.test(ticket.id)) {
        throw new DeskProblem('options_invalid', 'the file must be named after its id, t-1000 to t-1999.')
      }
      tickets.load({ ...ticket, attachments })
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new DeskProblem('options_invalid', `The ticket file ${name} cannot be loaded: ${why}`, { cause })
    }
  }
  return names.length
}
