export { parseOverlay } from './parse-overlay.ts'
export { type ProjectMcpServer, readMcpServers } from './read-servers.ts'
