import { type FlowOutput, operation, z } from '@tidegate/tools'
import { type Http, pick } from '@tidegate/tools-http'
import { amountMinor, customerId, DESK_TOKEN, MAX_ATTEMPTS, invoiceId, text } from './fields.ts'
import { byCustomer, echoed, kept, target, value, WORDS } from './flow.ts'
import { memberOf } from './member.ts'
import { lookUpPastCall } from './past-call.ts'

/** How many invoices a list shows: the page of the desk. A longer list is marked as incomplete. */
const PAGE = 50

const INVOICE = z.strictObject({
  id: invoiceId,
  customerId,
  number: text(64),
  amountMinor,
  currency: text(3),
  state: z.enum(['issued', 'paid', 'void']),
  billingAddress: text(500),
})
const pickInvoice = pick('id', 'customerId', 'number', 'amountMinor', 'currency', 'state', 'billingAddress')

/** Who wrote the fields of an invoice that stands at a pointer. */
function invoiceFields(at: string): Readonly<Record<string, FlowOutput>> {
  return {
    [`${at}/id`]: kept('identifier'),
    [`${at}/customerId`]: kept('identifier'),
    [`${at}/number`]: kept('identifier'),
    [`${at}/amountMinor`]: kept('amount'),
    [`${at}/currency`]: kept('enum'),
    [`${at}/state`]: kept('enum'),
    [`${at}/billingAddress`]: byCustomer('text'),
  }
}

/** Customers, their invoices, and the export of both. */
export function invoiceOperations(http: Http) {
  return {
    'customer.read': readCustomer(http),
    'invoice.list': listInvoices(http),
    'invoice.read': readInvoice(http),
    'invoice.correct-address': correctAddress(http),
    'invoice.export': exportInvoices(http),
  }
}

function readCustomer(http: Http) {
  return operation({
    title: 'Read a customer',
    description: 'Reads one customer: name, mail address, plan, language, currency and whether the account is active.',
    input: z.strictObject({ customerId }),
    output: z.strictObject({
      id: customerId,
      name: text(300),
      email: text(254),
      plan: text(64),
      locale: text(16),
      currency: text(3),
      status: z.enum(['active', 'closed']),
    }),
    mutability: 'read',
    dataClass: 'customer',
    blastRadius: 'single',
    risk: 'low',
    records: ['/customerId'],
    origins: { '': 'system', '/name': 'user' },
    flow: {
      inputs: { '/customerId': value('identifier') },
      outputs: {
        '/id': kept('identifier'),
        '/name': byCustomer('text'),
        '/email': kept('recipient'),
        '/plan': kept('enum'),
        '/locale': kept('enum'),
        '/currency': kept('enum'),
        '/status': kept('enum'),
      },
      egress: 'none',
    },
    secrets: [DESK_TOKEN],
    execute: http.get('/customers/{customerId}', { select: pick('id', 'name', 'email', 'plan', 'locale', 'currency', 'status') }),
  })
}

function listInvoices(http: Http) {
  return operation({
    title: 'List the invoices of a customer',
    description: `Lists up to ${PAGE} invoices of one customer. When complete is false there are more, and a sum over the list is wrong.`,
    input: z.strictObject({ customerId }),
    output: z.strictObject({
      customerId,
      invoiceIds: z.array(invoiceId).max(PAGE),
      items: z.array(INVOICE).max(PAGE),
      complete: z.boolean(),
    }),
    mutability: 'read',
    dataClass: 'customer',
    blastRadius: 'single',
    risk: 'low',
    records: ['/customerId'],
    origins: { '': 'system', '/items/*/billingAddress': 'user' },
    flow: {
      inputs: { '/customerId': value('identifier') },
      outputs: {
        '/customerId': echoed('identifier'),
        '/invoiceIds/*': kept('identifier'),
        ...invoiceFields('/items/*'),
        '/complete': kept('flag'),
      },
      egress: 'none',
    },
    secrets: [DESK_TOKEN],
    execute: http.get('/customers/{customerId}/invoices', {
      query: () => ({ limit: PAGE }),
      select: (body, facts) => {
        const items = memberOf(body, 'items')
        return {
          customerId: facts.arguments.customerId,
          // What a run about this customer may touch: workflows confine invoices to this list.
          invoiceIds: Array.isArray(items) ? items.map((item) => memberOf(item, 'id')) : null,
          items: Array.isArray(items) ? items.map(pickInvoice) : null,
          complete: memberOf(body, 'complete'),
        }
      },
    }),
  })
}

function readInvoice(http: Http) {
  return operation({
    title: 'Read an invoice',
    description: 'Reads one invoice: customer, number, amount in minor units, currency, state and billing address.',
    input: z.strictObject({ invoiceId }),
    output: INVOICE,
    mutability: 'read',
    dataClass: 'customer',
    blastRadius: 'single',
    risk: 'low',
    records: ['/invoiceId'],
    origins: { '': 'system', '/billingAddress': 'user' },
    flow: { inputs: { '/invoiceId': value('identifier') }, outputs: invoiceFields(''), egress: 'none' },
    secrets: [DESK_TOKEN],
    execute: http.get('/invoices/{invoiceId}', { select: pickInvoice }),
  })
}

