import { type DerivedValue, isObject, type Json, type JsonObject, type ToolLook, valueAt } from '@tidegate/kernel'

/** A call that is looked back at. */
export interface Done {
  readonly arguments: Json
  readonly output: Json
}

/** The arguments of a call that follows from another; undefined when one of them is not to be found there. */
export function deriveArguments(wanted: Readonly<Record<string, DerivedValue>>, done: Done): JsonObject | undefined {
  const derived: Record<string, Json> = {}
  for (const [name, from] of Object.entries(wanted)) {
    const value = 'value' in from ? from.value : valueAt({ arguments: done.arguments, output: done.output }, from.from)
    if (value === undefined) return undefined
    derived[name] = value
  }
  return derived
}

/** Whether the output of a look says that the effect is there. */
export function isSeen({ at, equals, absent }: ToolLook, output: Json): boolean {
  const value = isObject(output) ? valueAt(output, at) : undefined
  if (absent === true) return value === undefined || value === null
  if (value === undefined) return false
  return equals === undefined ? value !== null && value !== false : value === equals
}
