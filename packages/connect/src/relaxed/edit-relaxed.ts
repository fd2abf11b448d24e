import type { Json } from '@tidegate/kernel'
import { ConnectError } from '../error.ts'
import { type ArrayNode, type Node, nodeAt, type ObjectNode, parseRelaxed } from './parse-relaxed.ts'

/** Keys and places from the root. A place that is the length of an array stands for one more item. */
export type Path = readonly (string | number)[]

/**
 * Sets the value at a path and leaves every other character as it is: comments, order, indentation and line ends stay. Objects that are
 * missing on the way are made.
 *
 * @throws ConnectError `configuration_unsupported` when something on the way is neither an object nor an array.
 */
export function setAt(text: string, path: Path, value: Json): string {
  const root = parseRelaxed(text)
  const existing = nodeAt(root, path)
  const style = styleOf(text, root)
  if (existing !== undefined) {
    const depth = indentAt(text, existing.start)
    return splice(text, existing, written(value, style, depth))
  }
  const known = deepest(root, path)
  const parent = nodeAt(root, path.slice(0, known))
  const step = path[known]
  if (parent === undefined || parent.kind === 'leaf' || step === undefined) throw unsupported(path.slice(0, known))
  if (parent.kind === 'array' && step !== parent.items.length) throw unsupported(path.slice(0, known))
  const made = path.slice(known + 1).reduceRight<Json>((inner, key) => ({ [String(key)]: inner }), value)
  return insert(text, parent, typeof step === 'string' ? step : undefined, made, style)
}

/** Takes the member or item at a path out, with its comma, and leaves every other character as it is. Nothing there: nothing changes. */
export function removeAt(text: string, path: Path): string {
  const root = parseRelaxed(text)
  const step = path.at(-1)
  const parent = nodeAt(root, path.slice(0, -1))
  if (parent === undefined || parent.kind === 'leaf' || step === undefined) return text
  const entries: readonly { readonly start: number; readonly end: number }[] = entriesOf(parent)
  const at = parent.kind === 'object' ? parent.members.findIndex(({ key }) => key === step) : Number(step)
  const entry = entries[at]
  if (entry === undefined) return text
  const next = entries[at + 1]
  const before = entries[at - 1]
  if (next !== undefined) return text.slice(0, entry.start) + text.slice(next.start)
  // The last one: what stands between the one before and it goes too, and a comma behind it.
  const comma = commaAfter(text, entry.end, parent.end)
  const end = comma === undefined ? entry.end : comma + 1
  if (before !== undefined) return text.slice(0, before.end) + (comma === undefined ? '' : ',') + text.slice(end)
  const inside = text.slice(parent.start + 1, entry.start) + text.slice(end, parent.end - 1)
  return text.slice(0, parent.start + 1) + (inside.trim() === '' ? '' : inside) + text.slice(parent.end - 1)
}

interface Style {
  /** One level of indentation; empty when everything stands on one line. */
  readonly unit: string
  readonly newline: string
}

function styleOf(text: string, root: Node): Style {
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  const [first] = root.kind === 'leaf' ? [] : entriesOf(root)
  if (first === undefined) return { unit: '  ', newline }
  const oneLine = !text.slice(root.start, root.end).includes('\n')
  return { unit: oneLine ? '' : indentAt(text, first.start) || '  ', newline }
}

function entriesOf(node: ObjectNode | ArrayNode): readonly { readonly start: number; readonly end: number }[] {
  return node.kind === 'object' ? node.members : node.items
}

/** How many steps of the path exist. */
function deepest(root: Node, path: Path): number {
  let known = 0
  while (known < path.length && nodeAt(root, path.slice(0, known + 1)) !== undefined) known += 1
  return known
}

function insert(text: string, parent: ObjectNode | ArrayNode, key: string | undefined, value: Json, style: Style): string {
  const entries = entriesOf(parent)
  const last = entries.at(-1)
  const spread = text.slice(parent.start, parent.end).includes('\n')
  if (last !== undefined && !spread) {
    const inline = { ...style, unit: '' }
    return splice(text, { start: last.end, end: last.end }, `, ${entry(key, value, inline, '')}`)
  }
  const outer = indentAt(text, parent.start)
  const inner = last === undefined ? outer + style.unit : indentAt(text, last.start) || outer + style.unit
  const made = entry(key, value, style, inner)
  if (last !== undefined) return splice(text, { start: last.end, end: last.end }, `,${style.newline}${inner}${made}`)
  const inside = text.slice(parent.start + 1, parent.end - 1)
  if (style.unit === '') return splice(text, { start: parent.start + 1, end: parent.start + 1 }, made)
  const tail =
    inside.trim() === '' ? { start: parent.start + 1, end: parent.end - 1 } : { start: parent.end - 1, end: parent.end - 1 }
  return splice(text, tail, `${style.newline}${inner}${made}${style.newline}${outer}`)
}

function entry(key: string | undefined, value: Json, style: Style, indent: string): string {
  return `${key === undefined ? '' : `${JSON.stringify(key)}: `}${written(value, style, indent)}`
}

function written(value: Json, { unit, newline }: Style, indent: string): string {
  return JSON.stringify(value, null, unit).replaceAll('\n', newline + indent)
}

/** The white space at the beginning of the line in which a place is. */
function indentAt(text: string, at: number): string {
  const line = text.slice(text.lastIndexOf('\n', at - 1) + 1, at)
  return /^[ \t]*/.exec(line)?.[0] ?? ''
}

/** Where the comma behind a place is, comments left out; undefined when there is none before the end of the parent. */
function commaAfter(text: string, from: number, parentEnd: number): number | undefined {
  const gap = /(?:\s|\/\/[^\n\r]*|\/\*[\s\S]*?\*\/)*/y
  gap.lastIndex = from
  const at = from + (gap.exec(text)?.[0].length ?? 0)
  return at < parentEnd && text[at] === ',' ? at : undefined
}

function splice(text: string, { start, end }: { readonly start: number; readonly end: number }, piece: string): string {
  return text.slice(0, start) + piece + text.slice(end)
}

function unsupported(path: Path): ConnectError {
  const where = path.length === 0 ? 'The configuration' : `"${path.join('.')}" in the configuration`
  return new ConnectError('configuration_unsupported', `${where} is not what the host expects there. Correct it first.`)
}
