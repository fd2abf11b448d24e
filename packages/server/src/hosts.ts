import { nodeHasher, systemClock } from '@tidegate/crypto-node'
import { deriveSecret } from '@tidegate/journal-sqlite'
import type { Journal } from '@tidegate/kernel'
import type { Project } from '@tidegate/project'
import {
  type Claims,
  createSessions,
  hostWorkflow,
  modelWorkflow,
  type Registry,
  type Sessions,
  type Tool,
  type WorkflowWithPlanner,
} from '@tidegate/runtime'
import { MODEL_OPERATION } from '@tidegate/tools-model'

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
  return createSessions({ journal, clock: systemClock, find: registry.find, hasher: nodeHasher, salt })
}
