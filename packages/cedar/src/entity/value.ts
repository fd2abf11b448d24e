import {
  callConstructor,
  CedarDatetime,
  type CedarRecord,
  type CedarValue,
  decodeUid,
  entityUid,
  isObject,
  type Json,
  type JsonObject,
} from '@tidegate/kernel'
import type { RecordShape, Shape } from './shape.ts'

/** Why a value cannot be shown to policies: its place and what it should have been, never itself. */
export class Misfit {
  readonly message: string

  constructor(path: string, wanted: string) {
    this.message = `${path} is not ${wanted}`
  }
}

/** RFC 3339, whose seconds may be missing. */
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/

/**
 * A record as policies see it: its declared members, each exactly or refused (I6), since to leave out what does not fit would switch
 * off the rules about it. What is not declared is not shown, and a null is a member that is not there. What is required and missing is
 * found by {@link requireMembers}, since members can come from several places. Throws {@link Misfit}.
 */
export function seeRecord(value: JsonObject, { members }: RecordShape, path: string): CedarRecord {
  const seen: Record<string, CedarValue> = {}
  for (const [name, { shape }] of members) {
    const member = Object.hasOwn(value, name) ? value[name] : undefined
    if (member !== undefined && member !== null) seen[name] = see(member, shape, `${path}.${name}`)
  }
  return seen
}

/** Throws {@link Misfit} for the first required member that is missing. */
export function requireMembers(record: CedarRecord, { members }: RecordShape, path: string): void {
  for (const [name, { required }] of members) {
    if (required && record[name] === undefined) throw new Misfit(`${path}.${name}`, 'there')
  }
}

function see(value: Json, shape: Shape, path: string): CedarValue {
  switch (shape.kind) {
    case 'text':
      if (typeof value === 'string') return value
      throw new Misfit(path, 'a text')
    case 'flag':
      if (typeof value === 'boolean') return value
      throw new Misfit(path, 'true or false')
    case 'long':
      if (typeof value === 'number' && Number.isSafeInteger(value)) return value
      throw new Misfit(path, 'a whole number within plus or minus 9007199254740991')
    case 'set':
      if (Array.isArray(value)) return (value as readonly Json[]).map((item, i) => see(item, shape.element, `${path}.${i}`))
      throw new Misfit(path, 'a list')
    case 'record': {
      if (!isObject(value)) throw new Misfit(path, 'an object')
      const record = seeRecord(value, shape, path)
      requireMembers(record, shape, path)
      return record
    }
    case 'entity':
      return seeEntity(value, shape.type, path)
    case 'datetime':
      if (typeof value === 'string' && INSTANT.test(value) && !Number.isNaN(Date.parse(value)))
        return new CedarDatetime(Date.parse(value))
      throw new Misfit(path, 'a time such as 2026-01-31T12:00:00Z')
    case 'decimal': {
      const text = typeof value === 'number' && Number.isInteger(value) ? `${value}.0` : String(value)
      const number = isScalar(value) ? construct('decimal', text) : undefined
      if (number !== undefined) return number
      throw new Misfit(path, 'a number with four digits after the point at most')
    }
    case 'duration':
    case 'ipaddr': {
      const made = typeof value === 'string' ? construct(shape.kind === 'ipaddr' ? 'ip' : 'duration', value) : undefined
      if (made !== undefined) return made
      throw new Misfit(path, shape.kind === 'ipaddr' ? 'an address or a range of addresses' : 'a duration such as 1h30m')
    }
  }
}

/** `{"type", "id"}`, Cedar's `{"__entity": ...}`, or the id alone. */
function seeEntity(value: Json, type: string, path: string): CedarValue {
  const uid = typeof value === 'string' ? entityUid(type, value) : decodeUid(value)
  if (uid?.type === type) return uid
  throw new Misfit(path, `a ${type}`)
}

function construct(name: 'decimal' | 'duration' | 'ip', text: string): CedarValue | undefined {
  try {
    return callConstructor(name, [text])
  } catch {
    return undefined // Cedar's own message quotes the value, which may be private
  }
}

function isScalar(value: Json): boolean {
  return typeof value === 'string' || typeof value === 'number'
}
