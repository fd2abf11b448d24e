import type { Json, JsonObject } from './json.ts'

/** The value at a JSON pointer (RFC 6901), or undefined. Only own members are looked at. */
export function valueAt(value: Json, pointer: string): Json | undefined {
  if (pointer === '') return value
  let current: Json | undefined = value
  for (const segment of segmentsOf(pointer)) {
    if (Array.isArray(current))
      current = /^(?:0|[1-9]\d*)$/.test(segment) ? (current as readonly Json[])[Number(segment)] : undefined
    else if (isObject(current)) current = Object.hasOwn(current, segment) ? current[segment] : undefined
    else return undefined
  }
  return current
}

/** Pointers come from declarations, again and again: their segments are remembered, up to a bound. */
const REMEMBERED = 4_096
const known = new Map<string, readonly string[]>()

/** The decoded segments of a pointer. */
export function segmentsOf(pointer: string): readonly string[] {
  if (pointer === '') return []
  const before = known.get(pointer)
  if (before !== undefined) return before
  const parts = pointer.slice(1).split('/')
  const segments = pointer.includes('~') ? parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')) : parts
  if (known.size >= REMEMBERED) known.clear()
  known.set(pointer, segments)
  return segments
}

/** A key as it stands in a pointer. */
function escaped(key: string): string {
  return key.includes('~') || key.includes('/') ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key
}

/** All leaves of a value with their pointers, in document order. An empty array or object is a leaf. */
export function leavesOf(value: Json, path = ''): readonly (readonly [string, Json])[] {
  const leaves: (readonly [string, Json])[] = []
  gather(value, path, leaves)
  return leaves
}

function gather(value: Json, path: string, leaves: (readonly [string, Json])[]): void {
  if (typeof value !== 'object' || value === null) {
    leaves.push([path, value])
    return
  }
  const before = leaves.length
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) gather(value[i] as Json, `${path}/${i}`, leaves)
  } else {
    const members = value as JsonObject
    for (const key of Object.keys(members)) gather(members[key] as Json, `${path}/${escaped(key)}`, leaves) // its own key
  }
  if (leaves.length === before) leaves.push([path, value])
}

/** True for a JSON object, false for arrays, null and scalars. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
