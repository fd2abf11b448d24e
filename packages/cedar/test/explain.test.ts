import { type Explanation, type PolicyContext, type Remedy, sayRemedies } from '@tidegate/kernel'
import { describe, expect, test } from 'vitest'
import { createCedarEngine } from '../src/index.ts'
import { requestOf, schema } from './desk.ts'

const POLICIES = `@id("low-runs")
permit (principal, action in Action::"tool::desk", resource) when { context.risk == "low" };
@id("medium-runs") permit (principal, action, resource) when { context.risk == "medium" && context.stage > 2 };
@id("high-runs") permit (principal, action, resource) when { context.risk == "high" } unless { context.attempts > 5 };
@id("high-asks") @outcome("ask") @approvers("role:lead x2") @reason("high risk")
forbid (principal, action, resource) when { context.risk == "high" } unless { context.approvals.contains("high-asks") };
@id("batch-asks") @outcome("ask") @approvers("role:privacy, role:lead") @reason("a batch")
forbid (principal, action, resource) when { context.blastRadius == "batch" } unless { context.compensating || context.approvals.contains("batch-asks") };
@id("unsure") @outcome("dry_run") @reason("not sure")
forbid (principal, action, resource) when { context.confidence < 9000 && context.mutability != "read" } unless { context.mode == "dry_run" };
@id("no-third-party") @reason("not on the word of others")
forbid (principal, action, resource) when { context.origins.contains("third-party") && context.flow.sinks != "named" } unless { context.compensating };
@id("large") @reason("too large")
forbid (principal, action, resource) when { context.arguments has amountMinor && context.arguments.amountMinor * 9000000000000000 > 9007199254740993 };
`
const engine = createCedarEngine({ policies: [{ file: 'policies/desk.cedar', text: POLICIES }], schema })

function explain(context: Partial<PolicyContext>, rest = {}): Explanation {
  const asked = requestOf(context, rest)
  const explanation = engine.explain(asked)
  expect(engine.explain(asked)).toEqual(explanation)
  return explanation
}

/** Remedies in short. */
function shortOf(remedy: Remedy): string {
  if (remedy.kind === 'approval')
    return `ask ${remedy.approvers.map(({ role, count }) => `${role} x${count}`).join(', ')} for ${remedy.policies.join(', ')}`
  if (remedy.kind === 'mend') return `mend ${remedy.policy?.id ?? 'the request'}: ${remedy.message}`
  if (remedy.kind === 'unforbid') {
    const [holds, exceptions] = [remedy.holds, remedy.exceptions].map((parts) => parts.map(({ text }) => text).join(' & '))
    return `not ${remedy.policy.id} (${holds}; unless ${exceptions || 'nothing'})`
  }
  return remedy.nearest
    .map(
      ({ policy, inScope, fails }) =>
        `permit ${policy.id}${inScope ? '' : ' (about something else)'}: ${fails.map(({ text }) => text).join(' & ')}`,
    )
    .join('; ')
}

describe('what would have allowed it', () => {
  test.each<[string, Partial<PolicyContext>, object, string, readonly string[]]>([
    ['an allowed action needs nothing', {}, {}, 'allow low-runs', []],
    ['an approval', { risk: 'high' }, {}, 'ask high-asks', ['ask lead x2 for high-asks']],
    [
      'several approvals at once',
      { risk: 'high', blastRadius: 'batch' },
      {},
      'ask batch-asks high-asks',
      ['ask lead x2, privacy x1 for batch-asks, high-asks'],
    ],
    [
      'a dry run: what holds, and what would except it',
      { mutability: 'write', confidence: 8_999 },
      {},
      'dry_run unsure',
      ['not unsure (context.confidence < 9000 & context.mutability != "read"; unless context.mode == "dry_run")'],
    ],
    [
      'a denial: what holds, and what would except it; then the approval that would still be missing',
      { origins: ['third-party'], risk: 'high' },
      {},
      'deny no-third-party high-asks',
      [
        'not no-third-party (context.origins.contains("third-party") & context.flow.sinks != "named"; unless context.compensating)',
        'ask lead x2 for high-asks',
      ],
    ],
    [
      'no permit: the nearest, and what fails of each',
      { risk: 'medium', stage: 2 },
      {},
      'deny tidegate:default-deny',
      ['permit high-runs: context.risk == "high"; permit low-runs: context.risk == "low"; permit medium-runs: context.stage > 2'],
    ],
    [
      'a permit with an exception that holds',
      { risk: 'high', attempts: 6, approvals: ['high-asks'] },
      {},
      'deny tidegate:default-deny',
      [
        'permit high-runs: context.attempts > 5; permit low-runs: context.risk == "low"; permit medium-runs: context.risk == "medium"',
      ],
    ],
    [
      'a permit about something else comes last',
      { risk: 'low' },
      { operation: 'mail.send', tool: 'mail' },
      'deny tidegate:default-deny',
      [
        'permit high-runs: context.risk == "high"; permit medium-runs: context.risk == "medium"; permit low-runs (about something else): ',
      ],
    ],
    [
      'a policy that fails',
      { arguments: { amountMinor: 9_007_199_254_740_991 } },
      {},
      'deny tidegate:policy-error',
      [expect.stringMatching(/^mend large: policy large failed: integer overflow/)],
    ],
    [
      'a request that does not fit',
      { arguments: { amountMinor: 1.5 } },
      {},
      'deny tidegate:policy-error',
      [expect.stringMatching(/^mend the request: the argument amountMinor is not/)],
    ],
  ])('%s', (_why, context, rest, decision, remedies) => {
    const explanation = explain(context, rest)
    const { outcome, policies } = explanation.decision
    expect([outcome, ...policies.map(({ id }) => id)].join(' ')).toBe(decision)
    expect(explanation.wouldAllow.map(shortOf)).toEqual(remedies)
  })
})

