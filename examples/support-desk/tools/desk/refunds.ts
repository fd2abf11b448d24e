import { operation, z } from '@tidegate/tools'
import { type Http, pick } from '@tidegate/tools-http'
import { amountMinor, DESK_TOKEN, MAX_ATTEMPTS, invoiceId, reason, refundId, text } from './fields.ts'
import { echoed, kept, target, value, WORDS } from './flow.ts'
import { memberOf } from './member.ts'
import { lookUpPastCall } from './past-call.ts'

/** A refund up to this is small: EUR 20. */
const SMALL_MINOR = 2000

const REFUND = z.strictObject({
  id: refundId,
  invoiceId,
  amountMinor,
  reason: text(1000),
  state: z.enum(['active', 'cancelled']),
})
const pickRefund = pick('id', 'invoiceId', 'amountMinor', 'reason', 'state')

/** Refunding an invoice, in two sizes, and cancelling a refund. */
export function refundOperations(http: Http) {
  return {
    'refund.create': refund(http, {
      title: 'Refund an invoice',
      description: 'Pays back part or all of one paid invoice.',
      amount: amountMinor,
      risk: 'high',
    }),
    'refund.small': refund(http, {
      title: 'Refund a small amount',
      description: `Pays back up to ${SMALL_MINOR} minor units of one paid invoice.`,
      amount: z.int().min(1).max(SMALL_MINOR),
      risk: 'medium',
    }),
    'refund.cancel': cancelRefund(http),
  }
}

interface RefundSize {
  readonly title: string
  readonly description: string
  readonly amount: z.ZodNumber
  readonly risk: 'medium' | 'high'
}

function refund(http: Http, { title, description, amount, risk }: RefundSize) {
  return operation({
    title,
    description,
    input: z.strictObject({ invoiceId, amountMinor: amount, reason }),
    output: REFUND,
    mutability: 'write',
    dataClass: 'customer',
    blastRadius: 'single',
    risk,
    nature: ['financial', 'customer-visible'],
    reversibility: 'compensable',
    maxAttempts: MAX_ATTEMPTS,
    records: ['/invoiceId'],
    origins: { '': 'system', '/reason': 'model' },
    flow: {
      inputs: { '/invoiceId': target('identifier'), '/amountMinor': value('amount'), '/reason': WORDS },
      outputs: {
        '/id': kept('identifier'),
        '/invoiceId': echoed('identifier'),
        '/amountMinor': echoed('amount'),
        '/reason': echoed('text'),
        '/state': kept('enum'),
      },
      egress: 'external', // the customer sees it on the account
    },
    secrets: [DESK_TOKEN],
    execute: http.post('/refunds', {
      body: ({ arguments: args, effectId }) => ({ ...args, reference: effectId }),
      select: pickRefund,
    }),
    preview: http.post('/refunds/preview', {
      body: (facts) => ({ invoiceId: facts.arguments.invoiceId, amountMinor: facts.arguments.amountMinor }),
      select: (body, facts) => ({
        invoice: pick('id', 'customerId', 'number', 'amountMinor', 'currency', 'state')(memberOf(body, 'invoice')),
        amountMinor: facts.arguments.amountMinor,
        before: { refundableMinor: memberOf(body, 'refundable') },
        after: { refundableMinor: memberOf(body, 'after') },
      }),
    }),
    reconcile: http.lookUp('/refunds', { query: ({ effectId }) => ({ reference: effectId }), output: pickRefund }),
    verify: http.check('/refunds/{refundId}', {
      params: ({ output }) => ({ refundId: output.id }),
      holds: (body, facts) =>
        memberOf(body, 'state') === 'active' &&
        memberOf(body, 'invoiceId') === facts.arguments.invoiceId &&
        memberOf(body, 'amountMinor') === facts.arguments.amountMinor,
      says: 'the refund is active, with this invoice and this amount',
    }),
    compensate: { operation: 'refund.cancel', arguments: ({ output }) => ({ refundId: output.id }) },
  })
}

function cancelRefund(http: Http) {
  return operation({
    title: 'Cancel a refund',
    description: 'Takes one active refund back.',
    input: z.strictObject({ refundId }),
    output: z.strictObject({ id: refundId, state: z.literal('cancelled') }),
    mutability: 'write',
    dataClass: 'customer',
    blastRadius: 'single',
    risk: 'medium',
    nature: ['financial', 'customer-visible'],
    // Another refund could be made, but this one stays cancelled.
    reversibility: 'irreversible',
    maxAttempts: MAX_ATTEMPTS,
    records: ['/refundId'],
    origins: { '': 'system' },
    flow: {
      inputs: { '/refundId': target('identifier') },
      outputs: { '/id': echoed('identifier'), '/state': kept('enum') },
      egress: 'external',
    },
    secrets: [DESK_TOKEN],
    execute: http.post('/refunds/{refundId}/cancel', {
      body: ({ effectId }) => ({ reference: effectId }),
      select: pick('id', 'state'),
    }),
    preview: http.get('/refunds/{refundId}', {
      select: (body) => ({ cancels: pickRefund(body), after: { state: 'cancelled' } }),
    }),
    reconcile: lookUpPastCall(http, {
      path: (args) => `/refunds/${args.refundId}/cancel`,
      output: (args) => ({ id: args.refundId, state: 'cancelled' }),
    }),
    verify: http.check('/refunds/{refundId}', {
      holds: (body) => memberOf(body, 'state') === 'cancelled',
      says: 'the refund is cancelled',
    }),
  })
}
