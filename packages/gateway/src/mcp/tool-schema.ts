import { isObject, type Json, type JsonObject, sanitise } from '@tidegate/kernel'
import { TICKET } from './revision.ts'

const MAX_NOTE = 1_000
const MAX_DEPTH = 32
/** Keywords whose values are data: not looked into, since a changed constant is another schema. */
const DATA = new Set(['const', 'enum', 'default', 'required', 'dependentRequired', 'pattern', 'format'])
/** Keywords whose values map names of the schema's author to schemas. */
const MAPS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])

const TICKET_SCHEMA: JsonObject = {
  type: 'string',
  description: 'Filled in by the Tidegate plugin of this host. Leave it out.',
}

/**
 * The input schema of a tool as clients get it: an object, with nothing in it that a person would not see, without extensions (an
 * `x-mcp-header` of a server behind us would ask clients for headers that nobody checks), and with a place for the ticket where the
 * host needs one.
 */
export function inputSchemaOf(schema: JsonObject, options: { readonly tickets: boolean }): JsonObject {
  const clean = cleanSchema(withoutReadOnly(schema), 0)
  const root: JsonObject = isObject(clean) ? { ...clean, type: 'object' } : { type: 'object' }
  if (!options.tickets) return root
  const properties = isObject(root.properties) ? root.properties : {}
  return { ...root, properties: { ...properties, [TICKET]: TICKET_SCHEMA } }
}

/** Properties that are ours to fill in (`readOnly`) are no business of whoever calls. */
function withoutReadOnly(schema: JsonObject): JsonObject {
  const { properties } = schema
  if (properties === undefined || !isObject(properties)) return schema
  const own = Object.entries(properties).filter(([, property]) => !(isObject(property) && property.readOnly === true))
  return { ...schema, properties: Object.fromEntries(own) }
}

function cleanSchema(schema: Json, depth: number): Json {
  if (depth > MAX_DEPTH) return true
  if (Array.isArray(schema)) return (schema as readonly Json[]).map((each) => cleanSchema(each, depth + 1))
  if (!isObject(schema)) return schema
  const entries = Object.entries(schema).flatMap(([key, value]): [string, Json][] => {
    if (key === '$comment' || key === 'examples' || key.startsWith('x-')) return []
    if (DATA.has(key)) return [[key, value]]
    if (typeof value === 'string') return [[key, key === 'description' || key === 'title' ? note(value) : value]]
    if (MAPS.has(key) && isObject(value)) return [[key, cleanMap(value, depth + 1)]]
    return [[key, cleanSchema(value, depth + 1)]]
  })
  return Object.fromEntries(entries)
}

function cleanMap(map: JsonObject, depth: number): JsonObject {
  return Object.fromEntries(Object.entries(map).map(([name, schema]): [string, Json] => [name, cleanSchema(schema, depth + 1)]))
}

/** A text of somebody else as a model may read it: nothing hidden in it, and not too long. */
export function note(text: string, length = MAX_NOTE): string {
  const { value } = sanitise(text)
  const clean = String(value).trim()
  return clean.length > length ? `${clean.slice(0, length - 3).toWellFormed()}...` : clean
}
