import { GLOBAL_RULES, LEAST_CONFIDENCE, MOST_CALLS_PER_HOUR, type PolicySet } from '../../src/policy/set.ts'

/** The decision: the outcome that restricts most, and every rule that restricts. */
const DECISION = `package tidegate

import rego.v1

matched := (deny | ask) | dry_run

decision := {"outcome": "deny", "policies": matched} if {
	count(deny) > 0
} else := {"outcome": "ask", "policies": matched} if {
	count(ask) > 0
} else := {"outcome": "dry_run", "policies": matched} if {
	count(dry_run) > 0
} else := {"outcome": "allow", "policies": matched}
`

const CONDITIONS: Readonly<Record<keyof typeof GLOBAL_RULES, string>> = {
  'not-cleared': 'not input.dataClass in input.clearances',
  'critical-risk': 'input.risk == "critical"',
  'high-risk-production': 'input.environment == "production"; input.risk == "high"',
  'low-confidence': `input.confidence < ${LEAST_CONFIDENCE}`,
  'no-way-back': 'input.mutability == "write"; input.reversible == false',
  'too-many-calls': `input.callsPerHour > ${MOST_CALLS_PER_HOUR}`,
}

function globalRules(): string[] {
  return (Object.keys(GLOBAL_RULES) as (keyof typeof GLOBAL_RULES)[]).map(
    (id) => `${GLOBAL_RULES[id].outcome} contains "${id}" if { ${CONDITIONS[id]} }`,
  )
}

/** Where the decision stands in both policies. */
export const ENTRYPOINT = 'tidegate/decision'

/** Scoped rules as data, which OPA advises for large sets: one policy for sets of any size. */
export function regoOverData(): string {
  const scoped = ['deny', 'ask', 'dry_run'].map(
    (outcome) => `${outcome} contains rule.id if {
	some rule in data.scoped[input.agent][input.tool].${outcome}
	input.amount > rule.over
}`,
  )
  return [DECISION, ...globalRules(), ...scoped, ''].join('\n')
}

/** What {@link regoOverData} reads: agent, tool and outcome lead to the rules. */
export function scopedData(set: PolicySet): Record<string, unknown> {
  const scoped: Record<string, Record<string, Record<string, { id: string; over: number }[]>>> = {}
  for (const { id, agent, tool, over, outcome } of set.scoped) {
    const tools = (scoped[agent] ??= {})
    const outcomes = (tools[tool] ??= { deny: [], ask: [], dry_run: [] })
    outcomes[outcome]?.push({ id, over })
  }
  return { scoped }
}

/** One Rego rule per policy, as the other engines have it. */
export function regoByRule(set: PolicySet): string {
  const scoped = set.scoped.map(
    ({ id, agent, tool, over, outcome }) =>
      `${outcome} contains "${id}" if { input.agent == "${agent}"; input.tool == "${tool}"; input.amount > ${over} }`,
  )
  return [DECISION, ...globalRules(), ...scoped, ''].join('\n')
}
