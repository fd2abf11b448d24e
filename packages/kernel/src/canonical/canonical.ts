import { KernelError } from '../error.ts'
import type { Json, JsonObject } from './json.ts'

/** How deep arrays and objects may nest, in what we write and by default in what we read. */
export const JSON_MAX_DEPTH = 64

/** What a string needs before it can stand between quotes: an escape, or proof that its surrogates come in pairs. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be escaped.
const SPECIAL = /["\\\u0000-\u001f\ud800-\udfff]/

/**
 * Writes a value as canonical JSON (RFC 8785): equal values give equal text, whatever the order of their keys.
 *
 * Only plain data is written: own enumerable string keys of plain objects, arrays without holes, well-formed strings, finite
 * numbers. Everything else is refused rather than dropped, because this text is what gets hashed and approved (I2).
 *
 * @throws KernelError `canonical_surrogate`, `canonical_number`, `canonical_type` or `canonical_depth` (deeper than 64).
 */
export function canonicalJson(value: Json): string {
  return write(value, 0)
}

/**
 * Writes an object as {@link canonicalJson} does, without one of its members.
 *
 * @throws KernelError as {@link canonicalJson} does, for what is written.
 */
export function canonicalJsonWithout(value: JsonObject, left: string): string {
  return writeObject(value, 2, left) // as deep as a member of a list
}

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return writeString(value)
    case 'number':
      if (!Number.isFinite(value)) throw new KernelError('canonical_number', `JSON has no number for ${value}.`)
      return String(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) return 'null'
      if (depth >= JSON_MAX_DEPTH) {
        throw new KernelError('canonical_depth', `The value nests deeper than ${JSON_MAX_DEPTH} levels.`)
      }
      return Array.isArray(value) ? writeArray(value, depth + 1) : writeObject(value, depth + 1)
    default:
      throw new KernelError('canonical_type', `A value of type ${typeof value} is not JSON.`)
  }
}

function writeString(text: string): string {
  if (!SPECIAL.test(text)) return `"${text}"`
  if (!text.isWellFormed()) throw new KernelError('canonical_surrogate', 'A string has a lone surrogate.')
  return JSON.stringify(text)
}

function writeArray(values: readonly unknown[], depth: number): string {
  if (values.length === 0) return '[]'
  let text = `[${write(values[0], depth)}`
  for (let at = 1; at < values.length; at++) text += `,${write(values[at], depth)}`
  return `${text}]`
}

function writeObject(value: object, depth: number, left?: string): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  // A plain object of another realm has a prototype that ends the chain, just as ours does.
  if (prototype !== Object.prototype && prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw new KernelError('canonical_type', 'An instance of a class is not plain JSON data.')
  }
  const keys = inOrder(Object.keys(value))
  const members = value as Readonly<Record<string, unknown>> // sound: an object, read only by its own keys
  let text = ''
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] ?? ''
    if (key !== left) text += `${text === '' ? '{' : ','}${writeKey(key)}${write(members[key], depth)}`
  }
  return text === '' ? '{}' : `${text}}`
}

interface Order {
  readonly keys: readonly string[]
  readonly sorted: readonly string[]
}

/** Objects of one kind have their keys in one order: how it is sorted is remembered, up to a bound, by the first key. */
const orders = new Map<string, Order[]>()
const ORDERS = 512
const ORDERS_WITH_FIRST = 32

/** The keys by UTF-16 code units, as RFC 8785 section 3.2.3 asks: the default order of sorting. */
function inOrder(keys: readonly string[]): readonly string[] {
  if (isSorted(keys)) return keys
  const first = keys[0] ?? ''
  const likely = orders.get(first)
  const known = likely?.find((order) => isSame(order.keys, keys))
  if (known !== undefined) return known.sorted
  const sorted = keys.toSorted()
  if (keys.length > MOST_KEYS || keys.some((key) => key.length > LONGEST_KEY)) return sorted
  if (likely !== undefined && likely.length < ORDERS_WITH_FIRST) likely.push({ keys, sorted })
  else if (likely === undefined) {
    if (orders.size >= ORDERS) orders.clear()
    orders.set(first, [{ keys, sorted }])
  }
  return sorted
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}

/** Larger objects, and longer keys, are somebody's data: nothing to remember. */
const MOST_KEYS = 32
const LONGEST_KEY = 64

/** Most keys are written again and again: they are remembered with their quotes and colon, up to a bound. */
const REMEMBERED = 4_096
const written = new Map<string, string>()

function writeKey(key: string): string {
  const before = written.get(key)
  if (before !== undefined) return before
  const text = `${writeString(key)}:`
  if (key.length > LONGEST_KEY) return text
  if (written.size >= REMEMBERED) written.clear()
  written.set(key, text)
  return text
}

function isSorted(keys: readonly string[]): boolean {
  for (let at = 1; at < keys.length; at++) if ((keys[at] ?? '') < (keys[at - 1] ?? '')) return false
  return true
}