function correctAddress(http: Http) {
  return operation({
    title: 'Correct the billing address of an invoice',
    description: 'Replaces the billing address of one invoice that is not void.',
    input: z.strictObject({ invoiceId, billingAddress: z.string().trim().min(1).max(500) }),
    output: z.strictObject({
      invoiceId,
      billingAddress: text(500),
      /** Null when a look-up found the change and nobody can tell any more what stood there. */
      previousAddress: text(500).nullable(),
    }),
    mutability: 'write',
    dataClass: 'customer',
    blastRadius: 'single',
    risk: 'medium',
    nature: ['customer-visible'],
    reversibility: 'reversible',
    maxAttempts: MAX_ATTEMPTS,
    records: ['/invoiceId'],
    origins: { '/invoiceId': 'system', '/billingAddress': 'user', '/previousAddress': 'user' },
    flow: {
      inputs: { '/invoiceId': target('identifier'), '/billingAddress': WORDS },
      outputs: {
        '/invoiceId': echoed('identifier'),
        '/billingAddress': echoed('text'),
        '/previousAddress': byCustomer('text'),
      },
      egress: 'external', // the invoice goes out again
    },
    secrets: [DESK_TOKEN],
    execute: http.post('/invoices/{invoiceId}/address', {
      body: (facts) => ({ billingAddress: facts.arguments.billingAddress, reference: facts.effectId }),
      select: (body, facts) => ({
        invoiceId: facts.arguments.invoiceId,
        billingAddress: memberOf(memberOf(body, 'invoice'), 'billingAddress'),
        previousAddress: memberOf(body, 'previousAddress'),
      }),
    }),
    preview: http.get('/invoices/{invoiceId}', {
      select: (body, facts) => ({
        invoiceId: facts.arguments.invoiceId,
        customerId: memberOf(body, 'customerId'),
        before: { billingAddress: memberOf(body, 'billingAddress') },
        after: { billingAddress: facts.arguments.billingAddress },
      }),
    }),
    reconcile: lookUpPastCall(http, {
      path: (args) => `/invoices/${args.invoiceId}/address`,
      output: (args) => ({ ...args, previousAddress: null }),
    }),
    verify: http.check('/invoices/{invoiceId}', {
      holds: (body, facts) => memberOf(body, 'billingAddress') === facts.arguments.billingAddress,
      says: 'the invoice carries the address that was asked for',
    }),
    compensate: {
      operation: 'invoice.correct-address',
      arguments: ({ output }) => {
        if (output.previousAddress === null) return 'unknown'
        if (output.previousAddress === output.billingAddress) return 'nothing'
        return { invoiceId: output.invoiceId, billingAddress: output.previousAddress }
      },
    },
  })
}

function exportInvoices(http: Http) {
  return operation({
    title: 'Export the invoices of a customer',
    description:
      'Writes all invoices of one customer to a file for that customer. Never of several customers, and never of everybody.',
    input: z.strictObject({ customerId }),
    output: z.strictObject({ id: text(64), customerId }),
    mutability: 'write',
    dataClass: 'regulated',
    blastRadius: 'single',
    risk: 'high',
    nature: ['sharing', 'egress'],
    reversibility: 'irreversible',
    maxAttempts: MAX_ATTEMPTS,
    records: ['/customerId'],
    origins: { '': 'system' },
    flow: {
      inputs: { '/customerId': target('identifier') },
      outputs: { '/id': kept('identifier'), '/customerId': echoed('identifier') },
      egress: 'external',
    },
    secrets: [DESK_TOKEN],
    execute: http.post('/exports', {
      body: (facts) => ({ customerId: facts.arguments.customerId, reference: facts.effectId }),
      select: (body) => pick('id', 'customerId')(memberOf(body, 'export')),
    }),
    preview: http.get('/customers/{customerId}/invoices', {
      query: () => ({ limit: 500 }),
      select: (body, facts) => {
        const items = memberOf(body, 'items')
        return {
          customerId: facts.arguments.customerId,
          exports: { invoices: Array.isArray(items) ? items.length : null, complete: memberOf(body, 'complete') },
        }
      },
    }),
    reconcile: http.lookUp('/exports', {
      query: ({ effectId }) => ({ reference: effectId }),
      output: pick('id', 'customerId'),
    }),
    verify: http.check('/exports', {
      query: ({ effectId }) => ({ reference: effectId }),
      holds: (body, { output }) => {
        const items = memberOf(body, 'items')
        return Array.isArray(items) && items.length === 1 && memberOf(items[0], 'customerId') === output.customerId
      },
      says: 'there is one export, of this customer',
    }),
  })
}
