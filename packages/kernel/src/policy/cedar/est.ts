/**
 * A policy in Cedar's JSON form, as its parser and its policy files give it. Bodies of conditions are checked when they are compiled,
 * whoever wrote them; a whole number in a `Value` may be a bigint, because JSON readers round what is beyond 2^53.
 */
export interface EstPolicy {
  readonly effect: 'permit' | 'forbid'
  readonly principal: EstScope
  readonly action: EstScope
  readonly resource: EstScope
  readonly conditions: readonly EstClause[]
  readonly annotations?: Readonly<Record<string, string | null>>
}

export interface EstClause {
  readonly kind: 'when' | 'unless'
  readonly body: unknown
}

/** A constraint of the scope: `{ op: 'All' }`, `{ op: '==', entity }`, `{ op: 'is', entity_type, in?: { slot } }` and so on. */
export interface EstScope {
  readonly op: string
  readonly entity?: unknown
  readonly entities?: unknown
  readonly entity_type?: unknown
  readonly slot?: unknown
  readonly in?: unknown
}

/** One node of an expression: its operator and what stands beside it. */
export interface EstNode {
  readonly operator: string
  readonly operand: unknown
}

/** Reads one node; undefined when it is not an object with exactly one key. */
export function readNode(expression: unknown): EstNode | undefined {
  if (!isObject(expression)) return undefined
  const keys = Object.keys(expression)
  const [operator] = keys
  return operator === undefined || keys.length > 1 ? undefined : { operator, operand: expression[operator] }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
