import type { Json } from '../canonical/json.ts'
import { valueAt } from '../canonical/pointer.ts'
import type { FlowContext } from './context.ts'
import { canonicalText } from './words.ts'

/** What one argument may be. No regular expressions: nobody can check that one of them is narrower than another. */
export type Constraint =
  | { readonly kind: 'exact'; readonly value: string | number | boolean }
  | { readonly kind: 'enum'; readonly values: readonly (string | number | boolean)[] }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'range'; readonly min: number; readonly max: number }
  /** Only a value that is grounded: named by the task, or recorded where no third party writes. */
  | { readonly kind: 'trusted' }

/** Leave to call one operation, within limits. Made before anything untrusted was seen, or by a person. */
export interface Grant {
  readonly id: string
  readonly operation: string
  /** By JSON pointer; an argument that is not listed may be anything. */
  readonly arguments: Readonly<Record<string, Constraint>>
  readonly maxCalls: number | null
  readonly notAfterMs: number | null
  readonly environment: string | null
  /** The sum of one numeric argument over all calls. */
  readonly budget: { readonly pointer: string; readonly max: number } | null
}

export interface GrantUse {
  readonly calls: number
  readonly spent: number
}

/** A call as grants look at it. `trusted` answers whether the leaf at a pointer is grounded. */
export interface GrantCall {
  readonly operation: string
  readonly arguments: Json
  readonly environment: string
  readonly nowMs: number
  readonly trusted: (pointer: string) => boolean
}

export type Minting =
  | { readonly kind: 'minted'; readonly context: FlowContext }
  | { readonly kind: 'refused'; readonly why: 'tainted' | 'wider' | 'duplicate' }

/**
 * Narrows a run to a plan. A plan made after something untrusted was seen may be the attacker's, so that it is refused unless a person
 * stands for it. A second plan must lie within the first.
 */
export function mintGrants(context: FlowContext, grants: readonly Grant[], by: 'planner' | 'person' = 'planner'): Minting {
  if (context.tainted && by === 'planner') return { kind: 'refused', why: 'tainted' }
  if (new Set(grants.map((grant) => grant.id)).size !== grants.length) return { kind: 'refused', why: 'duplicate' }
  const within = context.grants === undefined || by === 'person' ? grants : attenuateGrants(context.grants, grants)
  if (within === undefined) return { kind: 'refused', why: 'wider' }
  const all =
    by === 'person' ? [...(context.grants ?? []).filter((old) => !grants.some((g) => g.id === old.id)), ...grants] : grants
  return { kind: 'minted', context: { ...context, grants: all } }
}

/** The grants of a sub-agent: every one of them lies within one of its parent's. Undefined when one does not. */
export function attenuateGrants(parent: readonly Grant[], wanted: readonly Grant[]): readonly Grant[] | undefined {
  return wanted.every((grant) => parent.some((wider) => isWithin(grant, wider))) ? wanted : undefined
}

/** True when everything that the narrow grant allows is allowed by the wide one. */
export function isWithin(narrow: Grant, wide: Grant): boolean {
  return (
    narrow.operation === wide.operation &&
    atMost(narrow.maxCalls, wide.maxCalls) &&
    atMost(narrow.notAfterMs, wide.notAfterMs) &&
    (wide.environment === null || wide.environment === narrow.environment) &&
    isBudgetWithin(narrow.budget, wide.budget) &&
    Object.entries(wide.arguments).every(([pointer, constraint]) => {
      const own = Object.hasOwn(narrow.arguments, pointer) ? narrow.arguments[pointer] : undefined
      return own !== undefined && isNarrower(own, constraint)
    })
  )
}

function atMost(narrow: number | null, wide: number | null): boolean {
  return wide === null || (narrow !== null && narrow <= wide)
}

function isBudgetWithin(narrow: Grant['budget'], wide: Grant['budget']): boolean {
  return wide === null || (narrow !== null && narrow.pointer === wide.pointer && narrow.max <= wide.max)
}

