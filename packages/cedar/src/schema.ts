import type { SchemaJson } from '@cedar-policy/cedar-wasm/nodejs'
import {
  BLAST_RADII,
  DATA_CLASSES,
  FLOW_WORDS,
  MUTABILITIES,
  NATURES,
  NO_FLOW,
  type Operation,
  ORIGINS,
  RISK_CLASSES,
  type Workflow,
} from '@tidegate/kernel'
import { type ArgumentType, argumentsType, NO_ARGUMENTS, type RecordType } from './argument-type.ts'
import { CedarError } from './error.ts'

/** What policies may speak of: the Cedar schema, the words that an attribute can have, and how arguments are seen. Plain data. */
export interface CedarSchema {
  readonly cedar: SchemaJson<string>
  /** Attribute of the context (`risk`, `arguments.currency`) -> all values it ever has. Unlisted attributes can have any. */
  readonly words: Readonly<Record<string, readonly string[]>>
  /** Operation -> how policies see its arguments. */
  readonly arguments: Readonly<Record<string, RecordType>>
  readonly meters: readonly string[]
}

/** What a project declares beyond its operations and workflows that policies may speak of. */
export interface SchemaOptions {
  /** Names of the declared meters. */
  readonly meters?: readonly string[]
  /** Every role that a person of the project has; leave it out when people come from elsewhere. */
  readonly roles?: readonly string[]
}

/** An operation, as far as the schema is concerned. One without an input shows policies none of its arguments. */
export interface SchemaOperation extends Pick<Operation, 'id' | 'tool'> {
  readonly input?: Pick<Operation['input'], 'jsonSchema'>
}

/** The types of Cedar that we use, in its JSON form. */
export type CedarType =
  | { readonly type: 'String' | 'Long' | 'Boolean' }
  | { readonly type: 'Extension'; readonly name: 'decimal' | 'datetime' }
  | { readonly type: 'Set'; readonly element: CedarType }
  | { readonly type: 'Record'; readonly attributes: Readonly<Record<string, CedarType & { readonly required?: boolean }>> }

const TEXT: CedarType = { type: 'String' }
const LONG: CedarType = { type: 'Long' }
const FLAG: CedarType = { type: 'Boolean' }
const TEXTS: CedarType = { type: 'Set', element: TEXT }
const DECIMAL: CedarType = { type: 'Extension', name: 'decimal' }

/**
 * The facts of every request, apart from the arguments and the meters. One place: what is added here must be sent by the request,
 * and the other way round; a test compares the two.
 */
const FACTS: Readonly<Record<string, CedarType>> = {
  environment: TEXT,
  risk: TEXT,
  mutability: TEXT,
  dataClass: TEXT,
  blastRadius: TEXT,
  nature: TEXTS,
  reversible: FLAG,
  compensating: FLAG,
  mode: TEXT,
  stage: LONG,
  workflow: TEXT,
  user: TEXT,
  client: TEXT,
  actors: TEXTS,
  roles: TEXTS,
  records: LONG,
  confidence: LONG,
  confidences: recordOf({ classification: LONG, retrieval: LONG, extraction: LONG }),
  attempts: LONG,
  now: { type: 'Extension', name: 'datetime' },
  hour: LONG,
  weekday: LONG,
  origins: TEXTS,
  flow: typeOfFact(NO_FLOW),
  approvals: TEXTS,
}

/** The types of all facts of a request, that is of its context without the arguments. */
export function factTypes(meters: readonly string[]): Readonly<Record<string, CedarType>> {
  return { ...FACTS, meters: recordOf(Object.fromEntries(meters.map((name) => [name, LONG]))) }
}

/** Attribute -> all values it ever has, in every project. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  risk: RISK_CLASSES,
  mutability: MUTABILITIES,
  dataClass: DATA_CLASSES,
  blastRadius: BLAST_RADII,
  nature: NATURES,
  origins: ORIGINS,
  mode: ['live', 'dry_run'],
  ...Object.fromEntries(Object.entries(FLOW_WORDS).map(([name, words]) => [`flow.${name}`, words])),
}

/**
 * Generates the schema that policies are checked against, from what is declared: each operation is an action, in the group
 * `tool::<tool>` and through it in `any`, with its own typed arguments; each tool a resource; each workflow's agent a principal.
 *
 * Agents and tools are enumerated, so that a policy about an agent that does not exist refuses to load. Throws
 * {@link CedarError} `schema_invalid` for two operations with one id, or one whose id does not start with its tool.
 */
