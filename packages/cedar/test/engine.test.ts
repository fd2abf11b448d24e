import { resolveVerdict } from '@tidegate/kernel'
import { describe, expect, test } from 'vitest'
import { createCedarEngine } from '../src/index.ts'
import { ASK, BREAKS, DENY, DRY, engineOf, PERMIT, requestOf, schema } from './desk.ts'

/** What becomes of an action, and which policies are named for it. */
function outcomeOf(text: string, context = {}, rest = {}) {
  const { outcome, policies } = resolveVerdict(engineOf(text).evaluate(requestOf(context, rest)), 'v')
  return `${outcome} ${policies.map((policy) => policy.id).join(' ')}`
}

describe('outcomes', () => {
  test.each([
    ['silence is deny', [], {}, 'deny tidegate:default-deny'],
    ['a permit allows', [PERMIT], {}, 'allow permit'],
    ['dry run beats allow', [PERMIT, DRY], {}, 'dry_run dry'],
    ['ask beats dry run', [PERMIT, DRY, ASK], {}, 'ask ask dry'],
    ['deny beats ask', [PERMIT, DRY, ASK, DENY], {}, 'deny deny ask dry'],
    ['deny beats allow', [PERMIT, DENY], {}, 'deny deny'],
    ['an approval satisfies the policy that asked', [PERMIT, ASK], { approvals: ['ask'] }, 'allow permit'],
    ['an approval satisfies no other policy', [PERMIT, ASK], { approvals: ['other'] }, 'ask ask'],
    ['an approval does not lift a dry run', [PERMIT, ASK, DRY], { approvals: ['ask'] }, 'dry_run dry'],
    ['an approval does not lift a denial', [PERMIT, ASK, DENY], { approvals: ['ask', 'deny'] }, 'deny deny'],
    ['asking hides no missing permit', [ASK], {}, 'deny tidegate:default-deny'],
    ['nor does a dry run', [DRY], {}, 'deny tidegate:default-deny'],
    ['nor do both', [ASK, DRY], {}, 'deny tidegate:default-deny'],
    ['nor does an approval', [ASK], { approvals: ['ask'] }, 'deny tidegate:default-deny'],
    ['a denial is named without a permit', [DENY, ASK], {}, 'deny deny ask'],
    [
      'a forbid that cannot be evaluated denies',
      [PERMIT, BREAKS],
      { arguments: { amountMinor: 9_007_199_254_740_991 } },
      'deny tidegate:policy-error',
    ],
    [
      'also under a soft forbid',
      [PERMIT, ASK, BREAKS],
      { arguments: { amountMinor: 9_007_199_254_740_991 } },
      'deny tidegate:policy-error',
    ],
    ['and allows when it can be evaluated to false', [PERMIT, BREAKS], {}, 'allow permit'],
  ])('%s', (_why, policies, context, expected) => {
    expect(outcomeOf(policies.join('\n'), context)).toBe(expected)
  })

  test('the verdict carries reasons and approvers', () => {
    const text = `${PERMIT} @id("two") @outcome("ask") @approvers("role:lead x2, role:finance") @reason("a lot of money")
      forbid (principal, action, resource) unless { context.approvals.contains("two") };`
    const approvers = [
      { role: 'lead', count: 2 },
      { role: 'finance', count: 1 },
    ]
    expect(engineOf(text).evaluate(requestOf())).toEqual({
      kind: 'forbidden',
      forbids: [{ id: 'two', reason: 'a lot of money', outcome: 'ask', approvers }],
    })
  })
})

