import { type Json, type ShapeIssue, utf8Length } from '@tidegate/kernel'

/** What a value may cost before it is refused. */
export interface PlainLimits {
  /** Size as compact JSON in UTF-8 bytes. */
  readonly maxBytes: number
  /** How deep arrays and objects may nest; the value itself is depth 1. */
  readonly maxDepth: number
}

/** Keys that reach an object's prototype when careless code copies them. */
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Says why a value is no plain JSON data within the limits; undefined when it is.
 *
 * Whoever made the value controls it, so the walk stops at the first reason and looks at no more than the limits allow. Refused
 * are: instances of classes, `undefined`, functions, numbers that are not finite, lone surrogates, holes, symbol keys, and the
 * keys `__proto__`, `constructor` and `prototype`.
 */
export function findForeign(value: unknown, limits: PlainLimits): ShapeIssue | undefined {
  return walk(value, '', 1, { limits, bytes: 0 })
}

/** True for plain data within the limits. */
export function isPlain(value: unknown, limits: PlainLimits): value is Json {
  return findForeign(value, limits) === undefined
}

/** A JSON pointer (RFC 6901) to a member below another. */
export function childPointer(pointer: string, key: PropertyKey): string {
  const text = String(key).replaceAll('~', '~0').replaceAll('/', '~1')
  return `${pointer}/${text.length > 80 ? `${text.slice(0, 80)}...` : text}`
}

interface Walk {
  readonly limits: PlainLimits
  bytes: number
}

function walk(value: unknown, path: string, depth: number, state: Walk): ShapeIssue | undefined {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) return { path, message: 'is not well-formed Unicode' }
      return spend(state, path, utf8Length(value) + 2)
    case 'number':
      return Number.isFinite(value) ? spend(state, path, String(value).length) : { path, message: 'is not a finite number' }
    case 'boolean':
      return spend(state, path, 5)
    case 'object':
      if (value === null) return spend(state, path, 4)
      if (depth > state.limits.maxDepth) return { path, message: `nests deeper than ${state.limits.maxDepth} levels` }
      return Array.isArray(value) ? walkArray(value, path, depth, state) : walkObject(value, path, depth, state)
    default:
      return { path, message: `is of type ${typeof value}, which is not JSON` }
  }
}

function walkArray(values: readonly unknown[], path: string, depth: number, state: Walk): ShapeIssue | undefined {
  for (let at = 0; at < values.length; at++) {
    const issue = walk(values[at], `${path}/${at}`, depth + 1, state) ?? spend(state, path, 1)
    if (issue !== undefined) return issue
  }
  return spend(state, path, 2)
}

function walkObject(value: object, path: string, depth: number, state: Walk): ShapeIssue | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return { path, message: 'is an instance of a class, not plain data' }
  if (Object.getOwnPropertySymbols(value).length > 0) return { path, message: 'has a symbol as a key' }
  for (const [key, member] of Object.entries(value)) {
    if (FORBIDDEN_KEYS.has(key)) return { path: childPointer(path, key), message: 'is not allowed as a key' }
    if (!key.isWellFormed()) return { path, message: 'has a key that is not well-formed Unicode' }
    const at = childPointer(path, key)
    const issue = spend(state, at, utf8Length(key) + 4) ?? walk(member, at, depth + 1, state)
    if (issue !== undefined) return issue
  }
  return spend(state, path, 2)
}

function spend(state: Walk, path: string, bytes: number): ShapeIssue | undefined {
  state.bytes += bytes
  return state.bytes > state.limits.maxBytes
    ? { path, message: `goes past the limit of ${state.limits.maxBytes} bytes for the whole value` }
    : undefined
}
