export type { Dialler, Resolver } from './connect.ts'
export {
  type CheckOptions,
  createHttp,
  type DoneFacts,
  type Http,
  type HttpOptions,
  type HttpSurroundings,
  type LookUpOptions,
  type RequestOptions,
} from './create-http.ts'
export { TOOLS_HTTP_ERROR_CODES, ToolsHttpError, type ToolsHttpErrorCode } from './error.ts'
export { HTTP_LIMITS, type HttpLimits } from './limits.ts'
export { pick } from './pick.ts'
export type { HttpCall, HttpFacts, QueryValue, RequestParts } from './request.ts'
