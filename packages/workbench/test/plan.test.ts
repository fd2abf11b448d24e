import { generateSchema } from '@tidegate/cedar'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tourOf } from '../src/plan/combinations.ts'
import { planPolicies, type PolicyPlan } from '../src/plan/plan-policies.ts'
import { inputOf, operation } from './operation.ts'

const operations = [
  operation('desk.read'),
  operation('desk.refund', {
    ...{ mutability: 'write', risk: 'high' },
    input: inputOf(
      { amountMinor: { type: 'integer' }, rate: { type: 'number' }, tags: { type: 'array', items: { type: 'string' } } },
      ['rate'],
    ),
  }),
  operation('mail.send', { mutability: 'write', risk: 'medium' }),
]
const workflow = { name: 'billing', agent: 'clerk', environment: 'production', stage: 3 }
const workflows = [{ workflow: { ...workflow, operations: new Map(operations.map(({ id }) => [id, { confine: {} }])) } }]
const schema = generateSchema(operations, [workflow], { meters: ['calls'] })

const PERMIT = '@id("all") @reason("all") permit (principal, action, resource);'
const forbid = (id: string, when: string, action = 'action') =>
  `@id("${id}") @reason("no") forbid (principal, ${action}, resource) when { ${when} };`
const ask = (id: string, when: string) =>
  `@id("${id}") @reason("no") @outcome("ask") @approvers("role:lead") forbid (principal, action, resource) when { ${when} } unless { context.approvals.contains("${id}") };`

function plan(before: readonly string[], after: readonly string[], samples = 20_000): PolicyPlan {
  const [old, fresh] = [before, after].map((texts) => [{ file: 'a.cedar', text: texts.join('\n'), layer: 'project' as const }])
  const subject = {
    policyFiles: fresh ?? [],
    schema,
    operations,
    workflows,
    configuration: { people: [{ id: 'user:a', roles: ['lead'] }] },
  }
  // Sound: what a plan looks at of a project is there.
  return planPolicies(subject as unknown as Parameters<typeof planPolicies>[0], { before: old ?? [], samples })
}

/** Changes as `before -> after operation facts`. */
function changes(before: readonly string[], after: readonly string[]): readonly string[] {
  const { decisions } = plan(before, after)
  expect(decisions?.exhaustive).toBe(true)
  return (decisions?.changes ?? []).map(
    (change) => `${change.before} -> ${change.after} ${change.operation} ${JSON.stringify(change.example.facts)}`,
  )
}

