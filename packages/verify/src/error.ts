/** Every code that {@link VerifyError} carries. A code is API: added, never renamed; docs/errors.md explains each. */
export const VERIFY_ERROR_CODES = ['verify_key_unusable', 'verify_since_unusable', 'verify_usage'] as const

/** One of {@link VERIFY_ERROR_CODES}. */
export type VerifyErrorCode = (typeof VERIFY_ERROR_CODES)[number]

/**
 * Thrown when the verifier cannot begin, because of what its user gave it. What it finds out about an export or a receipt is a
 * verdict and never thrown.
 */
export class VerifyError extends Error {
  readonly code: VerifyErrorCode

  constructor(code: VerifyErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'VerifyError'
    this.code = code
  }
}
