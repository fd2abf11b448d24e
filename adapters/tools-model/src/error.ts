/** Every code that {@link ToolsModelError} carries. A code is API: added, never renamed; docs/errors.md explains each. */
export const TOOLS_MODEL_ERROR_CODES = ['proxy_base_url', 'proxy_option'] as const

export type ToolsModelErrorCode = (typeof TOOLS_MODEL_ERROR_CODES)[number]

/** Thrown while models are being declared, by a declaration that must not be used. Calls never throw it: they answer. */
export class ToolsModelError extends Error {
  readonly code: ToolsModelErrorCode

  constructor(code: ToolsModelErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'ToolsModelError'
    this.code = code
  }
}
