import { KernelError } from '../../error.ts'
import { EvaluationFailure } from './failure.ts'
import { EXTENSION_FUNCTIONS } from './extension.ts'
import { isObject } from './est.ts'
import { CedarSet, checkedValue } from './set.ts'
import { type CedarRecord, type EntityUid, entityUid, type Value } from './value.ts'

/** How deep a value may nest. */
export const MAX_VALUE_DEPTH = 64

/** Functions that make a value of text, and those that make one of others: what a value in JSON may call. */
const CONSTRUCTORS: ReadonlySet<string> = new Set(['decimal', 'ip', 'datetime', 'duration', 'offset'])

/**
 * Decodes a value in Cedar's JSON form: `{"__entity": {"type", "id"}}` is an entity, `{"__extn": {"fn", "arg"}}` the result of an
 * extension function, arrays are sets, other objects records. Without a schema nothing else is read into it.
 *
 * @throws KernelError `cedar_value` for what is none of these, a fraction, null, or too deep.
 */
export function decodeValue(json: unknown, depth = 0): Value {
  if (depth > MAX_VALUE_DEPTH) throw refuse(`a value may nest ${MAX_VALUE_DEPTH} levels at most`)
  if (Array.isArray(json)) return new CedarSet(json.map((element: unknown) => decodeValue(element, depth + 1)))
  if (!isObject(json)) return decodeScalar(json)
  const entity = decodeEntityEscape(json)
  if (entity !== undefined) return entity
  const called = extensionEscape(json)
  if (called !== undefined)
    return callConstructor(
      called.name,
      called.args.map((arg) => decodeValue(arg, depth + 1)),
    )
  return recordOf(Object.entries(json).map(([name, value]) => [name, decodeValue(value, depth + 1)]))
}

/** A boolean, string or whole number as a value. */
export function decodeScalar(json: unknown): Value {
  if (typeof json === 'boolean' || typeof json === 'string' || typeof json === 'number' || typeof json === 'bigint') {
    try {
      return checkedValue(json)
    } catch (failure) {
      throw asRefusal(failure)
    }
  }
  throw refuse(`${json === null ? 'null' : typeof json} is not a value that policies know`)
}

/** A record of these attributes, also when one has a name such as `__proto__`. */
export function recordOf(entries: readonly (readonly [string, Value])[]): CedarRecord {
  return Object.fromEntries(entries)
}

/** The entity of `{"__entity": {"type", "id"}}`; undefined for anything else. */
export function decodeEntityEscape(json: unknown): EntityUid | undefined {
  if (!isObject(json) || Object.keys(json).length !== 1) return undefined
  return typeAndId(json.__entity)
}

/** The entity of `{"__entity": {"type", "id"}}` or of `{"type", "id"}`; undefined for anything else. */
export function decodeUid(json: unknown): EntityUid | undefined {
  return decodeEntityEscape(json) ?? typeAndId(json)
}

/** What `{"__extn": {"fn", "arg"}}` (or `args`) calls; undefined for anything else. */
export function extensionEscape(json: unknown): { readonly name: string; readonly args: readonly unknown[] } | undefined {
  if (!isObject(json) || Object.keys(json).length !== 1) return undefined
  return functionAndArguments(json.__extn)
}

/** What `{"fn", "arg"}` (or `args`) calls; undefined for anything else. */
export function functionAndArguments(json: unknown): { readonly name: string; readonly args: readonly unknown[] } | undefined {
  if (!isObject(json) || typeof json.fn !== 'string') return undefined
  if (json.arg !== undefined) return { name: json.fn, args: [json.arg] }
  return Array.isArray(json.args) ? { name: json.fn, args: json.args } : undefined
}

/**
 * Calls an extension function on values from outside.
 *
 * @throws KernelError `cedar_value` when there is no such function, or it fails.
 */
export function callConstructor(name: string, args: readonly Value[]): Value {
  const found = CONSTRUCTORS.has(name) ? EXTENSION_FUNCTIONS.get(name) : undefined
  if (found === undefined) throw refuse(`\`${name}\` does not make a value`)
  const [first, second] = args
  if (args.length !== found.arity || first === undefined)
    throw refuse(`\`${name}\` takes ${found.arity} arguments, not ${args.length}`)
  try {
    return found.arity === 1 ? found.call(first) : found.call(first, second ?? '')
  } catch (failure) {
    throw asRefusal(failure)
  }
}

function typeAndId(json: unknown): EntityUid | undefined {
  if (!isObject(json) || typeof json.type !== 'string' || typeof json.id !== 'string') return undefined
  return entityUid(json.type, json.id)
}

function refuse(message: string): KernelError {
  return new KernelError('cedar_value', message)
}

function asRefusal(failure: unknown): unknown {
  return failure instanceof EvaluationFailure ? refuse(failure.message) : failure
}