export function generateSchema(
  operations: readonly SchemaOperation[],
  workflows: readonly Pick<Workflow, 'name' | 'agent'>[],
  { meters = [], roles }: SchemaOptions = {},
): CedarSchema {
  const sorted = operations.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const inputs = sorted.map(
    ({ id, input }) => [id, input === undefined ? NO_ARGUMENTS : argumentsType(input.jsonSchema)] as const,
  )
  const named = distinct(meters)
  const agents = distinct(workflows.map((workflow) => workflow.agent))
  const tools = distinct(operations.map((operation) => operation.tool))
  const actions = actionsOf(sorted, new Map(inputs), named)
  return {
    cedar: { '': { entityTypes: { Agent: enumerated(agents), Tool: enumerated(tools) }, actions } },
    words: {
      ...WORDS,
      ...(workflows.length === 0 ? {} : { workflow: distinct(workflows.map((workflow) => workflow.name)) }),
      ...(roles === undefined || roles.length === 0 ? {} : { roles: distinct(roles) }),
      ...argumentWords(inputs.map(([, input]) => input)),
    },
    arguments: Object.fromEntries(inputs),
    meters: named,
  }
}

type Actions = SchemaJson<string>[string]['actions']

function actionsOf(
  operations: readonly SchemaOperation[],
  inputs: ReadonlyMap<string, RecordType>,
  meters: readonly string[],
): Actions {
  const actions: Actions = { any: {} }
  const facts = factTypes(meters)
  for (const { id, tool } of operations) {
    if (!id.startsWith(`${tool}.`))
      throw new CedarError('schema_invalid', `operation "${id}" must start with its tool: "${tool}."`)
    if (Object.hasOwn(actions, id)) throw new CedarError('schema_invalid', `two operations have the id "${id}"`)
    actions[`tool::${tool}`] ??= { memberOf: [{ id: 'any' }] }
    const context = recordOf({ ...facts, arguments: cedarType(inputs.get(id) ?? NO_ARGUMENTS) })
    actions[id] = {
      memberOf: [{ id: `tool::${tool}` }],
      appliesTo: { principalTypes: ['Agent'], resourceTypes: ['Tool'], context },
    }
  }
  return actions
}

function cedarType(type: ArgumentType): CedarType {
  switch (type.kind) {
    case 'text':
      return TEXT
    case 'long':
      return LONG
    case 'decimal':
      return DECIMAL
    case 'flag':
      return FLAG
    case 'set':
      return { type: 'Set', element: cedarType(type.element) }
    case 'record': {
      const members = Object.entries(type.members).map(([name, member]) => {
        return [name, { ...cedarType(member.type), required: member.required }] as const
      })
      return { type: 'Record', attributes: Object.fromEntries(members) }
    }
  }
}

/** The type of a fact that is a plain value, read off its neutral value: lists of facts are lists of words. */
function typeOfFact(sample: unknown): CedarType {
  if (typeof sample === 'boolean') return FLAG
  if (typeof sample === 'number') return LONG
  if (typeof sample === 'string') return TEXT
  if (Array.isArray(sample)) return TEXTS
  const members = Object.entries(sample as object).map(([name, member]) => [name, typeOfFact(member)] as const)
  return recordOf(Object.fromEntries(members))
}

function recordOf(attributes: Readonly<Record<string, CedarType>>): CedarType {
  return { type: 'Record', attributes }
}

/** The words of arguments that are an enumeration in every operation that has them. */
function argumentWords(inputs: readonly RecordType[]): Readonly<Record<string, readonly string[]>> {
  const found = new Map<string, readonly string[] | 'any'>()
  const visit = ({ members }: RecordType, path: string): void => {
    for (const [name, { type }] of Object.entries(members)) {
      const at = `${path}.${name}`
      const scalar = type.kind === 'set' ? type.element : type
      if (type.kind === 'record') visit(type, at)
      else found.set(at, joinWords(found.get(at), scalar.kind === 'text' ? scalar.words : undefined))
    }
  }
  for (const input of inputs) visit(input, 'arguments')
  return Object.fromEntries([...found].filter((entry): entry is [string, readonly string[]] => entry[1] !== 'any').toSorted())
}

function joinWords(known: readonly string[] | 'any' | undefined, words: readonly string[] | undefined) {
  return known === 'any' || words === undefined ? 'any' : distinct([...(known ?? []), ...words])
}

/** Cedar has no empty enumeration: a project without workflows has an open type, which no request uses. */
function enumerated(ids: readonly string[]): { enum: string[] } | Record<string, never> {
  return ids.length === 0 ? {} : { enum: [...ids] }
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].toSorted()
}
