import { createCedarEngine, generateSchema } from '@tidegate/cedar'
import { limitPolicies, type Meter, meterNames, type PolicyEngine } from '@tidegate/kernel'
import { parseLimits, readProfile } from '@tidegate/project'
import type { Registry } from '@tidegate/runtime'

/** Permits everything: what is left is the cost of everything else. */
export const permitEverything: PolicyEngine = {
  version: 'constant',
  evaluate: () => ({ kind: 'permitted', permits: [{ id: 'all', reason: 'constant policy' }] }),
}

/** Limits of every kind, so wide that nothing is ever held: what is measured is the counting. */
const LIMITS = `
- { name: effects-per-agent-minute, of: effects, per: agent, window: 1m, limit: 100000000, reason: "more effects than a minute should see" }
- { name: notes-per-record, of: effects, operations: [desk.note], per: /id, window: 1d, limit: 1000, reason: "too many notes on one record" }
- { name: words-per-user, of: effects, operations: [desk.note], sum: /length, per: user, window: 1d, limit: 100000000000, reason: "too much was written" }
- { name: denials-per-agent, of: denials, per: agent, window: 10m, limit: 100, reason: "denied too often" }
- { name: tokens-per-day, of: tokens, per: agent, window: 1d, limit: 100000000, reason: "too many tokens" }
- { name: notes-in-a-run, of: effects, operations: [desk.note], per: run, window: run, limit: 1000, then: ask, approvers: ["role:operator"], reason: "too many notes in one run" }
`

/** Everything that a project can switch on: the default policies, with those made of six limits. */
export function loadEverything(registry: Registry): { readonly policy: PolicyEngine; readonly meters: readonly Meter[] } {
  const { operations, workflows } = registry
  const limits = parseLimits([{ file: 'limits.yaml', text: LIMITS }], operations)
  if (!limits.ok) throw new Error(`The limits of the benchmark are refused: ${JSON.stringify(limits.problems)}`)
  const { meters } = limits
  const policies = [...readProfile('balanced'), ...limitPolicies(meters, operations)]
  const schema = generateSchema(operations, workflows, { meters: meterNames(meters), roles: ['operator'] })
  return { policy: createCedarEngine({ policies, schema }), meters }
}
