import { type PolicyJson, policyToText } from '@cedar-policy/cedar-wasm/nodejs'
import type { DescribedPolicy } from '@tidegate/kernel'
import { CedarError } from './error.ts'
import type { LoadedPolicy } from './load.ts'

/**
 * Describes policies by what they mean, for comparing two sets of them: scope and condition are written by Cedar from the parsed
 * form, so that layout, comments and redundant brackets make no difference.
 */
export function describePolicies(policies: readonly LoadedPolicy[]): readonly DescribedPolicy[] {
  return policies.map(({ id, effect, outcome, approvers, reason, json, file, line }) => {
    const scope = write({ ...json, conditions: [], annotations: {} })
    const condition = write({ ...OPEN, effect, conditions: json.conditions })
    return {
      ...{ id, effect, outcome, approvers, reason, file, line },
      scope: scope.slice(scope.indexOf('(') + 1, scope.lastIndexOf(')')),
      condition: condition.slice(`${effect}(principal, action, resource)`.length, -1).trim(),
    }
  })
}

const OPEN = { principal: { op: 'All' }, action: { op: 'All' }, resource: { op: 'All' }, annotations: {} } as const

function write(policy: PolicyJson): string {
  const answer = policyToText(policy)
  if (answer.type === 'success') return answer.text.trim()
  throw new CedarError('policy_engine', `Cedar cannot write what it parsed: ${answer.errors.map((e) => e.message).join('; ')}`)
}
