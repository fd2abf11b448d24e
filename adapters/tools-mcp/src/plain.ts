import { type Json, type ShapeIssue, utf8Length } from '@tidegate/kernel'

/** What a value may cost before it is refused. */
export interface PlainLimits {
  /** Size as compact JSON in UTF-8 bytes. */
  readonly maxBytes: number
  /** How deep arrays and objects may nest; the value itself is depth 1. */
  readonly maxDepth: number
}

/** A copy of a value as plain data, or why there is none. */
export type Plain = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly issue: ShapeIssue }

/** Keys that reach an object's prototype when careless code copies them. */
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Copies a value as plain JSON data within limits.
 *
 * A server controls it, so the walk stops at the first reason against it and looks at no more than the limits allow. Refused are
 * numbers that are not finite, lone surrogates, everything that is not JSON, and the keys `__proto__`, `constructor`, `prototype`.
 */
export function copyPlain(value: unknown, limits: PlainLimits): Plain {
  const walk: Walk = { limits, bytes: 0, issue: undefined }
  const copied = copy(value, '', 1, walk)
  return walk.issue === undefined && copied !== undefined
    ? { ok: true, value: copied }
    : { ok: false, issue: walk.issue ?? { path: '', message: 'is no JSON' } }
}

/** A JSON pointer (RFC 6901) to a member below another. */
export function childPointer(pointer: string, key: string): string {
  const text = key.replaceAll('~', '~0').replaceAll('/', '~1')
  return `${pointer}/${text.length > 80 ? `${text.slice(0, 80)}...` : text}`
}

interface Walk {
  readonly limits: PlainLimits
  bytes: number
  issue: ShapeIssue | undefined
}

function copy(value: unknown, path: string, depth: number, walk: Walk): Json | undefined {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) return refuse(walk, path, 'is not well-formed Unicode')
      return spend(walk, path, utf8Length(value) + 2) ? value : undefined
    case 'number':
      if (!Number.isFinite(value)) return refuse(walk, path, 'is not a finite number')
      return spend(walk, path, String(value).length) ? value : undefined
    case 'boolean':
      return spend(walk, path, 5) ? value : undefined
    case 'object':
      if (value === null) return spend(walk, path, 4) ? null : undefined
      if (depth > walk.limits.maxDepth) return refuse(walk, path, `nests deeper than ${walk.limits.maxDepth} levels`)
      return Array.isArray(value) ? copyArray(value, path, depth, walk) : copyObject(value, path, depth, walk)
    default:
      return refuse(walk, path, `is of type ${typeof value}, which is not JSON`)
  }
}

function copyArray(values: readonly unknown[], path: string, depth: number, walk: Walk): Json | undefined {
  const copied: Json[] = []
  for (let at = 0; at < values.length; at++) {
    const member = spend(walk, path, 1) ? copy(values[at], `${path}/${at}`, depth + 1, walk) : undefined
    if (member === undefined) return undefined
    copied.push(member)
  }
  return spend(walk, path, 2) ? copied : undefined
}

function copyObject(value: object, path: string, depth: number, walk: Walk): Json | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return refuse(walk, path, 'is an instance of a class')
  const copied: Record<string, Json> = {}
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue // parsers of the protocol set what is absent to undefined
    const at = childPointer(path, key)
    if (FORBIDDEN_KEYS.has(key)) return refuse(walk, at, 'is not allowed as a key')
    if (!key.isWellFormed()) return refuse(walk, path, 'has a key that is not well-formed Unicode')
    const kept = spend(walk, at, utf8Length(key) + 4) ? copy(member, at, depth + 1, walk) : undefined
    if (kept === undefined) return undefined
    copied[key] = kept
  }
  return spend(walk, path, 2) ? copied : undefined
}

function spend(walk: Walk, path: string, bytes: number): boolean {
  walk.bytes += bytes
  if (walk.bytes > walk.limits.maxBytes) refuse(walk, path, `goes past the limit of ${walk.limits.maxBytes} bytes`)
  return walk.issue === undefined
}

function refuse(walk: Walk, path: string, message: string): undefined {
  walk.issue ??= { path, message }
}
