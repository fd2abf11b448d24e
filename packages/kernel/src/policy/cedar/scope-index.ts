import { isEntityIn } from './hierarchy.ts'
import { type Environment, findEntity } from './node.ts'
import type { ActionConstraint, Constraint } from './scope.ts'
import { createClasses, type Scoped } from './scope-class.ts'
import { UidMap } from './uid-map.ts'
import { type EntityUid, isSameEntity } from './value.ts'

/**
 * Policies by their scope. What it yields has a scope that matches, exactly; conditions are left to evaluate.
 *
 * Three levels: the constraint of the action, then that of the principal, then that of the resource; each is a look-up by name, by
 * type, or by everything above the entity. Where nothing above a principal or resource is asked for, the result depends on few things
 * that the policies name, and is kept: a decision then costs three look-ups by name and one by number, with any number of policies.
 */
export interface ScopeIndex<T extends Scoped> {
  /** Every policy whose scope matches, each once, in the order in which they were given. */
  find(environment: Environment): readonly T[]
}

/** Results that are kept. They depend on names in policies, not on those in requests, so this many are seldom reached. */
const MAX_KEPT = 100_000

/** Creates the index. `actions` are those whose groups are known for good. */
export function createScopeIndex<T extends Scoped>(policies: readonly T[], actions: readonly EntityUid[]): ScopeIndex<T> {
  const order = new Map(policies.map((policy, index) => [policy, index]))
  const inOrder = (list: T[]) => list.sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0))
  const climbing = createTree(policies.filter(isClimbing))
  const flatPolicies = policies.filter((policy) => !isClimbing(policy))
  const flat = createTree(flatPolicies)
  const classes = createClasses(flatPolicies, actions)
  const kept = new Map<number, readonly T[]>()

  const findFlat = (environment: Environment): readonly T[] => {
    const key = classes.keyOf(environment)
    const known = key < 0 ? undefined : kept.get(key)
    if (known !== undefined) return known
    const found = inOrder(flat.collect(environment))
    if (key < 0) return found
    if (kept.size >= MAX_KEPT) kept.clear()
    kept.set(key, found)
    return found
  }
  if (climbing.isEmpty) return { find: findFlat }
  return {
    find(environment) {
      const above = climbing.collect(environment)
      const found = findFlat(environment)
      return above.length === 0 ? found : inOrder([...found, ...above])
    },
  }
}

/** True when the scope asks what is above the principal or the resource, which only a request's entities tell. */
function isClimbing({ principal, resource }: Scoped): boolean {
  return [principal.op, resource.op].some((op) => op === 'in' || op === 'is_in')
}

interface Tree<T> {
  readonly isEmpty: boolean
  collect(environment: Environment): T[]
}

function createTree<T extends Scoped>(policies: readonly T[]): Tree<T> {
  const groups = groupByAction(policies)
  const everything = groups.find((group) => group.constraint.op === 'any')?.root
  const exact = new UidMap<Branch<Branch<T[]>>>()
  for (const { constraint, root } of groups) if (constraint.op === 'eq') exact.ensure(constraint.uid, () => root)
  const within = groups.flatMap((group) =>
    group.constraint.op === 'in' ? [{ uids: group.constraint.uids, root: group.root }] : [],
  )
  const singles = new UidMap<Branch<Branch<T[]>>>()
  for (const { uids, root } of within) if (uids.length === 1 && uids[0] !== undefined) singles.ensure(uids[0], () => root)
  const several = within.filter(({ uids }) => uids.length !== 1)
  return {
    isEmpty: policies.length === 0,
    collect(environment) {
      const { action } = environment
      const above = singles.size > 0 ? (findEntity(environment, action)?.ancestors ?? NONE) : NONE
      const roots = [
        everything,
        exact.get(action),
        singles.get(action),
        ...above.map((uid) => singles.get(uid)),
        ...several.filter(({ uids }) => uids.some((uid) => isEntityIn(environment, action, uid))).map(({ root }) => root),
      ]
      const found: T[] = []
      for (const root of roots) if (root !== undefined) visitPrincipal(root, environment, (policy) => found.push(policy))
      return found
    },
  }
}

