import {
  type CedarRecord,
  type CedarRequest,
  compilePolicies,
  type EntityStore,
  type EstPolicy,
  entityUid,
  matchPolicies,
} from '@tidegate/kernel'

/** A policy of the scope that takes everything, with one condition. */
export function permitWhen(body: unknown): EstPolicy {
  return { effect: 'permit', principal: ANY, action: ANY, resource: ANY, conditions: [{ kind: 'when', body }] }
}

export const ANY = { op: 'All' } as const

/** Ann views the plan, with this context. */
export function asking(context: CedarRecord = {}): CedarRequest {
  return {
    principal: entityUid('User', 'ann'),
    action: entityUid('Action', 'view'),
    resource: entityUid('Doc', 'plan'),
    context,
  }
}

/** What one condition comes to: `yes`, `no`, or the kind of its failure and Cedar's words for it. */
export function outcomeOf(body: unknown, context: CedarRecord = {}, entities?: EntityStore): string {
  const { permits, failures } = matchPolicies(compilePolicies([{ id: 'p', policy: permitWhen(body) }]), asking(context), entities)
  const [failure] = failures
  if (failure !== undefined) return `${failure.kind}: ${failure.message}`
  return permits.length > 0 ? 'yes' : 'no'
}

export function value(json: unknown): { readonly Value: unknown } {
  return { Value: json }
}

export function context(...path: readonly string[]): unknown {
  return path.reduce<unknown>((left, attr) => ({ '.': { left, attr } }), { Var: 'context' })
}

export function both(operator: string, left: unknown, right: unknown): unknown {
  return { [operator]: { left, right } }
}
