import { typeFailure } from './failure.ts'
import { type Environment, findEntity } from './node.ts'
import { CedarSet } from './set.ts'
import type { UidMap } from './uid-map.ts'
import { EntityUid, isSameEntity, kindOf, type Value, type ValueKind } from './value.ts'

/** True when the entity is the other, or below it. An entity that nobody knows is below nothing. */
export function isEntityIn(environment: Environment, uid: EntityUid, above: EntityUid): boolean {
  return isSameEntity(uid, above) || (findEntity(environment, uid)?.isBelow(above) ?? false)
}

/** The operator `in`: an entity, and another or a set of them. */
export function isIn(environment: Environment, left: Value, right: Value): boolean {
  if (!(left instanceof EntityUid)) throw typeFailure(['entity'], left)
  if (right instanceof EntityUid) return isEntityIn(environment, left, right)
  if (right instanceof CedarSet && right.entities !== undefined) return isEntityInAny(environment, left, right.entities)
  const elements = right instanceof CedarSet ? right.elements : Array.isArray(right) ? right : undefined
  if (elements === undefined) throw typeFailure(['set', 'entity'], right)
  const entities = entitiesOf(elements)
  return entities.some((uid) => isEntityIn(environment, left, uid))
}

/** Looks up what is above the entity in the set, not the set in what is above the entity: there is usually less of it. */
function isEntityInAny(environment: Environment, uid: EntityUid, set: UidMap<EntityUid>): boolean {
  if (set.get(uid) !== undefined) return true
  const above = findEntity(environment, uid)?.ancestors
  return above?.some((ancestor) => set.get(ancestor) !== undefined) ?? false
}

/** Cedar looks at the elements in its own order of types and fails at the first that is no entity. */
const ORDER: readonly (ValueKind | undefined)[] = [
  'bool',
  'long',
  'string',
  'set',
  'record',
  'datetime',
  'decimal',
  'duration',
  'ipaddr',
]

function entitiesOf(elements: readonly Value[]): readonly EntityUid[] {
  const entities = elements.filter((element) => element instanceof EntityUid)
  if (entities.length === elements.length) return entities
  const others = elements.filter((element) => !(element instanceof EntityUid))
  const [first] = others.toSorted((a, b) => ORDER.indexOf(kindOf(a)) - ORDER.indexOf(kindOf(b)))
  throw typeFailure(['entity'], first)
}
