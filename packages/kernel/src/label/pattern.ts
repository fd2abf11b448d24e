import type { Json } from '../canonical/json.ts'
import { isObject, segmentsOf } from '../canonical/pointer.ts'

/** Declarations by pointer, as a tree of segments. A segment that is spelled out hides `*` beside it. */
export interface PatternNode<T> {
  readonly exact: ReadonlyMap<string, PatternNode<T>>
  readonly any: PatternNode<T> | undefined
  readonly declared: T | undefined
}

/** A place in a value, from the leaf upwards: cheaper than a pointer as long as nobody asks for its text. */
export interface Place {
  readonly key: string | number
  readonly above: Place | undefined
}

/** Builds the tree of a table of declarations. */
export function patternTree<T>(table: Readonly<Record<string, T>>): PatternNode<T> {
  return nodeOf(Object.entries(table).map(([pointer, declared]) => ({ segments: segmentsOf(pointer), declared })))
}

interface Row<T> {
  readonly segments: readonly string[]
  readonly declared: T
}

function nodeOf<T>(rows: readonly Row<T>[]): PatternNode<T> {
  const below = Map.groupBy(
    rows.filter((row) => row.segments.length > 0),
    (row) => row.segments[0] ?? '',
  )
  const next = new Map([...below].map(([key, group]) => [key, nodeOf(group.map(shorten))] as const))
  const any = next.get('*')
  next.delete('*')
  return { exact: next, any, declared: rows.find((row) => row.segments.length === 0)?.declared }
}

function shorten<T>({ segments, declared }: Row<T>): Row<T> {
  return { segments: segments.slice(1), declared }
}

/** What {@link visitLeaves} calls for every leaf, with the declaration nearest to it; keys of objects under `*` are told apart. */
export interface LeafVisitor<T> {
  leaf(value: Json, declared: T | undefined, place: Place | undefined): void
  /** A key of an object whose members are declared by `*`. */
  key?(key: string, declared: T | undefined, place: Place | undefined): void
}

/** Visits the leaves of a value in document order. An empty array or object is a leaf. The deepest declaration above a leaf is its own. */
export function visitLeaves<T>(tree: PatternNode<T>, value: Json, visitor: LeafVisitor<T>): void {
  visit(tree, value, tree.declared, undefined, visitor)
}

function visit<T>(
  node: PatternNode<T> | undefined,
  value: Json,
  declared: T | undefined,
  place: Place | undefined,
  visitor: LeafVisitor<T>,
): void {
  if (Array.isArray(value) && value.length > 0) {
    for (let i = 0; i < value.length; i++) {
      const next = node === undefined ? undefined : (node.exact.get(String(i)) ?? node.any)
      visit(next, value[i] as Json, next?.declared ?? declared, { key: i, above: place }, visitor)
    }
    return
  }
  if (isObject(value)) {
    const keys = Object.keys(value)
    for (const key of keys) {
      const exact = node?.exact.get(key)
      const next = exact ?? node?.any
      if (visitor.key !== undefined && exact === undefined) visitor.key(key, next?.declared ?? declared, place)
      visit(next, value[key] as Json, next?.declared ?? declared, { key, above: place }, visitor)
    }
    if (keys.length > 0) return
  }
  visitor.leaf(value, declared, place)
}

/** The JSON pointer of a place. */
export function pointerOf(place: Place | undefined): string {
  if (place === undefined) return ''
  const { key, above } = place
  const isPlain = typeof key === 'number' || !(key.includes('~') || key.includes('/'))
  return `${pointerOf(above)}/${isPlain ? key : key.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** The last key on the way to a place that is a name and not a number. */
export function nameOf(place: Place | undefined): string {
  if (place === undefined) return ''
  return typeof place.key === 'string' ? place.key : nameOf(place.above)
}
