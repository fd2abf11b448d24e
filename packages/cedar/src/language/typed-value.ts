import {
  callConstructor,
  type CedarRecord,
  CedarSet,
  type CedarValue,
  decodeUid,
  decodeValue,
  EXTENSION_FUNCTIONS,
  extensionEscape,
  functionAndArguments,
  KernelError,
  MAX_VALUE_DEPTH,
  recordOf,
} from '@tidegate/kernel'
import type { SchemaType } from './schema-types.ts'

/** What makes a value of each extension type of a single text. */
const CONSTRUCTOR: Readonly<Record<string, string>> = {
  decimal: 'decimal',
  ipaddr: 'ip',
  datetime: 'datetime',
  duration: 'duration',
}
/** Functions whose first value is of an extension type itself. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = { offset: ['datetime', 'duration'] }

/**
 * Decodes a value in Cedar's JSON form, by its type: where an entity is expected, `{"type", "id"}` is one; where an extension value is,
 * a text is what its constructor takes. Anything else is as without a schema.
 *
 * That the value has the type is not checked here. @throws KernelError `cedar_value`.
 */
export function decodeTyped(json: unknown, type: SchemaType, depth = 0): CedarValue {
  if (depth > MAX_VALUE_DEPTH) throw new KernelError('cedar_value', `a value may nest ${MAX_VALUE_DEPTH} levels at most`)
  switch (type.kind) {
    case 'plain':
      return decodeValue(json, depth)
    case 'entity': {
      const uid = decodeUid(json)
      if (uid === undefined) throw new KernelError('cedar_value', 'an entity is expected: {"type": "...", "id": "..."}')
      return uid
    }
    case 'extension':
      return decodeExtension(json, type.name, depth)
    case 'set':
      if (!Array.isArray(json)) throw new KernelError('cedar_value', 'a set is expected: a list')
      return new CedarSet(json.map((element: unknown) => decodeTyped(element, type.element, depth + 1)))
    case 'record':
      return decodeTypedRecord(json, type, depth)
  }
}

/** Decodes a record by its type; see {@link decodeTyped}. Attributes that the type does not have are refused. */
export function decodeTypedRecord(json: unknown, type: Extract<SchemaType, { kind: 'record' }>, depth = 0): CedarRecord {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new KernelError('cedar_value', 'a record is expected: an object')
  const entries = Object.entries(json).map(([name, value]): readonly [string, CedarValue] => {
    const expected = type.attributes.get(name)
    if (expected === undefined) throw new KernelError('cedar_value', `the schema has no attribute "${name}" here`)
    return [name, decodeTyped(value, expected.type, depth + 1)]
  })
  for (const [name, { required }] of type.attributes)
    if (required && !Object.hasOwn(json, name)) throw new KernelError('cedar_value', `the attribute "${name}" is missing`)
  return recordOf(entries)
}

function decodeExtension(json: unknown, name: string, depth: number): CedarValue {
  const called = extensionEscape(json) ?? functionAndArguments(json)
  if (called === undefined) return callConstructor(CONSTRUCTOR[name] ?? name, [decodeValue(json, depth + 1)])
  const arity = EXTENSION_FUNCTIONS.get(called.name)?.arity ?? 1
  const types = ARGUMENTS[called.name] ?? Array.from({ length: arity }, () => '')
  return callConstructor(
    called.name,
    called.args.map((arg, index) => {
      const type = types[index] ?? ''
      return type === '' ? decodeValue(arg, depth + 1) : decodeExtension(arg, type, depth + 1)
    }),
  )
}
