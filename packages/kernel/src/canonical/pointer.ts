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

/** The decoded segments of a pointer. */
export function segmentsOf(pointer: string): readonly string[] {
  if (pointer === '') return []
  return pointer
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** All leaves of a value with their pointers, in document order. An empty array or object is a leaf. */
export function leavesOf(value: Json, path = ''): readonly (readonly [string, Json])[] {
  if (Array.isArray(value) && value.length > 0)
    return (value as readonly Json[]).flatMap((item, i) => leavesOf(item, `${path}/${i}`))
  if (isObject(value) && Object.keys(value).length > 0) {
    return Object.entries(value).flatMap(([key, item]) =>
      leavesOf(item, `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`),
    )
  }
  return [[path, value]]
}

/** True for a JSON object, false for arrays, null and scalars. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
