/** Every code that {@link KernelError} carries. A code is API: added, never renamed; docs/errors.md explains each. */
export const KERNEL_ERROR_CODES = [
  'canonical_depth',
  'canonical_duplicate_key',
  'canonical_forbidden_key',
  'canonical_number',
  'canonical_size',
  'canonical_surrogate',
  'canonical_syntax',
  'canonical_type',
  'cedar_entities',
  'cedar_policy',
  'cedar_value',
  'checkpoint_malformed',
  'event_out_of_order',
  'invariant_broken',
  'ledger_range',
  'tile_malformed',
  'note_malformed',
  'receipt_malformed',
] as const

export type KernelErrorCode = (typeof KERNEL_ERROR_CODES)[number]

/**
 * Thrown by the kernel when its caller broke a contract or outside data broke a format. Answers (denied, lapsed, conflict)
 * are values and never thrown.
 */
export class KernelError extends Error {
  readonly code: KernelErrorCode

  constructor(code: KernelErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'KernelError'
    this.code = code
  }
}
