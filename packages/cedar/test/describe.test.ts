import { diffPolicySets, isSamePolicies } from '@tidegate/kernel'
import { describe, expect, test } from 'vitest'
import { describePolicies, readPolicies } from '../src/index.ts'

const TEXT = `@id("a")
@outcome("ask") @approvers("role:lead x2") @reason("large")
forbid (principal == Agent::"x", action in [Action::"desk.a", Action::"desk.b"], resource)
when { context.risk == "high" }
unless { context.approvals.contains("a") };`

function described(text: string) {
  const { policies, issues } = readPolicies([{ file: 'p.cedar', text }])
  expect(issues).toEqual([])
  return describePolicies(policies)
}

describe('a policy by its meaning', () => {
  test('scope and condition stand on one line each', () => {
    expect(described(`// first\n${TEXT}`)).toEqual([
      {
        ...{ id: 'a', effect: 'forbid', outcome: 'ask', reason: 'large', file: 'p.cedar', line: 2 },
        approvers: [{ role: 'lead', count: 2 }],
        scope: 'principal == Agent::"x", action in [Action::"desk.a", Action::"desk.b"], resource',
        condition: 'when { context.risk == "high" } unless { context.approvals.contains("a") }',
      },
    ])
    expect(described('@id("a") permit (principal, action, resource);')).toMatchObject([
      { effect: 'permit', outcome: 'allow', scope: 'principal, action, resource', condition: '' },
    ])
  })

  test.each([
    ['layout', TEXT.replaceAll('\n', '  \n '), true],
    ['comments', TEXT.replace('when', '// a ) comment; with marks\nwhen'), true],
    ['brackets', TEXT.replace('context.risk == "high"', '(((context.risk) == ("high")))'), true],
    ['the order of annotations', TEXT.replace('@reason("large")', '').replace('@id("a")', '@reason("large") @id("a")'), true],
    ['a word', TEXT.replace('"high"', '"low"'), false],
    ['when for unless', TEXT.replace('unless', 'when'), false],
    ['an operation', TEXT.replace('desk.b', 'desk.c'), false],
    ['a bracket in a text', TEXT.replace('"high"', '"high)"'), false],
  ])('%s', (_why, text, same) => {
    expect(isSamePolicies(diffPolicySets(described(TEXT), described(text)))).toBe(same)
  })
})

test('reads what is in order and says what is not, without a schema', () => {
  const { policies, issues } = readPolicies([
    {
      file: 'p.cedar',
      text: `${TEXT}\n@id("b") permit (principal, action == Action::"nobody.knows", resource);\n@id("b") permit (`,
    },
    { file: 'q.cedar', text: '@id("a") permit (principal, action, resource);' },
  ])
  expect(policies.map(({ id, line, column }) => [id, line, column])).toEqual([
    ['a', 1, 1],
    ['b', 6, 1],
  ])
  expect(issues.map(({ code, file, line }) => [code, file, line])).toEqual([
    ['policy_syntax', 'p.cedar', 7],
    ['policy_duplicate_id', 'q.cedar', 1],
  ])
})
