/**
 * Every problem the desk reports: its stable code, the HTTP status it travels with and its title. A code is API: added, never
 * renamed. The last two never travel; they end a start.
 */
export const DESK_PROBLEMS = {
  already_recalled: [409, 'The mail was recalled before'],
  already_sent: [409, 'The mail has left the outbox'],
  amount_exceeds_refundable: [422, 'More than what is left of the invoice'],
  body_too_large: [413, 'The body is too large'],
  credit_not_active: [409, 'The credit is not active'],
  credit_unknown: [404, 'No such credit'],
  customer_closed: [422, 'The account of the customer is closed'],
  customer_unknown: [404, 'No such customer'],
  idempotency_conflict: [409, 'The idempotency key belongs to another body'],
  internal_error: [500, 'The desk failed'],
  invalid_field: [400, 'A field is missing or malformed'],
  invalid_json: [400, 'The body is not JSON'],
  invalid_query: [400, 'The query is malformed'],
  invalid_utf8: [400, 'The body is not UTF-8'],
  invoice_not_paid: [422, 'Only a paid invoice can be refunded'],
  invoice_unknown: [404, 'No such invoice'],
  invoice_void: [409, 'The invoice is void'],
  mail_unknown: [404, 'No such mail'],
  media_type_unsupported: [415, 'The body must be application/json'],
  method_not_allowed: [405, 'The method is not allowed here'],
  recipient_rejected: [422, 'The mail system rejects the recipient'],
  refund_not_active: [409, 'The refund is not active'],
  refund_unknown: [404, 'No such refund'],
  route_unknown: [404, 'No such address'],
  ticket_unknown: [404, 'No such ticket'],
  unauthorized: [401, 'A valid bearer token is required'],
  unknown_field: [400, 'A field is not known'],
  version_conflict: [409, 'The invoice has changed meanwhile'],
  options_invalid: [500, 'The desk cannot start like this'],
  start_failed: [500, 'The desk did not start'],
} as const satisfies Record<string, readonly [status: number, title: string]>

export type DeskProblemCode = keyof typeof DESK_PROBLEMS

/** The one error of the support desk: a code, and a detail for people which never holds a secret. */
export class DeskProblem extends Error {
  readonly code: DeskProblemCode

  constructor(code: DeskProblemCode, detail: string, options?: { cause?: unknown }) {
    super(detail, options)
    this.name = 'DeskProblem'
    this.code = code
  }

  get status(): number {
    return DESK_PROBLEMS[this.code][0]
  }

  /** The RFC 9457 problem object, extended by `code`. */
  toJSON(): Record<string, unknown> {
    const [status, title] = DESK_PROBLEMS[this.code]
    return { type: `urn:support-desk:problem:${this.code}`, title, status, detail: this.message, code: this.code }
  }
}
