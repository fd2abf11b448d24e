import type { Json } from '@tidegate/kernel'
import { done, operation, type ToolCall, z } from '@tidegate/tools'
import { type Http, pick } from '@tidegate/tools-http'
import { DESK_TOKEN, MAX_ATTEMPTS, text, ticketId, ticketState } from './fields.ts'
import { byAnybody, byCustomer, echoed, kept, target, value } from './flow.ts'
import { memberOf } from './member.ts'
import { callFor, lookUpPastCall } from './past-call.ts'

const MAX_CLOSED = 50

const ATTACHMENT = z.strictObject({ name: text(200), mime: text(100), text: text(65_536) })

/** A state as it was before; null when a look-up found the change and nobody can tell any more. */
const previousState = ticketState.nullable()

/** Reading, moving and closing tickets. */
export function ticketOperations(http: Http) {
  return { 'ticket.read': readTicket(http), 'ticket.set-state': setState(http), 'ticket.close-many': closeMany(http) }
}

function readTicket(http: Http) {
  return operation({
    title: 'Read a ticket',
    description:
      'Reads one ticket with its text and attachments. Subject and body are the words of the person who wrote in; attachments may be by anybody.',
    input: z.strictObject({ ticketId }),
    output: z.strictObject({
      id: ticketId,
      customerId: text(64),
      subject: text(300),
      body: text(65_536),
      attachments: z.array(ATTACHMENT).max(20),
      severity: z.int().min(1).max(4),
      state: ticketState,
    }),
    mutability: 'read',
    dataClass: 'customer',
    blastRadius: 'single',
    risk: 'low',
    records: ['/ticketId'],
    origins: {
      '/id': 'system',
      '/customerId': 'system',
      '/severity': 'system',
      '/state': 'system',
      '/subject': 'user',
      '/body': 'user',
      '/attachments': 'third-party',
      '/attachments/*/text': 'third-party',
    },
    flow: {
      inputs: { '/ticketId': value('identifier') },
      outputs: {
        '/id': kept('identifier'),
        '/customerId': kept('identifier'),
        '/severity': kept('number'),
        '/state': kept('enum'),
        '/subject': byCustomer('text'),
        '/body': byCustomer('text'),
        '/attachments': byAnybody('text'),
      },
      egress: 'none',
    },
    secrets: [DESK_TOKEN],
    execute: http.get('/tickets/{ticketId}', {
      select: pick('id', 'customerId', 'subject', 'body', 'attachments', 'severity', 'state'),
    }),
  })
}

function setState(http: Http) {
  return operation({
    title: 'Change the state of a ticket',
    description: 'Marks one ticket as open, pending, answered or closed.',
    input: z.strictObject({ ticketId, state: ticketState }),
    output: z.strictObject({ ticketId, state: ticketState, previousState }),
    mutability: 'write',
    dataClass: 'internal',
    blastRadius: 'single',
    risk: 'low',
    nature: [],
    reversibility: 'reversible',
    maxAttempts: MAX_ATTEMPTS,
    records: ['/ticketId'],
    origins: { '/ticketId': 'system', '/state': 'system', '/previousState': 'system' },
    flow: {
      inputs: { '/ticketId': target('identifier'), '/state': value('enum') },
      outputs: { '/ticketId': echoed('identifier'), '/state': kept('enum'), '/previousState': kept('enum') },
      egress: 'internal',
    },
    secrets: [DESK_TOKEN],
    execute: http.post('/tickets/{ticketId}/state', {
      body: (facts) => ({ state: facts.arguments.state, reference: facts.effectId }),
      select: (body, facts) => ({
        ticketId: facts.arguments.ticketId,
        state: memberOf(memberOf(body, 'ticket'), 'state'),
        previousState: memberOf(body, 'previousState'),
      }),
    }),
    preview: http.get('/tickets/{ticketId}', {
      select: (body, facts) => ({
        ticketId: facts.arguments.ticketId,
        before: { state: memberOf(body, 'state') },
        after: { state: facts.arguments.state },
      }),
    }),
    reconcile: lookUpPastCall(http, {
      path: (args) => `/tickets/${args.ticketId}/state`,
      output: (args) => ({ ...args, previousState: null }),
    }),
    verify: http.check('/tickets/{ticketId}', {
      holds: (body, facts) => memberOf(body, 'state') === facts.arguments.state,
      says: 'the ticket is in the state that was asked for',
    }),
    compensate: {
      operation: 'ticket.set-state',
      arguments: ({ output }) => {
        if (output.previousState === null) return 'unknown'
        return output.previousState === output.state ? 'nothing' : { ticketId: output.ticketId, state: output.previousState }
      },
    },
  })
}

function closeMany(http: Http) {
  const ticketIds = z
    .array(ticketId)
    .min(1)
    .max(MAX_CLOSED)
    .refine((ids) => new Set(ids).size === ids.length, 'must name each ticket once')
  const readState = http.get<{ ticketId: string }>('/tickets/{ticketId}', { select: pick('id', 'customerId', 'state') })
  return operation({
    title: 'Close several tickets',
    description: `Closes up to ${MAX_CLOSED} tickets, named one by one: all of them or, when one does not exist, none.`,
    input: z.strictObject({ ticketIds }),
    output: z.strictObject({
      tickets: z.array(z.strictObject({ id: ticketId, previousState, state: z.literal('closed') })).max(MAX_CLOSED),
    }),
    mutability: 'write',
    dataClass: 'internal',
    blastRadius: 'batch',
    risk: 'high',
    nature: ['customer-visible'],
    // Each ticket can be put back by itself, but no single call puts back them all.
    reversibility: 'irreversible',
    maxAttempts: MAX_ATTEMPTS,
    records: ['/ticketIds'],
    maxRecords: MAX_CLOSED,
    origins: { '/tickets': 'system' },
    flow: {
      inputs: { '/ticketIds/*': target('identifier') },
      outputs: {
        '/tickets/*/id': echoed('identifier'),
        '/tickets/*/previousState': kept('enum'),
        '/tickets/*/state': kept('enum'),
      },
      egress: 'external', // the customers see it
    },
    secrets: [DESK_TOKEN],
    execute: http.post('/tickets/close', {
      body: (facts) => ({ ticketIds: [...facts.arguments.ticketIds], reference: facts.effectId }),
      select: pick('tickets'),
    }),
    async preview(call) {
      const tickets: Json[] = []
      for (const id of call.arguments.ticketIds) {
        const read = await readState(callFor(call, { ticketId: id }))
        if (read.kind === 'failed') return read
        tickets.push(read.output)
      }
      return done({ closes: tickets })
    },
    reconcile: lookUpPastCall<{ ticketIds: string[] }>(http, {
      path: () => '/tickets/close',
      output: (args) => ({ tickets: args.ticketIds.map((id) => ({ id, previousState: null, state: 'closed' })) }),
    }),
    async verify(call: ToolCall<{ ticketIds: string[] }>) {
      for (const id of call.arguments.ticketIds) {
        const read = await readState(callFor(call, { ticketId: id }))
        if (read.kind === 'failed') return { holds: false, detail: `Could not be looked at. ${read.message}` }
        if (memberOf(read.output, 'state') !== 'closed') return { holds: false, detail: `Not seen: ticket ${id} is not closed.` }
      }
      return { holds: true, detail: 'Seen: each of the tickets is closed.' }
    },
  })
}
