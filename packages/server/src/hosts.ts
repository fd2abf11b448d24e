import { hostTools as claudeCodeTools } from '@tidegate/claude-code/tools'
import { nodeHasher } from '@tidegate/crypto-node'
import { deriveSecret } from '@tidegate/journal-sqlite'
import type { Journal } from '@tidegate/kernel'
import { hostTools as openClawTools } from '@tidegate/openclaw/tools'
import type { Project } from '@tidegate/project'
import {
  type Claims,
  createSessions,
  type HostKind,
  type HostTools,
  hostWorkflow,
  modelWorkflow,
  type Registry,
  type Sessions,
  type Tool,
  type WorkflowWithPlanner,
} from '@tidegate/runtime'
import { MODEL_OPERATION } from '@tidegate/tools-model'
import { withCommandKinds } from './host-commands.ts'

/** The tools that a kind of host brings itself; an MCP client has none but ours. */
export function hostToolsOf(kind: HostKind): HostTools | undefined {
  if (kind === 'mcp') return undefined
  const { operations, binding } = kind === 'openclaw' ? openClawTools() : claudeCodeTools()
  const operationOf: HostTools['operationOf'] = (tool, args, context) => binding.operationOf(tool, args, context)
  return withCommandKinds({ operations, operationOf }, kind === 'openclaw' ? 'openclaw.exec' : 'claude-code.bash')
}

/** What hosts add to a registry. */
export function hostParts(
  { configuration, hosts, hostTools }: Pick<Project, 'configuration' | 'hosts' | 'hostTools'>,
  claims: Claims,
): { readonly tools: readonly Tool[]; readonly workflows: readonly WorkflowWithPlanner[] } {
  const tools = [...hostTools.values()].flatMap(({ operations }) => {
    const [first] = operations
    return first === undefined ? [] : [{ name: first.tool, operations, connector: claims.connector }]
  })
  const withModel = new Set(configuration.hosts.flatMap(({ name, model }) => (model === undefined ? [] : [name])))
  const workflows = [
    ...hosts.map((host) => hostWorkflow(host, hostTools.get(host.kind), nodeHasher)),
    ...hosts.filter(({ name }) => withModel.has(name)).map((host) => modelWorkflow(host, [MODEL_OPERATION], nodeHasher)),
  ]
  return { tools, workflows }
}

/** The conversations of hosts. Their ids are keyed: the ledger keeps them for good. */
export function openSessions(journal: Journal, registry: Registry, masterKey: Uint8Array): Sessions {
  const salt = Buffer.from(deriveSecret(masterKey, 'host-sessions')).toString('hex')
  return createSessions({ journal, find: registry.find, hasher: nodeHasher, salt })
}
