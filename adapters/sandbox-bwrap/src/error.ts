/** Every code that {@link SandboxBwrapError} carries. A code is API: added, never renamed; docs/errors.md explains each. */
export const SANDBOX_BWRAP_ERROR_CODES = ['sandbox_option', 'sandbox_filter'] as const

export type SandboxBwrapErrorCode = (typeof SANDBOX_BWRAP_ERROR_CODES)[number]

/** Thrown where a sandbox is made with options that cannot be meant. What happens later is answered, not thrown. */
export class SandboxBwrapError extends Error {
  readonly code: SandboxBwrapErrorCode

  constructor(code: SandboxBwrapErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'SandboxBwrapError'
    this.code = code
  }
}
