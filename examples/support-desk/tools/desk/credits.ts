import { operation, z } from '@tidegate/tools'
import { type Http, pick } from '@tidegate/tools-http'
import { creditId, customerId, DESK_TOKEN, MAX_ATTEMPTS, reason, text } from './fields.ts'
import { echoed, kept, target, value, WORDS } from './flow.ts'
import { memberOf } from './member.ts'
import { lookUpPastCall } from './past-call.ts'

/** The largest goodwill credit: EUR 20. */
const MAX_MINOR = 2000

const amountMinor = z.int().min(1).max(MAX_MINOR)
const CREDIT = z.strictObject({ id: creditId, customerId, amountMinor, reason: text(1000), state: z.enum(['active', 'revoked']) })
const pickCredit = pick('id', 'customerId', 'amountMinor', 'reason', 'state')

/** Small goodwill credits, and taking them back. */
export function creditOperations(http: Http) {
  return { 'credit.grant': grantCredit(http), 'credit.revoke': revokeCredit(http) }
}

function grantCredit(http: Http) {
  return operation({
    title: 'Grant a goodwill credit',
    description: `Credits the account of one customer with up to ${MAX_MINOR} minor units of its currency.`,
    input: z.strictObject({ customerId, amountMinor, reason }),
    output: CREDIT,
    mutability: 'write',
    dataClass: 'customer',
    blastRadius: 'single',
    risk: 'low',
    nature: ['financial', 'customer-visible'],
    reversibility: 'compensable',
    maxAttempts: MAX_ATTEMPTS,
    records: ['/customerId'],
    origins: { '': 'system', '/reason': 'model' },
    flow: {
      inputs: { '/customerId': target('identifier'), '/amountMinor': value('amount'), '/reason': WORDS },
      outputs: {
        '/id': kept('identifier'),
        '/customerId': echoed('identifier'),
        '/amountMinor': echoed('amount'),
        '/reason': echoed('text'),
        '/state': kept('enum'),
      },
      egress: 'external', // the customer sees it on the account
    },
    secrets: [DESK_TOKEN],
    execute: http.post('/credits', {
      body: ({ arguments: args, effectId }) => ({ ...args, reference: effectId }),
      select: pickCredit,
    }),
    preview: http.post('/credits/preview', {
      body: (facts) => ({ customerId: facts.arguments.customerId, amountMinor: facts.arguments.amountMinor }),
      select: (body, facts) => ({
        customer: pick('id', 'currency', 'status')(memberOf(body, 'customer')),
        amountMinor: facts.arguments.amountMinor,
        before: { creditMinor: memberOf(body, 'balance') },
        after: { creditMinor: memberOf(body, 'after') },
      }),
    }),
    reconcile: http.lookUp('/credits', { query: ({ effectId }) => ({ reference: effectId }), output: pickCredit }),
    verify: http.check('/credits/{creditId}', {
      params: ({ output }) => ({ creditId: output.id }),
      holds: (body, facts) =>
        memberOf(body, 'state') === 'active' &&
        memberOf(body, 'customerId') === facts.arguments.customerId &&
        memberOf(body, 'amountMinor') === facts.arguments.amountMinor,
      says: 'the credit is active, with this customer and this amount',
    }),
    compensate: { operation: 'credit.revoke', arguments: ({ output }) => ({ creditId: output.id }) },
  })
}

function revokeCredit(http: Http) {
  return operation({
    title: 'Revoke a goodwill credit',
    description: 'Takes one active credit back.',
    input: z.strictObject({ creditId }),
    output: z.strictObject({ id: creditId, state: z.literal('revoked') }),
    mutability: 'write',
    dataClass: 'customer',
    blastRadius: 'single',
    risk: 'low',
    nature: ['financial', 'customer-visible'],
    reversibility: 'irreversible',
    maxAttempts: MAX_ATTEMPTS,
    records: ['/creditId'],
    origins: { '': 'system' },
    flow: {
      inputs: { '/creditId': target('identifier') },
      outputs: { '/id': echoed('identifier'), '/state': kept('enum') },
      egress: 'external',
    },
    secrets: [DESK_TOKEN],
    execute: http.post('/credits/{creditId}/revoke', {
      body: ({ effectId }) => ({ reference: effectId }),
      select: pick('id', 'state'),
    }),
    preview: http.get('/credits/{creditId}', { select: (body) => ({ revokes: pickCredit(body), after: { state: 'revoked' } }) }),
    reconcile: lookUpPastCall(http, {
      path: (args) => `/credits/${args.creditId}/revoke`,
      output: (args) => ({ id: args.creditId, state: 'revoked' }),
    }),
    verify: http.check('/credits/{creditId}', {
      holds: (body) => memberOf(body, 'state') === 'revoked',
      says: 'the credit is revoked',
    }),
  })
}
