import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Connector, Operation } from '@tidegate/kernel'
import { type Configuration, readMcpServers } from '@tidegate/project'
import type { Tool } from '@tidegate/runtime'
import { shellOperations } from '@tidegate/tools-exec'
import { type McpServer, rememberedOperations } from '@tidegate/tools-mcp'
import { modelOperation } from '@tidegate/tools-model'
import { createJavaScript } from '@tidegate/tools-quickjs'

/** The name under which commands are operations: `shell.exec` and its kin. */
export const SHELL_TOOL = 'shell'

/**
 * What a project declares besides its own tool files, for whoever checks policies without a server: the shell, scripts, models of hosts, and upstream
 * servers as they are remembered from the last time that they were reached. Nothing of it can be called.
 *
 * @throws ProjectError when the configuration of an upstream server is refused.
 */
export function offlineTools(project: string, configuration: Configuration): readonly Tool[] {
  const { exec, javascript, hosts, store } = configuration
  const memory = join(resolve(project, store.directory), 'mcp')
  const servers: readonly McpServer[] = readMcpServers(project, configuration)
  return [
    ...(exec === undefined
      ? []
      : [
          shellOperations({
            tool: SHELL_TOOL,
            workspace: resolve(project, exec.workspace),
            timeoutMs: exec.timeout,
            contents: exec.contents,
          }),
        ]),
    ...(javascript === undefined
      ? []
      : [createJavaScript({ timeoutMs: javascript.timeout, memoryBytes: javascript.memory * 1_048_576 }).operations]),
    ...(hosts.some(({ model }) => model !== undefined) ? [[modelOperation({ timeoutMs: MODEL_TIMEOUT_MS, secrets: [] })]] : []),
    ...servers.map((server) =>
      rememberedOperations(server, { read: (name) => readMemory(memory, name), write: () => undefined }),
    ),
  ].flatMap(toolOf)
}

/** Policies do not see how long a call may take. */
const MODEL_TIMEOUT_MS = 60_000

function toolOf(operations: readonly Operation[]): readonly Tool[] {
  const [first] = operations
  return first === undefined ? [] : [{ name: first.tool, operations, connector: NOTHING }]
}

function readMemory(directory: string, server: string): string | undefined {
  try {
    return readFileSync(join(directory, server, 'tools.json'), 'utf8')
  } catch {
    return undefined // it was never reached from here
  }
}

const REFUSED = { kind: 'failed', failure: 'refused', retry: 'never', message: 'nothing is called without a server' } as const

/** Stands where nothing can be called. */
const NOTHING: Connector = {
  execute: async () => REFUSED,
  preview: async () => REFUSED,
  reconcile: async () => ({ kind: 'unknown', message: REFUSED.message }),
  verify: async () => ({ holds: false, detail: REFUSED.message }),
}
