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
  const text = isInOrder(value, 0) ? JSON.stringify(value) : ESCAPED
  return text.includes(ESCAPED) ? write(value, 0) : text
}

/**
 * Writes a list of objects as {@link canonicalJson} does, each without one of its members.
 *
 * @throws KernelError as {@link canonicalJson} does, for what is written.
 */
export function canonicalJsonWithout(values: readonly JsonObject[], left: string): string {
  let areInOrder = true
  for (const value of values) areInOrder &&= isObjectInOrder(value, 2, left)
  const text = areInOrder ? JSON.stringify(values.map((value) => without(value, left))) : ESCAPED
  return text.includes(ESCAPED) ? `[${values.map((value) => writeObject(value, 2, left)).join(',')}]` : text
}

/** How `JSON.stringify` writes a lone surrogate begins like this; so may a few texts that are permitted. */
const ESCAPED = '\\ud'

/** A copy for `JSON.stringify`, which leaves out what is undefined. */
function without(value: JsonObject, left: string): JsonObject {
  if (!(left in value)) return value
  const copy: { [key: string]: Json | undefined } = { ...value }
  copy[left] = undefined
  return copy as JsonObject // for the line above only
}

/**
 * True when `JSON.stringify` gives the canonical form, but for lone surrogates, and several times faster than we do: plain data that is
 * permitted, with all keys in order. Our own events are made in that order. False says nothing: what is wrong is said while it is written.
 */
function isInOrder(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value)
    case 'object':
      if (value === null) return true
      if (depth >= JSON_MAX_DEPTH) return false
      return Array.isArray(value) ? isArrayInOrder(value, depth + 1) : isObjectInOrder(value, depth + 1)
    default:
      return false
  }
}

function isArrayInOrder(values: readonly unknown[], depth: number): boolean {
  if ((values as { readonly toJSON?: unknown }).toJSON !== undefined) return false
  for (let at = 0; at < values.length; at++) if (!isInOrder(values[at], depth)) return false
  return true
}

function isObjectInOrder(value: object, depth: number, left?: string): boolean {
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  const members = value as Readonly<Record<string, unknown>> // sound: an object, read only by its own keys
  let last = ''
  for (const key in members) {
    if (key < last) return false
    last = key
    const member = members[key]
    if (typeof member !== 'string' && key !== left && !isInOrder(member, depth)) return false
  }
  return true
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
  const { sorted, opening, following } = orderOf(Object.keys(value))
  const members = value as Readonly<Record<string, unknown>> // sound: an object, read only by its own keys
  let text = ''
  for (let at = 0; at < sorted.length; at++) {
    const key = sorted[at] ?? ''
    if (key !== left) text += (text === '' ? opening : following)[at] + write(members[key], depth)
  }
  return text === '' ? '{}' : `${text}}`
}

/** How the keys of one kind of object are written. */
interface Order {
  readonly keys: readonly string[]
  /** By UTF-16 code units, as RFC 8785 section 3.2.3 asks: the default order of sorting. */
  readonly sorted: readonly string[]
  /** Those with their quotes and colon, behind the brace or the comma. */
  readonly opening: readonly string[]
  readonly following: readonly string[]
}

/** Objects of one kind have their keys in one order: how they are written is remembered, up to a bound, by the first key. */
const orders = new Map<string, Order[]>()
const ORDERS = 512
const ORDERS_WITH_FIRST = 32

function orderOf(keys: readonly string[]): Order {
  const first = keys[0] ?? ''
  const likely = orders.get(first)
  if (likely !== undefined) for (const order of likely) if (isSame(order.keys, keys)) return order
  const sorted = keys.toSorted()
  const written = sorted.map((key) => `${writeString(key)}:`)
  const order = { keys, sorted, opening: written.map((key) => `{${key}`), following: written.map((key) => `,${key}`) }
  if (keys.length > MOST_KEYS || keys.some((key) => key.length > LONGEST_KEY)) return order
  if (likely === undefined) {
    if (orders.size >= ORDERS) orders.clear()
    orders.set(first, [order])
  } else if (likely.length < ORDERS_WITH_FIRST) likely.push(order)
  return order
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}

/** Larger objects, and longer keys, are somebody's data: nothing to remember. */
const MOST_KEYS = 32
const LONGEST_KEY = 64
