import { CedarDecimal, type CedarValue, isObject, type Json, type JsonObject } from '@tidegate/kernel'
import type { ArgumentType, RecordType, ScalarType } from './argument-type.ts'

/** Why an argument cannot be shown to policies: its name and what it should have been, never its value. */
export class ArgumentMisfit {
  readonly message: string

  constructor(path: string, wanted: string) {
    this.message = `the argument ${path} is not ${wanted}`
  }
}

/** Turns arguments in normal form into what policies see. Throws {@link ArgumentMisfit}. */
export type SeeArguments = (args: JsonObject) => { readonly [name: string]: CedarValue }

type See<T> = (value: Json) => T

/** What a scalar may be and what it becomes; undefined for a misfit. Strings and booleans are passed as they are. */
const SCALARS: Readonly<Record<ScalarType['kind'], { readonly wanted: string; readonly see: See<CedarValue | undefined> }>> = {
  text: { wanted: 'a text', see: (value) => (typeof value === 'string' ? value : undefined) },
  flag: { wanted: 'true or false', see: (value) => (typeof value === 'boolean' ? value : undefined) },
  long: {
    wanted: 'a whole number that policies can compare (within plus or minus 9007199254740991)',
    see: (value) => (typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined),
  },
  decimal: { wanted: 'a number that policies can compare (four digits after the point at most)', see: decimalOf },
}

/**
 * Prepares the view of an operation's arguments. Each value is passed exactly or refused (I6): to leave an argument out because it is
 * too large or has too many digits would switch off the rules about it.
 */
export function argumentsView(type: RecordType): SeeArguments {
  return recordView(type, '') as SeeArguments // sound: a record's view makes a record, and arguments are an object
}

function viewOf(type: ArgumentType, path: string): See<CedarValue> {
  if (type.kind === 'record') return recordView(type, `${path}.`)
  if (type.kind === 'set') return setView(type.element, path)
  const { wanted, see } = SCALARS[type.kind]
  return (value) => {
    const seen = see(value)
    if (seen === undefined) throw new ArgumentMisfit(path, wanted)
    return seen
  }
}

function setView(element: ScalarType, path: string): See<CedarValue> {
  const see = viewOf(element, path)
  return (value) => {
    if (!Array.isArray(value)) throw new ArgumentMisfit(path, 'a list')
    return (value as readonly Json[]).map(see)
  }
}

function recordView({ members }: RecordType, prefix: string): See<CedarValue> {
  const views = Object.entries(members).map(([name, { type, ...member }]) => {
    return { name, ...member, see: viewOf(type, `${prefix}${name}`) }
  })
  return (value) => {
    if (!isObject(value)) throw new ArgumentMisfit(prefix.slice(0, -1) || 'list', 'an object')
    const seen: Record<string, CedarValue> = {}
    for (const { name, required, nullable, see } of views) {
      const member = Object.hasOwn(value, name) ? value[name] : undefined
      if (member !== undefined && !(member === null && nullable)) seen[name] = see(member)
      else if (required) throw new ArgumentMisfit(`${prefix}${name}`, 'there')
    }
    return seen
  }
}

const FIXED_POINT = /^(-?\d+)(?:\.(\d{1,4}))?$/
/** The largest whole number of which ten thousand times are within 64 bits. */
const MAX_WHOLE = 922_337_203_685_477

/**
 * The decimal that reads as the number does in JSON, when it has at most four digits after the point and whole numbers up to
 * plus or minus 922337203685476.
 */
export function decimalOf(value: Json): CedarDecimal | undefined {
  if (typeof value !== 'number' || !(Math.abs(value) < MAX_WHOLE)) return undefined
  const digits = FIXED_POINT.exec(String(value))
  if (digits === null) return undefined
  const scaled = BigInt(`${digits[1]}${(digits[2] ?? '').padEnd(4, '0')}`)
  const near = Number(scaled)
  return new CedarDecimal(Number.isSafeInteger(near) ? near : scaled)
}
