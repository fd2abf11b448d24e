import type { CedarRequest } from './authorize.ts'
import { type CompiledPolicies, type CompiledPolicy, compileClause } from './compile.ts'
import { type EntityStore, NO_ENTITIES } from './entities.ts'
import { type EstClause, isObject, readNode } from './est.ts'
import { createExpressionCompiler, type ExpressionCompiler } from './expression.ts'
import { expressionText } from './expression-text.ts'
import { EvaluationFailure, type FailureKind } from './failure.ts'
import type { Environment } from './node.ts'
import { meets, meetsAction } from './scope.ts'
import type { Value } from './value.ts'

/** What became of one policy, part by part. */
export interface PolicyExplanation {
  readonly id: string
  readonly effect: 'permit' | 'forbid'
  readonly outcome: 'satisfied' | 'unsatisfied' | 'failed'
  /** Which parts of the scope match. */
  readonly scope: { readonly principal: boolean; readonly action: boolean; readonly resource: boolean }
  /** Every condition, also of policies whose scope does not match and after a condition that does not hold. */
  readonly clauses: readonly ClauseExplanation[]
}

/** What became of one condition. An `unless` holds when its body is false. */
export interface ClauseExplanation {
  readonly kind: 'when' | 'unless'
  readonly outcome: 'holds' | 'does_not_hold' | 'failed'
  /** The part of the body that decided, as text: of a chain of `&&` the one that is false, of a chain of `||` the one that is true. */
  readonly because?: string
  readonly failure?: { readonly kind: FailureKind; readonly message: string }
}

/**
 * Explains each policy: which part of its scope and which condition does not hold, and the part of it that decided.
 *
 * Far slower than deciding, since every part is compiled and evaluated by itself; for people who ask why. `ids` limits it to some.
 */
export function explainPolicies(
  compiled: CompiledPolicies,
  request: CedarRequest,
  entities: EntityStore = NO_ENTITIES,
  ids?: ReadonlySet<string>,
): readonly PolicyExplanation[] {
  const environment: Environment = { ...request, entities, actions: compiled.actions }
  const expressions = createExpressionCompiler()
  const wanted = compiled.policies.filter(({ id }) => ids === undefined || ids.has(id))
  return wanted.map((policy) => explainPolicy(policy, environment, expressions))
}

/** What an expression comes to, or why it fails. */
export type EvaluatedExpression =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly kind: FailureKind; readonly message: string }

/**
 * Evaluates one expression in Cedar's JSON form by itself, under the actions of a compiled set; for people who ask what a part of a
 * policy comes to.
 *
 * @throws KernelError `cedar_policy` for what is no expression.
 */
export function evaluateExpression(
  expression: unknown,
  request: CedarRequest,
  entities: EntityStore = NO_ENTITIES,
  { actions }: Pick<CompiledPolicies, 'actions'> = { actions: NO_ENTITIES },
): EvaluatedExpression {
  const { run } = createExpressionCompiler().compile(expression)
  try {
    return { ok: true, value: run({ ...request, entities, actions }) }
  } catch (failure) {
    if (failure instanceof EvaluationFailure) return { ok: false, kind: failure.kind, message: failure.message }
    throw failure
  }
}

function explainPolicy(policy: CompiledPolicy, environment: Environment, expressions: ExpressionCompiler): PolicyExplanation {
  const scope = {
    principal: meets(policy.principal, environment.principal, environment),
    action: meetsAction(policy.action, environment),
    resource: meets(policy.resource, environment.resource, environment),
  }
  const clauses = policy.clauses.map((clause) => explainClause(clause, environment, expressions))
  const inScope = scope.principal && scope.action && scope.resource
  const first = clauses.find(({ outcome }) => outcome !== 'holds')
  const outcome = !inScope || first?.outcome === 'does_not_hold' ? 'unsatisfied' : first === undefined ? 'satisfied' : 'failed'
  return { id: policy.id, effect: policy.effect, outcome, scope, clauses }
}

function explainClause(clause: EstClause, environment: Environment, expressions: ExpressionCompiler): ClauseExplanation {
  const evaluated = evaluate(clause, environment, expressions)
  const { kind } = clause
  if (evaluated === true) return { kind, outcome: 'holds' }
  const because = expressionText(decisivePart(clause.body, evaluated, kind, environment, expressions))
  if (evaluated === false) return { kind, outcome: 'does_not_hold', because }
  return { kind, outcome: 'failed', because, failure: { kind: evaluated.kind, message: evaluated.message } }
}

/** Goes into the chain for as long as one of its parts alone says what the whole says. */
function decisivePart(
  body: unknown,
  outcome: false | EvaluationFailure,
  kind: 'when' | 'unless',
  environment: Environment,
  expressions: ExpressionCompiler,
): unknown {
  const node = readNode(body)
  const isFailure = outcome !== false
  const goesInto = isFailure ? ['&&', '||'] : [kind === 'when' ? '&&' : '||']
  if (node === undefined || !goesInto.includes(node.operator) || !isObject(node.operand)) return body
  const { left, right } = node.operand
  const part = [left, right].find((each) => {
    const evaluated = evaluate({ kind, body: each }, environment, expressions)
    return isFailure ? evaluated instanceof EvaluationFailure : evaluated === false
  })
  return part === undefined ? body : decisivePart(part, outcome, kind, environment, expressions)
}

function evaluate(clause: EstClause, environment: Environment, expressions: ExpressionCompiler): boolean | EvaluationFailure {
  try {
    return compileClause(clause, expressions)(environment)
  } catch (failure) {
    if (failure instanceof EvaluationFailure) return failure
    throw failure
  }
}
