/** Every code that {@link ToolsHttpError} carries. A code is API: added, never renamed; docs/errors.md explains each. */
export const TOOLS_HTTP_ERROR_CODES = ['http_base_url', 'http_path', 'http_option'] as const

export type ToolsHttpErrorCode = (typeof TOOLS_HTTP_ERROR_CODES)[number]

/** Thrown while requests are being declared, by a declaration that must not be used. Calls never throw it: they answer. */
export class ToolsHttpError extends Error {
  readonly code: ToolsHttpErrorCode

  constructor(code: ToolsHttpErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'ToolsHttpError'
    this.code = code
  }
}
