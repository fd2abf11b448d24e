export type { McpClassification, McpLook, McpOverlay } from './overlay.ts'
export { parseOverlay, type OverlayAnswer } from './parse-overlay.ts'
export { type ProjectMcpServer, readMcpServers } from './read-servers.ts'
