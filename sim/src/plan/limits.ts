import {
  limitPolicyId,
  type MatchedForbid,
  matchesOperation,
  type Meter,
  meterAttribute,
  type MeterLimit,
  meterOfSequence,
  type PolicyContext,
} from '@tidegate/kernel'
import { type Chance, createChance } from '@tidegate/testkit'

const MONEY = ['desk.refund', 'desk.slow', 'desk.credit'] as const
const RECORDS = ['desk.set', ...MONEY] as const

/** Draws the meters of a seed: one in three has some, each with a limit. Their chance is their own, so that the others stay as they were. */
export function drawMeters(seed: number): readonly Meter[] {
  const chance = createChance(seed * 15_485_863 + 29)
  if (!chance.oneIn(3)) return []
  const all = [perAgent, asked, sum, perRecord, perRun, never].map((draw) => draw(chance))
  return all.filter(() => chance.oneIn(2))
}

const PLAIN = { of: 'effects', operations: [], sum: null, per: 'global', self: true, anomaly: null } as const
const sliding = (chance: Chance) => ({ kind: 'sliding', ms: chance.pick([3_000, 20_000, 60_000]) }) as const

/** Denies, or asks when somebody is named. */
function limitAbove(value: number, on: readonly string[] = [], approvers: MeterLimit['approvers'] = []): MeterLimit {
  const bound = { kind: 'above', value } as const
  // biome-ignore lint/suspicious/noThenProperty: the kernel's name for what happens; a limit is never awaited
  return { on, bound, then: approvers.length === 0 ? 'deny' : 'ask', approvers, reason: 'too much' }
}

const perAgent = (chance: Chance): Meter => ({
  ...PLAIN,
  name: 'per-agent',
  per: 'agent',
  window: sliding(chance),
  limits: [limitAbove(1 + chance.below(3))],
})

/** More than so many only when somebody says yes. */
const asked = (chance: Chance): Meter => ({
  ...PLAIN,
  name: 'asked',
  window: sliding(chance),
  limits: [limitAbove(1 + chance.below(2), ['desk.*'], [{ role: 'security', count: 1 }])],
})

const sum = (chance: Chance): Meter => ({
  ...PLAIN,
  name: 'money',
  operations: MONEY,
  sum: '/amount',
  per: chance.pick(['agent', 'workflow', 'user']),
  window: chance.oneIn(2) ? { kind: 'calendar', unit: 'hour' } : sliding(chance),
  limits: [limitAbove(chance.pick([500, 900, 1_500]), MONEY)],
})

const perRecord = (chance: Chance): Meter => ({
  ...PLAIN,
  name: 'per-record',
  operations: RECORDS,
  per: '/id',
  window: chance.oneIn(2) ? { kind: 'ever' } : sliding(chance),
  limits: [limitAbove(1 + chance.below(2), RECORDS)],
})

const perRun = (chance: Chance): Meter => ({
  ...PLAIN,
  name: 'per-run',
  window: { kind: 'run' },
  limits: [limitAbove(1 + chance.below(2))],
})

/** Once something was exported or paid, no mail leaves any more, and nothing is put down as done. */
const never = (chance: Chance): Meter =>
  meterOfSequence({
    name: 'never-after',
    kind: 'never',
    operations: ['mail.*', 'desk.set'],
    other: ['desk.export', ...MONEY],
    least: 1,
    per: chance.pick(['agent', 'user']),
    within: chance.pick([{ kind: 'ever' }, { kind: 'run' }, { kind: 'sliding', ms: 60_000 }]),
    // biome-ignore lint/suspicious/noThenProperty: as above
    then: 'deny',
    approvers: [],
    reason: 'something left before',
  })

/** The limits that stand in the way of an action, as their policies would. Undefined when a meter is not there to be read. */
export function forbiddenBy(
  meters: readonly Meter[],
  operation: string,
  { meters: values, compensating, approvals }: PolicyContext,
): readonly MatchedForbid[] | undefined {
  const forbids: MatchedForbid[] = []
  for (const { name, limits } of meters) {
    const value = values[meterAttribute(name)]
    if (value === undefined) return undefined
    for (const [at, { on, bound, then, approvers, reason }] of limits.entries()) {
      const id = limitPolicyId(name, at)
      const isOver = bound.kind === 'above' ? value > bound.value : value < bound.value
      const isAnswered = then === 'ask' && approvals.includes(id)
      if (isOver && !compensating && !isAnswered && matchesOperation(on, operation))
        forbids.push({ id, reason, outcome: then, approvers })
    }
  }
  return forbids
}
