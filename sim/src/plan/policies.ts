import {
  type ApproverRule,
  type MatchedForbid,
  type Meter,
  meterNames,
  type PolicyEngine,
  type PolicyVerdict,
} from '@tidegate/kernel'
import type { Chance } from '@tidegate/testkit'
import { WORLD_OPERATIONS } from '@tidegate/testkit'
import { untrustedTarget } from './declassify.ts'
import { forbiddenBy } from './limits.ts'

/** What a version of the policy says about one operation. `throws` breaks the contract of the port on purpose. */
export type Rule =
  | { readonly kind: 'allow' | 'dry_run' | 'deny' | 'unmatched' | 'broken' | 'throws' }
  | { readonly kind: 'ask'; readonly asks: readonly { readonly id: string; readonly approvers: readonly ApproverRule[] }[] }

/** One version of the policy, as plain data that checkers may read too. */
export interface PolicyPlan {
  readonly version: string
  readonly rules: ReadonlyMap<string, Rule>
}

const ASKS: readonly Rule[] = [
  { kind: 'ask', asks: [{ id: 'one', approvers: [{ role: 'billing-lead', count: 1 }] }] },
  { kind: 'ask', asks: [{ id: 'two', approvers: [{ role: 'billing-lead', count: 2 }] }] },
  {
    kind: 'ask',
    asks: [
      { id: 'one', approvers: [{ role: 'billing-lead', count: 1 }] },
      { id: 'sec', approvers: [{ role: 'security', count: 1 }] },
    ],
  },
]

/** Draws a version: most things are allowed or asked for, some refused, some broken. */
export function drawPolicy(chance: Chance, version: string): PolicyPlan {
  const rules = WORLD_OPERATIONS.map(({ id, mutability }): [string, Rule] => {
    const roll = chance.below(100)
    if (mutability === 'read') return [id, roll < 96 ? { kind: 'allow' } : { kind: 'deny' }]
    if (['desk.cancel', 'desk.revoke', 'mail.recall'].includes(id) && roll < 80) return [id, { kind: 'allow' }]
    if (roll < 45) return [id, { kind: 'allow' }]
    if (roll < 86) return [id, chance.pick(ASKS)]
    const rest = ['dry_run', 'deny', 'unmatched', 'broken', 'throws'] as const
    return [id, { kind: chance.pick(rest) }]
  })
  return { version, rules: new Map(rules) }
}

/** The engine of a version, and of the limits. */
export function engineOf({ version, rules }: PolicyPlan, meters: readonly Meter[]): PolicyEngine {
  return {
    version,
    meters: meterNames(meters),
    evaluate({ operation, context }) {
      const verdict = verdictOf(rules.get(operation), context.approvals)
      const limits = forbiddenBy(meters, operation, context)
      return limits === undefined
        ? { kind: 'broken', message: 'a meter is missing' }
        : withLimits(verdict, [...limits, ...untrustedTarget(operation, context)])
    },
  }
}

function withLimits(verdict: PolicyVerdict, limits: readonly MatchedForbid[]): PolicyVerdict {
  if (limits.length === 0 || verdict.kind === 'broken') return verdict
  return forbidden(verdict.kind === 'forbidden' ? [...verdict.forbids, ...limits] : limits)
}

function verdictOf(rule: Rule | undefined, approvals: readonly string[]): PolicyVerdict {
  switch (rule?.kind) {
    case 'allow':
      return PERMITTED
    case 'ask': {
      const open = rule.asks.filter((ask) => !approvals.includes(ask.id))
      return open.length === 0
        ? PERMITTED
        : forbidden(open.map(({ id, approvers }) => ({ id, reason: 'high risk', outcome: 'ask', approvers })))
    }
    case 'dry_run':
      return forbidden([{ id: 'rehearse', reason: 'only a rehearsal', outcome: 'dry_run', approvers: [] }])
    case 'deny':
      return forbidden([{ id: 'no', reason: 'not allowed', outcome: 'deny', approvers: [] }])
    case 'broken':
      return { kind: 'broken', message: 'the policy broke' }
    case 'throws':
      throw new Error('The engine broke.')
    default:
      return { kind: 'unmatched' }
  }
}

const PERMITTED: PolicyVerdict = { kind: 'permitted', permits: [{ id: 'all', reason: 'simulation' }] }

function forbidden(forbids: readonly MatchedForbid[]): PolicyVerdict {
  return { kind: 'forbidden', forbids }
}
