import { createCedarEngine, generateSchema, loadPolicies } from '@tidegate/cedar'
import { limitPolicies, type Meter, meterNames, NEUTRAL_FACTS, type PolicyContext, type PolicyRequest } from '@tidegate/kernel'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { parseLimits } from '../../src/limits-file/index.ts'
import { writeProblem } from '../../src/yaml/problem.ts'
import { operation as boxOperation } from '../workflow-file-fixture.ts'

const refund = z.strictObject({ customerId: z.string(), amountMinor: z.int(), note: z.string().optional() })
const OPERATIONS = [
  boxOperation('desk.refund.create', refund, z.strictObject({}), 'write'),
  boxOperation('desk.refund.cancel', refund, z.strictObject({}), 'write'),
  boxOperation('desk.ticket.read', z.strictObject({ ticketId: z.string() }), z.strictObject({}), 'read'),
  boxOperation('mail.send', z.strictObject({ customerId: z.string() }), z.strictObject({}), 'write'),
].map((one) => ({ ...one, tool: one.id.slice(0, one.id.indexOf('.')) }))

/** What policy is asked about a call with nothing special about it. */
function requestOf(operation: string, facts: Partial<PolicyContext>): PolicyRequest {
  const context: PolicyContext = {
    ...NEUTRAL_FACTS,
    environment: 'production',
    risk: 'low',
    mutability: 'write',
    dataClass: 'internal',
    blastRadius: 'single',
    nature: [],
    reversible: true,
    stage: 4,
    time: { nowMs: 0, hour: 0, weekday: 4 },
    arguments: operation === 'mail.send' ? { customerId: 'c' } : { customerId: 'c', amountMinor: 5 },
    ...facts,
  }
  const tool = operation.slice(0, operation.indexOf('.'))
  return { agent: 'agent-1', workflow: 'w', operation, tool, user: 'user:ann', client: 'client:c', context }
}

const parse = (text: string) => parseLimits([{ file: 'limits/a.yaml', text }], OPERATIONS)

function metersOf(text: string): readonly Meter[] {
  const answer = parse(text)
  if (!answer.ok) throw new Error(answer.problems.map(writeProblem).join('\n'))
  return answer.meters
}

const GOOD = `- name: refunds-per-agent-day
  of: effects
  operations: [desk.refund.*]
  sum: /amountMinor
  per: agent
  window: 1d
  limit: 20000
  then: ask
  approvers: ["role:billing-lead x2", role:finance]
  reason: "more than 200.00 refunded today"
- name: mails
  operations: [mail.send]
  per: /customerId
  window: week
  limits:
    - { above: 3, then: ask, approvers: [role:support] }
    - { above: 10, operations: [mail.*], reason: enough }
- name: model-cost
  of: cost
  per: global
  window: month
  limit: 12.5
- name: mail-after-refund
  never: { operations: [mail.send], after: [desk.refund.create], within: 2h, per: /customerId }
- name: read-first
  formerly: { operations: [desk.refund.*], needs: [desk.ticket.read] }
  then: dry_run
- name: unusual
  anomaly: { of: calls, per: agent, bucket: 1h, baseline: 14d, deviations: 4, minimum: 20 }
- name: watched
  of: denials
  window: 10m
`

