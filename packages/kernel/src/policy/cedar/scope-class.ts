import type { Environment } from './node.ts'
import type { ActionConstraint, Constraint } from './scope.ts'
import { UidMap } from './uid-map.ts'
import type { EntityUid } from './value.ts'

/** What the index holds: anything that has a scope. */
export interface Scoped {
  readonly principal: Constraint
  readonly action: ActionConstraint
  readonly resource: Constraint
}

/**
 * Requests that no scope can tell apart, as numbers.
 *
 * An entity that a scope names is a class of its own; so is each type that one names, for all its other entities; everything else is
 * class 0. Scopes that ask what is above a principal or resource are not covered.
 */
export interface Classes {
  /** The class of a request; -1 when it depends on the entities of the request. */
  keyOf(environment: Environment): number
}

/** Creates the classes of these scopes. The groups of `actions` are known for good, so each of them is a class. */
export function createClasses(policies: readonly Scoped[], actions: readonly EntityUid[]): Classes {
  const principals = classesOf(policies.map(({ principal }) => principal))
  const resources = classesOf(policies.map(({ resource }) => resource))
  const fixed = new UidMap<number>()
  for (const uid of actions) fixed.ensure(uid, () => fixed.size + 1)
  const named = new UidMap<number>()
  for (const { action } of policies) for (const uid of uidsOf(action)) named.ensure(uid, () => fixed.size + named.size + 1)
  const actionClass = ({ action, entities }: Environment): number => {
    const known = fixed.get(action)
    if (known !== undefined) return known
    return entities.size > 0 && entities.find(action) !== undefined ? -1 : (named.get(action) ?? 0)
  }
  return {
    keyOf(environment) {
      const action = actionClass(environment)
      if (action < 0) return -1
      return (
        (action * principals.size + principals.of(environment.principal)) * resources.size + resources.of(environment.resource)
      )
    },
  }
}

function uidsOf(action: ActionConstraint): readonly EntityUid[] {
  if (action.op === 'any') return []
  return action.op === 'eq' ? [action.uid] : action.uids
}

interface EntityClasses {
  readonly size: number
  of(uid: EntityUid): number
}

function classesOf(constraints: readonly Constraint[]): EntityClasses {
  const types = new Map<string, number>()
  for (const constraint of constraints)
    if (constraint.op === 'is' && !types.has(constraint.type)) types.set(constraint.type, types.size + 1)
  const uids = new UidMap<number>()
  for (const constraint of constraints) if (constraint.op === 'eq') uids.ensure(constraint.uid, () => types.size + uids.size + 1)
  return {
    size: 1 + types.size + uids.size,
    of: (uid) => uids.get(uid) ?? (types.size > 0 ? (types.get(uid.type) ?? 0) : 0),
  }
}