const NONE: readonly EntityUid[] = []

/** One level: what lies under each kind of constraint. Under `in` also the policies that ask for a type besides. */
interface Branch<L> {
  any: L | undefined
  eq: UidMap<L> | undefined
  is: Map<string, L> | undefined
  within: UidMap<L> | undefined
  withinOfType: Map<string, UidMap<L>> | undefined
}

function emptyBranch<L>(): Branch<L> {
  return { any: undefined, eq: undefined, is: undefined, within: undefined, withinOfType: undefined }
}

interface ActionGroup<T> {
  readonly constraint: ActionConstraint
  readonly root: Branch<Branch<T[]>>
}

/** Policies that ask the same of the action share a group, so that each policy stands in the index once. */
function groupByAction<T extends Scoped>(policies: readonly T[]): readonly ActionGroup<T>[] {
  const groups = new Map<string, ActionGroup<T>>()
  for (const policy of policies) {
    const key = keyOfAction(policy.action)
    let group = groups.get(key)
    if (group === undefined) {
      group = { constraint: distinct(policy.action), root: emptyBranch() }
      groups.set(key, group)
    }
    const branch = descend(group.root, policy.principal, () => emptyBranch<T[]>())
    descend(branch, policy.resource, (): T[] => []).push(policy)
  }
  return [...groups.values()]
}

function distinct(constraint: ActionConstraint): ActionConstraint {
  if (constraint.op !== 'in') return constraint
  return {
    op: 'in',
    uids: constraint.uids.filter((uid, index, all) => all.findIndex((other) => isSameEntity(uid, other)) === index),
  }
}

function keyOfAction(constraint: ActionConstraint): string {
  if (constraint.op === 'any') return 'any'
  const uids = constraint.op === 'eq' ? [constraint.uid] : constraint.uids
  const names = new Set(uids.map(({ type, id }) => JSON.stringify([type, id])))
  return `${constraint.op} ${[...names].toSorted().join(' ')}`
}

/** What lies under the constraint, made when there is nothing yet. */
function descend<L>(branch: Branch<L>, constraint: Constraint, create: () => L): L {
  switch (constraint.op) {
    case 'any':
      branch.any ??= create()
      return branch.any
    case 'eq':
      branch.eq ??= new UidMap()
      return branch.eq.ensure(constraint.uid, create)
    case 'in':
      branch.within ??= new UidMap()
      return branch.within.ensure(constraint.uid, create)
    case 'is':
      branch.is ??= new Map()
      return ensure(branch.is, constraint.type, create)
    case 'is_in':
      branch.withinOfType ??= new Map()
      return ensure(branch.withinOfType, constraint.type, () => new UidMap<L>()).ensure(constraint.uid, create)
  }
}

function ensure<L>(map: Map<string, L>, key: string, create: () => L): L {
  const known = map.get(key)
  if (known !== undefined) return known
  const value = create()
  map.set(key, value)
  return value
}

function visitPrincipal<T>(branch: Branch<Branch<T[]>>, environment: Environment, visitor: (policy: T) => void): void {
  visitBranch(branch, environment.principal, environment, (next) =>
    visitBranch(next, environment.resource, environment, (policies) => policies.forEach(visitor)),
  )
}

function visitBranch<L>(branch: Branch<L>, uid: EntityUid, environment: Environment, visitor: (next: L) => void): void {
  if (branch.any !== undefined) visitor(branch.any)
  const same = branch.eq?.get(uid)
  if (same !== undefined) visitor(same)
  const typed = branch.is?.get(uid.type)
  if (typed !== undefined) visitor(typed)
  const typedWithin = branch.withinOfType?.get(uid.type)
  if (branch.within === undefined && typedWithin === undefined) return
  const above = findEntity(environment, uid)?.ancestors ?? NONE
  for (let index = -1; index < above.length; index += 1) {
    const place = index < 0 ? uid : above[index]
    if (place === undefined) continue
    const here = branch.within?.get(place)
    if (here !== undefined) visitor(here)
    const hereTyped = typedWithin?.get(place)
    if (hereTyped !== undefined) visitor(hereTyped)
  }
}
