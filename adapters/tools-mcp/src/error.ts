/** Every code that {@link ToolsMcpError} carries. A code is API: added, never renamed; docs/errors.md explains each. */
export const TOOLS_MCP_ERROR_CODES = ['mcp_server', 'mcp_unreachable', 'mcp_not_listed'] as const

export type ToolsMcpErrorCode = (typeof TOOLS_MCP_ERROR_CODES)[number]

/** Thrown by what is done about a server outside of calls. Calls never throw it: they answer. */
export class ToolsMcpError extends Error {
  readonly code: ToolsMcpErrorCode

  constructor(code: ToolsMcpErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'ToolsMcpError'
    this.code = code
  }
}
