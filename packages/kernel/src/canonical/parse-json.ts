import { KernelError, type KernelErrorCode } from '../error.ts'
import { JSON_MAX_DEPTH } from './canonical.ts'
import type { Json } from './json.ts'
import { utf8Length } from './utf8.ts'

/** What a text may cost before it is refused. */
export interface JsonLimits {
  /** Size of the text in UTF-8 bytes; 1 MiB unless told. */
  readonly maxBytes?: number
  /** How deep arrays and objects may nest; 64 unless told, and never more than 1000. */
  readonly maxDepth?: number
}

const DEFAULT_MAX_BYTES = 1_048_576
const HARD_MAX_DEPTH = 1000

/** Keys that reach an object's prototype when careless code copies them. */
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Reads JSON from outside (RFC 8259, I-JSON strictness) and returns plain data that {@link canonicalJson} accepts.
 *
 * The text is controlled by whoever sent it, so everything that two readers could understand differently is refused: duplicate
 * keys, `__proto__`, `constructor` and `prototype` as keys, lone surrogates, numbers past the range of a double, a byte order
 * mark, text after the value. A number keeps the nearest double, as in every JavaScript reader.
 *
 * @throws KernelError with a `canonical_*` code; the message ends with line:column, both counted from 1.
 */
export function parseJson(text: string, limits: JsonLimits = {}): Json {
  const maxBytes = limits.maxBytes ?? DEFAULT_MAX_BYTES
  if (text.length > maxBytes || (text.length * 3 > maxBytes && utf8Length(text) > maxBytes)) {
    throw new KernelError('canonical_size', `The JSON text is larger than ${maxBytes} bytes.`)
  }
  const reader: Reader = { text, at: 0, maxDepth: Math.min(limits.maxDepth ?? JSON_MAX_DEPTH, HARD_MAX_DEPTH) }
  skipSpace(reader)
  const value = readValue(reader, 0)
  skipSpace(reader)
  if (reader.at < text.length) throw refuse(reader, 'canonical_syntax', 'text after the value')
  return value
}

interface Reader {
  readonly text: string
  readonly maxDepth: number
  at: number
}

function readValue(reader: Reader, depth: number): Json {
  const unit = reader.text.charCodeAt(reader.at)
  switch (unit) {
    case 0x22:
      return readString(reader)
    case 0x7b:
      return readObject(reader, depth + 1)
    case 0x5b:
      return readArray(reader, depth + 1)
    case 0x74:
      return readWord(reader, 'true', true)
    case 0x66:
      return readWord(reader, 'false', false)
    case 0x6e:
      return readWord(reader, 'null', null)
    default:
      return readNumber(reader)
  }
}

function readObject(reader: Reader, depth: number): Json {
  enter(reader, depth)
  const members: Record<string, Json> = {}
  if (take(reader, 0x7d)) return members
  for (;;) {
    if (reader.text.charCodeAt(reader.at) !== 0x22) throw unexpected(reader, 'a key in double quotes')
    const start = reader.at
    const key = readString(reader)
    if (FORBIDDEN_KEYS.has(key)) throw refuse(reader, 'canonical_forbidden_key', `the key "${key}" is not allowed`, start)
    if (Object.hasOwn(members, key)) throw refuse(reader, 'canonical_duplicate_key', 'a key that was there before', start)
    skipSpace(reader)
    if (!take(reader, 0x3a)) throw unexpected(reader, 'a colon')
    members[key] = readValue(reader, depth)
    skipSpace(reader)
    if (take(reader, 0x7d)) return members
    if (!take(reader, 0x2c)) throw unexpected(reader, 'a comma or }')
  }
}

function readArray(reader: Reader, depth: number): Json {
  enter(reader, depth)
  const values: Json[] = []
  if (take(reader, 0x5d)) return values
  for (;;) {
    values.push(readValue(reader, depth))
    skipSpace(reader)
    if (take(reader, 0x5d)) return values
    if (!take(reader, 0x2c)) throw unexpected(reader, 'a comma or ]')
  }
}

/** Steps over the opening bracket, when one more level is allowed. */
function enter(reader: Reader, depth: number): void {
  if (depth > reader.maxDepth) throw refuse(reader, 'canonical_depth', `nested deeper than ${reader.maxDepth} levels`)
  reader.at += 1
  skipSpace(reader)
}

/** Steps over one punctuation mark and the space behind it; false, and no step, when something else stands there. */
function take(reader: Reader, unit: number): boolean {
  if (reader.text.charCodeAt(reader.at) !== unit) return false
  reader.at += 1
  if (unit === 0x2c || unit === 0x3a) skipSpace(reader)
  return true
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these raw characters in a string.
const STRING_END = /["\\\u0000-\u001f]/g
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

function readString(reader: Reader): string {
  const { text } = reader
  const start = reader.at
  let escaped = false
  let at = start + 1
  for (;;) {
    STRING_END.lastIndex = at
    const stop = STRING_END.exec(text)
    if (stop === null) throw refuse(reader, 'canonical_syntax', 'a string without an end', start)
    at = stop.index
    if (text.charCodeAt(at) === 0x22) break
    if (text.charCodeAt(at) !== 0x5c) throw refuse(reader, 'canonical_syntax', 'a control character in a string', at)
    ESCAPE.lastIndex = at
    const match = ESCAPE.exec(text)
    if (match === null) throw refuse(reader, 'canonical_syntax', 'an unknown escape in a string', at)
    escaped = true
    at += match[0].length
  }
  reader.at = at + 1
  // Sound: the literal was checked above, and JSON.parse of a string literal is a string.
  const value = escaped ? (JSON.parse(text.slice(start, at + 1)) as string) : text.slice(start + 1, at)
  if (!value.isWellFormed()) throw refuse(reader, 'canonical_surrogate', 'a lone surrogate in a string', start)
  return value
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y

function readNumber(reader: Reader): number {
  NUMBER.lastIndex = reader.at
  const match = NUMBER.exec(reader.text)
  if (match === null) throw unexpected(reader, 'a value')
  const value = Number(match[0])
  if (!Number.isFinite(value)) throw refuse(reader, 'canonical_number', 'a number past the range of a double')
  reader.at += match[0].length
  return value
}

function readWord<T extends Json>(reader: Reader, word: string, value: T): T {
  if (!reader.text.startsWith(word, reader.at)) throw unexpected(reader, 'a value')
  reader.at += word.length
  return value
}

function skipSpace(reader: Reader): void {
  const { text } = reader
  let at = reader.at
  for (;;) {
    const unit = text.charCodeAt(at)
    if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) break
    at += 1
  }
  reader.at = at
}

function unexpected(reader: Reader, wanted: string): KernelError {
  const found = reader.at < reader.text.length ? 'something else' : 'the end of the text'
  return refuse(reader, 'canonical_syntax', `expected ${wanted}, found ${found}`)
}

/** An error that names the place and never quotes a value, which may be a secret. */
function refuse(reader: Reader, code: KernelErrorCode, what: string, at = reader.at): KernelError {
  const before = reader.text.slice(0, at)
  const line = before.split('\n').length
  const column = at - before.lastIndexOf('\n')
  return new KernelError(code, `The JSON is refused: ${what}, at ${line}:${column}`)
}