describe('a file of limits', () => {
  test('is read into meters', () => {
    const meters = metersOf(GOOD)
    expect(
      meters.map(({ name, of, operations, sum, per, window, self }) => [name, of, operations, sum, per, window, self]),
    ).toEqual([
      ['refunds-per-agent-day', 'effects', ['desk.refund.*'], '/amountMinor', 'agent', { kind: 'sliding', ms: 86_400_000 }, true],
      ['mails', 'effects', ['mail.send'], null, '/customerId', { kind: 'calendar', unit: 'week' }, true],
      ['model-cost', 'cost', [], null, 'global', { kind: 'calendar', unit: 'month' }, true],
      ['mail-after-refund', 'calls', ['desk.refund.create'], null, '/customerId', { kind: 'sliding', ms: 7_200_000 }, false],
      ['read-first', 'successes', ['desk.ticket.read'], null, 'agent', { kind: 'run' }, false],
      ['unusual', 'calls', [], null, 'agent', { kind: 'sliding', ms: 1_209_600_000 }, true],
      ['watched', 'denials', [], null, 'agent', { kind: 'sliding', ms: 600_000 }, true],
    ])
    expect(meters.map(({ limits }) => limits.map(({ on, bound, then }) => [on, bound.kind, bound.value, then]))).toEqual([
      [[['desk.refund.*'], 'above', 20_000, 'ask']],
      [
        [['mail.send'], 'above', 3, 'ask'],
        [['mail.*'], 'above', 10, 'deny'],
      ],
      [[[], 'above', 12_500_000, 'deny']],
      [[['mail.send'], 'above', 0, 'deny']],
      [[['desk.refund.*'], 'below', 1, 'dry_run']],
      [[[], 'above', 400, 'deny']],
      [],
    ])
    expect(meters[0]?.limits[0]?.approvers).toEqual([
      { role: 'billing-lead', count: 2 },
      { role: 'finance', count: 1 },
    ])
    expect(meters[2]?.limits[0]?.reason).toBe('more than 12.5 spent this month')
  })

  test('becomes Cedar text that loads and is strict about the words', () => {
    const meters = metersOf(GOOD)
    const schema = generateSchema(OPERATIONS, [{ name: 'w', agent: 'agent-1' }], { meters: meterNames(meters) })
    const policies = loadPolicies(limitPolicies(meters, OPERATIONS), schema)
    expect(policies.map(({ id, outcome, approvers }) => [id, outcome, approvers.length])).toEqual([
      ['limit.refunds-per-agent-day', 'ask', 2],
      ['limit.mails', 'ask', 1],
      ['limit.mails.2', 'deny', 0],
      ['limit.model-cost', 'deny', 0],
      ['limit.mail-after-refund', 'deny', 0],
      ['limit.read-first', 'dry_run', 0],
      ['limit.unusual', 'deny', 0],
    ])
    expect(
      policies[0]?.text,
    ).toBe(`@id("limit.refunds-per-agent-day") @outcome("ask") @approvers("role:billing-lead x2, role:finance") @reason("more than 200.00 refunded today")
forbid (principal, action in [Action::"desk.refund.cancel", Action::"desk.refund.create"], resource)
when { context.meters.refunds_per_agent_day > 20000 && !context.compensating }
unless { context.approvals.contains("limit.refunds-per-agent-day") };`)
    expect(createCedarEngine({ policies: limitPolicies(meters, OPERATIONS), schema }).version).toMatch(/^[0-9a-f]{64}$/)
  })

  test('decides by what the meter shows, the action included, and yields to an approval of this limit', () => {
    const meters = metersOf(GOOD)
    const schema = generateSchema(OPERATIONS, [{ name: 'w', agent: 'agent-1' }], { meters: meterNames(meters) })
    const permit = { file: 'all.cedar', text: '@id("all") permit (principal, action, resource);' }
    const engine = createCedarEngine({ policies: [permit, ...limitPolicies(meters, OPERATIONS)], schema })
    const zero = Object.fromEntries(meterNames(meters).map((name) => [name, 0]))
    const ask = (shown: Readonly<Record<string, number>>, more: Partial<PolicyContext> = {}, id = 'desk.refund.create') => {
      const verdict = engine.evaluate(requestOf(id, { meters: { ...zero, read_first: 1, ...shown }, ...more }))
      return verdict.kind === 'forbidden' ? verdict.forbids.map((forbid) => `${forbid.outcome} ${forbid.id}`) : [verdict.kind]
    }
    expect(ask({ refunds_per_agent_day: 20_000 })).toEqual(['permitted'])
    expect(ask({ refunds_per_agent_day: 20_001 })).toEqual(['ask limit.refunds-per-agent-day'])
    expect(ask({ refunds_per_agent_day: 20_001 }, { approvals: ['limit.refunds-per-agent-day'] })).toEqual(['permitted'])
    expect(ask({ refunds_per_agent_day: 20_001 }, { approvals: ['limit.mails'] })).toEqual(['ask limit.refunds-per-agent-day'])
    expect(ask({ refunds_per_agent_day: 20_001 }, { compensating: true })).toEqual(['permitted'])
    expect(ask({ refunds_per_agent_day: 20_001 }, {}, 'mail.send')).toEqual(['permitted'])
    expect(ask({ mails: 11 }, {}, 'mail.send').toSorted()).toEqual(['ask limit.mails', 'deny limit.mails.2'])
    expect(ask({ mails: 11 }, { approvals: ['limit.mails', 'limit.mails.2'] }, 'mail.send')).toEqual(['deny limit.mails.2'])
    expect(ask({ read_first: 0 })).toEqual(['dry_run limit.read-first'])
    expect(ask({ mail_after_refund: 1 }, {}, 'mail.send')).toEqual(['deny limit.mail-after-refund'])
    expect(ask({ unusual: 401, model_cost: 12_500_001 }).toSorted()).toEqual(['deny limit.model-cost', 'deny limit.unusual'])
  })

  test('a limit on what nobody declares makes a text that does not load', () => {
    const [meter] = metersOf(GOOD)
    if (meter === undefined) throw new Error('the example has a meter')
    const lost = { ...meter, limits: meter.limits.map((limit) => ({ ...limit, on: ['desk.refnd.*'] })) }
    const schema = generateSchema(OPERATIONS, [{ name: 'w', agent: 'agent-1' }], { meters: meterNames([lost]) })
    expect(() => loadPolicies(limitPolicies([lost], OPERATIONS), schema)).toThrow(/desk\.refnd/)
  })
})

