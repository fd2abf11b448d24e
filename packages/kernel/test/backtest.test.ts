import { describe, expect, test } from 'vitest'
import { table } from '@tidegate/testkit'
import {
  type ApproverRule,
  createBacktest,
  NEUTRAL_FACTS,
  type Outcome,
  type PastDecision,
  packFacts,
  type PolicyEngine,
  type PolicyRequest,
  type PolicyVerdict,
  redecide,
  requestOf,
} from '../src/index.ts'

const TIME = { nowMs: 1_793_620_800_000, hour: 12, weekday: 1 }
const DECLARED = {
  environment: 'production',
  risk: 'low',
  mutability: 'write',
  dataClass: 'internal',
  blastRadius: 'single',
  nature: [],
  reversible: true,
  stage: 4,
} as const

function request(operation: string, approvals: readonly string[] = []): PolicyRequest {
  return {
    ...{ agent: 'a', workflow: 'w', operation, tool: 'desk', user: 'user:ann', client: 'client:web' },
    context: { ...NEUTRAL_FACTS, ...DECLARED, time: TIME, approvals, arguments: {} },
  }
}

function past(outcome: Outcome, operation = 'desk.set', changes: Partial<PastDecision> = {}): PastDecision {
  const approvers: readonly ApproverRule[] = outcome === 'ask' ? [{ role: 'lead', count: 1 }] : []
  return { run: 'r-1', action: 0, atMs: 0, outcome, policies: ['old'], approvers, request: request(operation), ...changes }
}

/** An engine that answers one outcome whatever it is asked, as `rule`. */
function engineOf(outcome: Outcome, rule = 'new'): PolicyEngine {
  return { version: 'v2', evaluate: () => verdictOf(outcome, rule) }
}

function verdictOf(outcome: Outcome, id: string): PolicyVerdict {
  if (outcome === 'allow') return { kind: 'permitted', permits: [{ id, reason: 'r' }] }
  const approvers = outcome === 'ask' ? [{ role: 'lead', count: 1 }] : []
  return { kind: 'forbidden', forbids: [{ id, reason: 'r', outcome, approvers }] }
}

const cases = table(`
  was     | now     | changed | loosened
  allow   | allow   | 0       | 0
  deny    | allow   | 1       | 1
  ask     | allow   | 1       | 1
  dry_run | allow   | 1       | 1
  deny    | ask     | 1       | 1
  allow   | ask     | 1       | 0
  allow   | deny    | 1       | 0
  ask     | ask     | 0       | 0
`)
test.each(cases)('$was -> $now', ({ was, now, changed, loosened }) => {
  const backtest = createBacktest(engineOf(now as Outcome))
  backtest.add(past(was as Outcome))
  expect(backtest.report()).toMatchObject({ decided: 1, changed: Number(changed), loosened: Number(loosened) })
})

test('what is let through stands first, worst first, and equal changes are told once', () => {
  const now: Readonly<Record<string, Outcome>> = { a: 'deny', b: 'allow', c: 'allow', d: 'allow', e: 'ask' }
  const backtest = createBacktest({ version: 'v2', evaluate: ({ operation }) => verdictOf(now[operation] ?? 'deny', 'new') })
  for (const [outcome, operation] of [
    ['allow', 'a'],
    ['dry_run', 'b'],
    ['ask', 'c'],
    ['deny', 'd'],
    ['allow', 'e'],
  ] as const)
    for (const run of ['r-1', 'r-2']) backtest.add(past(outcome, operation, { run }))
  const { groups, changed, loosened } = backtest.report()
  expect(groups.map(({ from, to, operation, count }) => [from, to, operation, count])).toEqual([
    ['deny', 'allow', 'd', 2],
    ['ask', 'allow', 'c', 2],
    ['dry_run', 'allow', 'b', 2],
    ['allow', 'deny', 'a', 2],
    ['allow', 'ask', 'e', 2],
  ])
  expect([changed, loosened]).toEqual([10, 6])
  expect(groups[0]?.examples.map(({ run }) => run)).toEqual(['r-1', 'r-2'])
})

test('who is asked is part of the answer', () => {
  const backtest = createBacktest(engineOf('ask'))
  backtest.add(past('ask', 'desk.set', { approvers: [{ role: 'owner', count: 1 }] }))
  backtest.add(past('ask', 'desk.set', { approvers: [{ role: 'lead', count: 2 }] }))
  expect(backtest.report().groups).toMatchObject([{ from: 'ask', to: 'ask', otherApprovers: true, count: 2 }])
})

describe('a decision that was made after an approval', () => {
  const asking = (id: string, then: Outcome): PolicyEngine => ({
    version: 'v2',
    evaluate: ({ context }) => (context.approvals.includes(id) ? verdictOf(then, 'after') : verdictOf('ask', id)),
  })

  test.each([
    ['the same people would have said yes to what asks now', asking('renamed', 'allow'), 'allow'],
    ['a trial that comes after the approval is still one', asking('renamed', 'dry_run'), 'dry_run'],
    ['what denies now denies in spite of it', engineOf('deny'), 'deny'],
    ['what asks nobody now needs no approval', engineOf('allow'), 'allow'],
  ] as const)('%s', (_, engine, outcome) => {
    expect(redecide(engine, request('desk.set', ['old-asks'])).outcome).toBe(outcome)
  })
})

test('an engine that throws denies, and the backtest goes on', () => {
  const backtest = createBacktest({
    version: 'v2',
    evaluate: () => {
      throw new Error('broken')
    },
  })
  backtest.add(past('allow'))
  backtest.skip('erased', 3)
  expect(backtest.report()).toMatchObject({
    changed: 1,
    groups: [{ to: 'deny', policies: ['tidegate:policy-error'] }],
    undecidable: { erased: 3 },
  })
})

describe('the question that was asked', () => {
  const observed = {
    ...NEUTRAL_FACTS,
    actors: ['user:ann', 'client:web'],
    roles: ['clerk'],
    attempts: 2,
    time: TIME,
    approvals: ['x'],
  }
  const sealed = { goal: '', justification: '', arguments: { id: '7' }, origins: [] }
  const recorded = {
    opened: { agent: 'a', workflow: 'w', actors: ['user:ann', 'client:web'] },
    proposed: { operation: 'desk.set', sealed },
    decided: { facts: packFacts(observed) },
  }

  test('is put together again as it was', () => {
    expect(requestOf(recorded, { tool: 'desk', facts: DECLARED })).toEqual({
      ...{ agent: 'a', workflow: 'w', operation: 'desk.set', tool: 'desk', user: 'user:ann', client: 'client:web' },
      context: { ...observed, ...DECLARED, arguments: { id: '7' } },
    })
  })

  test('has every meter that the engine expects: what was not recorded showed nothing', () => {
    const decided = { facts: packFacts({ ...observed, meters: { refunds: 3, quiet: 0 } }) }
    const asked = requestOf({ ...recorded, decided }, { tool: 'desk', facts: DECLARED }, ['refunds', 'quiet', 'fresh'])
    expect(asked?.context.meters).toEqual({ refunds: 3, quiet: 0, fresh: 0 })
  })

  test.each([
    ['a guard decided', { ...recorded, decided: { facts: null } }],
    ['the arguments were no object', { ...recorded, proposed: { operation: 'desk.set', sealed: { ...sealed, arguments: 'x' } } }],
  ])('is not known when %s', (_, record) => {
    expect(requestOf(record, { tool: 'desk', facts: DECLARED })).toBeUndefined()
  })
})
