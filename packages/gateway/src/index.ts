export {
  type Authenticate,
  createHostAuthenticator,
  createTokenAuthenticator,
  type HostTokenHolder,
  type TokenHolder,
} from './authenticate.ts'
export { createGateway, type Gateway, type GatewayOptions } from './create-gateway.ts'
export { GATEWAY_ERROR_CODES, GatewayError, type GatewayErrorCode } from './error.ts'
export { MCP_WAITS, type McpDesk, type McpHost, type McpOptions, type McpWaits } from './mcp/desk.ts'
export type { ModelDoor, ModelOptions } from './model/door.ts'
export { type AnswerCode, STATUS_OF_CODE } from './status.ts'
