export { type Authenticate, createTokenAuthenticator, type TokenHolder } from './authenticate.ts'
export { createGateway, type Gateway, type GatewayOptions } from './create-gateway.ts'
export { GATEWAY_ERROR_CODES, GatewayError, type GatewayErrorCode } from './error.ts'
export { type AnswerCode, STATUS_OF_CODE } from './status.ts'
