export { createMcpTools, type McpTool, type McpTools, rememberedOperations } from './create-mcp-tools.ts'
export { draftOverlay } from './draft.ts'
export { TOOLS_MCP_ERROR_CODES, ToolsMcpError, type ToolsMcpErrorCode } from './error.ts'
export type {
  Given,
  HttpServer,
  McpMemory,
  McpPorts,
  McpServer,
  StdioServer,
} from './server.ts'
export type { McpChange } from './catalogue.ts'
export type { McpHealth } from './upstream.ts'
