import type { Problem } from '@tidegate/protocol'

/** Every code that {@link ClientError} carries. A code is API: added, never renamed; docs/errors.md explains each. */
export const CLIENT_ERROR_CODES = [
  'approval_pending',
  'malformed_answer',
  'not_permitted',
  'problem',
  'request_invalid',
  'timeout',
  'unauthorized',
  'unreachable',
] as const

export type ClientErrorCode = (typeof CLIENT_ERROR_CODES)[number]

/** Thrown by the client. `problem` carries what the gateway said, for `problem` and `unauthorized`. */
export class ClientError extends Error {
  readonly code: ClientErrorCode
  readonly problem: Problem | undefined

  constructor(code: ClientErrorCode, message: string, options: ErrorOptions & { readonly problem?: Problem } = {}) {
    super(message, options)
    this.name = 'ClientError'
    this.code = code
    this.problem = options.problem
  }
}
