/** Every code that {@link ServerError} carries. */
export const SERVER_ERROR_CODES = ['arguments_invalid', 'ledger_shortened', 'secret_unavailable', 'state_unusable'] as const

export type ServerErrorCode = (typeof SERVER_ERROR_CODES)[number]

/** Thrown when the server refuses to start rather than guess, or a secret cannot be had. */
export class ServerError extends Error {
  readonly code: ServerErrorCode

  constructor(code: ServerErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'ServerError'
    this.code = code
  }
}
