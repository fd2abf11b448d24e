import { hash } from 'node:crypto'
import { canonicalJson, isObject, type Json, type JsonObject, type OperationId } from '@tidegate/kernel'
import type { Offer } from './catalogue.ts'
import type { McpDesk, McpHost, McpOptions, McpWaits } from './desk.ts'
import { TICKET } from './revision.ts'
import { RPC, type RpcCode } from './rpc.ts'
import type { Seal } from './seal.ts'
import type { McpSessions } from './sessions.ts'

/** What both eras of the protocol are served from. */
export interface McpGround {
  readonly desk: McpDesk
  readonly clock: McpOptions['clock']
  readonly seal: Seal
  readonly sessions: McpSessions
  readonly offerOf: (host: McpHost) => Offer
  /** The operation that a host means by the name of a tool. */
  readonly operationOf: (host: McpHost, name: string) => OperationId
  readonly waits: McpWaits
  readonly version: string
  /** Writes down a defect and answers the id under which it is found. */
  readonly defect: (error: unknown) => string
}

/** Who we say we are. */
export function serverInfo({ version }: Pick<McpGround, 'version'>): JsonObject {
  return { name: 'tidegate', title: 'Tidegate', version }
}

/** What a model is told about these tools as a whole. */
export const INSTRUCTIONS =
  'Every call is decided by policy and recorded. "Denied" is final: do not try to reach the same in another way. "Pending" means that people are asked: go on with something else, and call again later with the same arguments. After "Unknown" look whether it happened before you call again.'

/** A `tools/call`, understood. */
export interface ParsedCall {
  readonly operation: OperationId
  readonly arguments: JsonObject
  readonly ticket: string | undefined
  /** Of what is asked for, the ticket left out: two calls with the same one ask for the same. */
  readonly digest: string
}

/** Why a request cannot be served, in the words of the protocol. */
export interface Fault {
  readonly code: RpcCode
  readonly message: string
}

const MAX_TICKET = 512

/**
 * Reads the params of `tools/call`. The ticket is taken out before anything else sees the arguments. A tool that is not offered is called
 * all the same: the desk denies it and records that somebody tried.
 */
export function parseCall(params: JsonObject, operationOf: (name: string) => OperationId): ParsedCall | Fault {
  const { name, arguments: given = {} } = params
  if (typeof name !== 'string' || !isObject(given))
    return invalid('A call needs a `name`, and its `arguments` must be an object.')
  const { [TICKET]: ticket, ...args } = given
  if (ticket !== undefined && (typeof ticket !== 'string' || ticket.length > MAX_TICKET)) return invalid('This is no ticket.')
  const operation = operationOf(name)
  return { operation, arguments: args, ticket, digest: digestOf([operation, args]) }
}

function invalid(message: string): Fault {
  return { code: RPC.invalidParams, message }
}

/** 22 characters that stand for a value. */
export function digestOf(value: Json): string {
  return hash('sha256', canonicalJson(value), 'base64url').slice(0, 22)
}
