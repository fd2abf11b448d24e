import { resolve } from 'node:path'
import { systemClock } from '@tidegate/crypto-node'
import { loadConfiguration, readMcpServers } from '@tidegate/project'
import { draftOverlay } from '@tidegate/tools-mcp'
import { ServerError } from './error.ts'
import { upstreamPorts } from './upstream-servers.ts'

/**
 * Writes the draft of an overlay from what an upstream MCP server of a project offers right now: starts or reaches that one server, and
 * nothing else. Neither the journal nor what is remembered of the server is touched.
 *
 * @throws ServerError `arguments_invalid` for a server that the project does not list; ToolsMcpError when it cannot be reached.
 */
export async function writeOverlay(options: {
  readonly project: string
  readonly server: string
  readonly environment: Readonly<Record<string, string | undefined>>
}): Promise<string> {
  const project = resolve(options.project)
  const configuration = loadConfiguration(project)
  const servers = readMcpServers(project, configuration)
  const server = servers.find(({ name }) => name === options.server)
  if (server === undefined) {
    const known = servers.map(({ name }) => name).join(', ') || 'none'
    throw new ServerError(
      'arguments_invalid',
      `tidegate.yaml lists no MCP server "${options.server.slice(0, 80)}". There are: ${known}.`,
    )
  }
  const stateDirectory = resolve(project, configuration.store.directory)
  const { environment } = options
  return draftOverlay(
    server,
    upstreamPorts({ project, configuration, stateDirectory, environment, clock: systemClock, log: () => {} }),
  )
}