/** What is changed in the good file, and what is then said about it. */
test.each<[string, string, string, string]>([
  ['limit: 20000', 'limt: 20000', '7:3: [0].limt: ', 'Did you mean "limit"?'],
  ['window: 1d', 'window: 1y', '6:11: [0].window: ', 'a duration from 1s to 366d'],
  ['window: 1d', 'window: 500ms', '6:11: [0].window: ', 'a duration from 1s to 366d'],
  ['  window: 1d\n', '', '1:3: [0].window: ', 'is missing'],
  ['name: mails', 'name: refunds-per-agent-day', '11:9: [1].name: ', 'has a meter "refunds-per-agent-day" already'],
  ['name: mails', 'name: run-steps', '11:9: [1].name: ', 'not run-steps'],
  ['name: mails', 'name: my_mails', '11:9: [1].name: ', 'joined by hyphens'],
  ['operations: [desk.refund.*]', 'operations: [desk.refnd.*]', '3:16: [0].operations[0]: ', 'No tool declares "desk.refnd.*"'],
  ['operations: [mail.send]\n', 'operations: [mail.sned]\n', '12:16: [1].operations[0]: ', 'Did you mean "mail.send"?'],
  ['operations: [mail.*]', 'operations: [nail.*]', '17:33: [1].limits[1].operations[0]: ', 'No tool declares "nail.*"'],
  ['sum: /amountMinor', 'sum: /amount', '4:8: [0].sum: ', 'desk.refund.create has no argument /amount'],
  ['sum: /amountMinor', 'sum: /note', '4:8: [0].sum: ', 'may be called without /note'],
  ['sum: /amountMinor', 'sum: /customerId', '4:8: [0].sum: ', 'is no number'],
  ['sum: /amountMinor', 'sum: amountMinor', '4:8: [0].sum: ', 'JSON pointer'],
  ['of: effects', 'of: effect', '2:7: [0].of: ', 'Did you mean "effects"?'],
  ['of: effects', 'of: proposals', '4:8: [0].sum: ', 'Only calls, effects, successes'],
  ['operations: [desk.refund.*]', 'operations: [desk.ticket.read]', '2:7: [0].of: ', 'only read'],
  ['  operations: [desk.refund.*]\n', '', '1:3: [0].operations: ', 'List the operations whose arguments'],
  ['then: ask\n', 'then: deny\n', '9:3: [0].approvers: ', 'Approvers go with then: ask'],
  ['role:finance]', 'finance]', '9:3: [0].approvers: ', 'Write roles'],
  ['  approvers: ["role:billing-lead x2", role:finance]\n', '', '8:9: [0].then: ', '"approvers" are missing'],
  ['limit: 20000', 'limit: -1', '7:10: [0].limit: ', 'a number from 0'],
  ['limit: 20000', 'limit: 2.5', '7:10: [0].limit: ', 'whole number'],
  ['per: global', 'per: tool', '20:8: [2].per: ', 'belong to a run and to no operation'],
  ['after: [desk.refund.create]', 'after: [desk.ticket.read]', '24:81: [3].never.per: ', 'has no argument /customerId'],
  ['after: [desk.refund.create], ', '', '24:3: [3].never.after: ', 'is missing'],
  ['baseline: 14d', 'baseline: 2h', '29:59: [5].anomaly.baseline: ', 'this one has 2'],
  ['  window: 10m', '  window: 10m\n  then: ask', '33:3: [6].then: ', 'has no limit'],
  [GOOD, 'name: x', '1:1: ', 'Limits are a list'],
  [GOOD, '- 7', '1:3: [0]: ', 'A meter is a map'],
  [GOOD, '- &a {}', '1:6: ', 'Anchors'],
])('%j -> %j', (before, after, place, message) => {
  expect(GOOD).toContain(before)
  const answer = parse(GOOD.replace(before, after))
  const problems = answer.ok ? [] : answer.problems.map(writeProblem)
  const shown = problems.map((text) => text.slice('limits/a.yaml:'.length))
  expect(shown.find((text) => text.startsWith(place)) ?? shown.join('\n')).toContain(message)
  expect(
    shown.some((text) => text.startsWith(place)),
    shown.join(' | '),
  ).toBe(true)
})