describe('decisions that change', () => {
  const READ = 'action == Action::"desk.read"'
  const REFUND = 'action == Action::"desk.refund"'
  test.each<[string, readonly string[], readonly string[], readonly string[]]>([
    ['nothing', [PERMIT], [PERMIT], []],
    ['a layout', [PERMIT], [`// said\n${PERMIT}`], []],
    [
      'a permit is gone',
      [PERMIT],
      [PERMIT.replace('action,', `${READ},`)],
      ['allow -> deny desk.refund {}', 'allow -> deny mail.send {}'],
    ],
    [
      'a bound moves',
      [PERMIT, forbid('x', 'context.attempts > 3', READ)],
      [PERMIT, forbid('x', 'context.attempts > 5', READ)],
      ['deny -> allow desk.read {"attempts":5}'],
    ],
    [
      'an optional argument',
      [PERMIT],
      [PERMIT, forbid('x', 'context.arguments has amountMinor && context.arguments.amountMinor >= 2000', REFUND)],
      ['allow -> deny desk.refund {"arguments.amountMinor":2000}'],
    ],
    [
      'a decimal',
      [PERMIT],
      [PERMIT, forbid('x', 'context.arguments.rate.greaterThan(decimal("0.5"))', REFUND)],
      ['allow -> deny desk.refund {"arguments.rate":0.5001}'],
    ],
    [
      'a list',
      [PERMIT],
      [PERMIT, forbid('x', 'context.arguments has tags && context.arguments.tags.contains("vip")', REFUND)],
      ['allow -> deny desk.refund {"arguments.tags":["vip"]}'],
    ],
    [
      'a meter',
      [PERMIT],
      [PERMIT, forbid('x', 'context.meters.calls > 9', READ)],
      ['allow -> deny desk.read {"meters.calls":10}'],
    ],
    [
      'the flow',
      [PERMIT],
      [PERMIT, forbid('x', 'context.flow.tainted && context.flow.egress == "external"', READ)],
      ['allow -> deny desk.read {"flow.tainted":true,"flow.egress":"external"}'],
    ],
    [
      'a time',
      [PERMIT],
      [PERMIT, forbid('x', 'context.now >= datetime("2027-01-01")', READ)],
      ['allow -> deny desk.read {"now":"2027-01-01T00:00:00.000Z"}'],
    ],
    ['an hour', [PERMIT], [PERMIT, forbid('x', 'context.hour < 6', READ)], ['allow -> deny desk.read {"hour":5}']],
    [
      'who asks',
      [PERMIT],
      [PERMIT, forbid('x', 'context.user == "user:mallory"', READ)],
      ['allow -> deny desk.read {"user":"user:mallory"}'],
    ],
    ['an impossible value is not made up', [PERMIT], [PERMIT, forbid('x', 'context.stage > 4 || context.hour > 23', READ)], []],
    ['what is declared is not varied', [PERMIT], [PERMIT, forbid('x', 'context.risk == "critical"', READ)], []],
    [
      'looser first, and of these what is allowed now',
      [PERMIT, forbid('a', 'context.risk == "high"'), ask('b', 'context.risk == "low"')],
      [PERMIT, ask('b', 'context.risk == "high"'), forbid('c', 'context.risk == "medium"')],
      [
        'ask -> allow desk.read {}',
        'deny -> allow desk.refund {"approvals":["b"]}',
        'deny -> ask desk.refund {}',
        'allow -> deny mail.send {}',
      ],
    ],
  ])('%s', (_why, before, after, expected) => {
    expect(changes(before, after).toSorted()).toEqual(expected.toSorted())
  })

  test('what was not allowed and is now stands first', () => {
    const { decisions } = plan(
      [PERMIT, forbid('a', 'context.risk == "high"')],
      [PERMIT, ask('b', 'context.risk == "high"'), forbid('c', 'context.risk == "low"')],
    )
    expect(decisions?.changes.map(({ after }) => after)).toEqual(['allow', 'ask', 'deny'])
  })

  test('the same outcome on the word of other people is a change', () => {
    const before = ask('a', 'context.risk == "high"')
    const { decisions } = plan([PERMIT, before], [PERMIT, before.replace('role:lead', 'role:owner')])
    expect(decisions?.changes).toMatchObject([
      { before: 'ask', after: 'ask', approversBefore: 'role:lead', approversAfter: 'role:owner' },
    ])
  })
})

test('what cannot be varied is said', () => {
  const { decisions } = plan([PERMIT], [PERMIT, forbid('x', 'context.attempts * context.records > 7')])
  expect(decisions).toMatchObject({ exhaustive: false, notVaried: ['attempts', 'records'] })
})

test('a small budget is a sample, and says so', () => {
  const many = Array.from({ length: 6 }, (_, i) =>
    forbid(`x${i}`, `context.attempts > ${i} && context.records > ${i} && context.confidence < ${i * 1000}`),
  )
  const { decisions } = plan([PERMIT], [PERMIT, ...many], 40)
  expect(decisions?.exhaustive).toBe(false)
  expect(decisions?.requests).toBe(40)
})

test('sets that do not load are described all the same', () => {
  const broken = plan([PERMIT], [PERMIT, forbid('x', 'context.rsk == "high"')])
  expect([broken.decisions, broken.diff.added.length, broken.lint.findings.length]).toEqual([null, 1, 1])
  expect(broken.notCompared).toContain('the new policies do not load')
  const old = plan([forbid('x', 'context.gone == 1')], [PERMIT])
  expect([old.decisions, old.diff.removed.length]).toEqual([null, 1])
  expect(old.notCompared).toContain('do not fit this project')
})

test('law: every point is there once when they are few, and none is made up when they are many', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 5 })
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 400 }), (given, budget) => {
      const { points, exhaustive } = tourOf(given, budget)
      const all = [...points]
      const total = given.reduce((product, size) => product * size, 1)
      expect(exhaustive).toBe(total <= budget)
      expect(all.length).toBe(Math.min(total, budget))
      expect(all.every((point) => point.every((choice, i) => choice < (given[i] ?? 0)))).toBe(true)
      if (exhaustive) expect(new Set(all.map(String)).size).toBe(total)
    }),
  )
})
