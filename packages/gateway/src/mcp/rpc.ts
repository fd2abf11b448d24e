import { isObject, type Json, type JsonObject } from '@tidegate/kernel'

/** The id of a request: chosen by whoever sends it, never null in MCP. */
export type RpcId = string | number

/** A message from a client, checked for its form and for nothing else. */
export type RpcMessage = RpcRequest | RpcNotification | RpcResponse | RpcInvalid

export interface RpcRequest {
  readonly kind: 'request'
  readonly id: RpcId
  readonly method: string
  readonly params: JsonObject
}

export interface RpcNotification {
  readonly kind: 'notification'
  readonly method: string
  readonly params: JsonObject
}

/** The answer of a client to a request of ours; `result` is undefined when it is an error. */
export interface RpcResponse {
  readonly kind: 'response'
  readonly id: RpcId
  readonly result: JsonObject | undefined
}

export interface RpcInvalid {
  readonly kind: 'invalid'
  /** The id, when one could be read. */
  readonly id: RpcId | null
  readonly why: string
}

/** Error codes of JSON-RPC 2.0, and those that MCP 2026-07-28 adds. */
export const RPC = {
  parse: -32_700,
  invalidRequest: -32_600,
  unknownMethod: -32_601,
  invalidParams: -32_602,
  internal: -32_603,
  headerMismatch: -32_020,
  missingCapability: -32_021,
  unsupportedVersion: -32_022,
} as const

export type RpcCode = (typeof RPC)[keyof typeof RPC]

const MAX_ID = 256
const MAX_METHOD = 128

/** Reads one JSON-RPC message. The client controls all of it; it was parsed as strict JSON before. */
export function parseMessage(value: Json): RpcMessage {
  if (!isObject(value)) return { kind: 'invalid', id: null, why: 'A message must be a JSON object.' }
  const { jsonrpc, id, method, params } = value
  const isId = isRpcId(id)
  const invalid = (why: string): RpcInvalid => ({ kind: 'invalid', id: isId ? id : null, why })
  if (jsonrpc !== '2.0') return invalid('A message must say `"jsonrpc": "2.0"`.')
  if (id !== undefined && !isId) return invalid('An id must be an integer, or a text of at most 256 characters.')
  if (method === undefined) {
    if (!isId || 'result' in value === 'error' in value)
      return invalid('A message must be a request, a notification or a response.')
    return { kind: 'response', id, result: isObject(value.result) ? value.result : undefined }
  }
  if (typeof method !== 'string' || method === '' || method.length > MAX_METHOD)
    return invalid('A method must be a text of 1 to 128 characters.')
  if (params !== undefined && !isObject(params)) return invalid('The params of a message must be an object.')
  return isId ? { kind: 'request', id, method, params: params ?? {} } : { kind: 'notification', method, params: params ?? {} }
}

function isRpcId(value: Json | undefined): value is RpcId {
  return typeof value === 'string' ? value.length <= MAX_ID : Number.isSafeInteger(value)
}

/** The response to a request that was understood. */
export function rpcResult(id: RpcId, result: object): object {
  return { jsonrpc: '2.0', id, result }
}

/** The response to one that was not; without an id where none could be read. */
export function rpcError(id: RpcId | null, code: RpcCode, message: string, data?: object): object {
  return { jsonrpc: '2.0', ...(id === null ? {} : { id }), error: { code, message, ...(data === undefined ? {} : { data }) } }
}

export function rpcNotification(method: string, params?: object): object {
  return { jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) }
}

/** A key for tables: 1 and "1" are two ids. */
export function keyOf(id: RpcId): string {
  return typeof id === 'number' ? `n${id}` : `s${id}`
}