describe('what a policy may speak of', () => {
  const allows = (condition: string) => `@id("permit") permit (principal, action, resource) when { ${condition} };`
  test.each([
    ['context.environment == "production"'],
    ['context.risk == "low" && context.mutability == "read" && context.dataClass == "internal"'],
    ['context.blastRadius == "single" && context.mode == "live"'],
    ['context.workflow == "refunds" && context.user == "user:mei"'],
    ['context.reversible && !context.compensating'],
    ['context.confidence >= 9000 && context.stage == 4 && context.attempts < 3'],
    ['context.origins.contains("user") && !context.origins.contains("third-party")'],
    ['context.approvals.isEmpty()'],
    ['!(context.arguments has amountMinor)'],
    ['principal == Agent::"triage" && resource == Tool::"desk"'],
    ['action == Action::"desk.ticket.read" && action in Action::"tool::desk" && action in Action::"any"'],
  ])('%s', (condition) => {
    expect(outcomeOf(allows(condition))).toBe('allow permit')
    expect(outcomeOf(allows(`!(${condition})`))).toBe('deny tidegate:default-deny')
  })

  test('whole numbers of policies are exact beyond those of JavaScript', () => {
    const past = (limit: string) => allows(`context.arguments has amountMinor && context.arguments.amountMinor + 2 <= ${limit}`)
    const asked = { arguments: { amountMinor: Number.MAX_SAFE_INTEGER } }
    expect(outcomeOf(past('9007199254740993'), asked)).toBe('allow permit')
    expect(outcomeOf(past('9007199254740992'), asked)).toBe('deny tidegate:default-deny')
  })

  test('amounts are compared as integers', () => {
    const text = allows('context.arguments has amountMinor && context.arguments.amountMinor <= 2000')
    expect(outcomeOf(text, { arguments: { amountMinor: 2_000, reason: 'late' } })).toBe('allow permit')
    expect(outcomeOf(text, { arguments: { amountMinor: 2_001 } })).toBe('deny tidegate:default-deny')
  })
})

describe('a request that cannot be decided is denied', () => {
  test.each([
    ['an amount that is text', { arguments: { amountMinor: '1' } }, {}],
    ['an amount with a fraction', { arguments: { amountMinor: 1.5 } }, {}],
    ['an amount past the safe integers', { arguments: { amountMinor: 2 ** 53 } }, {}],
    ['an amount of null', { arguments: { amountMinor: null } }, {}],
    ['confidence as a fraction', { confidence: 0.95 }, {}],
    ['confidence that is not a number', { confidence: Number.NaN }, {}],
    ['a missing attribute', { risk: undefined }, {}],
    ['an entity where text should be', { risk: { __entity: { type: 'Agent', id: 'triage' } } }, {}],
    ['origins that are no list', { origins: 'user' }, {}],
    ['no arguments', { arguments: undefined }, {}],
    ['an operation nobody declared', {}, { operation: 'desk.ticket.burn' }],
    ['an action group as operation', {}, { operation: 'any' }],
    ['an agent nobody declared', {}, { agent: 'stranger' }],
    ['a tool nobody declared', {}, { tool: 'shell' }],
  ])('%s', (_why, context, rest) => {
    const verdict = engineOf(PERMIT).evaluate(requestOf(context as object, rest))
    expect(verdict).toEqual({ kind: 'broken', message: expect.stringMatching(/^.{1,300}$/s) })
  })

  test('and evaluate does not throw, whatever it is given', () => {
    const engine = engineOf(PERMIT)
    const unchecked = engine.evaluate as (request: unknown) => unknown
    for (const request of [undefined, null, 7, {}, { context: null }, { context: { arguments: {} } }]) {
      expect(unchecked(request)).toMatchObject({ kind: 'broken' })
    }
    expect(engine.evaluate(requestOf())).toMatchObject({ kind: 'permitted' })
  })
})

describe('version', () => {
  const version = (...texts: string[]) =>
    createCedarEngine({ policies: texts.map((text, i) => ({ file: `${i}.cedar`, text })), schema }).version

  test('is a hash that changes with every policy and with the schema, and not with the order of files', () => {
    expect(version(PERMIT)).toMatch(/^[0-9a-f]{64}$/)
    expect(version(PERMIT, DENY)).toBe(version(DENY, PERMIT))
    const other = createCedarEngine({ policies: [{ file: 'a', text: PERMIT }], schema: { ...schema, words: {} } }).version
    expect(new Set([version(PERMIT), version(PERMIT, DENY), version(`${PERMIT} `), version(), other]).size).toBe(5)
  })

  test('two engines at once do not disturb each other', () => {
    const [strict, open] = [engineOf(`${PERMIT}${DENY}`), engineOf(PERMIT)]
    expect([strict, open, strict].map((engine) => engine.evaluate(requestOf()).kind)).toEqual([
      'forbidden',
      'permitted',
      'forbidden',
    ])
  })
})
