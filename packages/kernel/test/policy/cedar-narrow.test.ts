import {
  type CedarRecord,
  compilePolicies,
  type EstPolicy,
  explainPolicies,
  matchPolicies,
  narrowPolicies,
  type PolicySource,
} from '@tidegate/kernel'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ANY, asking, both, context, value } from './cedar-request.ts'

/** What is declared, and so hardly ever changes; what is observed, and changes with each request. */
const DECLARED = ['risk', 'nature', 'reversible', 'stage']
const declared = fc.record(
  {
    risk: fc.constantFrom('low', 'high', 7),
    nature: fc.constantFrom([], ['financial'], ['deletion', 'sharing'], ['financial', 3]),
    reversible: fc.constantFrom(true, false, 'yes'),
    stage: fc.constantFrom(0, 3, 2.5),
  },
  { requiredKeys: ['nature'], noNullPrototype: true },
)
const observed = fc.record(
  { sure: fc.constantFrom(true, false, 'x'), count: fc.integer({ min: 0, max: 3 }) },
  { noNullPrototype: true },
)

const leaf = fc.constantFrom<unknown>(
  value(true),
  value(false),
  value(1),
  context('sure'),
  context('reversible'),
  context('risk', 'deeper'),
  both('==', context('risk'), value('low')),
  both('!=', context('stage'), value(3)),
  both('<', context('stage'), value(2)),
  both('>=', context('count'), value(2)),
  both('>', both('+', context('stage'), context('count')), value(3)),
  both('contains', context('nature'), value('financial')),
  both('containsAny', context('nature'), { Set: [value('sharing'), value('financial')] }),
  { has: { left: { Var: 'context' }, attr: 'stage' } },
  { isEmpty: { arg: context('nature') } },
)
const body = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.tuple(fc.constantFrom('&&', '||'), tie('any'), tie('any')).map(([operator, left, right]) => both(operator, left, right)),
    tie('any').map((arg) => ({ '!': { arg } })),
    fc
      .tuple(tie('any'), tie('any'), tie('any'))
      // biome-ignore lint/suspicious/noThenProperty: a word of the language
      .map((parts) => ({ 'if-then-else': { if: parts[0], then: parts[1], else: parts[2] } })),
  ),
})).any
const policy = fc.record({
  effect: fc.constantFrom('permit' as const, 'forbid' as const),
  conditions: fc.array(fc.record({ kind: fc.constantFrom('when' as const, 'unless' as const), body }), { maxLength: 3 }),
})

function sourcesOf(policies: readonly Pick<EstPolicy, 'effect' | 'conditions'>[]): readonly PolicySource[] {
  return policies.map((each, at) => ({ id: `p${at}`, policy: { ...each, principal: ANY, action: ANY, resource: ANY } }))
}

describe('policies narrowed to what is declared', () => {
  test('law: they answer as the others do, to the last failure, for every request', () => {
    fc.assert(
      fc.property(
        fc.array(policy, { maxLength: 5 }),
        fc.array(fc.tuple(declared, observed), { maxLength: 14 }),
        (given, contexts) => {
          const compiled = compilePolicies(sourcesOf(given))
          const narrowed = narrowPolicies(compiled, DECLARED)
          for (const [known, seen] of [...contexts, ...contexts]) {
            const request = asking({ ...known, ...seen } as CedarRecord)
            expect(matchPolicies(narrowed, request)).toEqual(matchPolicies(compiled, request))
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  const low: PolicySource = {
    id: 'low',
    policy: {
      ...{ effect: 'forbid', principal: ANY, action: ANY, resource: ANY },
      conditions: [{ kind: 'when', body: both('&&', both('==', context('risk'), value('low')), context('sure')) }],
    },
  }
  const of = (risk: string) => ({ principal: asking().principal, action: asking().action, resource: asking().resource, risk })

  test('what cannot be satisfied any more is not looked at, and is explained all the same', () => {
    const narrowed = narrowPolicies(compilePolicies([low]), ['risk'])
    const find = (risk: string) => {
      const { principal, action, resource } = of(risk)
      const entities = { size: 0, find: () => undefined }
      return narrowed.index.find({ principal, action, resource, context: { risk }, entities, actions: entities }).length
    }
    expect([find('high'), find('high'), find('low'), find('high')]).toEqual([1, 0, 1, 0])
    expect(explainPolicies(narrowed, asking({ risk: 'high', sure: true }))).toHaveLength(1)
  })

  test('a list that is changed later is another list', () => {
    const nature: string[] = []
    const financial: PolicySource = {
      id: 'f',
      policy: { ...low.policy, conditions: [{ kind: 'when', body: both('contains', context('nature'), value('financial')) }] },
    }
    const narrowed = narrowPolicies(compilePolicies([financial]), ['nature'])
    const ask = () => matchPolicies(narrowed, asking({ nature })).forbids
    expect([ask(), ask()]).toEqual([[], []])
    nature.push('financial')
    expect(ask()).toEqual(['f'])
  })
})
