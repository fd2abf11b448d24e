import { type MatchedForbid, type Outcome, type PolicyVerdict, resolveVerdict } from '@tidegate/kernel'
import { table } from '@tidegate/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const RANK: Readonly<Record<Outcome, number>> = { allow: 0, dry_run: 1, ask: 2, deny: 3 }

function forbids(text: string): readonly MatchedForbid[] {
  return text.split(',').map((part) => {
    const [outcome = '', id = '', ...approvers] = part.trim().split(' ')
    const rules = approvers.map((rule) => ({ role: rule.split('x')[0] ?? '', count: Number(rule.split('x')[1] ?? 1) }))
    return { id, outcome: outcome as MatchedForbid['outcome'], reason: id, approvers: rules }
  })
}

const cases = table(`
  matched                                | outcome | because | approvers   | why
  deny a                                 | deny    | a       | -           | a hard forbid
  ask a leadx1                           | ask     | a       | lead x1     | somebody must say yes
  ask a leadx1, deny b                   | deny    | b,a     | -           | deny beats ask, and is named first
  dry_run a, ask b leadx2                | ask     | b,a     | lead x2     | ask beats dry run
  dry_run b, dry_run a                   | dry_run | a,b     | -           | in a stable order
  ask a leadx1, ask b leadx2 opsx1       | ask     | a,b     | lead x2, ops x1 | everyone who asks must be satisfied
  ask a                                  | deny    | tidegate:no-approvers | - | a question to nobody is a no
`)

describe('resolving a verdict', () => {
  test.each(cases)('$matched -> $outcome: $why', ({ matched = '', outcome, because, approvers }) => {
    const decision = resolveVerdict({ kind: 'forbidden', forbids: forbids(matched) }, 'v')
    expect(decision.outcome).toBe(outcome)
    expect(decision.policies.map((policy) => policy.id).join(',')).toBe(because)
    expect(decision.approvers.map(({ role, count }) => `${role} x${count}`).join(', ')).toBe(approvers)
  })

  test.each<[string, PolicyVerdict, Outcome]>([
    ['silence is deny', { kind: 'unmatched' }, 'deny'],
    ['I6: a broken policy denies', { kind: 'broken', message: 'no such attribute' }, 'deny'],
    ['a forbid without a policy is no permit', { kind: 'forbidden', forbids: [] }, 'deny'],
    ['a permit permits', { kind: 'permitted', permits: [{ id: 'p', reason: 'r' }] }, 'allow'],
  ])('%s', (_, verdict, outcome) => {
    expect(resolveVerdict(verdict, 'v').outcome).toBe(outcome)
  })

  const forbid = fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    reason: fc.constant('r'),
    outcome: fc.constantFrom<MatchedForbid['outcome']>('deny', 'ask', 'dry_run'),
    approvers: fc.array(fc.record({ role: fc.constantFrom('x', 'y'), count: fc.integer({ min: 1, max: 3 }) }), {
      minLength: 1,
      maxLength: 2,
    }),
  })

  test('law: the order of policies never matters', () => {
    const inAnyOrder = fc
      .uniqueArray(forbid, { minLength: 1, selector: (f) => f.id })
      .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })))
    fc.assert(
      fc.property(inAnyOrder, ([a, b]) => {
        expect(resolveVerdict({ kind: 'forbidden', forbids: a }, 'v')).toEqual(
          resolveVerdict({ kind: 'forbidden', forbids: b }, 'v'),
        )
      }),
    )
  })

  test('law: one more forbid never widens', () => {
    fc.assert(
      fc.property(fc.array(forbid, { minLength: 1 }), forbid, (list, more) => {
        const before = resolveVerdict({ kind: 'forbidden', forbids: list }, 'v')
        const after = resolveVerdict({ kind: 'forbidden', forbids: [...list, more] }, 'v')
        expect(RANK[after.outcome]).toBeGreaterThanOrEqual(RANK[before.outcome])
      }),
    )
  })
})
