export type { Client, ClientOptions, RunsQuery } from './client.ts'
export { createClient } from './create-client.ts'
export { CLIENT_ERROR_CODES, ClientError, type ClientErrorCode } from './error.ts'
