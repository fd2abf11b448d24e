import type { SchemaJson, Type } from '@cedar-policy/cedar-wasm/nodejs'
import { BLAST_RADII, DATA_CLASSES, MUTABILITIES, type Operation, ORIGINS, RISK_CLASSES, type Workflow } from '@tidegate/kernel'
import { CedarError } from './error.ts'

/** What policies may speak of: the Cedar schema, and the words that an attribute can have. */
export interface CedarSchema {
  readonly cedar: SchemaJson<string>
  /** Attribute of the context -> all values it ever has. Attributes that are not listed can have any. */
  readonly words: Readonly<Record<string, readonly string[]>>
}

const TEXT: Type<string> = { type: 'String' }
const LONG: Type<string> = { type: 'Long' }
const FLAG: Type<string> = { type: 'Boolean' }
const TEXTS: Type<string> = { type: 'Set', element: TEXT }

/** The context of every request. One place: what is added here must be sent by cedarRequest, and the other way round. */
const CONTEXT = {
  environment: TEXT,
  risk: TEXT,
  mutability: TEXT,
  dataClass: TEXT,
  blastRadius: TEXT,
  mode: TEXT,
  workflow: TEXT,
  user: TEXT,
  reversible: FLAG,
  compensating: FLAG,
  confidence: LONG,
  stage: LONG,
  attempts: LONG,
  origins: TEXTS,
  approvals: TEXTS,
  arguments: { type: 'Record', attributes: { amountMinor: { type: 'Long', required: false } } },
} as const

/**
 * Generates the schema that policies are checked against, from what is declared: each operation is an action, in the group
 * `tool::<tool>` and through it in `any`; each tool a resource; each workflow's agent a principal.
 *
 * Agents and tools are enumerated, so that a policy about an agent that does not exist refuses to load. Throws
 * {@link CedarError} `schema_invalid` for two operations with one id, or one whose id does not start with its tool.
 */
export function generateSchema(
  operations: readonly Pick<Operation, 'id' | 'tool'>[],
  workflows: readonly Pick<Workflow, 'name' | 'agent'>[],
): CedarSchema {
  const actions: SchemaJson<string>[string]['actions'] = { any: {} }
  for (const { id, tool } of operations.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    if (!id.startsWith(`${tool}.`))
      throw new CedarError('schema_invalid', `operation "${id}" must start with its tool: "${tool}."`)
    if (Object.hasOwn(actions, id)) throw new CedarError('schema_invalid', `two operations have the id "${id}"`)
    actions[`tool::${tool}`] ??= { memberOf: [{ id: 'any' }] }
    const context: Type<string> = { type: 'Record', attributes: CONTEXT }
    actions[id] = {
      memberOf: [{ id: `tool::${tool}` }],
      appliesTo: { principalTypes: ['Agent'], resourceTypes: ['Tool'], context },
    }
  }
  const agents = distinct(workflows.map((workflow) => workflow.agent))
  const tools = distinct(operations.map((operation) => operation.tool))
  return {
    cedar: { '': { entityTypes: { Agent: enumerated(agents), Tool: enumerated(tools) }, actions } },
    words: {
      risk: RISK_CLASSES,
      mutability: MUTABILITIES,
      dataClass: DATA_CLASSES,
      blastRadius: BLAST_RADII,
      origins: ORIGINS,
      mode: ['live', 'dry_run'],
      ...(workflows.length === 0 ? {} : { workflow: distinct(workflows.map((workflow) => workflow.name)) }),
    },
  }
}

/** Cedar has no empty enumeration: a project without workflows has an open type, which no request uses. */
function enumerated(ids: readonly string[]): { enum: string[] } | Record<string, never> {
  return ids.length === 0 ? {} : { enum: [...ids] }
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].toSorted()
}
