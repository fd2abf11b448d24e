import { isObject, type Json } from '@tidegate/kernel'

/** A member of an answer, or null when there is none: the output schema decides whether null will do. */
export function memberOf(value: Json, name: string): Json {
  return isObject(value) && Object.hasOwn(value, name) ? (value[name] ?? null) : null
}
