export { SERVER_ERROR_CODES, ServerError, type ServerErrorCode } from './error.ts'
export { type RunningServer, type ServeOptions, serve } from './serve.ts'
