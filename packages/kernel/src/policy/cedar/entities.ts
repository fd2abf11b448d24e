import { KernelError } from '../../error.ts'
import { EvaluationFailure } from './failure.ts'
import { CedarSet } from './set.ts'
import { uidText } from './text.ts'
import { UidMap } from './uid-map.ts'
import { type CedarRecord, type EntityUid, isSameEntity, type Value } from './value.ts'

/** An entity as policies see it. */
export interface EntityData {
  readonly uid: EntityUid
  readonly attrs: CedarRecord
  /** Direct parents; that parents have parents follows from theirs. A parent need not be known itself. */
  readonly parents: readonly EntityUid[]
  readonly tags?: CedarRecord
}

/** What a policy can look up: entities by name, and what is above them. Immutable. */
export interface EntityStore {
  readonly size: number
  find(uid: EntityUid): Entity | undefined
}

/** One entity of a store. */
export interface Entity extends EntityData {
  /** Everything above the entity, not itself, nearest first. */
  readonly ancestors: readonly EntityUid[]
  isBelow(uid: EntityUid): boolean
}

/** Entities of one store. */
export const MAX_ENTITIES = 200_000

/**
 * Creates a store of entities. What is above an entity is worked out when it is first asked.
 *
 * @throws KernelError `cedar_entities` when an entity is there twice, is above itself, has a value that Cedar does not have, or there
 * are too many.
 */
export function createEntities(entities: Iterable<EntityData>): EntityStore {
  const known = new UidMap<Node>()
  const nodes: Node[] = []
  for (const data of entities) {
    const node = nodeOf(data, known)
    if (known.ensure(data.uid, () => node) !== node)
      throw new KernelError('cedar_entities', `the entity ${uidText(data.uid)} is there twice`)
    nodes.push(node)
    if (nodes.length > MAX_ENTITIES) throw new KernelError('cedar_entities', `more than ${MAX_ENTITIES} entities are too many`)
  }
  refuseCycles(nodes, known)
  return { size: known.size, find: (uid) => known.get(uid) }
}

/** A store without entities. */
export const NO_ENTITIES: EntityStore = createEntities([])

class Node implements Entity {
  readonly uid: EntityUid
  readonly attrs: CedarRecord
  readonly parents: readonly EntityUid[]
  readonly tags: CedarRecord
  readonly #known: UidMap<Node>
  #above: { readonly list: readonly EntityUid[]; readonly set: UidMap<true> } | undefined

  constructor({ uid, attrs, parents, tags }: EntityData, known: UidMap<Node>) {
    this.uid = uid
    this.attrs = prepared(attrs)
    this.parents = parents
    this.tags = tags === undefined ? NO_TAGS : prepared(tags)
    this.#known = known
  }

  get ancestors(): readonly EntityUid[] {
    return this.#climb().list
  }

  isBelow(uid: EntityUid): boolean {
    return this.parents.length > 0 && this.#climb().set.get(uid) === true
  }

  #climb() {
    this.#above ??= climb(this, this.#known)
    return this.#above
  }
}

function nodeOf(data: EntityData, known: UidMap<Node>): Node {
  try {
    return new Node(data, known)
  } catch (failure) {
    if (!(failure instanceof EvaluationFailure)) throw failure
    throw new KernelError('cedar_entities', `the entity ${uidText(data.uid)}: ${failure.message}`)
  }
}

const NO_TAGS: CedarRecord = {}

/** Lists become sets here, once, rather than in every decision. */
function prepared(record: CedarRecord): CedarRecord {
  const values = Object.entries(record)
  if (!values.some(([, value]) => Array.isArray(value))) return record
  return Object.fromEntries(
    values.map(([name, value]): [string, Value] => [name, Array.isArray(value) ? new CedarSet(value) : value]),
  )
}

function climb(from: Node, known: UidMap<Node>) {
  const set = new UidMap<true>()
  const list: EntityUid[] = []
  const add = (uid: EntityUid) => {
    const before = set.size
    set.ensure(uid, () => true)
    if (set.size > before) list.push(uid)
  }
  from.parents.forEach(add)
  for (let index = 0; index < list.length; index += 1) {
    const uid = list[index]
    if (uid !== undefined) known.get(uid)?.parents.forEach(add)
  }
  return { list, set }
}

/** Walks depth first without recursion, so that a long chain cannot exhaust the stack. */
function refuseCycles(nodes: readonly Node[], known: UidMap<Node>): void {
  const state = new Map<Node, 'open' | 'closed'>()
  for (const root of nodes) {
    const path = state.has(root) ? [] : [{ node: root, next: 0 }]
    if (path.length > 0) state.set(root, 'open')
    for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
      const parent = step.node.parents[step.next]
      step.next += 1
      if (parent === undefined) {
        state.set(step.node, 'closed')
        path.pop()
        continue
      }
      const node = known.get(parent)
      const seen = node === undefined ? 'closed' : state.get(node)
      if (seen === 'open' || isSameEntity(parent, step.node.uid))
        throw new KernelError('cedar_entities', `the entity ${uidText(parent)} is above itself`)
      if (node === undefined || seen === 'closed') continue
      state.set(node, 'open')
      path.push({ node, next: 0 })
    }
  }
}
