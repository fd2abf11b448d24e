/** Every code that {@link WitnessError} carries. A code is API: added, never renamed; docs/errors.md explains each. */
export const WITNESS_ERROR_CODES = [
  'witness_key_unusable',
  'witness_state_in_use',
  'witness_state_unusable',
  'witness_usage',
] as const

/** One of {@link WITNESS_ERROR_CODES}. */
export type WitnessErrorCode = (typeof WITNESS_ERROR_CODES)[number]

/** Thrown when the witness cannot start, or can no longer store what it promises to remember. */
export class WitnessError extends Error {
  readonly code: WitnessErrorCode

  constructor(code: WitnessErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'WitnessError'
    this.code = code
  }
}
