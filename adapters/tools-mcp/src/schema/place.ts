import { isObject, type Json, type JsonObject, segmentsOf } from '@tidegate/kernel'
import { targetOf } from './clean-schema.ts'

/** What a schema says about the place a pointer leads to: whether a value can be there, and whether one always is. */
export interface Place {
  readonly required: boolean
}

const MAX_BRANCHES = 256

/** Looks up a JSON pointer in a clean schema; `*` stands for any member. Undefined when the schema describes nothing there. */
export function placeIn(schema: JsonObject, pointer: string): Place | undefined {
  if (pointer !== '' && !pointer.startsWith('/')) return undefined
  let branches = branchesOf(schema, schema, 0)
  let required = true
  for (const segment of segmentsOf(pointer)) {
    required &&= branches.every((branch) => Array.isArray(branch.required) && branch.required.includes(segment))
    branches = branches
      .flatMap((branch) => membersAt(branch, segment))
      .flatMap((member) => branchesOf(member, schema, 0))
      .slice(0, MAX_BRANCHES)
    if (branches.length === 0) return undefined
  }
  return { required }
}

function membersAt(branch: JsonObject, segment: string): readonly Json[] {
  const { properties, items, prefixItems, additionalProperties } = branch
  const named = isObject(properties) ? properties : {}
  const direct = segment === '*' ? Object.values(named) : Object.hasOwn(named, segment) ? [named[segment]] : []
  const isIndex = segment === '*' || /^\d+$/.test(segment)
  const listed = isIndex ? [items, prefixItems].flatMap(listOf) : []
  return [...direct, ...listed, additionalProperties].filter((each) => isObject(each))
}

/** A list as its members, anything else as itself. */
function listOf(value: Json | undefined): readonly (Json | undefined)[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [value]
}

/** The alternatives of a schema with references followed, a few deep. */
function branchesOf(schema: Json, root: JsonObject, depth: number): readonly JsonObject[] {
  if (!isObject(schema) || depth > 8) return []
  const { $ref: reference } = schema
  const target = typeof reference === 'string' ? targetOf(root, reference) : undefined
  const others = [schema.anyOf, schema.oneOf, schema.allOf].flatMap((list) =>
    Array.isArray(list) ? (list as readonly Json[]) : [],
  )
  const found = [...(target === undefined ? [] : [target as Json]), ...others].flatMap((each) =>
    branchesOf(each, root, depth + 1),
  )
  return [schema, ...found].slice(0, MAX_BRANCHES)
}