test('names are unique over files, and a hundred meters are the most', () => {
  const many = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => `- { name: m${from + i}, of: calls, window: 1h }`).join('\n')
  const files = (...texts: readonly string[]) =>
    parseLimits(
      texts.map((text, i) => ({ file: `${i}.yaml`, text })),
      OPERATIONS,
    )
  expect(files(many(0, 60), many(60, 40)).ok).toBe(true)
  expect(files(many(0, 60), many(60, 41))).toMatchObject({ ok: false, problems: [{ file: '1.yaml' }] })
  expect(files(many(0, 2), many(1, 1))).toMatchObject({ ok: false, problems: [{ file: '1.yaml', path: '[0].name' }] })
})

test('law: no text makes it throw, and what it accepts makes Cedar text that loads', () => {
  const words = fc.constantFrom(
    '- ',
    'name: a',
    '  of: calls',
    '  window: 1h',
    '\n',
    '  limit: 3',
    '  then: ask',
    '{',
    ']',
    ': ',
    '  per: user',
  )
  fc.assert(
    fc.property(fc.array(words, { maxLength: 12 }), (list) => {
      const answer = parse(list.join('\n'))
      if (!answer.ok) return
      const schema = generateSchema(OPERATIONS, [{ name: 'w', agent: 'a' }], { meters: meterNames(answer.meters) })
      loadPolicies(limitPolicies(answer.meters, OPERATIONS), schema)
    }),
    { numRuns: 300 },
  )
})
