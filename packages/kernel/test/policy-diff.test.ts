import { type DescribedPolicy, diffPolicySets, isSamePolicies, writeApprovers } from '@tidegate/kernel'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

function policy(id: string, change: Partial<DescribedPolicy> = {}): DescribedPolicy {
  const plain = { effect: 'forbid', outcome: 'ask', approvers: [{ role: 'lead', count: 1 }], reason: 'why' } as const
  return { id, ...plain, scope: 'principal, action, resource', condition: 'when { true }', file: 'a.cedar', line: 1, ...change }
}

describe('how two sets of policies differ', () => {
  test('by id: added, removed, changed, as before', () => {
    const diff = diffPolicySets(
      [policy('c'), policy('b'), policy('a')],
      [policy('d'), policy('b', { reason: 'other' }), policy('a')],
    )
    expect(diff.added.map(({ id }) => id)).toEqual(['d'])
    expect(diff.removed.map(({ id }) => id)).toEqual(['c'])
    expect(diff.changed).toMatchObject([{ id: 'b', changes: [{ aspect: 'reason', before: 'why', after: 'other' }] }])
    expect(diff.unchanged).toBe(1)
    expect(isSamePolicies(diff)).toBe(false)
  })

  test.each<[string, Partial<DescribedPolicy>, readonly string[]]>([
    ['moved', { file: 'b.cedar', line: 7 }, []],
    ['another scope', { scope: 'principal, action == Action::"x", resource' }, ['scope']],
    ['another condition', { condition: '' }, ['condition']],
    ['harder', { outcome: 'deny', approvers: [] }, ['outcome', 'approvers']],
    ['other approvers', { approvers: [{ role: 'lead', count: 2 }] }, ['approvers']],
    ['a permit now', { effect: 'permit', outcome: 'allow', approvers: [] }, ['effect', 'outcome', 'approvers']],
  ])('%s', (_why, change, aspects) => {
    const diff = diffPolicySets([policy('a')], [policy('a', change)])
    expect(diff.changed.flatMap(({ changes }) => changes.map(({ aspect }) => aspect))).toEqual(aspects)
    expect(isSamePolicies(diff)).toBe(aspects.length === 0)
  })

  test('approvers are written as policies write them, in one order', () => {
    const rules = [
      { role: 'privacy', count: 1 },
      { role: 'lead', count: 2 },
    ]
    expect(writeApprovers(rules)).toBe('role:lead x2, role:privacy')
    const diff = diffPolicySets([policy('a', { approvers: rules })], [policy('a', { approvers: rules.toReversed() })])
    expect(isSamePolicies(diff)).toBe(true)
  })
})

const set = fc.uniqueArray(
  fc
    .record({ id: fc.constantFrom('a', 'b', 'c', 'd'), reason: fc.constantFrom('x', 'y') })
    .map(({ id, reason }) => policy(id, { reason })),
  { selector: ({ id }) => id },
)

test('law: the way back is the mirror image, and order never matters', () => {
  fc.assert(
    fc.property(set, set, (before, after) => {
      const there = diffPolicySets(before, after)
      const back = diffPolicySets(after.toReversed(), before.toReversed())
      expect(back.added).toEqual(there.removed)
      expect(back.removed).toEqual(there.added)
      expect(back.changed.map(({ id }) => id)).toEqual(there.changed.map(({ id }) => id))
      expect(there.unchanged + there.changed.length + there.added.length).toBe(after.length)
      expect(isSamePolicies(diffPolicySets(before, before.toReversed()))).toBe(true)
    }),
  )
})
