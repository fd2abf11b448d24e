import { isObject, type Json, type JsonObject, segmentsOf } from '@tidegate/kernel'

/** What a schema says about the place a pointer leads to. */
export interface Place {
  /** `string`, `number` (also whole ones), `array`, `object`, `other`; several when the schema has branches. */
  readonly kinds: ReadonlySet<string>
  /** The kinds of the members, where the place may be an array. */
  readonly itemKinds: ReadonlySet<string>
  /** False when the value may be missing. */
  readonly required: boolean
}

/**
 * Looks up a JSON pointer in a JSON Schema; `*` stands for any member. Undefined when no value that fits has anything there.
 *
 * The schema is one of ours (written by zod), so only the words that zod uses are understood.
 */
export function placeAt(schema: JsonObject, pointer: string): Place | undefined {
  if (pointer !== '' && !pointer.startsWith('/')) return undefined
  let branches: readonly JsonObject[] = branchesOf(schema, schema)
  let required = true
  for (const segment of segmentsOf(pointer)) {
    const next = branches.map((branch) => membersAt(branch, segment))
    required &&= branches.every((branch) => Array.isArray(branch.required) && branch.required.includes(segment))
    branches = next.flat().flatMap((member) => branchesOf(member, schema))
    if (branches.length === 0) return undefined
  }
  const items = branches.flatMap((branch) => (isObject(branch.items) ? branchesOf(branch.items, schema) : []))
  return { kinds: new Set(branches.map(kindOf)), itemKinds: new Set(items.map(kindOf)), required }
}

function membersAt(branch: JsonObject, segment: string): readonly JsonObject[] {
  const properties = isObject(branch.properties) ? branch.properties : {}
  const tuple: readonly Json[] = Array.isArray(branch.prefixItems) ? branch.prefixItems : []
  const named = segment === '*' ? Object.values(properties) : Object.hasOwn(properties, segment) ? [properties[segment]] : []
  const isIndex = segment === '*' || /^\d+$/.test(segment)
  const listed = isIndex ? [branch.items, ...(segment === '*' ? tuple : [tuple[Number(segment)]])] : []
  return [...named, ...listed, branch.additionalProperties].filter(isObject)
}

/** The alternatives of a schema, with references followed; a reference back to itself is followed once. */
function branchesOf(schema: JsonObject, root: JsonObject, followed: readonly string[] = []): readonly JsonObject[] {
  const { $ref: reference } = schema
  if (typeof reference === 'string') {
    if (followed.includes(reference)) return []
    const target = targetOf(reference, root)
    return target === undefined ? [] : branchesOf(target, root, [...followed, reference])
  }
  const alternatives = [schema.anyOf, schema.oneOf].find((candidate) => Array.isArray(candidate))
  if (!Array.isArray(alternatives)) return [schema]
  return (alternatives as readonly Json[]).filter(isObject).flatMap((branch) => branchesOf(branch, root, followed))
}

function targetOf(reference: string, root: JsonObject): JsonObject | undefined {
  let target: Json | undefined = root
  for (const segment of segmentsOf(reference.replace(/^#/, ''))) target = isObject(target) ? target[segment] : undefined
  return isObject(target) ? target : undefined
}

function kindOf(schema: JsonObject): string {
  const { type } = schema
  if (type === 'integer' || type === 'number') return 'number'
  return type === 'string' || type === 'array' || type === 'object' ? type : 'other'
}
