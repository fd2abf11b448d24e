import { type EstPolicy, expressionText, isObject, type Json } from '@tidegate/kernel'

/** One part of a policy's condition: a policy is satisfied when all its `needed` parts hold and none of its `excluded` ones does. */
export interface ConditionPart {
  readonly kind: 'needed' | 'excluded'
  readonly body: unknown
  /** In Cedar's language. */
  readonly text: string
  /** Ways from the context to the facts that it speaks of: `['risk']`, `['flow', 'sinks']`. */
  readonly facts: readonly (readonly string[])[]
}

const OPEN = { principal: { op: 'All' }, action: { op: 'All' }, resource: { op: 'All' }, annotations: {} } as const

/** A policy that is satisfied exactly when the expression is true. */
export function policyOf(body: unknown): EstPolicy {
  return { effect: 'permit', ...OPEN, conditions: [{ kind: 'when', body }] }
}

/** The parts of a policy's condition: `when` clauses are split at `&&`, `unless` clauses at `||`, in the order in which they stand. */
export function partsOf({ conditions }: EstPolicy): readonly ConditionPart[] {
  return conditions.flatMap(({ kind, body }) => {
    const [side, operator] = kind === 'when' ? (['needed', '&&'] as const) : (['excluded', '||'] as const)
    return split(body, operator).map((part): ConditionPart => {
      return { kind: side, body: part, text: expressionText(part), facts: [...factsIn(part)] }
    })
  })
}

function split(body: unknown, operator: '&&' | '||'): readonly unknown[] {
  const both = isObject(body as Json) ? (body as Readonly<Record<string, unknown>>)[operator] : undefined
  if (!isObject(both as Json)) return [body]
  const { left, right } = both as { readonly left: unknown; readonly right: unknown }
  return [...split(left, operator), ...split(right, operator)]
}

/** The facts that an expression reads, each once; not the arguments. */
function* factsIn(node: unknown, known = new Set<string>()): Generator<readonly string[]> {
  const way = wayOf(node)
  if (way !== undefined && way[0] !== 'arguments' && !known.has(way.join('.'))) {
    known.add(way.join('.'))
    yield way
  }
  if (way !== undefined || typeof node !== 'object' || node === null) return
  for (const member of Object.values(node)) yield* factsIn(member, known)
}

function wayOf(node: unknown): readonly string[] | undefined {
  const access = isObject(node as Json) ? (node as Readonly<Record<string, unknown>>)['.'] : undefined
  if (!isObject(access as Json)) return undefined
  const { left, attr } = access as { readonly left: unknown; readonly attr: unknown }
  if (typeof attr !== 'string') return undefined
  if (isObject(left as Json) && (left as { readonly Var?: unknown }).Var === 'context') return [attr]
  const owner = wayOf(left)
  return owner === undefined ? undefined : [...owner, attr]
}
