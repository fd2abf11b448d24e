import type { GatewayOptions } from '@tidegate/gateway'
import type { Sandbox } from '@tidegate/kernel'
import type { McpTools } from '@tidegate/tools-mcp'

/** Looks at what only the server can look at: the sandbox anew, layer by layer, and the upstream MCP servers as they are. */
export function createDoctor({
  shell,
  upstream,
}: {
  readonly shell: Pick<Sandbox, 'probe'> | undefined
  readonly upstream: Pick<McpTools, 'health'>
}): NonNullable<GatewayOptions['doctor']> {
  return async () => ({
    sandbox: shell === undefined ? null : await shell.probe(),
    upstream: upstream.health().map(({ server, state, transport, operations, hidden, issues, detail }) => ({
      ...{ server, state, transport, operations, hidden, issues },
      detail: detail ?? '',
    })),
  })
}
