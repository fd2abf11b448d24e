import { KernelError } from '../../error.ts'
import type { EstScope } from './est.ts'
import { isEntityIn } from './hierarchy.ts'
import { decodeUid } from './json-value.ts'
import type { Environment } from './node.ts'
import { type EntityUid, isSameEntity } from './value.ts'

/** Entities for the slots of a template. */
export interface Slots {
  readonly '?principal'?: EntityUid
  readonly '?resource'?: EntityUid
}

/** What the scope asks of the principal or the resource. */
export type Constraint =
  | { readonly op: 'any' }
  | { readonly op: 'eq'; readonly uid: EntityUid }
  | { readonly op: 'in'; readonly uid: EntityUid }
  | { readonly op: 'is'; readonly type: string }
  | { readonly op: 'is_in'; readonly type: string; readonly uid: EntityUid }

/** What the scope asks of the action. */
export type ActionConstraint =
  | { readonly op: 'any' }
  | { readonly op: 'eq'; readonly uid: EntityUid }
  | { readonly op: 'in'; readonly uids: readonly EntityUid[] }

/**
 * Reads the constraint of the principal or the resource, with the slot filled in.
 *
 * @throws KernelError `cedar_policy` for anything else, and for a slot that nothing fills.
 */
export function readConstraint(scope: EstScope, slots: Slots): Constraint {
  switch (scope.op) {
    case 'All':
    case 'all':
      return { op: 'any' }
    case '==':
      return { op: 'eq', uid: entityOrSlot(scope, slots) }
    case 'in':
      return { op: 'in', uid: entityOrSlot(scope, slots) }
    case 'is': {
      const { entity_type: type, in: within } = scope
      if (typeof type !== 'string') throw refuse('`is` needs the name of a type')
      if (within === undefined) return { op: 'is', type }
      return { op: 'is_in', type, uid: entityOrSlot(fieldsOf(within), slots) }
    }
    default:
      throw refuse(`\`${scope.op}\` is not a constraint of a scope`)
  }
}

/** Reads the constraint of the action; see {@link readConstraint}. */
export function readActionConstraint(scope: EstScope): ActionConstraint {
  switch (scope.op) {
    case 'All':
    case 'all':
      return { op: 'any' }
    case '==':
      return { op: 'eq', uid: entityOf(scope.entity) }
    case 'in':
      if (Array.isArray(scope.entities)) return { op: 'in', uids: scope.entities.map(entityOf) }
      return { op: 'in', uids: [entityOf(scope.entity)] }
    default:
      throw refuse(`\`${scope.op}\` is not a constraint of an action`)
  }
}

/** True when the principal or resource is what the constraint asks for. */
export function meets(constraint: Constraint, uid: EntityUid, environment: Environment): boolean {
  switch (constraint.op) {
    case 'any':
      return true
    case 'eq':
      return isSameEntity(uid, constraint.uid)
    case 'in':
      return isEntityIn(environment, uid, constraint.uid)
    case 'is':
      return uid.type === constraint.type
    case 'is_in':
      return uid.type === constraint.type && isEntityIn(environment, uid, constraint.uid)
  }
}

/** True when the action is what the constraint asks for. */
export function meetsAction(constraint: ActionConstraint, environment: Environment): boolean {
  const { action } = environment
  if (constraint.op === 'any') return true
  if (constraint.op === 'eq') return isSameEntity(action, constraint.uid)
  return constraint.uids.some((uid) => isEntityIn(environment, action, uid))
}

function entityOrSlot(fields: Pick<EstScope, 'entity' | 'slot'>, slots: Slots): EntityUid {
  if (fields.slot === undefined) return entityOf(fields.entity)
  const uid = fields.slot === '?principal' || fields.slot === '?resource' ? slots[fields.slot] : undefined
  if (uid === undefined) throw refuse(`nothing fills the slot ${String(fields.slot)}: a template must be linked`)
  return uid
}

function entityOf(json: unknown): EntityUid {
  const uid = decodeUid(json)
  if (uid === undefined) throw refuse('a constraint of a scope must name an entity')
  return uid
}

function fieldsOf(value: unknown): Pick<EstScope, 'entity' | 'slot'> {
  if (typeof value === 'object' && value !== null) return { ...value }
  throw refuse('`is ... in` needs an entity')
}

function refuse(message: string): KernelError {
  return new KernelError('cedar_policy', message)
}
