import { isObject, type Json, type JsonObject } from '@tidegate/kernel'
import { describe, type TextFinding } from '../describe.ts'
import { MAX_ARGUMENT_TEXT_CHARS } from '../limits.ts'
import { childPointer } from '../plain.ts'
import { DROPPED_KEYWORDS, LIST_KEYWORDS, MAP_KEYWORDS, REFUSED_KEYWORDS, SCHEMA_KEYWORDS, TEXT_KEYWORDS } from './keywords.ts'
import { compilePattern } from './pattern.ts'

/** A schema of a server, as it is shown and held against values, and what was noticed on the way. */
export type CleanSchema =
  | {
      readonly ok: true
      readonly schema: JsonObject
      readonly notes: readonly string[]
      readonly findings: readonly TextFinding[]
    }
  | { readonly ok: false; readonly reason: string }

const MAX_SCHEMAS = 5_000
/** Names of arguments are shown to models: plain words, and nothing that cannot be seen. */
const PROPERTY_NAME = /^[\p{L}\p{N}\p{M}_$@.:/ ()[\]+#-]{1,128}$/u

/**
 * Makes a JSON Schema of a server (draft-07 or 2020-12, plain data within limits) fit to be shown and to be checked against.
 *
 * Patterns that could take long are left out, and said so in the notes: the server looks at them itself. Texts are cleaned. Refused are
 * keywords that we cannot hold a value against, references that lead out of the schema, and names that nobody can read.
 */
export function cleanSchema(given: JsonObject): CleanSchema {
  const walk: Walk = { notes: [], findings: new Set(), schemas: 0, references: [], anchors: new Set() }
  try {
    const schema = clean(given, '', walk)
    if (!isObject(schema)) return { ok: false, reason: 'its schema is no object' }
    const lost = walk.references.find((reference) => !leadsSomewhere(schema, reference, walk.anchors))
    if (lost !== undefined) return { ok: false, reason: `its schema refers to ${lost.slice(0, 80)}, which is not in it` }
    return { ok: true, schema, notes: walk.notes, findings: [...walk.findings].sort() }
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, reason: error.message }
    throw error
  }
}

class Refusal extends Error {}

interface Walk {
  readonly notes: string[]
  readonly findings: Set<TextFinding>
  readonly references: string[]
  readonly anchors: Set<string>
  schemas: number
}

function clean(schema: Json, path: string, walk: Walk): Json {
  if (typeof schema === 'boolean') return schema
  if (!isObject(schema)) throw new Refusal(`its schema has something that is no schema at ${path || '/'}`)
  walk.schemas += 1
  if (walk.schemas > MAX_SCHEMAS) throw new Refusal(`its schema has more than ${MAX_SCHEMAS} parts`)
  const kept: Record<string, Json> = {}
  for (const [keyword, value] of Object.entries(schema)) {
    const cleaned = cleanKeyword(keyword, value, path, walk)
    if (cleaned !== undefined) kept[keyword] = cleaned
  }
  return kept
}

const isOneOf = (keyword: string, list: readonly string[]): boolean => list.includes(keyword)

function cleanKeyword(keyword: string, value: Json, path: string, walk: Walk): Json | undefined {
  const at = childPointer(path, keyword)
  if (isOneOf(keyword, DROPPED_KEYWORDS)) return undefined
  if (isOneOf(keyword, REFUSED_KEYWORDS)) {
    if (value === true) return undefined
    throw new Refusal(`its schema says ${keyword}, which is not understood here`)
  }
  if (isOneOf(keyword, TEXT_KEYWORDS)) return cleanText(value, walk)
  if (isOneOf(keyword, SCHEMA_KEYWORDS)) return clean(value, at, walk)
  if (isOneOf(keyword, LIST_KEYWORDS) || (keyword === 'items' && Array.isArray(value))) return cleanList(value, at, walk)
  if (keyword === 'items') return clean(value, at, walk)
  if (isOneOf(keyword, MAP_KEYWORDS)) return cleanMap(keyword, value, at, walk)
  switch (keyword) {
    case 'pattern':
      if (typeof value === 'string' && compilePattern(value) !== undefined) return value
      walk.notes.push(`the pattern at ${at} could take long and is not looked at`)
      return undefined
    case '$ref':
      if (typeof value !== 'string' || !value.startsWith('#'))
        throw new Refusal('its schema refers to something outside of itself')
      walk.references.push(value)
      return value
    case '$anchor':
      if (typeof value === 'string') walk.anchors.add(value)
      return value
    case '$id':
    case 'id':
      return cleanId(keyword, value, path, walk)
    default:
      return value
  }
}

/** An id below the root would move what references are relative to. */
function cleanId(keyword: string, value: Json, path: string, walk: Walk): Json | undefined {
  if (typeof value === 'string' && value.startsWith('#')) {
    walk.anchors.add(value.slice(1))
    return value
  }
  if (path === '' || keyword === 'id') return undefined
  throw new Refusal('its schema has a part with an id of its own')
}

function cleanText(value: Json, walk: Walk): Json | undefined {
  if (typeof value !== 'string') return undefined
  const { text, findings } = describe(value, MAX_ARGUMENT_TEXT_CHARS)
  for (const finding of findings) walk.findings.add(finding)
  return text
}

function cleanList(value: Json, at: string, walk: Walk): Json {
  if (!Array.isArray(value)) throw new Refusal(`its schema has no list at ${at}`)
  return (value as readonly Json[]).map((member, i) => clean(member, `${at}/${i}`, walk))
}

function cleanMap(keyword: string, value: Json, at: string, walk: Walk): Json {
  if (!isObject(value)) throw new Refusal(`its schema has no map at ${at}`)
  const kept: Record<string, Json> = {}
  for (const [name, member] of Object.entries(value)) {
    if (keyword === 'dependencies' && Array.isArray(member)) {
      kept[name] = member
      continue
    }
    if (keyword === 'patternProperties' && compilePattern(name) === undefined)
      throw new Refusal('its schema names arguments by a pattern that could take long')
    if (keyword === 'properties' && !PROPERTY_NAME.test(name))
      throw new Refusal(`its schema has an argument with an unreadable name at ${at}`)
    kept[name] = clean(member, childPointer(at, name), walk)
  }
  return kept
}

function leadsSomewhere(root: JsonObject, reference: string, anchors: ReadonlySet<string>): boolean {
  return targetOf(root, reference) !== undefined || anchors.has(reference.slice(1))
}

/** The part of a schema that a local reference (`#`, `#/a/b`) leads to; anchors are looked up elsewhere. */
export function targetOf(root: JsonObject, reference: string): JsonObject | boolean | undefined {
  if (reference === '#') return root
  if (!reference.startsWith('#/')) return undefined
  let target: Json | undefined = root
  for (const encoded of reference.slice(2).split('/')) {
    const segment = decodeSegment(encoded)
    if (Array.isArray(target)) target = (target as readonly Json[])[Number(segment)]
    else target = isObject(target) && Object.hasOwn(target, segment) ? target[segment] : undefined
  }
  return isObject(target) || typeof target === 'boolean' ? target : undefined
}

function decodeSegment(encoded: string): string {
  const text = encoded.replaceAll('~1', '/').replaceAll('~0', '~')
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
