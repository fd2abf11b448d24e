/** Every code that {@link RuntimeError} carries. */
export const RUNTIME_ERROR_CODES = ['runtime_closed', 'tool_conflict', 'workflow_conflict', 'run_erased', 'policy_unfit'] as const

export type RuntimeErrorCode = (typeof RUNTIME_ERROR_CODES)[number]

/** Thrown by the runtime for defects of its setting up or its use; answers to people are values. */
export class RuntimeError extends Error {
  readonly code: RuntimeErrorCode

  constructor(code: RuntimeErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'RuntimeError'
    this.code = code
  }
}
