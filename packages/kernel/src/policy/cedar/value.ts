import { KernelError } from '../../error.ts'

/** A 64-bit signed integer: a number as long as that is exact (a safe integer), a bigint beyond. Each integer has one form. */
export type Long = number | bigint

/**
 * A value of Cedar's language.
 *
 * Sets and records may be plain arrays and plain objects, so that a request needs no conversion: what is read of them is checked when
 * it is read, and a number that is no integer, a null or a function there is an evaluation failure. A property that is undefined is
 * absent. Objects count as records by their own properties only.
 */
export type Value = boolean | Long | string | Typed | readonly Value[] | CedarRecord

/** A record; see {@link Value} for what a plain object means here. */
export interface CedarRecord {
  readonly [attribute: string]: Value
}

/** What kind of value something is, in the words that Cedar's own error messages use; an entity's type comes with it elsewhere. */
export type ValueKind = 'bool' | 'long' | 'string' | 'entity' | 'set' | 'record' | ExtensionKind
export type ExtensionKind = 'decimal' | 'ipaddr' | 'datetime' | 'duration'

/** Marks the values that are instances of our own classes: no data from outside can pretend to be one. */
export abstract class Typed {
  abstract readonly kind: 'entity' | 'set' | ExtensionKind
}

/** The name of an entity: its type, with its namespace, and its id. Immutable; two are equal when both parts are. */
export class EntityUid extends Typed {
  readonly kind = 'entity'
  readonly type: string
  readonly id: string

  constructor(type: string, id: string) {
    super()
    this.type = type
    this.id = id
  }
}

/** Creates the name of an entity. Keep and reuse it where the same entity comes back: it saves an allocation. */
export function entityUid(type: string, id: string): EntityUid {
  return new EntityUid(type, id)
}

export function isSameEntity(a: EntityUid, b: EntityUid): boolean {
  return a === b || (a.id === b.id && a.type === b.type)
}

/** A fixed-point number with four decimals: the value times 10,000. */
export class Decimal extends Typed {
  readonly kind = 'decimal'
  readonly scaled: Long

  constructor(scaled: Long) {
    super()
    this.scaled = checkedLong(scaled)
  }
}

/** A point in time, in milliseconds since 1970-01-01T00:00:00Z. */
export class Datetime extends Typed {
  readonly kind = 'datetime'
  readonly epochMs: Long

  constructor(epochMs: Long) {
    super()
    this.epochMs = checkedLong(epochMs)
  }
}

/** A length of time in milliseconds; may be negative. */
export class Duration extends Typed {
  readonly kind = 'duration'
  readonly ms: Long

  constructor(ms: Long) {
    super()
    this.ms = checkedLong(ms)
  }
}

/** No value of ours holds a number that is none of Cedar's. */
function checkedLong(long: Long): Long {
  if (typeof long === 'bigint' || Number.isSafeInteger(long)) return long
  throw new KernelError('cedar_value', `${long} is not a whole number that policies know`)
}

/** The kind of a value. A value that is none of Cedar's has the kind undefined. */
export function kindOf(value: unknown): ValueKind | undefined {
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
    case 'number':
      return Number.isSafeInteger(value) ? 'long' : undefined
    case 'bigint':
      return 'long'
    case 'object':
      if (value === null) return undefined
      if (value instanceof Typed) return value.kind
      return Array.isArray(value) ? 'set' : 'record'
    default:
      return undefined
  }
}

export function isRecord(value: Value): value is CedarRecord {
  return typeof value === 'object' && !(value instanceof Typed) && !Array.isArray(value)
}
