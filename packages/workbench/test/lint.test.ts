import { generateSchema } from '@tidegate/cedar'
import { describe, expect, test } from 'vitest'
import { LINT_RULES } from '../src/lint/finding.ts'
import { lintPolicies } from '../src/lint/lint-policies.ts'

const schema = generateSchema(
  [
    { id: 'desk.read', tool: 'desk' },
    { id: 'desk.refund', tool: 'desk' },
    { id: 'mail.send', tool: 'mail' },
  ],
  [{ name: 'billing', agent: 'clerk' }],
)
const PEOPLE = [
  { id: 'user:mei', roles: ['lead', 'privacy'] },
  { id: 'user:jonas', roles: ['lead'] },
]

const PERMIT = '@id("desk") @reason("the desk") permit (principal, action in Action::"tool::desk", resource);'
const forbid = (id: string, rest: string, outcome = '') =>
  `@id("${id}") @reason("no") ${outcome} forbid (principal, action, resource) ${rest};`
const ask = (id: string, rest: string, approvers = 'role:lead') =>
  forbid(id, `when { ${rest} } unless { context.approvals.contains("${id}") }`, `@outcome("ask") @approvers("${approvers}")`)

/** Findings as `line severity rule policy`. */
function lint(...texts: readonly string[]): readonly string[] {
  const policyFiles = [{ file: 'a.cedar', text: texts.join('\n'), layer: 'project' as const }]
  return lintPolicies({ policyFiles, schema, people: PEOPLE }).findings.map(
    ({ line, severity, rule, policy }) => `${line} ${severity} ${rule} ${policy}`,
  )
}

const cases: readonly (readonly [why: string, texts: readonly string[], findings: readonly string[]])[] = [
  ['nothing to say', [PERMIT, ask('high', 'context.risk == "high"')], []],
  ['what does not parse', [PERMIT, 'permit ('], ['2 error policy_syntax ']],
  ['a word that is never there', [forbid('x', 'when { context.risk == "hihg" }')], ['1 error policy_vocabulary x']],
  ['what Cedar says is impossible', [forbid('x', 'when { false }')], ['1 error policy_suspect x']],
  [
    'a condition that contradicts itself',
    [forbid('x', 'when { context.stage > 3 && context.stage < 2 }')],
    ['1 warning never-matches x'],
  ],
  [
    'a condition that says nothing',
    [forbid('x', 'when { context.stage > 3 || context.stage <= 3 }')],
    ['1 info always-matches x'],
  ],
  ['nobody has the role', [ask('x', 'context.stage < 2', 'role:cfo')], ['1 error unanswerable-ask x']],
  ['too few have the role', [ask('x', 'context.stage < 2', 'role:lead x3')], ['1 error unanswerable-ask x']],
  ['one person has both roles and a second has one', [ask('x', 'context.stage < 2', 'role:lead, role:privacy')], []],
  ['too few between them', [ask('x', 'context.stage < 2', 'role:lead x2, role:privacy')], ['1 error unanswerable-ask x']],
  [
    'an ask whose approval changes nothing',
    [forbid('x', '', '@outcome("ask") @approvers("role:lead")')],
    ['1 error policy_approval x'],
  ],
  [
    'an operation and a resource that never meet',
    ['@id("x") @reason("x") permit (principal, action == Action::"desk.read", resource == Tool::"mail");'],
    ['1 warning unreachable-scope x'],
  ],
  ['a permit without a reason', ['@id("x") permit (principal, action, resource);'], ['1 warning missing-reason x']],
  [
    'a soft forbid behind a hard one',
    [ask('soft', 'context.risk == "critical" && context.stage < 3'), forbid('hard', 'when { context.risk == "critical" }')],
    ['1 warning shadowed soft'],
  ],
  [
    'a soft forbid that is wider than the hard one',
    [ask('soft', 'context.risk == "critical"'), forbid('hard', 'when { context.risk == "critical" && context.stage < 3 }')],
    [],
  ],
  [
    'a hard forbid of another tool hides nothing',
    [
      ask('soft', 'context.risk == "critical"'),
      '@id("hard") @reason("no") forbid (principal, action in Action::"tool::mail", resource) when { context.risk == "critical" };',
    ],
    [],
  ],
  [
    'the same twice',
    [forbid('a', 'when { context.stage < 2 }'), forbid('b', 'when { (context.stage < 2) }')],
    ['2 warning duplicate b'],
  ],
  [
    'the same in other words',
    [forbid('a', 'when { context.stage < 2 }'), forbid('b', 'when { !(context.stage >= 2) }')],
    ['2 warning shadowed b'],
  ],
  [
    'a permit within a wider one',
    [PERMIT, PERMIT.replace('"desk"', '"low"').replace(';', ' when { context.risk == "low" };')],
    ['2 warning shadowed low'],
  ],
  [
    'asks of the same people hide nothing: each is answered by itself',
    [ask('a', 'context.stage < 2'), ask('b', 'context.stage < 1')],
    [],
  ],
]

test.each(cases)('%s', (_why, texts, findings) => {
  expect(lint(...texts)).toEqual(findings)
})

test('every rule is shown here', () => {
  const shown = cases.flatMap(([, , findings]) => findings.map((line) => line.split(' ')[2]))
  expect(LINT_RULES.filter((rule) => !shown.includes(rule))).toEqual([])
})

describe('layers', () => {
  test('no style is asked of what the project did not write', () => {
    const text = '@id("x") permit (principal, action, resource);'
    for (const layer of ['profile', 'limits', 'builtin'] as const) {
      expect(lintPolicies({ policyFiles: [{ file: 'p', text, layer }], schema, people: PEOPLE }).findings).toEqual([])
    }
  })

  test('where people come from elsewhere, nobody says who cannot answer', () => {
    const policyFiles = [{ file: 'p', text: ask('x', 'context.stage < 2', 'role:cfo'), layer: 'project' as const }]
    expect(lintPolicies({ policyFiles, schema, people: undefined }).findings).toEqual([])
  })
})
