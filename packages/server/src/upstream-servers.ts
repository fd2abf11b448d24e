import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Log } from '@tidegate/kernel'
import { type Configuration, readMcpServers } from '@tidegate/project'
import { createMcpTools, type McpMemory, type McpPorts, type McpServer, type McpTools } from '@tidegate/tools-mcp'
import { createSecretSource } from './secrets.ts'
import { makeDirectory } from './state/make-directory.ts'
import { writeAtomically } from './state/private-file.ts'
import { VERSION } from './version.ts'

/** What the upstream servers of a project are reached with. */
export interface UpstreamGround {
  readonly project: string
  readonly configuration: Configuration
  readonly stateDirectory: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly log: Log
}

/** Connects the upstream MCP servers of a project. One that cannot be reached is told in the log, and offers what is remembered of it. */
export async function openUpstreamServers(ground: UpstreamGround): Promise<McpTools> {
  const servers: readonly McpServer[] = readMcpServers(ground.project, ground.configuration)
  return createMcpTools(servers, upstreamPorts(ground))
}

/** The ports of upstream servers: secrets read at each use, and below the state directory a home and a memory for each. */
export function upstreamPorts({ project, configuration, stateDirectory, environment, clock, log }: UpstreamGround): McpPorts {
  const directoryOf = (server: string): string => join(stateDirectory, 'mcp', server)
  return {
    secret: createSecretSource({ project, secrets: configuration.secrets, environment }),
    ...{ clock, log },
    path: environment.PATH ?? '/usr/local/bin:/usr/bin:/bin',
    homeOf(server) {
      const home = join(directoryOf(server), 'home')
      makeDirectory(home, 0o700)
      return home
    },
    memory: fileMemory(directoryOf),
    client: { name: 'tidegate', version: VERSION },
  }
}

function fileMemory(directoryOf: (server: string) => string): McpMemory {
  return {
    read(server) {
      try {
        return readFileSync(join(directoryOf(server), 'tools.json'), 'utf8')
      } catch {
        return undefined // the first start
      }
    },
    write(server, text) {
      makeDirectory(directoryOf(server), 0o700)
      writeAtomically(join(directoryOf(server), 'tools.json'), text, 0o600)
    },
  }
}
