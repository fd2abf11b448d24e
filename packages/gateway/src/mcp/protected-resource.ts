import type { IncomingMessage } from 'node:http'
import type { McpHost, McpOptions } from './desk.ts'
import { headerOf } from './modern-headers.ts'

/** Where MCP is spoken. */
export const MCP_PATH = '/mcp'
const WELL_KNOWN = '/.well-known/oauth-protected-resource'
/** The metadata stands under the path of the resource (RFC 9728, section 3.1), and at the root for clients that look only there. */
export const METADATA_PATHS: readonly string[] = [`${WELL_KNOWN}${MCP_PATH}`, WELL_KNOWN]

/** Metadata of the protected resource (RFC 9728): whose tokens are good here, and how to send one. */
export function resourceMetadata(origin: string, authorizationServers: readonly string[]): object {
  return {
    resource: `${origin}${MCP_PATH}`,
    ...(authorizationServers.length > 0 ? { authorization_servers: authorizationServers } : {}),
    bearer_methods_supported: ['header'],
    resource_name: 'Tidegate',
  }
}

/**
 * The host that makes a request; otherwise the challenge that says how to become one (RFC 6750, RFC 9728). It says the same whatever
 * is wrong with a token. The token goes no further than this: nothing behind us ever sees it.
 */
export function authenticateRequest(
  request: IncomingMessage,
  authenticateHost: McpOptions['authenticateHost'],
  origin: string,
): McpHost | { readonly challenge: string } {
  const sent = headerOf(request, 'authorization')
  const token = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(sent ?? '')?.[1]
  const host = token === undefined ? undefined : authenticateHost(token)
  if (host !== undefined) return host
  const error = sent === undefined ? '' : 'error="invalid_token", '
  return { challenge: `Bearer ${error}resource_metadata="${origin}${METADATA_PATHS[0] ?? ''}"` }
}