test('what determined it has its place, its reason and the facts that were so', () => {
  const { determining, considered } = explain({ risk: 'high', origins: ['user', 'third-party'] })
  expect(considered).toBe(8)
  expect(determining).toEqual([
    {
      id: 'no-third-party',
      reason: 'not on the word of others',
      outcome: 'deny',
      file: 'policies/desk.cedar',
      line: 11,
      because: [
        { text: 'context.origins.contains("third-party")', holds: true, facts: { 'context.origins': '["user","third-party"]' } },
        { text: 'context.flow.sinks != "named"', holds: true, facts: { 'context.flow.sinks': '"none"' } },
      ],
    },
    expect.objectContaining({ id: 'high-asks', outcome: 'ask', line: 5 }),
  ])
})

test("no argument is repeated, since it is the customer's", () => {
  const text =
    '@id("p") permit (principal, action == Action::"desk.refund.create", resource) when { context.arguments has reason && context.arguments.reason == "x" };'
  const explainer = createCedarEngine({ policies: [{ file: 'p.cedar', text }], schema })
  const explanation = explainer.explain(
    requestOf({ arguments: { reason: 'private matters' } }, { operation: 'desk.refund.create' }),
  )
  expect(JSON.stringify(explanation)).not.toContain('private')
  expect(explanation.wouldAllow.map(shortOf)).toEqual(['permit p: context.arguments.reason == "x"'])
  // What is guarded by a part that does not hold is not looked at, by Cedar neither.
  const without = explainer.explain(requestOf({}, { operation: 'desk.refund.create' }))
  expect(without.wouldAllow.map(shortOf)).toEqual(['permit p: context.arguments has reason'])
})

test('whatever it is asked, it answers', () => {
  const unchecked = engine.explain as (request: unknown) => Explanation
  for (const asked of [undefined, null, 7, {}, { context: null }, requestOf({ time: undefined } as object)]) {
    expect(unchecked(asked)).toMatchObject({ decision: { outcome: 'deny' }, wouldAllow: [{ kind: 'mend' }] })
  }
})

test.each<[string, Partial<PolicyContext>, readonly string[]]>([
  ['an allowed action', {}, []],
  [
    'an ask',
    { risk: 'high', blastRadius: 'batch' },
    ['The approval of 2 x lead and privacy would have satisfied batch-asks, high-asks.'],
  ],
  [
    'a dry run',
    { mutability: 'write', confidence: 8_999 },
    [
      'unsure (policies/desk.cedar:9) only lets it be tried out while context.confidence < 9000 (context.confidence is 8999) and context.mutability != "read" (context.mutability is "write"), unless context.mode == "dry_run". No approval changes that unless the policy says so.',
    ],
  ],
  [
    'no permit',
    { risk: 'medium', stage: 2 },
    [
      'No policy permits it, and silence is deny.',
      'high-runs (policies/desk.cedar:4) would permit it, but for context.risk == "high" (context.risk is "medium").',
      'low-runs (policies/desk.cedar:1) would permit it, but for context.risk == "low" (context.risk is "medium").',
      'medium-runs (policies/desk.cedar:3) would permit it, but for context.stage > 2 (context.stage is 2).',
    ],
  ],
])('in sentences: %s', (_why, context, sentences) => {
  expect(sayRemedies(explain(context))).toEqual(sentences)
})
