import { isDeepStrictEqual } from 'node:util'
import { isMap, isScalar, isSeq, type ParsedNode, parseDocument, type Range, type YAMLMap, type YAMLSeq } from 'yaml'
import { CliError } from '../error.ts'

/** A host as tidegate.yaml lists it. */
export interface HostEntry {
  readonly name: string
  readonly kind: string
  readonly mode: 'observe' | 'enforce'
}

/**
 * Adds a host to the text of tidegate.yaml, or gives the one of that name another mode. Every other character stays, comments too.
 *
 * @throws CliError `usage_invalid` when the file is not understood, or has a host of that name and another kind.
 */
export function withHost(text: string, entry: HostEntry): string {
  const hosts = hostsOf(text)
  const known = hosts?.items.find((item) => isMap(item) && String(item.get('name')) === entry.name)
  if (known !== undefined && isMap(known) && String(known.get('kind')) !== entry.kind)
    throw new CliError(
      'usage_invalid',
      `tidegate.yaml has a host "${entry.name}" of another kind. Choose another name with --name.`,
    )
  const after = known !== undefined && isMap(known) ? withMode(text, known, entry.mode) : withItem(text, hosts, entry)
  const expected = listOf(text).filter((each) => nameOf(each) !== entry.name)
  const rest = listOf(after).filter((each) => nameOf(each) !== entry.name)
  const added = listOf(after).find((each) => nameOf(each) === entry.name)
  if (!isDeepStrictEqual(rest, expected) || !isRecord(added) || added.mode !== entry.mode)
    throw new CliError(
      'usage_invalid',
      `The hosts of tidegate.yaml are written in a way that cannot be added to. Add this yourself:\n${blockOf(entry, '')}`,
    )
  return after
}

/** Takes a host out of the text of tidegate.yaml; undefined when it cannot be told where it ends. */
export function withoutHost(text: string, name: string): string | undefined {
  const hosts = hostsOf(text)
  const at = hosts?.items.findIndex((item) => isMap(item) && String(item.get('name')) === name) ?? -1
  if (hosts === undefined || at < 0) return text
  const whole = hosts.items.length === 1 ? /(?:^|\n)\n?hosts:[ \t]*\n/.exec(text) : null
  const item = hosts.items[at]
  if (item?.range === undefined || item.range === null || hosts.flow) return undefined
  const start = whole === null ? lineStart(text, item.range[0]) : whole.index
  const end = endOf(text, item.range)
  const after = text.slice(0, start) + text.slice(end + (whole === null ? 1 : 0))
  try {
    const expected = listOf(text).filter((each) => nameOf(each) !== name)
    return isDeepStrictEqual(listOf(after), expected) ? after : undefined
  } catch {
    return undefined
  }
}

/** The hosts that a text lists, by name. */
export function hasHost(text: string, name: string): boolean {
  return listOf(text).some((each) => nameOf(each) === name)
}

type Hosts = YAMLSeq<ParsedNode>

function hostsOf(text: string): Hosts | undefined {
  const document = parseDocument(text, { strict: true, uniqueKeys: true })
  const [error] = document.errors
  if (error !== undefined) throw new CliError('usage_invalid', `tidegate.yaml cannot be read: ${error.message.split('\n')[0]}`)
  const hosts: unknown = document.get('hosts', true)
  if (hosts === undefined || (isScalar(hosts) && hosts.value === null)) return undefined
  if (isSeq(hosts)) return hosts as Hosts // sound: the nodes of a parsed document are parsed ones
  throw new CliError('usage_invalid', 'The hosts of tidegate.yaml are not a list. Correct that first.')
}

function listOf(text: string): readonly unknown[] {
  const value: unknown = parseDocument(text, { strict: true, uniqueKeys: true }).toJS()
  const hosts = isRecord(value) ? value.hosts : undefined
  return Array.isArray(hosts) ? hosts : []
}

function withItem(text: string, hosts: Hosts | undefined, entry: HostEntry): string {
  const last = hosts?.items.at(-1)
  if (last?.range && hosts?.flow !== true) {
    const indent = /^[ \t]*/.exec(text.slice(lineStart(text, last.range[0])))?.[0] ?? ''
    const end = endOf(text, last.range)
    return `${text.slice(0, end)}\n${blockOf(entry, indent)}${text.slice(end)}`
  }
  if (hosts?.range) {
    const inline = `{ name: ${entry.name}, kind: ${entry.kind}, mode: ${entry.mode} }`
    const close = text.lastIndexOf(']', hosts.range[1])
    return `${text.slice(0, close).trimEnd()}${hosts.items.length === 0 ? '' : ', '}${inline}${text.slice(close)}`
  }
  const empty = /^hosts:[ \t]*(?:~|null)?[ \t]*$/m.exec(text)
  if (empty !== null)
    return `${text.slice(0, empty.index)}hosts:\n${blockOf(entry, '  ')}${text.slice(empty.index + empty[0].length)}`
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}\nhosts:\n${blockOf(entry, '  ')}\n`
}

function withMode(text: string, item: YAMLMap, mode: HostEntry['mode']): string {
  const node = item.get('mode', true)
  if (isScalar(node) && node.range) return text.slice(0, node.range[0]) + mode + text.slice(node.range[1])
  const name = item.get('name', true)
  if (!isScalar(name) || !name.range || item.flow) return text
  const column = name.range[0] - lineStart(text, name.range[0])
  const key = text.slice(lineStart(text, name.range[0]), name.range[0])
  const indent = ' '.repeat(Math.max(0, column - (key.length - key.search(/["']?name/))))
  const end = lineEnd(text, name.range[1])
  return `${text.slice(0, end)}\n${indent}mode: ${mode}${text.slice(end)}`
}

function blockOf({ name, kind, mode }: HostEntry, indent: string): string {
  return `${indent}- name: ${name}\n${indent}  kind: ${kind}\n${indent}  mode: ${mode}`
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end
}

/** The end of the line on which a node ends. */
function endOf(text: string, [start, end]: Range): number {
  return lineEnd(text, start + text.slice(start, end).trimEnd().length)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function nameOf(entry: unknown): unknown {
  return isRecord(entry) ? entry.name : undefined
}
