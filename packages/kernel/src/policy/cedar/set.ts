import { invalidValue, typeFailure } from './failure.ts'
import { longOf } from './long.ts'
import { type CedarRecord, Datetime, Decimal, Duration, EntityUid, isRecord, isSameEntity, Typed, type Value } from './value.ts'
import { IpAddr } from './ip.ts'
import { UidMap } from './uid-map.ts'

/**
 * A set: its elements have no order and none is there twice.
 *
 * Sets of scalars and sets of entities (nearly all are one of the two) look an element up by itself; others by a text that two elements
 * share exactly when they are equal.
 */
export class CedarSet extends Typed {
  readonly kind = 'set'
  readonly elements: readonly Value[]
  /** The elements by name, when all of them are entities; undefined for any other set, but not for the empty one. */
  readonly entities: UidMap<EntityUid> | undefined
  readonly #scalars: ReadonlySet<Value> | undefined
  readonly #keys: ReadonlySet<string> | undefined

  constructor(values: readonly Value[]) {
    super()
    const checked = values.map(checkedValue)
    if (checked.every(isScalar)) {
      this.#scalars = new Set<Value>(checked)
      this.elements = [...this.#scalars]
      this.entities = checked.length === 0 ? new UidMap() : undefined
    } else if (checked.every(isEntity)) {
      const entities = new UidMap<EntityUid>()
      this.elements = checked.filter((uid) => entities.get(uid) === undefined && entities.ensure(uid, () => uid))
      this.entities = entities
    } else {
      const distinct = new Map(checked.map((value) => [keyOf(value), value]))
      this.#keys = new Set(distinct.keys())
      this.elements = [...distinct.values()]
      this.entities = undefined
    }
  }

  get size(): number {
    return this.elements.length
  }

  has(value: Value): boolean {
    if (this.#scalars !== undefined) return this.#scalars.has(value)
    if (this.entities !== undefined) return isEntity(value) && this.entities.get(value) !== undefined
    return this.#keys?.has(keyOf(value)) ?? false
  }
}

/** The value in its one form; fails when it is none of Cedar's. Sets and records are checked when they are read. */
export function checkedValue(value: Value | undefined | null): Value {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (Number.isSafeInteger(value)) return value
      break
    case 'bigint': {
      const long = longOf(value)
      if (long !== undefined) return long
      break
    }
    case 'object':
      if (value !== null) return value
      break
    default:
  }
  throw invalidValue(value)
}

/** The value as a set; fails when it is none. */
export function asSet(value: Value): CedarSet {
  if (value instanceof CedarSet) return value
  if (Array.isArray(value)) return new CedarSet(value)
  throw typeFailure(['set'], value)
}

/** True when the set has the element. A plain array is searched, not converted, as long as it has nothing but scalars. */
export function setContains(set: Value, element: Value): boolean {
  if (set instanceof CedarSet) return set.has(element)
  if (!Array.isArray(set)) throw typeFailure(['set'], set)
  const values: readonly Value[] = set
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index]
    if (typeof value !== 'string' && typeof value !== 'boolean' && !Number.isSafeInteger(value)) return asSet(set).has(element)
    if (value === element) return true
  }
  return false
}

/** True when the two have an element in common. */
export function setsMeet(a: Value, b: Value): boolean {
  if (!Array.isArray(a)) {
    const left = asSet(a)
    return asSet(b).elements.some((element) => left.has(element))
  }
  const right = asSet(b)
  const left: readonly Value[] = a
  return left.some((element) => right.has(checkedValue(element)))
}

/** True when every element of `b` is one of `a`. */
export function setContainsAll(a: Value, b: Value): boolean {
  if (!Array.isArray(a)) {
    const set = asSet(a)
    return asSet(b).elements.every((element) => set.has(element))
  }
  return asSet(b).elements.every((element) => setContains(a, element))
}

export function isEmptySet(set: Value): boolean {
  if (set instanceof CedarSet) return set.size === 0
  if (Array.isArray(set)) return set.length === 0
  throw typeFailure(['set'], set)
}

/** Equality as Cedar has it: values of different types are different, never an error. */
export function isEqual(a: Value, b: Value): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object') return false
  if (a instanceof EntityUid) return b instanceof EntityUid && isSameEntity(a, b)
  if (isSet(a)) {
    if (!isSet(b)) return false
    const left = asSet(a)
    const right = asSet(b)
    return left.size === right.size && left.elements.every((element) => right.has(element))
  }
  if (isRecord(a)) return isRecord(b) && isEqualRecord(a, b)
  return a instanceof Typed && b instanceof Typed && a.kind === b.kind && keyOf(a) === keyOf(b)
}

/** The attributes that a record has, sorted by their UTF-16 code units. */
export function attributesOf(record: CedarRecord): readonly string[] {
  return Object.keys(record)
    .filter((attribute) => record[attribute] !== undefined)
    .toSorted()
}

function isEqualRecord(a: CedarRecord, b: CedarRecord): boolean {
  const names = attributesOf(a)
  if (names.length !== attributesOf(b).length) return false
  return names.every((name) => Object.hasOwn(b, name) && isEqual(checkedValue(a[name]), checkedValue(b[name])))
}

/** A text that two values share exactly when they are equal. Each part says where it ends, so no two can be confused. */
export function keyOf(value: Value): string {
  const checked = checkedValue(value)
  if (typeof checked === 'string') return `s${checked.length}:${checked}`
  if (typeof checked !== 'object') return `${typeof checked === 'boolean' ? 'b' : 'l'}${checked};`
  if (checked instanceof EntityUid) return `e${keyOf(checked.type)}${keyOf(checked.id)}`
  if (checked instanceof CedarSet || Array.isArray(checked)) return `S(${asSet(checked).elements.map(keyOf).toSorted().join('')})`
  if (checked instanceof Decimal) return `d${checked.scaled};`
  if (checked instanceof Datetime) return `t${checked.epochMs};`
  if (checked instanceof Duration) return `u${checked.ms};`
  if (checked instanceof IpAddr) return `i${checked.version}:${checked.address}/${checked.prefix};`
  if (!isRecord(checked)) throw invalidValue(checked)
  return `R(${attributesOf(checked)
    .map((name) => `${keyOf(name)}${keyOf(checkedValue(checked[name]))}`)
    .join('')})`
}

function isSet(value: Value): boolean {
  return value instanceof CedarSet || Array.isArray(value)
}

function isScalar(value: Value): boolean {
  return typeof value !== 'object'
}

function isEntity(value: Value): value is EntityUid {
  return value instanceof EntityUid
}
