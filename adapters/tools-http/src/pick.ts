import { isObject, type Json, type JsonObject } from '@tidegate/kernel'

/**
 * Keeps the named members of an object and leaves out the rest, so that a far side may answer with more than an operation
 * declares. A member that is missing stays missing; what is no object stays as it is: both are then refused by the output schema.
 */
export function pick(...names: readonly string[]): (body: Json) => Json {
  return (body) => (isObject(body) ? pickFrom(body, names) : body)
}

function pickFrom(body: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(
    names.flatMap((name): [string, Json][] => {
      const value = Object.hasOwn(body, name) ? body[name] : undefined
      return value === undefined ? [] : [[name, value]]
    }),
  )
}