function isNarrower(narrow: Constraint, wide: Constraint): boolean {
  if (wide.kind === 'trusted') return narrow.kind === 'trusted'
  if (narrow.kind === 'exact') return admits(wide, narrow.value)
  if (narrow.kind === 'enum') return narrow.values.every((value) => admits(wide, value))
  if (narrow.kind === 'prefix') return wide.kind === 'prefix' && narrow.prefix.startsWith(wide.prefix)
  if (narrow.kind === 'range') return wide.kind === 'range' && narrow.min >= wide.min && narrow.max <= wide.max
  return false
}

function admits(constraint: Constraint, value: Json | undefined): boolean {
  switch (constraint.kind) {
    case 'exact':
      return isSame(value, constraint.value)
    case 'enum':
      return constraint.values.some((allowed) => isSame(value, allowed))
    case 'prefix':
      return typeof value === 'string' && value.startsWith(constraint.prefix)
    case 'range':
      return typeof value === 'number' && value >= constraint.min && value <= constraint.max
    case 'trusted':
      return false
  }
}

function isSame(value: Json | undefined, allowed: string | number | boolean): boolean {
  if (value === allowed) return true
  return (
    typeof value === 'string' && typeof allowed === 'string' && canonicalText(value) === canonicalText(allowed) && allowed !== ''
  )
}

/** How a call stands to the grants of its run: `none` when nobody has narrowed the run. */
export function grantOf(context: FlowContext, call: GrantCall): 'none' | 'within' | 'exceeded' | 'outside' {
  if (context.grants === undefined) return 'none'
  const fitting = context.grants.filter((grant) => fits(grant, call))
  if (fitting.length === 0) return 'outside'
  return fitting.some((grant) => hasRoom(grant, call, context.grantUse.get(grant.id))) ? 'within' : 'exceeded'
}

/** Counts a call that started against the first grant that has room for it. */
export function spendGrant(context: FlowContext, call: GrantCall): FlowContext {
  const grant = context.grants?.find((g) => fits(g, call) && hasRoom(g, call, context.grantUse.get(g.id)))
  if (grant === undefined) return context
  const before = context.grantUse.get(grant.id) ?? { calls: 0, spent: 0 }
  const use = { calls: before.calls + 1, spent: before.spent + costOf(grant, call) }
  return { ...context, grantUse: new Map(context.grantUse).set(grant.id, use) }
}

function fits(grant: Grant, call: GrantCall): boolean {
  return (
    grant.operation === call.operation &&
    (grant.environment === null || grant.environment === call.environment) &&
    Object.entries(grant.arguments).every(([pointer, constraint]) =>
      constraint.kind === 'trusted'
        ? call.trusted(pointer)
        : leavesAt(call.arguments, pointer).every((leaf) => admits(constraint, leaf)),
    )
  )
}

/** The value at a pointer, or the members of the list there; nothing at all does not satisfy a constraint. */
function leavesAt(args: Json, pointer: string): readonly (Json | undefined)[] {
  const value = valueAt(args, pointer)
  return Array.isArray(value) && value.length > 0 ? (value as readonly Json[]) : [value]
}

function hasRoom(grant: Grant, call: GrantCall, use: GrantUse = { calls: 0, spent: 0 }): boolean {
  if (grant.maxCalls !== null && use.calls >= grant.maxCalls) return false
  if (grant.notAfterMs !== null && call.nowMs > grant.notAfterMs) return false
  return grant.budget === null || use.spent + costOf(grant, call) <= grant.budget.max
}

/** What is not a number, or gives something back, costs more than any budget holds. */
function costOf({ budget }: Grant, call: GrantCall): number {
  if (budget === null) return 0
  const value = valueAt(call.arguments, budget.pointer)
  return typeof value === 'number' && value >= 0 ? value : Number.POSITIVE_INFINITY
}
