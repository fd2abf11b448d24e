import { isObject, type Json, type JsonObject, segmentsOf } from '@tidegate/kernel'

/** Where a pointer leaves a schema: the segment that is not there, and those that are. */
export interface Missing {
  readonly segment: string
  readonly known: readonly string[]
}

/**
 * Says where a JSON pointer certainly leads out of what a JSON Schema describes; undefined when it may be inside. What the schema
 * leaves open (references, unions, maps) may hold anything.
 */
export function missingIn(schema: JsonObject, pointer: string): Missing | undefined {
  let current: Json | undefined = schema
  for (const segment of segmentsOf(pointer)) {
    if (!isObject(current)) return undefined
    if (isObject(current.properties)) {
      const known: readonly string[] = Object.keys(current.properties)
      const isOpen = current.additionalProperties === true || isObject(current.additionalProperties)
      if (!known.includes(segment)) return isOpen ? undefined : { segment, known }
      current = current.properties[segment]
    } else if (isObject(current.items) && /^\d+$/u.test(segment)) current = current.items
    else if (isLeaf(current)) return { segment, known: [] }
    else return undefined
  }
  return undefined
}

function isLeaf({ type }: JsonObject): boolean {
  return type === 'string' || type === 'number' || type === 'integer' || type === 'boolean' || type === 'null'
}

/** The members that a JSON Schema requires. */
export function requiredBy({ required }: JsonObject): readonly string[] {
  return Array.isArray(required) ? (required as readonly Json[]).filter((name) => typeof name === 'string') : []
}

/** The members that a JSON Schema names; undefined when it allows others, too. */
export function memberNames(schema: JsonObject): readonly string[] | undefined {
  const isOpen = schema.additionalProperties === true || isObject(schema.additionalProperties)
  return isOpen || !isObject(schema.properties) ? undefined : Object.keys(schema.properties)
}
