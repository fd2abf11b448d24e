/** Every code that {@link EvalsError} carries. A code is API: added, never renamed; docs/errors.md explains each. */
export const EVALS_ERROR_CODES = [
  'manifest_invalid',
  'manifest_missing',
  'profile_missing',
  'suite_invalid',
  'suite_limit',
  'suite_missing',
] as const

export type EvalsErrorCode = (typeof EVALS_ERROR_CODES)[number]

/** Thrown when a suite, a manifest or a profile cannot be used. The message names the file and the place in it. */
export class EvalsError extends Error {
  readonly code: EvalsErrorCode

  constructor(code: EvalsErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'EvalsError'
    this.code = code
  }
}
