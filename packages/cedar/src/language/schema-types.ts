import { type Schema, schemaToJson } from '@cedar-policy/cedar-wasm/nodejs'
import { type EntityData, type EntityUid, entityUid } from '@tidegate/kernel'
import { CedarError } from '../error.ts'
import { guarded } from './exact-policy.ts'

/** The type that a schema gives to a value. */
export type SchemaType =
  | { readonly kind: 'plain' }
  | { readonly kind: 'entity' }
  | { readonly kind: 'extension'; readonly name: string }
  | { readonly kind: 'set'; readonly element: SchemaType }
  | { readonly kind: 'record'; readonly attributes: ReadonlyMap<string, AttributeType> }

export interface AttributeType {
  readonly type: SchemaType
  readonly required: boolean
}

export interface EntityTypes {
  readonly attributes: ReadonlyMap<string, AttributeType>
  readonly tags: SchemaType | undefined
}

/** What a schema says about the form of values: all that reading entities and requests needs. Checking them is Cedar's own work. */
export interface SchemaTypes {
  /** The actions with their groups, ready for compilePolicies. */
  readonly actions: readonly EntityData[]
  entityTypes(type: string): EntityTypes | undefined
  /** The type of the context of an action; undefined for an action that the schema does not have. */
  contextOf(action: EntityUid): SchemaType | undefined
}

const EXTENSIONS = ['decimal', 'ipaddr', 'datetime', 'duration']
const NO_ATTRIBUTES: ReadonlyMap<string, AttributeType> = new Map()

/**
 * Reads a schema in either of Cedar's forms.
 *
 * @throws CedarError `schema_invalid` with Cedar's words.
 */
export function readSchemaTypes(schema: Schema): SchemaTypes {
  const namespaces = namespacesOf(schema)
  const resolve = resolverOf(namespaces)
  const entityTypes = new Map<string, EntityTypes>()
  const contexts = new Map<string, SchemaType>()
  const actions: EntityData[] = []
  for (const [namespace, definition] of Object.entries(namespaces)) {
    for (const [name, entity] of Object.entries(fieldsOf(definition.entityTypes))) {
      const { shape, tags } = fieldsOf(entity)
      const record = shape === undefined ? undefined : resolve(shape, namespace)
      const attributes = record?.kind === 'record' ? record.attributes : NO_ATTRIBUTES
      entityTypes.set(qualified(namespace, name), { attributes, tags: tags === undefined ? undefined : resolve(tags, namespace) })
    }
    for (const [id, action] of Object.entries(fieldsOf(definition.actions))) {
      const uid = entityUid(qualified(namespace, 'Action'), id)
      actions.push({ uid, attrs: {}, parents: parentsOf(fieldsOf(action).memberOf, namespace, namespaces) })
      const context = fieldsOf(fieldsOf(action).appliesTo).context
      contexts.set(JSON.stringify([uid.type, id]), context === undefined ? EMPTY_RECORD : resolve(context, namespace))
    }
  }
  return {
    actions,
    entityTypes: (type) => entityTypes.get(type),
    contextOf: ({ type, id }) => contexts.get(JSON.stringify([type, id])),
  }
}

const PLAIN: SchemaType = { kind: 'plain' }
const EMPTY_RECORD: SchemaType = { kind: 'record', attributes: NO_ATTRIBUTES }

type Fields = Readonly<Record<string, unknown>>

function namespacesOf(schema: Schema): Readonly<Record<string, Fields>> {
  if (typeof schema !== 'string') return mapOfFields(schema)
  const answer = guarded(() => schemaToJson(schema))
  if (answer.type === 'success') return mapOfFields(answer.json)
  throw new CedarError('schema_invalid', `Cedar refuses the schema: ${answer.errors.map((error) => error.message).join('; ')}`)
}

function parentsOf(memberOf: unknown, namespace: string, namespaces: Readonly<Record<string, Fields>>): readonly EntityUid[] {
  if (!Array.isArray(memberOf)) return []
  return memberOf.map((member: unknown) => {
    const { id, type } = fieldsOf(member)
    const own = qualified(namespace, 'Action')
    const isOwn = Object.hasOwn(fieldsOf(namespaces[namespace]?.actions), String(id))
    const written = typeof type === 'string' ? type : own
    return entityUid(written === 'Action' && isOwn ? own : written, String(id))
  })
}

/**
 * Resolves types. A name without a namespace is looked for in its own namespace first, then outside, then among Cedar's own; in each
 * place a common type comes before an entity type.
 */
function resolverOf(namespaces: Readonly<Record<string, Fields>>): (type: unknown, namespace: string) => SchemaType {
  const named = (name: string, namespace: string): SchemaType => {
    const places = name.includes('::') ? [splitName(name)] : [[namespace, name] as const, ['', name] as const]
    for (const [place, local] of places) {
      const definition = namespaces[place]
      const common = fieldsOf(definition?.commonTypes)
      if (Object.hasOwn(common, local)) return resolve(common[local], place)
      if (Object.hasOwn(fieldsOf(definition?.entityTypes), local)) return { kind: 'entity' }
    }
    const builtIn = name.replace(/^__cedar::/, '')
    return EXTENSIONS.includes(builtIn) ? { kind: 'extension', name: builtIn } : PLAIN
  }
  const resolve = (type: unknown, namespace: string): SchemaType => {
    const fields = fieldsOf(type)
    switch (fields.type) {
      case 'Set':
        return { kind: 'set', element: resolve(fields.element, namespace) }
      case 'Record':
        return { kind: 'record', attributes: attributesOf(fields.attributes, (each) => resolve(each, namespace)) }
      case 'Entity':
        return { kind: 'entity' }
      case 'Extension':
        return named(`__cedar::${String(fields.name)}`, namespace)
      case 'EntityOrCommon':
        return named(String(fields.name), namespace)
      default:
        return named(String(fields.type), namespace)
    }
  }
  return resolve
}

function attributesOf(attributes: unknown, resolve: (type: unknown) => SchemaType): ReadonlyMap<string, AttributeType> {
  return new Map(
    Object.entries(fieldsOf(attributes)).map(([name, type]) => [
      name,
      { type: resolve(type), required: fieldsOf(type).required !== false },
    ]),
  )
}

function splitName(name: string): readonly [string, string] {
  const at = name.lastIndexOf('::')
  return [name.slice(0, at), name.slice(at + 2)]
}

function qualified(namespace: string, name: string): string {
  return namespace === '' || name.includes('::') ? name : `${namespace}::${name}`
}

function mapOfFields(json: unknown): Readonly<Record<string, Fields>> {
  return Object.fromEntries(Object.entries(fieldsOf(json)).map(([name, definition]) => [name, fieldsOf(definition)]))
}

function fieldsOf(json: unknown): Fields {
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? Object.fromEntries(Object.entries(json)) : {}
}
