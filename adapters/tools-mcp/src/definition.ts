import { createHash } from 'node:crypto'
import { canonicalJson, isObject, type Json, type JsonObject, parseJson } from '@tidegate/kernel'
import { describe, describeLine, type TextFinding } from './describe.ts'
import { MAX_DEFINITION_BYTES, MAX_DEFINITION_DEPTH, MAX_DESCRIPTION_CHARS, MAX_LIST_BYTES, MAX_NAME_CHARS } from './limits.ts'
import { copyPlain } from './plain.ts'
import { cleanSchema } from './schema/clean-schema.ts'

/** What a server says that one of its tools does besides: hints, which nobody vouches for and which lower nothing. */
export interface Hints {
  readonly readOnly?: boolean
  readonly destructive?: boolean
  readonly idempotent?: boolean
  readonly openWorld?: boolean
}

/** One tool as a server defines it: what it wrote, pinned, and what of it can be shown. */
export interface Definition {
  /** As the server calls it. */
  readonly name: string
  /** Hex SHA-256 over everything that a reader or a model could be told: name, title, description, schemas, annotations. */
  readonly pin: string
  /** As it was received, for the hash and for the memory. */
  readonly raw: JsonObject
  readonly title: string
  readonly description: string
  readonly input: JsonObject
  /** Of `structuredContent`, when the server declares it. */
  readonly output?: JsonObject
  readonly hints: Hints
  readonly findings: readonly TextFinding[]
  readonly notes: readonly string[]
}

/** A list of tools, read. What cannot be used is left out and named in the issues. */
export interface Definitions {
  readonly tools: ReadonlyMap<string, Definition>
  readonly issues: readonly string[]
}

/** The parts of a definition that are pinned. */
const PINNED = ['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations'] as const

/** Reads a list of tools as a server sent it: anything at all. A name that stands there twice is used for neither. */
export function readDefinitions(list: readonly unknown[]): Definitions {
  const tools = new Map<string, Definition>()
  const twice = new Set<string>()
  const issues: string[] = []
  for (const given of list) {
    const read = readDefinition(given)
    if (typeof read === 'string') issues.push(read)
    else if (tools.has(read.name) || twice.has(read.name)) twice.add(read.name)
    else tools.set(read.name, read)
  }
  for (const name of twice) {
    tools.delete(name)
    issues.push(`${sayName(name)}: the server defines it more than once, so it is left out`)
  }
  return { tools, issues }
}

/** A name as it can stand in a message. */
export function sayName(name: string): string {
  const shown = describeLine(name, 64).text.replace(/[^\x20-\x7e]/g, '?')
  return shown === '' ? '(a tool without a readable name)' : shown
}

function readDefinition(given: unknown): Definition | string {
  const plain = copyPlain(given, { maxBytes: MAX_DEFINITION_BYTES, maxDepth: MAX_DEFINITION_DEPTH })
  const claimed = typeof given === 'object' && given !== null && 'name' in given ? given.name : undefined
  const says = typeof claimed === 'string' ? sayName(claimed.slice(0, 200)) : '(a tool without a name)'
  const refused = (why: string) => `${says}: ${why}, so it is left out`
  if (!plain.ok) return refused(`its definition ${plain.issue.message} at ${plain.issue.path || '/'}`)
  if (!isObject(plain.value)) return refused('it is no definition')
  const raw: JsonObject = Object.fromEntries(PINNED.flatMap((key) => pick(plain.value as JsonObject, key))) // an object, seen above
  const { name, inputSchema, outputSchema } = raw
  if (typeof name !== 'string' || name === '' || name.length > MAX_NAME_CHARS)
    return refused(`its name is not a text of 1 to ${MAX_NAME_CHARS} characters`)
  if (!isObject(inputSchema) || inputSchema.type !== 'object') return refused('its arguments are not declared as an object')
  const input = cleanSchema(inputSchema)
  if (!input.ok) return refused(input.reason)
  const output = isObject(outputSchema) ? cleanSchema(outputSchema) : undefined
  if (output?.ok === false) return refused(`of its output, ${output.reason}`)
  return {
    name,
    raw,
    pin: createHash('sha256').update(canonicalJson(raw)).digest('hex'),
    input: input.schema,
    ...(output === undefined ? {} : { output: output.schema }),
    ...textsOf(raw, name, [...input.findings, ...(output?.findings ?? [])]),
    hints: hintsOf(raw.annotations),
    notes: [...input.notes, ...(output?.notes ?? [])],
  }
}

function pick(object: JsonObject, key: string): readonly (readonly [string, Json])[] {
  const value = Object.hasOwn(object, key) ? object[key] : undefined
  return value === undefined ? [] : [[key, value]]
}

function textsOf(raw: JsonObject, name: string, more: readonly TextFinding[]) {
  const { annotations, description: said } = raw
  const named = isObject(annotations) && typeof annotations.title === 'string' ? annotations.title : undefined
  const title = describeLine(typeof raw.title === 'string' ? raw.title : (named ?? name), 80)
  const description = describe(typeof said === 'string' ? said : '', MAX_DESCRIPTION_CHARS)
  const findings = [...new Set([...title.findings, ...description.findings, ...more])].sort()
  return { title: title.text === '' ? sayName(name) : title.text, description: description.text, findings }
}

function hintsOf(annotations: Json | undefined): Hints {
  if (!isObject(annotations)) return {}
  const flag = (key: string, name: keyof Hints): Hints => {
    const value = annotations[key]
    return typeof value === 'boolean' ? { [name]: value } : {}
  }
  return {
    ...flag('readOnlyHint', 'readOnly'),
    ...flag('destructiveHint', 'destructive'),
    ...flag('idempotentHint', 'idempotent'),
    ...flag('openWorldHint', 'openWorld'),
  }
}

/** Definitions as the text that is remembered between two starts. */
export function encodeDefinitions({ tools }: Definitions): string {
  return canonicalJson({ version: 1, tools: [...tools.values()].map(({ raw }) => raw) })
}

/** Reads what {@link encodeDefinitions} wrote; undefined when it is something else. The pins are computed anew. */
export function decodeDefinitions(text: string): Definitions | undefined {
  try {
    const value = parseJson(text, { maxBytes: MAX_LIST_BYTES * 2 })
    return isObject(value) && value.version === 1 && Array.isArray(value.tools)
      ? readDefinitions(value.tools as readonly unknown[])
      : undefined
  } catch {
    return undefined
  }
}
