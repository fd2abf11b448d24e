import type { ApproverRule } from '../policy/decision.ts'
import { matchesOperation, type Meter, meterAttribute, type MeterLimit } from './meter.ts'

/** A policy set as text, with the name under which problems and explanations show it. */
export interface LimitPolicy {
  readonly file: string
  readonly text: string
}

/** The policy id of the limit at a position of a meter: `limit.<name>`, then `limit.<name>.2`. */
export function limitPolicyId(meter: string, position: number): string {
  return position === 0 ? `limit.${meter}` : `limit.${meter}.${position + 1}`
}

/**
 * Writes every limit as one Cedar policy, so that a limit is analysed, tested, backtested and explained like any other policy.
 *
 * It binds the operations that it names, and no compensation: what was done must not stay done because a limit is used up. An
 * operation that nobody declares stands in the text as it was written, and the text then refuses to load.
 */
export function limitPolicies(
  meters: readonly Meter[],
  operations: readonly { readonly id: string; readonly tool: string }[],
): readonly LimitPolicy[] {
  return meters.flatMap(({ name, limits }) =>
    limits.length === 0
      ? []
      : [{ file: `limits/${name}`, text: limits.map((limit, at) => policyText(name, at, limit, operations)).join('\n') }],
  )
}

function policyText(
  meter: string,
  position: number,
  { on, bound, then, approvers, reason }: MeterLimit,
  operations: readonly { readonly id: string; readonly tool: string }[],
): string {
  const id = limitPolicyId(meter, position)
  const annotations = [
    `@id(${quote(id)})`,
    ...(then === 'deny' ? [] : [`@outcome(${quote(then)})`]),
    ...(then === 'ask' ? [`@approvers(${quote(approverText(approvers))})`] : []),
    `@reason(${quote(reason)})`,
  ]
  const comparison = `context.meters.${meterAttribute(meter)} ${bound.kind === 'above' ? '>' : '<'} ${bound.value}`
  const unless = then === 'ask' ? `\nunless { context.approvals.contains(${quote(id)}) }` : ''
  return `${annotations.join(' ')}
forbid (principal, ${actionScope(on, operations)}, resource)
when { ${comparison} && !context.compensating }${unless};
`
}

function approverText(approvers: readonly ApproverRule[]): string {
  return approvers.map(({ role, count }) => `role:${role}${count === 1 ? '' : ` x${count}`}`).join(', ')
}

function actionScope(on: readonly string[], operations: readonly { readonly id: string; readonly tool: string }[]): string {
  if (on.length === 0) return 'action'
  const tools = new Set(operations.map(({ tool }) => tool))
  const ids = on.flatMap((pattern) => {
    if (pattern.endsWith('.*') && tools.has(pattern.slice(0, -2))) return [`tool::${pattern.slice(0, -2)}`]
    const named = operations.filter(({ id }) => matchesOperation([pattern], id)).map(({ id }) => id)
    return named.length === 0 ? [pattern] : named
  })
  const texts = [...new Set(ids)].toSorted().map((id) => `Action::${quote(id)}`)
  return `action in [${texts.join(', ')}]`
}

/** A Cedar string. The texts hold no control characters (the loader refuses them), so JSON's quoting is Cedar's. */
function quote(text: string): string {
  return JSON.stringify(text)
}
