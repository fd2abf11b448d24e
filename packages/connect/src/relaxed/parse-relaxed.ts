import type { Json } from '@tidegate/kernel'
import { ConnectError } from '../error.ts'

/** A value with its place in the text: `start` inclusive, `end` exclusive, in UTF-16 units. */
export type Node = ObjectNode | ArrayNode | LeafNode

interface Place {
  readonly start: number
  readonly end: number
}

export interface ObjectNode extends Place {
  readonly kind: 'object'
  readonly members: readonly Member[]
}

/** `start` is that of its key, `end` that of its value. */
export interface Member extends Place {
  readonly key: string
  readonly value: Node
}

export interface ArrayNode extends Place {
  readonly kind: 'array'
  readonly items: readonly Node[]
}

export interface LeafNode extends Place {
  readonly kind: 'leaf'
  readonly value: string | number | boolean | null
}

const MAX_LENGTH = 4 * 1_048_576
const MAX_DEPTH = 100
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '0': '\0' }
const WORD = /[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy
const NUMBER = /[+-]?(?:0[xX][0-9a-fA-F]+|Infinity|NaN|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/y
const GAP = /(?:[\s\ufeff]|\/\/[^\n\r\u2028\u2029]*|\/\*[\s\S]*?\*\/)*/y

/**
 * Reads what people write as configuration: JSON, JSON with comments, or JSON5. Each node knows its place, so that an edit can leave the
 * rest of the text as it is.
 *
 * The file belongs to the user and other programs. A key that stands twice in an object, or is `__proto__`, is refused: a host and we
 * could take different ones.
 *
 * @throws ConnectError `configuration_unreadable` with line:column, both counted from 1.
 */
export function parseRelaxed(text: string): Node {
  if (text.length > MAX_LENGTH) throw new ConnectError('configuration_unreadable', 'The configuration is larger than 4 MiB.')
  const reader: Reader = { text, at: 0 }
  skip(reader)
  const node = readNode(reader, 0)
  skip(reader)
  if (reader.at < text.length) throw refuse(reader, 'text after the end')
  return node
}

/** The plain value of a node. A number that JSON does not know is refused. */
export function plainOf(node: Node): Json {
  if (node.kind === 'leaf') {
    if (typeof node.value === 'number' && !Number.isFinite(node.value))
      throw new ConnectError('configuration_unreadable', 'The configuration has a number that JSON does not know.')
    return node.value
  }
  if (node.kind === 'array') return node.items.map(plainOf)
  return Object.fromEntries(node.members.map(({ key, value }) => [key, plainOf(value)]))
}

/** The node at a path, or undefined where there is none. */
export function nodeAt(node: Node, path: readonly (string | number)[]): Node | undefined {
  let here: Node | undefined = node
  for (const step of path) {
    if (here?.kind === 'object') here = here.members.find(({ key }) => key === step)?.value
    else if (here?.kind === 'array' && typeof step === 'number') here = here.items[step]
    else return undefined
  }
  return here
}

interface Reader {
  readonly text: string
  at: number
}

function readNode(reader: Reader, depth: number): Node {
  if (depth > MAX_DEPTH) throw refuse(reader, `nested deeper than ${MAX_DEPTH}`)
  const { text, at: start } = reader
  const first = text[start]
  if (first === '{') return readObject(reader, depth)
  if (first === '[') return readArray(reader, depth)
  if (first === '"' || first === "'") return { kind: 'leaf', value: readString(reader), start, end: reader.at }
  const number = take(reader, NUMBER)
  if (number !== undefined) return { kind: 'leaf', value: numberOf(number), start, end: reader.at }
  const word = take(reader, WORD)
  if (word === 'true' || word === 'false') return { kind: 'leaf', value: word === 'true', start, end: reader.at }
  if (word === 'null') return { kind: 'leaf', value: null, start, end: reader.at }
  reader.at = start
  throw refuse(reader, first === undefined ? 'the text ends too early' : 'a value was expected')
}

function readObject(reader: Reader, depth: number): ObjectNode {
  const start = reader.at
  reader.at += 1
  const members: Member[] = []
  const seen = new Set<string>()
  for (;;) {
    skip(reader)
    if (reader.text[reader.at] === '}') break
    const keyAt = reader.at
    const quote = reader.text[keyAt]
    const key = quote === '"' || quote === "'" ? readString(reader) : take(reader, WORD)
    if (key === undefined) throw refuse(reader, 'a key was expected')
    if (seen.has(key) || key === '__proto__') {
      reader.at = keyAt
      throw refuse(reader, `the key ${JSON.stringify(key)} ${key === '__proto__' ? 'is not allowed' : 'stands there twice'}`)
    }
    seen.add(key)
    skip(reader)
    if (reader.text[reader.at] !== ':') throw refuse(reader, '":" was expected')
    reader.at += 1
    skip(reader)
    const value = readNode(reader, depth + 1)
    members.push({ key, value, start: keyAt, end: value.end })
    if (!readComma(reader, '}')) break
  }
  reader.at += 1
  return { kind: 'object', members, start, end: reader.at }
}

function readArray(reader: Reader, depth: number): ArrayNode {
  const start = reader.at
  reader.at += 1
  const items: Node[] = []
  for (;;) {
    skip(reader)
    if (reader.text[reader.at] === ']') break
    items.push(readNode(reader, depth + 1))
    if (!readComma(reader, ']')) break
  }
  reader.at += 1
  return { kind: 'array', items, start, end: reader.at }
}

/** True when there is a comma; otherwise the end must be there. */
function readComma(reader: Reader, end: '}' | ']'): boolean {
  skip(reader)
  if (reader.text[reader.at] === ',') {
    reader.at += 1
    return true
  }
  if (reader.text[reader.at] === end) return false
  throw refuse(reader, `"," or "${end}" was expected`)
}

function readString(reader: Reader): string {
  const { text } = reader
  const quote = text[reader.at]
  const start = reader.at
  let value = ''
  for (reader.at += 1; reader.at < text.length; ) {
    const unit = text.charAt(reader.at)
    reader.at += 1
    if (unit === quote) return value
    if (unit === '\n' || unit === '\r') break
    value += unit === '\\' ? readEscape(reader) : unit
  }
  reader.at = start
  throw refuse(reader, 'a string does not end')
}

function readEscape(reader: Reader): string {
  const { text } = reader
  const unit = text.charAt(reader.at)
  reader.at += 1
  if (unit === 'u' || unit === 'x') {
    const digits = text.slice(reader.at, reader.at + (unit === 'u' ? 4 : 2))
    if (!/^(?:[0-9a-fA-F]{2}){1,2}$/.test(digits) || digits.length !== (unit === 'u' ? 4 : 2))
      throw refuse(reader, 'not an escape')
    reader.at += digits.length
    return String.fromCharCode(Number.parseInt(digits, 16))
  }
  if (unit === '\r' && text[reader.at] === '\n') reader.at += 1
  if (unit === '\n' || unit === '\r') return ''
  return SIMPLE_ESCAPES[unit] ?? unit
}

function numberOf(text: string): number {
  const negative = text.startsWith('-')
  const value = Number(text.replace(/^[+-]/, ''))
  return negative ? -value : value
}

function take(reader: Reader, pattern: RegExp): string | undefined {
  pattern.lastIndex = reader.at
  const [found] = pattern.exec(reader.text) ?? []
  if (found === undefined || found === '') return undefined
  reader.at += found.length
  return found
}

function skip(reader: Reader): void {
  take(reader, GAP)
}

function refuse({ text, at }: Reader, what: string): ConnectError {
  const before = text.slice(0, at).split('\n')
  const place = `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`
  return new ConnectError('configuration_unreadable', `The configuration cannot be read: ${what} at ${place}.`)
}
