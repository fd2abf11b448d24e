import { createHash } from 'node:crypto'
import type { Hasher } from '@tidegate/kernel'
import type { Builtin, Configuration } from '@tidegate/project'
import {
  ACCESS_TIMES,
  changesLayer,
  createAccessPart,
  POLICY_OPERATIONS,
  policyWorkflow,
  TOOL_OPERATIONS,
  toolWorkflow,
} from '@tidegate/runtime'

const hasher: Hasher = { sha256: (data) => new Uint8Array(createHash('sha256').update(data).digest()) }

/**
 * What Tidegate declares about itself in a project, as the server does when it starts: policies may speak of it, and its own policies
 * are part of every set. Nothing of it is ever run here.
 */
export function builtinsOf({ environment, changes }: Pick<Configuration, 'environment' | 'changes'>): Builtin {
  const access = createAccessPart({ hasher, nowMs: () => 0, load: async () => undefined, environment, ...ACCESS_TIMES })
  return {
    operations: [...POLICY_OPERATIONS, ...TOOL_OPERATIONS, ...access.operations],
    workflows: [policyWorkflow(environment), toolWorkflow(environment), ...access.workflows.map(({ workflow }) => workflow)],
    policies: [changesLayer(changes?.reviewers ?? []), ...(access.layer ?? [])],
  }
}
