export { CONFIGURATION_FILE, loadConfiguration } from './configuration/load.ts'
export type { Configuration } from './configuration/schema.ts'
export { SERVER_ERROR_CODES, ServerError, type ServerErrorCode } from './error.ts'
export { type RunningServer, type ServeOptions, serve } from './serve.ts'
