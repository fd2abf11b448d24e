import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml'
import type { Json } from '@tidegate/kernel'
import type { FileProblem, Finding, Path } from './problem.ts'
import { writePath } from './problem.ts'

/** Bytes of a file that are read. */
const MAX_FILE_BYTES = 262_144
const MAX_DEPTH = 32
const MAX_PROBLEMS = 20

/** A YAML text as plain data that knows where everything stood. */
export type YamlFile =
  | { readonly ok: true; readonly value: Json; readonly place: (finding: Finding) => FileProblem }
  | { readonly ok: false; readonly problems: readonly FileProblem[] }

/**
 * Reads one YAML 1.2 document whose author need not be a friend: at most 256 KiB of valid UTF-8 and 32 levels; no aliases, tags,
 * directives, duplicate keys, keys that are no texts, `__proto__` or numbers that JSON does not have.
 */
export function parseYaml(source: string | Uint8Array, file: string): YamlFile {
  const text = decode(source)
  if (text.message !== undefined) return { ok: false, problems: [{ file, line: 1, column: 1, path: '', message: text.message }] }
  const lines = new LineCounter()
  const document = parseDocument(text.text, {
    lineCounter: lines,
    version: '1.2',
    schema: 'core',
    merge: false,
    prettyErrors: false,
    logLevel: 'error',
  })
  const at = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const broken = [...document.errors, ...document.warnings].map((error) => ({
    file,
    ...at(error.pos[0]),
    path: '',
    message: explain(error),
  }))
  if (broken.length > 0) return { ok: false, problems: distinct(broken) }
  const refused = refuseTricks(document).map(({ offset, path, message }) => ({ file, ...at(offset), path, message }))
  if (refused.length > 0) return { ok: false, problems: distinct(refused) }
  const place = ({ path, atKey = false, message }: Finding): FileProblem => {
    return { file, ...at(offsetOf(document, path, atKey)), path: writePath(path), message }
  }
  return { ok: true, value: document.toJS() as Json, place }
}

function decode(source: string | Uint8Array): { text: string; message?: never } | { text?: never; message: string } {
  const size = typeof source === 'string' ? Buffer.byteLength(source) : source.byteLength
  if (size > MAX_FILE_BYTES)
    return { message: `The file has ${size} bytes; at most ${MAX_FILE_BYTES} are read. Split it into several workflows.` }
  if (typeof source === 'string')
    return source.isWellFormed() ? { text: source } : { message: 'The text holds half a character. Save the file as UTF-8.' }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(source) }
  } catch {
    return { message: 'The file is not valid UTF-8. Save it as UTF-8.' }
  }
}

const CURES: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'This key stands here twice. Remove one of the two.',
  TAB_AS_INDENT: 'A tab cannot indent YAML. Use spaces.',
  TAG_RESOLVE_FAILED: 'Tags (!name) are not read. Write the value without one.',
  MULTIPLE_DOCS: 'A file holds one document. Put the second one into a file of its own.',
  RESOURCE_EXHAUSTION: `The file nests too deeply; ${MAX_DEPTH} levels are read.`,
  BAD_ALIAS: 'Aliases (*name) are not read. Write the value out.',
  MISSING_CHAR: 'A closing quote or bracket is missing.',
  BAD_INDENT: 'A bracket is not closed, or the indentation is wrong.',
  MULTILINE_IMPLICIT_KEY: 'A key must stand on one line. Is a quote not closed?',
  BLOCK_AS_IMPLICIT_KEY: 'Two keys stand on one line, or a text with ": " in it needs quotes.',
}

function explain({ code, message }: YAMLError): string {
  return (
    CURES[code] ?? `This is not YAML: ${message.split('\n')[0] ?? ''}. Look at the indentation, the quotes and the brackets here.`
  )
}

interface Trick {
  readonly offset: number
  readonly path: string
  readonly message: string
}

/** What YAML allows and we do not: everything that makes a file mean something else than it shows. */
function refuseTricks(document: Document): readonly Trick[] {
  const found: Trick[] = []
  const add = (node: unknown, message: string): void => {
    found.push({ offset: offsetOfNode(node), path: '', message })
  }
  if (document.directives?.yaml.explicit === true) add(document.contents, 'Directives (%YAML) are not read. Remove the line.')
  const look = (node: Node, depth: number): symbol | undefined => {
    if (node.tag !== undefined) add(node, `Tags (${node.tag}) are not read. Write the value without one.`)
    if ('anchor' in node && node.anchor !== undefined) add(node, `Anchors (&${String(node.anchor)}) are not read. Remove it.`)
    if (depth <= MAX_DEPTH * 2) return undefined
    add(node, `The file nests too deeply; ${MAX_DEPTH} levels are read.`)
    return visit.BREAK
  }
  visit(document, {
    Alias: (_, node) => add(node, 'Aliases (*name) are not read. Write the value out.'),
    Collection: (_, node, parents) => look(node, parents.length),
    Pair: (_, pair) => {
      const message = refuseKey(pair)
      if (message !== undefined) add(pair.key, message)
    },
    Scalar: (key, node, parents) => {
      if (key !== 'key' && typeof node.value === 'number' && !isJsonNumber(node.value)) {
        add(node, 'This number cannot be told exactly. Write it as a text in quotes.')
      }
      return look(node, parents.length)
    },
  })
  return found
}

function refuseKey({ key }: Pair): string | undefined {
  if (isMap(key)) return 'A text that begins with {{ needs quotes around it.'
  if (!isScalar(key) || typeof key.value !== 'string') return 'A key must be a text. Put it in quotes.'
  return key.value === '__proto__' ? 'This key is not allowed. Remove it.' : undefined
}

function isJsonNumber(value: number): boolean {
  return Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER
}

/** Where a path stands; where it does not exist, the nearest thing above it that does. */
function offsetOf(document: Document, path: Path, atKey: boolean): number {
  let node: unknown = document.contents
  let offset = offsetOfNode(node)
  for (const [depth, segment] of path.entries()) {
    const isLast = depth === path.length - 1
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find(({ key }) => isScalar(key) && key.value === segment)
      if (pair === undefined) return offset
      node = pair.value
      offset = offsetOfNode(isLast && !atKey && isScalar(node) && node.value !== null ? node : pair.key)
    } else if (isSeq(node)) {
      node = node.items[Number(segment)]
      if (node === undefined) return offset
      offset = offsetOfNode(node)
    } else return offset
  }
  return offset
}

function offsetOfNode(node: unknown): number {
  return (node as Partial<Node> | null | undefined)?.range?.[0] ?? 0
}

/** One problem per place, the first twenty. */
function distinct(problems: readonly FileProblem[]): readonly FileProblem[] {
  const places = new Map<string, FileProblem>()
  for (const problem of problems) {
    const place = `${problem.line}:${problem.column}`
    if (!places.has(place)) places.set(place, problem)
  }
  return [...places.values()].slice(0, MAX_PROBLEMS)
}
