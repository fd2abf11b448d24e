import { KernelError } from '../../error.ts'
import { createEntities, type EntityData, type EntityStore } from './entities.ts'
import type { EstClause, EstPolicy } from './est.ts'
import { createExpressionCompiler, type ExpressionCompiler } from './expression.ts'
import { asTest, type Compiled, type Test } from './node.ts'
import { type ActionConstraint, type Constraint, readActionConstraint, readConstraint, type Slots } from './scope.ts'
import { createScopeIndex, type ScopeIndex } from './scope-index.ts'

/** A policy to compile: a static one, or a template with what fills its slots. */
export interface PolicySource {
  /** Decisions name the policy by it. */
  readonly id: string
  readonly policy: EstPolicy
  readonly slots?: Slots
}

/** A policy that can be evaluated. */
export interface CompiledPolicy {
  readonly id: string
  readonly effect: 'permit' | 'forbid'
  readonly annotations: Readonly<Record<string, string>>
  readonly principal: Constraint
  readonly action: ActionConstraint
  readonly resource: Constraint
  /** The conditions, as they were written. */
  readonly clauses: readonly EstClause[]
  /** All conditions, in order; undefined when there is none, so that the scope alone decides. */
  readonly test: Test | undefined
}

/** A set of policies, ready to decide. Immutable, and independent of the order in which the policies came. */
export interface CompiledPolicies {
  /** Sorted by id. */
  readonly policies: readonly CompiledPolicy[]
  readonly actions: EntityStore
  readonly index: ScopeIndex<CompiledPolicy>
}

export interface CompileOptions {
  /**
   * The actions and their groups, as the schema declares them. They answer what is above an action before the entities of a request
   * do, so that nobody who supplies entities can move an action out of a group.
   */
  readonly actions?: Iterable<EntityData>
}

/** Policies of one compiled set. */
export const MAX_COMPILED_POLICIES = 100_000

/**
 * Compiles policies from Cedar's JSON form to closures behind an index of their scopes (docs/spec/policy.md).
 *
 * All or nothing.
 *
 * @throws KernelError `cedar_policy` that names the policy and what is wrong; `cedar_entities` for actions that contradict each other.
 */
export function compilePolicies(sources: readonly PolicySource[], { actions = [] }: CompileOptions = {}): CompiledPolicies {
  if (sources.length > MAX_COMPILED_POLICIES)
    throw new KernelError('cedar_policy', `more than ${MAX_COMPILED_POLICIES} policies are too many for one set`)
  const expressions = createExpressionCompiler()
  const compiled = new Map<string, CompiledPolicy>()
  for (const source of sources) {
    if (compiled.has(source.id)) throw new KernelError('cedar_policy', `two policies have the id "${source.id}"`)
    compiled.set(source.id, compilePolicy(source, expressions))
  }
  const policies = [...compiled.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const known = [...actions]
  const index = createScopeIndex(
    policies,
    known.map(({ uid }) => uid),
  )
  return { policies, actions: createEntities(known), index }
}

function compilePolicy({ id, policy, slots = {} }: PolicySource, expressions: ExpressionCompiler): CompiledPolicy {
  try {
    if (policy.effect !== 'permit' && policy.effect !== 'forbid')
      throw new KernelError('cedar_policy', 'the effect of a policy is permit or forbid')
    const annotations = Object.entries(policy.annotations ?? {}).map(([name, text]) => [name, text ?? ''])
    return {
      id,
      effect: policy.effect,
      annotations: Object.fromEntries(annotations),
      principal: readConstraint(policy.principal, slots),
      action: readActionConstraint(policy.action),
      resource: readConstraint(policy.resource, slots),
      clauses: policy.conditions,
      test: allOf(policy.conditions.map((clause) => compileClause(clause, expressions))),
    }
  } catch (cause) {
    if (!(cause instanceof KernelError)) throw cause
    throw new KernelError('cedar_policy', `the policy "${id}" cannot be compiled: ${cause.message}`, { cause })
  }
}

/** One condition as a test. */
export function compileClause(clause: EstClause, expressions: ExpressionCompiler): Test {
  return testOfClause(clause, expressions.compile(clause.body))
}

function testOfClause({ kind }: EstClause, body: Compiled): Test {
  if (kind !== 'when' && kind !== 'unless') throw new KernelError('cedar_policy', 'a condition is a when or an unless')
  const test = asTest(body)
  return kind === 'when' ? test : (environment) => !test(environment)
}

/** The conditions of a policy: undefined when they always hold, `never` when they never do and cannot fail. */
export type Conditions = Test | undefined | 'never'

/** All conditions, in order, without those that are known to hold. What stands behind one that is known not to is never reached. */
export function compileConditions(clauses: readonly EstClause[], expressions: ExpressionCompiler): Conditions {
  const tests: Test[] = []
  for (const clause of clauses) {
    const body = expressions.compile(clause.body)
    const holds =
      body.form === 'constant' && typeof body.value === 'boolean' ? body.value === (clause.kind === 'when') : undefined
    if (holds === false && tests.length === 0) return 'never'
    if (holds !== true) tests.push(testOfClause(clause, body))
    if (holds === false) break
  }
  return allOf(tests)
}

function allOf(tests: readonly Test[]): Test | undefined {
  const [first, second, ...rest] = tests
  if (first === undefined || second === undefined) return first
  const further = allOf(rest)
  if (further === undefined) return (environment) => first(environment) && second(environment)
  return (environment) => first(environment) && second(environment) && further(environment)
}
