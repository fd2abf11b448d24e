import { createCedarEngine, generateSchema } from '@tidegate/cedar'
import { limitPolicies, type Meter, meterNames, type PolicyEngine } from '@tidegate/kernel'
import { parseLimits, readProfile } from '@tidegate/project'
import type { Registry } from '@tidegate/runtime'

/** Limits of several kinds, so wide that nothing is ever held: what is measured is the counting. */
const LIMITS = `
- { name: effects-per-agent-minute, of: effects, per: agent, window: 1m, limit: 100000000, reason: "more effects than a minute should see" }
- { name: echoes-per-user, of: calls, operations: [everything.echo], per: user, window: 1d, limit: 100000000, reason: "too many echoes" }
- { name: denials-per-agent, of: denials, per: agent, window: 10m, limit: 100, reason: "denied too often" }
- { name: echoes-in-a-run, of: calls, operations: [everything.echo], per: run, window: run, limit: 1000, then: ask, approvers: ["role:operator"], reason: "too many echoes in one run" }
`

/** The default policies, with those made of the limits. */
export function loadDefaults(registry: Registry): { readonly policy: PolicyEngine; readonly meters: readonly Meter[] } {
  const { operations, workflows } = registry
  const limits = parseLimits([{ file: 'limits.yaml', text: LIMITS }], operations)
  if (!limits.ok) throw new Error(`The limits of the benchmark are refused: ${JSON.stringify(limits.problems)}`)
  const { meters } = limits
  const policies = [...readProfile('balanced'), ...limitPolicies(meters, operations)]
  const schema = generateSchema(operations, workflows, { meters: meterNames(meters), roles: ['operator'] })
  return { policy: createCedarEngine({ policies, schema }), meters }
}
