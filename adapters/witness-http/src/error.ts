/** Every code that {@link WitnessHttpError} carries. A code is API: added, never renamed; docs/errors.md explains each. */
export const WITNESS_HTTP_ERROR_CODES = ['witness_answer_too_large', 'witness_url_unusable'] as const

/** One of {@link WITNESS_HTTP_ERROR_CODES}. */
export type WitnessHttpErrorCode = (typeof WITNESS_HTTP_ERROR_CODES)[number]

/** Thrown when a witness cannot be set up. What a witness or the network does at run time is an answer. */
export class WitnessHttpError extends Error {
  readonly code: WitnessHttpErrorCode

  constructor(code: WitnessHttpErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'WitnessHttpError'
    this.code = code
  }
}
