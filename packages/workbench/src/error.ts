/** Every code that {@link WorkbenchError} carries. A code is API: added, never renamed; docs/errors.md explains each. */
export const WORKBENCH_ERROR_CODES = ['cases_invalid', 'cases_missing', 'file_unusable', 'policies_missing'] as const

export type WorkbenchErrorCode = (typeof WORKBENCH_ERROR_CODES)[number]

/** Thrown when something cannot be looked at; what was found by looking is an answer. */
export class WorkbenchError extends Error {
  readonly code: WorkbenchErrorCode

  constructor(code: WorkbenchErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'WorkbenchError'
    this.code = code
  }
}
