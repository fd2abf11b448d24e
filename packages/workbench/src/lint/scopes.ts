import type { CedarSchema, LoadedPolicy } from '@tidegate/cedar'
import { shotsOf, within } from '../condition/scope.ts'
import { about, type LintFinding } from './finding.ts'

/** Policies whose scope admits nothing that can be asked for: no operation that any agent could use. */
export function findUnreachable(policies: readonly LoadedPolicy[], schema: CedarSchema): readonly LintFinding[] {
  const shots = shotsOf(schema)
  if (shots.length === 0) return []
  return policies
    .filter(({ json }) => within(json, shots).length === 0)
    .map((policy) =>
      about(
        policy,
        'warning',
        'unreachable-scope',
        'no operation can reach it: principal, action and resource never come together',
      ),
    )
}

/** Permits without a reason: people read the generated one in decisions and in the ledger. A forbid without one does not load. */
export function findMissingReasons(policies: readonly LoadedPolicy[]): readonly LintFinding[] {
  return policies
    .filter(({ json }) => json.annotations?.reason === undefined)
    .map((policy) => about(policy, 'warning', 'missing-reason', 'say in @reason why, for the people who read the decision'))
}
