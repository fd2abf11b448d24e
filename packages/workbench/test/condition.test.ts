import { readPolicies } from '@tidegate/cedar'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { answer, type Sample, samplesOf, type Words } from '../src/condition/answers.ts'
import { type Formula, formulaOf } from '../src/condition/formula.ts'
import { implies, satisfiable } from '../src/condition/implies.ts'

const WORDS: Words = { risk: ['low', 'medium', 'high', 'critical'], origins: ['user', 'model', 'third-party'] }

function formula(condition: string): Formula {
  const { policies, issues } = readPolicies([{ file: 'x', text: `@id("x") permit (principal, action, resource) ${condition};` }])
  const [policy] = policies
  if (policy === undefined) throw new Error(issues.map(({ message }) => message).join())
  return formulaOf(policy.json)
}

const when = (text = ''): Formula => formula(text === '' ? '' : `when { ${text} }`)

describe('implication', () => {
  test.each<[premise: string, conclusion: string, holds: boolean, why: string]>([
    ['context.risk == "high"', '', true, 'everything implies nothing'],
    ['', 'context.risk == "high"', false, 'nothing implies no word'],
    ['context.stage < 1', 'context.stage <= 3', true, 'a smaller number'],
    ['context.stage < 1', 'context.stage < 1', true, 'itself'],
    ['context.stage <= 1', 'context.stage < 1', false, 'the bound itself'],
    ['context.stage == 2', 'context.stage > 1 && 3 > context.stage', true, 'between'],
    ['context.stage >= 2', 'context.stage != 1', true, 'unequal'],
    ['context.risk == "high"', '["high", "critical"].contains(context.risk)', true, 'one of'],
    [
      'context.risk != "low" && context.risk != "medium"',
      'context.risk == "high" || context.risk == "critical"',
      true,
      'the words are all there are',
    ],
    ['context.user != "low"', 'context.user == "high"', false, 'other users exist'],
    ['context.origins.contains("model")', '!context.origins.isEmpty()', true, 'a member'],
    ['context.origins.containsAll(["user", "model"])', 'context.origins.containsAny(["model"])', true, 'all has any'],
    ['context.origins.containsAny(["user", "model"])', 'context.origins.contains("user")', false, 'any is not one'],
    [
      'context.arguments has amountMinor && context.arguments.amountMinor > 5000',
      'context.arguments has amountMinor && context.arguments.amountMinor > 2000',
      true,
      'guarded',
    ],
    ['context.arguments.amountMinor > 5000', 'context.arguments has amountMinor', false, 'it may be missing'],
    ['context.records * 2 > 4', 'context.records * 2 > 4', true, 'not understood, and the same'],
    ['context.records * 2 > 4', 'context.records > 2', false, 'not understood'],
    ['if context.compensating then context.stage > 2 else context.stage > 3', 'context.stage > 2', true, 'both branches'],
    ['context.now > datetime("2026-01-02")', 'context.now > datetime("2026-01-01")', true, 'later'],
    [
      'context.arguments.rate.greaterThan(decimal("1.5"))',
      'context.arguments.rate.greaterThan(decimal("1.25"))',
      true,
      'decimals',
    ],
  ])('%s -> %s is %s: %s', (premise, conclusion, holds) => {
    expect(implies(when(premise), when(conclusion), WORDS)).toBe(holds)
  })

  test('when and unless say the same in two ways', () => {
    const one = formula('when { context.risk == "high" } unless { context.compensating }')
    const two = formula('when { !(context.compensating || context.risk != "high") }')
    expect([implies(one, two, WORDS), implies(two, one, WORDS)]).toEqual([true, true])
  })

  test('gives up rather than guess', () => {
    const many = Array.from({ length: 30 }, (_, i) => `context.x${i}`)
    expect(implies(when(many.join(' || ')), when('context.x1'), WORDS)).toBeUndefined()
    expect(implies(when(many.join(' && ')), when('context.x1'), WORDS)).toBe(true)
    const effort = { left: 3 }
    expect(implies(when('context.x1 || context.x2'), when('context.x1'), WORDS, effort)).toBeUndefined()
  })
})

test.each([
  ['context.risk == "low" && context.risk == "high"', false],
  ['context.stage > 3 && context.stage < 4', false],
  ['context.origins.isEmpty() && context.origins.contains("user")', false],
  ['context.origins.contains("user") && context.origins.contains("model")', true],
  ['context.records + 1 > 2 && !(context.records + 1 > 2)', false],
])('%s can hold: %s', (text, holds) => {
  expect(satisfiable(when(text), WORDS)).toBe(holds)
})

test('law: for every value there is a sample that answers all questions alike', () => {
  const bound = fc.integer({ min: -20, max: 20 })
  fc.assert(
    fc.property(fc.array(bound, { minLength: 1, maxLength: 6 }), bound, (bounds, value) => {
      const tests = bounds.map((each) => ({ kind: 'atMost', bound: each, unit: 'long' }) as const)
      const answers = (sample: Sample) => tests.map((test) => answer(test, sample)).join()
      const { samples } = samplesOf('stage', tests, {})
      return samples.map(answers).includes(answers({ kind: 'number', value, unit: 'long' }))
    }),
  )
  fc.assert(
    fc.property(fc.subarray(['a', 'b', 'c']), fc.subarray(['a', 'b', 'c', 'd', 'e']), (asked, value) => {
      const tests = [...asked.map((text) => ({ kind: 'contains', text }) as const), { kind: 'empty' } as const]
      const answers = (sample: Sample) => tests.map((test) => answer(test, sample)).join()
      const { samples, complete } = samplesOf('tags', tests, {})
      return complete && samples.map(answers).includes(answers({ kind: 'texts', value }))
    }),
  )
})
