import { type SchemaJson, schemaToJson, schemaToJsonWithResolvedTypes, type Type } from '@cedar-policy/cedar-wasm/nodejs'
import { CedarError } from '../error.ts'
import { guarded } from '../language/exact-policy.ts'

/** What a value from outside must be in order to be shown to policies. */
export type Shape =
  | { readonly kind: 'text' | 'long' | 'flag' | 'decimal' | 'datetime' | 'duration' | 'ipaddr' }
  | { readonly kind: 'entity'; readonly type: string }
  | { readonly kind: 'set'; readonly element: Shape }
  | RecordShape

/** A record with declared members. What is not declared no policy can speak of. */
export interface RecordShape {
  readonly kind: 'record'
  readonly members: ReadonlyMap<string, { readonly shape: Shape; readonly required: boolean }>
}

/** A declared type of entities. */
export interface EntityShape {
  readonly attributes: RecordShape
  /** All the ids there are, for an enumerated type. */
  readonly ids: ReadonlySet<string> | undefined
}

/** A declared action: whom and what it is about, and its context. */
export interface ActionShape {
  readonly subjects: readonly string[]
  readonly resources: readonly string[]
  readonly context: RecordShape
}

/** A schema for decisions about a project's own entities. */
export interface EntitySchema {
  /** As Cedar takes it: every context has the member `approvals`, which an approval fills. */
  readonly cedar: SchemaJson<string>
  readonly types: ReadonlyMap<string, EntityShape>
  /** Only those that apply to something: groups of actions are not asked about. */
  readonly actions: ReadonlyMap<string, ActionShape>
}

/** The member of every context that names the policies an approval has satisfied. */
export const APPROVALS = 'approvals'

const SCALARS: ReadonlyMap<string, 'text' | 'long' | 'flag'> = new Map([
  ['String', 'text'],
  ['Long', 'long'],
  ['Bool', 'flag'],
  ['Boolean', 'flag'],
])
const EXTENSIONS: readonly string[] = ['decimal', 'datetime', 'duration', 'ipaddr']
const NOTHING: RecordShape = { kind: 'record', members: new Map() }

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads a schema in Cedar's text form. Types stand outside of any namespace: a type of the Authorization API is one word.
 *
 * @throws CedarError `schema_invalid` with Cedar's words, or for a schema in namespaces, or one with its own idea of `approvals`.
 */
export function readEntitySchema(text: string): EntitySchema {
  const resolved = guarded(() => schemaToJsonWithResolvedTypes(text))
  const plain = guarded(() => schemaToJson(text))
  if (resolved.type === 'failure') throw invalid(resolved.errors.map((error) => error.message).join('; '))
  if (plain.type === 'failure') throw invalid(plain.errors.map((error) => error.message).join('; '))
  const named = Object.keys(plain.json).filter((namespace) => namespace !== '')
  if (named.length > 0) throw invalid(`declare types and actions without the namespace ${named[0]}`)
  const schema = fields(fields(resolved.json)[''])
  const shapeOf = shaperOf(fields(schema.commonTypes), new Set(Object.keys(fields(schema.entityTypes))))
  const types = Object.entries(fields(schema.entityTypes)).map(
    ([name, type]) => [name, entityShape(fields(type), shapeOf)] as const,
  )
  const actions = Object.entries(fields(schema.actions)).flatMap(([name, action]) => {
    const shape = actionShape(fields(fields(action).appliesTo), shapeOf)
    return shape.subjects.length === 0 || shape.resources.length === 0 ? [] : [[name, shape] as const]
  })
  const own = actions.find(([, { context }]) => context.members.has(APPROVALS))
  if (own !== undefined) throw invalid(`the context of ${own[0]} declares "${APPROVALS}", which every context has by itself`)
  return { cedar: withApprovals(plain.json), types: new Map(types), actions: new Map(actions) }
}

function invalid(message: string): CedarError {
  return new CedarError('schema_invalid', `The schema is refused: ${message}`)
}

type ShapeOf = (type: unknown) => Shape

function shaperOf(common: Fields, entities: ReadonlySet<string>): ShapeOf {
  const shapeOf: ShapeOf = (given) => {
    const type = fields(given)
    const name = String(type.type).replace(/^__cedar::/, '')
    if (name === 'Set') return { kind: 'set', element: shapeOf(type.element) }
    if (name === 'Record') return recordShape(fields(type.attributes), shapeOf)
    if (name === 'Entity') return { kind: 'entity', type: String(type.name) }
    if (Object.hasOwn(common, name)) return shapeOf(common[name])
    if (entities.has(name)) return { kind: 'entity', type: name }
    const scalar = SCALARS.get(name)
    if (scalar !== undefined) return { kind: scalar }
    // Sound: the list holds exactly the names that are kinds.
    if (EXTENSIONS.includes(name)) return { kind: name as 'decimal' }
    throw invalid(`the type ${name} is not one that values from outside can have`)
  }
  return shapeOf
}

function recordShape(attributes: Fields, shapeOf: ShapeOf): RecordShape {
  const members = Object.entries(attributes).map(([name, type]) => {
    return [name, { shape: shapeOf(type), required: fields(type).required !== false }] as const
  })
  return { kind: 'record', members: new Map(members) }
}

function entityShape({ shape, enum: ids }: Fields, shapeOf: ShapeOf): EntityShape {
  const attributes = shape === undefined ? NOTHING : shapeOf(shape)
  if (attributes.kind !== 'record') throw invalid('the shape of an entity is not a record')
  return { attributes, ids: Array.isArray(ids) ? new Set(ids.map(String)) : undefined }
}

function actionShape({ principalTypes, resourceTypes, context }: Fields, shapeOf: ShapeOf): ActionShape {
  const shape = context === undefined ? NOTHING : shapeOf(context)
  if (shape.kind !== 'record') throw invalid('the context of an action is not a record')
  return { subjects: texts(principalTypes), resources: texts(resourceTypes), context: shape }
}

/** Adds the member that an approval fills to the context of every action. */
function withApprovals(schema: SchemaJson<string>): SchemaJson<string> {
  const own = schema['']
  if (own === undefined) return schema
  const approvals = { type: 'Set', element: { type: 'String' }, required: true } as const
  const recordOf = (type: Type<string> | undefined): Fields => {
    const { type: name, name: reference, attributes } = fields(type)
    if (name === 'Record') return fields(attributes)
    const target = fields(own.commonTypes)[String(reference ?? name)]
    return target === undefined ? {} : recordOf(target as Type<string>) // sound: it came from the same schema
  }
  const actions = Object.entries(own.actions).map(([name, action]) => {
    const { appliesTo } = action
    if (appliesTo === undefined) return [name, action]
    const context = { type: 'Record', attributes: { ...recordOf(appliesTo.context), [APPROVALS]: approvals } }
    return [name, { ...action, appliesTo: { ...appliesTo, context } }]
  })
  return { ...schema, '': { ...own, actions: Object.fromEntries(actions) } }
}

function fields(json: unknown): Fields {
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as Fields) : {}
}

function texts(json: unknown): readonly string[] {
  return Array.isArray(json) ? json.filter((item) => typeof item === 'string') : []
}
