import { isObject, type Json, type JsonObject, segmentsOf } from '@tidegate/kernel'

/** How policies see one argument. Plain data: it is part of the schema, and so of the version of a policy set. */
export type ArgumentType =
  | { readonly kind: 'text'; readonly words?: readonly string[] }
  | { readonly kind: 'long' }
  | { readonly kind: 'decimal' }
  | { readonly kind: 'flag' }
  | { readonly kind: 'set'; readonly element: ScalarType }
  | RecordType

/** What a set can hold. */
export type ScalarType = Extract<ArgumentType, { kind: 'text' | 'long' | 'decimal' | 'flag' }>

/** An object with known members. Members that cannot be typed are not listed: policies do not see them. */
export interface RecordType {
  readonly kind: 'record'
  readonly members: Readonly<Record<string, MemberType>>
}

export interface MemberType {
  readonly type: ArgumentType
  readonly required: boolean
  /** A null stands for a member that is missing. */
  readonly nullable?: true
}

/** Members of one record, and records in records. What is beyond is left out. */
const MAX_MEMBERS = 100
const MAX_DEPTH = 5
/** Cedar reads these keys of its JSON form as something else, and JavaScript reads the last one so. */
const RESERVED = ['__entity', '__extn', '__expr', '__proto__']

export const NO_ARGUMENTS: RecordType = { kind: 'record', members: {} }

/**
 * Says how policies see the arguments of an operation, from its JSON Schema (draft 2020-12).
 *
 * Texts are String, integers Long, other numbers decimal, booleans Bool, arrays of one of these Set, and objects with declared
 * members Record. A member that is nullable or not required is optional. Whatever else (unions, tuples, arrays of objects or of
 * arrays, objects with free keys, schemas that refer to themselves) has no type in Cedar and is left out, so that a policy that
 * speaks of it refuses to load. The schema is written by the author of a tool or comes from a server of tools.
 */
export function argumentsType(schema: JsonObject): RecordType {
  const type = typeOf(schema, { root: schema, depth: 0 })
  return type?.kind === 'record' ? type : NO_ARGUMENTS
}

interface Place {
  readonly root: JsonObject
  readonly depth: number
}

function typeOf(given: Json | undefined, place: Place): ArgumentType | undefined {
  const schema = resolve(given, place.root)
  if (schema === undefined || place.depth > MAX_DEPTH) return undefined
  const words = wordsOf(schema)
  if (words !== undefined) return { kind: 'text', words }
  if (schema.enum !== undefined || schema.const !== undefined) return undefined
  switch (kindOf(schema)) {
    case 'string':
      return { kind: 'text' }
    case 'integer':
      return { kind: 'long' }
    case 'number':
      return { kind: 'decimal' }
    case 'boolean':
      return { kind: 'flag' }
    case 'array':
      return setOf(schema, place)
    case 'object':
      return recordOf(schema, place)
    default:
      return undefined
  }
}

function setOf(schema: JsonObject, place: Place): ArgumentType | undefined {
  if (schema.prefixItems !== undefined || isNullable(schema.items)) return undefined
  const element = typeOf(schema.items, { ...place, depth: place.depth + 1 })
  return element === undefined || element.kind === 'set' || element.kind === 'record' ? undefined : { kind: 'set', element }
}

function recordOf(schema: JsonObject, place: Place): RecordType | undefined {
  const { properties, required, additionalProperties, patternProperties } = schema
  if (!isObject(properties)) return additionalProperties === false ? NO_ARGUMENTS : undefined
  const open = isObject(additionalProperties) && Object.keys(additionalProperties).length > 0
  if (open || patternProperties !== undefined) return undefined
  const needed: readonly Json[] = Array.isArray(required) ? required : []
  const typed = Object.keys(properties)
    .toSorted()
    .flatMap((name): (readonly [string, MemberType])[] => {
      const member = properties[name]
      const type = RESERVED.includes(name) ? undefined : typeOf(member, { ...place, depth: place.depth + 1 })
      if (type === undefined) return []
      return [[name, isNullable(member) ? { type, required: false, nullable: true } : { type, required: needed.includes(name) }]]
    })
  return { kind: 'record', members: Object.fromEntries(typed.slice(0, MAX_MEMBERS)) }
}

/** Follows references and drops `null` from a union of two. Undefined for what cannot be resolved. */
function resolve(given: Json | undefined, root: JsonObject): JsonObject | undefined {
  let schema: Json | undefined = given
  for (let step = 0; step < MAX_DEPTH; step += 1) {
    if (!isObject(schema)) return undefined
    const { $ref: reference } = schema
    const alternatives = alternativesOf(schema)
    if (typeof reference === 'string') schema = targetOf(reference, root)
    else if (alternatives === undefined) return schema.allOf === undefined && schema.not === undefined ? schema : undefined
    else {
      const [only, ...others] = alternatives.filter((each) => !isNull(each))
      if (others.length > 0) return undefined
      schema = only
    }
  }
  return undefined
}

function alternativesOf(schema: JsonObject): readonly Json[] | undefined {
  const alternatives = [schema.anyOf, schema.oneOf].find((each) => Array.isArray(each))
  return alternatives as readonly Json[] | undefined // sound: it is an array of JSON
}

function isNullable(schema: Json | undefined): boolean {
  if (!isObject(schema)) return false
  return (alternativesOf(schema) ?? [schema]).some((each) => isNull(each) || (isObject(each) && kindsOf(each).includes('null')))
}

function isNull(schema: Json): boolean {
  return isObject(schema) && schema.type === 'null'
}

function kindsOf({ type }: JsonObject): readonly Json[] {
  return Array.isArray(type) ? (type as readonly Json[]) : type === undefined ? [] : [type]
}

function kindOf(schema: JsonObject): Json | undefined {
  const [kind, ...others] = kindsOf(schema).filter((each) => each !== 'null')
  return others.length === 0 ? kind : undefined
}

/** The texts of an enumeration; undefined when it is none, or has anything else in it. */
function wordsOf({ enum: listed, const: only }: JsonObject): readonly string[] | undefined {
  const values: readonly Json[] = Array.isArray(listed) ? listed : typeof only === 'string' ? [only] : []
  const words = values.filter((value) => typeof value === 'string')
  return words.length > 0 && words.length === values.length ? words.toSorted() : undefined
}

function targetOf(reference: string, root: JsonObject): Json | undefined {
  if (!reference.startsWith('#')) return undefined
  return segmentsOf(reference.slice(1)).reduce<Json | undefined>(
    (at, segment) => (isObject(at) && Object.hasOwn(at, segment) ? at[segment] : undefined),
    root,
  )
}
