import { isObject, type Json, type JsonObject, type Note, type Origin, type PlannerView } from '@tidegate/kernel'
import { asObject } from '../model-use.ts'
import { followReference } from './show.ts'

/** Arguments in which every reference is replaced by what it leads to. */
export interface ResolvedArguments {
  readonly arguments: JsonObject
  /** Who wrote each leaf that came by reference, by JSON pointer. */
  readonly references: Readonly<Record<string, readonly Origin[]>>
}

/**
 * Replaces the references in the arguments of a model's call: `{"ref": "$r3/body"}` as a whole value, also with the other members of the
 * handle that it was shown. Undefined when one leads nowhere.
 *
 * A number or a date that the model copied out of an extraction counts as passed by reference: it is still a stranger's.
 */
export function resolveArguments(args: JsonObject, view: PlannerView): ResolvedArguments | undefined {
  const references: Record<string, readonly Origin[]> = {}
  const extracted = extractedValues(view)
  let isBroken = false

  function resolve(value: Json, pointer: string): Json {
    const reference = referenceIn(value)
    if (reference !== undefined) {
      const found = followReference(reference, view)
      if (found === undefined) {
        isBroken = true
        return null
      }
      for (const [below, origins] of Object.entries(found.leaves)) references[`${pointer}${below}`] = origins
      return found.value
    }
    if (Array.isArray(value)) return (value as readonly Json[]).map((item, i) => resolve(item, `${pointer}/${i}`))
    if (isObject(value)) return resolveMembers(value, pointer)
    const origins = extracted.get(value)
    if (origins !== undefined) references[pointer] = origins
    return value
  }

  function resolveMembers(value: JsonObject, pointer: string): JsonObject {
    const below = (key: string) => `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, resolve(member, below(key))]))
  }

  const resolved = resolveMembers(args, '')
  return isBroken ? undefined : { arguments: resolved, references }
}

/** The reference that a value is; undefined for any other value. */
function referenceIn(value: Json): string | undefined {
  if (!isObject(value)) return undefined
  const { ref, ...rest } = value
  const isHandle =
    typeof ref === 'string' && ref.startsWith('$') && Object.keys(rest).every((key) => key === 'type' || key === 'length')
  return isHandle ? ref : undefined
}

/** What was extracted so far, but for values so common that their being equal means nothing. */
function extractedValues({ state }: PlannerView): ReadonlyMap<Json, readonly Origin[]> {
  return new Map(
    [...state.notes.values()].flatMap(({ value, origins }: Note) =>
      valuesOf(asObject(value)).map((each) => [each, origins] as const),
    ),
  )
}

function valuesOf({ type, value }: JsonObject): readonly Json[] {
  if (value === undefined || value === null || type === 'flag' || type === 'enum') return []
  return [value, String(value)]
}
