import { operation, z } from '@tidegate/tools'
import { type Http, pick } from '@tidegate/tools-http'
import { DESK_TOKEN, MAX_ATTEMPTS, messageId, text, ticketId } from './fields.ts'
import { echoed, kept, target, WORDS } from './flow.ts'
import { memberOf } from './member.ts'
import { lookUpPastCall } from './past-call.ts'

const MAIL_STATE = z.enum(['queued', 'sent', 'recalled'])
const MAIL = z.strictObject({ id: messageId, ticketId, recipient: text(254), state: MAIL_STATE })
const pickMail = pick('id', 'ticketId', 'recipient', 'state')

/** Answering a ticket by mail, and recalling a mail that still waits. */
export function replyOperations(http: Http) {
  return { 'reply.send': sendReply(http), 'reply.recall': recallReply(http) }
}

function sendReply(http: Http) {
  return operation({
    title: 'Send a reply',
    description: 'Puts one mail about a ticket into the outbox. It leaves after a while and can be recalled until then.',
    input: z.strictObject({
      ticketId,
      recipient: z.email().max(254),
      subject: z.string().trim().min(1).max(300),
      body: z.string().trim().min(1).max(20_000),
    }),
    output: MAIL,
    mutability: 'write',
    dataClass: 'customer',
    blastRadius: 'single',
    risk: 'low',
    nature: ['message', 'customer-visible'],
    reversibility: 'compensable',
    maxAttempts: MAX_ATTEMPTS,
    records: ['/ticketId'],
    origins: { '': 'system' },
    idempotency: 'key',
    flow: {
      inputs: { '/ticketId': target('identifier'), '/recipient': target('recipient'), '/subject': WORDS, '/body': WORDS },
      outputs: {
        '/id': kept('identifier'),
        '/ticketId': echoed('identifier'),
        '/recipient': echoed('recipient'),
        '/state': kept('enum'),
      },
      egress: 'external',
    },
    secrets: [DESK_TOKEN],
    execute: http.post('/outbox', {
      body: ({ arguments: args, effectId }) => ({ ...args, reference: effectId }),
      select: pickMail,
    }),
    preview: http.get('/tickets/{ticketId}', {
      select: (body, { arguments: args }) => ({ ticket: pick('id', 'customerId', 'state')(body), sends: { ...args } }),
    }),
    reconcile: http.lookUp('/outbox', { query: ({ effectId }) => ({ reference: effectId }), output: pickMail }),
    verify: http.check('/outbox', {
      query: ({ effectId }) => ({ reference: effectId }),
      holds: (body, { output }) => stateIn(body, output.id) === 'queued' || stateIn(body, output.id) === 'sent',
      says: 'the mail is in the outbox, or sent',
    }),
    compensate: { operation: 'reply.recall', arguments: ({ output }) => ({ messageId: output.id }) },
  })
}

function recallReply(http: Http) {
  return operation({
    title: 'Recall a reply',
    description: 'Takes one mail out of the outbox before it leaves. Too late once it is sent.',
    input: z.strictObject({ messageId }),
    output: z.strictObject({
      id: messageId,
      state: z.literal('recalled'),
      /** Under what the mail was sent; null when a look-up found the recall. */
      sentAs: text(200).nullable(),
    }),
    mutability: 'write',
    dataClass: 'customer',
    blastRadius: 'single',
    risk: 'low',
    nature: ['message', 'customer-visible'],
    reversibility: 'irreversible',
    maxAttempts: MAX_ATTEMPTS,
    records: ['/messageId'],
    origins: { '': 'system' },
    flow: {
      inputs: { '/messageId': target('identifier') },
      outputs: { '/id': echoed('identifier'), '/state': kept('enum'), '/sentAs': kept('identifier') },
      egress: 'external',
    },
    secrets: [DESK_TOKEN],
    execute: http.post('/outbox/{messageId}/recall', {
      body: ({ effectId }) => ({ reference: effectId }),
      select: (body) => ({ id: memberOf(body, 'id'), state: memberOf(body, 'state'), sentAs: memberOf(body, 'reference') }),
    }),
    reconcile: lookUpPastCall(http, {
      path: (args) => `/outbox/${args.messageId}/recall`,
      output: (args) => ({ id: args.messageId, state: 'recalled', sentAs: null }),
    }),
    verify: http.check('/outbox', {
      query: ({ output }) => ({ reference: output.sentAs ?? undefined, limit: 500 }),
      holds: (body, facts) => stateIn(body, facts.arguments.messageId) === 'recalled',
      says: 'the mail is recalled',
    }),
  })
}

/** The state of one mail in a list of the outbox; null when it is not there. */
function stateIn(body: Parameters<typeof memberOf>[0], id: string) {
  const items = memberOf(body, 'items')
  return Array.isArray(items) ? memberOf(items.find((item) => memberOf(item, 'id') === id) ?? null, 'state') : null
}
