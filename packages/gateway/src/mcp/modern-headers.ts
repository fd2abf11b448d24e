import type { IncomingMessage } from 'node:http'
import { isObject, type JsonObject } from '@tidegate/kernel'
import { valuesOf } from '../request/guard.ts'
import { META, MODERN_REVISION, REVISIONS } from './revision.ts'
import { RPC, type RpcRequest, rpcError } from './rpc.ts'

/** Which member of the params a method names in the header `Mcp-Name` (2026-07-28, section "Standard Request Headers"; SEP-2663). */
const NAMED: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
])

/** What every request of the stateless revision says about its client. */
export interface ModernMeta {
  readonly meta: JsonObject
  readonly capabilities: JsonObject
}

/**
 * Checks that a request says what it must, and that its headers say the same: whoever routes by the headers and whoever acts by the
 * body must not see two different requests. Answers the response of a request that is refused.
 */
export function checkModern(
  request: IncomingMessage,
  { id, method, params }: RpcRequest,
): ModernMeta | { readonly refused: object } {
  const meta = isObject(params._meta) ? params._meta : {}
  const mismatch = (what: string) => ({ refused: rpcError(id, RPC.headerMismatch, `Header mismatch: ${what}.`) })
  const asked = meta[META.version]
  const version = headerOf(request, 'mcp-protocol-version')
  if (version === undefined) return mismatch('MCP-Protocol-Version is missing, or there more than once')
  if (asked !== undefined && asked !== version) return mismatch('MCP-Protocol-Version is not what the body says')
  if (version !== MODERN_REVISION) return { refused: unsupported(id, version) }
  if (asked === undefined) return malformed(id, META.version)
  if (headerOf(request, 'mcp-method') !== method) return mismatch('Mcp-Method is not the method of the body')
  const member = NAMED.get(method)
  const named = member === undefined ? undefined : params[member]
  if (member !== undefined && (typeof named !== 'string' || plainHeader(headerOf(request, 'mcp-name')) !== named))
    return mismatch(`Mcp-Name is not the ${member} of the body`)
  const capabilities = meta[META.capabilities]
  if (!isObject(capabilities)) return malformed(id, META.capabilities)
  return { meta, capabilities }
}

/** The response to a version that is not spoken here. */
export function unsupported(id: RpcRequest['id'] | null, requested: string): object {
  const data = { supported: REVISIONS, requested: requested.slice(0, 40) }
  return rpcError(id, RPC.unsupportedVersion, 'Unsupported protocol version', data)
}

function malformed(id: RpcRequest['id'], key: string): { readonly refused: object } {
  return { refused: rpcError(id, RPC.invalidParams, `The _meta of a request must have ${key}.`) }
}

/** A header that was sent exactly once. */
export function headerOf(request: IncomingMessage, name: string): string | undefined {
  const values = valuesOf(request, name)
  return values.length === 1 ? values[0] : undefined
}

/** The value of a header, out of base64 where it says so (section "Value Encoding"). */
function plainHeader(value: string | undefined): string | undefined {
  const [, encoded] = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/.exec(value ?? '') ?? []
  return encoded === undefined ? value : Buffer.from(encoded, 'base64').toString('utf8')
}
