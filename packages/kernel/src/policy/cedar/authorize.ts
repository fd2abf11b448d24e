import type { CompiledPolicies, CompiledPolicy } from './compile.ts'
import { type EntityStore, NO_ENTITIES } from './entities.ts'
import { EvaluationFailure, type FailureKind } from './failure.ts'
import type { Environment } from './node.ts'
import type { CedarRecord, EntityUid } from './value.ts'

/** What is asked. The context may be a plain object; see {@link Value}. */
export interface CedarRequest {
  readonly principal: EntityUid
  readonly action: EntityUid
  readonly resource: EntityUid
  readonly context: CedarRecord
}

/** A policy that could not be evaluated. */
export interface PolicyFailure {
  readonly id: string
  readonly kind: FailureKind
  /** In Cedar's own words. */
  readonly message: string
}

/** What became of every policy whose scope matches. Each list is sorted by id. */
export interface PolicyMatches {
  readonly permits: readonly string[]
  readonly forbids: readonly string[]
  readonly failures: readonly PolicyFailure[]
}

/** The decision as Cedar defines it. */
export interface CedarAnswer {
  readonly decision: 'allow' | 'deny'
  /** The policies that made the decision: on allow the permits, on deny the forbids; none when nothing permits. Sorted. */
  readonly determining: readonly string[]
  readonly errors: readonly PolicyFailure[]
}

/** The decision as Tidegate reads it: the same, but a policy that cannot be evaluated denies. */
export type NarrowAnswer =
  | { readonly kind: 'permitted'; readonly permits: readonly string[] }
  | { readonly kind: 'forbidden'; readonly forbids: readonly string[]; readonly permits: readonly string[] }
  | { readonly kind: 'unmatched' }
  | { readonly kind: 'broken'; readonly failures: readonly PolicyFailure[] }

/**
 * Evaluates every policy whose scope matches the request. Pure: the answer depends on the policies, the request and the entities alone.
 *
 * Nothing stops at the first forbid: all reasons are wanted. A policy that fails is in `failures` and in no other list.
 */
export function matchPolicies(
  compiled: CompiledPolicies,
  request: CedarRequest,
  entities: EntityStore = NO_ENTITIES,
): PolicyMatches {
  const { principal, action, resource, context } = request
  const environment: Environment = { principal, action, resource, context, entities, actions: compiled.actions }
  const candidates = compiled.index.find(environment)
  let permits: string[] | undefined
  let forbids: string[] | undefined
  let failures: PolicyFailure[] | undefined
  for (let index = 0; index < candidates.length; index += 1) {
    const policy = candidates[index]
    const satisfied = policy === undefined ? false : evaluate(policy, environment)
    if (satisfied === false || policy === undefined) continue
    if (satisfied !== true) {
      failures ??= []
      failures.push({ id: policy.id, kind: satisfied.kind, message: satisfied.message })
    } else if (policy.effect === 'permit') {
      permits ??= []
      permits.push(policy.id)
    } else {
      forbids ??= []
      forbids.push(policy.id)
    }
  }
  return { permits: permits ?? NOTHING, forbids: forbids ?? NOTHING, failures: failures ?? NOTHING }
}

/**
 * Decides as Cedar does: a forbid beats every permit, silence is deny, and a policy that fails is skipped and listed.
 *
 * For comparing with Cedar, and for policies written for it. On an authorising path use {@link authorizeNarrowly}.
 */
export function authorize(compiled: CompiledPolicies, request: CedarRequest, entities?: EntityStore): CedarAnswer {
  const { permits, forbids, failures } = matchPolicies(compiled, request, entities)
  const allowed = forbids.length === 0 && permits.length > 0
  return { decision: allowed ? 'allow' : 'deny', determining: allowed ? permits : forbids, errors: failures }
}

/**
 * Decides as Tidegate does: as Cedar, but any policy that fails makes the answer `broken`, which denies (I6, docs/spec/policy.md).
 *
 * The policy that failed may be the one that forbids; that it was skipped must never be what lets an action through.
 */
export function authorizeNarrowly(compiled: CompiledPolicies, request: CedarRequest, entities?: EntityStore): NarrowAnswer {
  const { permits, forbids, failures } = matchPolicies(compiled, request, entities)
  if (failures.length > 0) return { kind: 'broken', failures }
  if (forbids.length > 0) return { kind: 'forbidden', forbids, permits }
  return permits.length > 0 ? { kind: 'permitted', permits } : { kind: 'unmatched' }
}

/** One list for all answers, so that an answer allocates only what it has to say. */
const NOTHING: readonly never[] = Object.freeze([])

function evaluate({ test }: CompiledPolicy, environment: Environment): boolean | EvaluationFailure {
  if (test === undefined) return true
  try {
    return test(environment)
  } catch (failure) {
    if (failure instanceof EvaluationFailure) return failure
    throw failure
  }
}
