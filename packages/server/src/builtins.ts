import type { Journal, Operation } from '@tidegate/kernel'
import type { Builtin, Configuration } from '@tidegate/project'
import {
  type BuiltinPart,
  changesLayer,
  type Control,
  createAuthorLookup,
  POLICY_OPERATIONS,
  policyPart,
  type PolicyStore,
  policyWorkflow,
  TOOL_OPERATIONS,
  toolPart,
  toolWorkflow,
} from '@tidegate/runtime'

/**
 * What Tidegate declares about itself in a project: known before anything is opened, so that policies are checked against it. `more`
 * are parts that are ready already.
 */
export function builtinDeclarations({ environment, changes }: Configuration, more: readonly BuiltinPart[]): Builtin {
  return {
    operations: [...POLICY_OPERATIONS, ...TOOL_OPERATIONS, ...more.flatMap(({ operations }) => operations)],
    workflows: [
      policyWorkflow(environment),
      toolWorkflow(environment),
      ...more.flatMap(({ workflows }) => workflows.map(({ workflow }) => workflow)),
    ],
    policies: [changesLayer(changes?.reviewers ?? []), ...more.flatMap(({ layer = [] }) => layer)],
  }
}

/** What the built-in parts work on. */
export interface BuiltinGround {
  readonly configuration: Configuration
  readonly journal: Journal
  readonly control: Control
  readonly store: PolicyStore
  /** Of the project. */
  readonly operations: readonly Operation[]
}

/** The parts of the built-in tool, ready to run. Declares what {@link builtinDeclarations} says. */
export function createBuiltinParts({
  configuration,
  journal,
  control,
  store,
  operations,
}: BuiltinGround): readonly BuiltinPart[] {
  const { environment, changes } = configuration
  const authorOf = createAuthorLookup(journal)
  const byId = new Map(operations.map((operation) => [operation.id, operation]))
  const find = (id: string) => byId.get(id)
  return [
    policyPart({ store, authorOf }, { environment, reviewers: changes?.reviewers ?? [] }),
    toolPart({ control, history: store.history, find, authorOf }, { environment }),
  ]
}
