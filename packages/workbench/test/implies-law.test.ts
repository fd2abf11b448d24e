import { createCedarEngine, generateSchema, readPolicies } from '@tidegate/cedar'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formulaOf } from '../src/condition/formula.ts'
import { implies } from '../src/condition/implies.ts'
import { type FactOverrides, requestOf } from '../src/request/facts.ts'
import { condition, facts } from './arbitraries.ts'
import { operation } from './operation.ts'

const read = operation('desk.read')
const workflow = { name: 'w', agent: 'clerk', environment: 'production', stage: 3 }
const schema = generateSchema([read], [workflow])

/** Which of the two conditions hold of a request, by the engine that decides. */
function engineOf(premise: string, conclusion: string) {
  const text = `@id("a") permit (principal, action, resource) when { ${premise} }; @id("b") permit (principal, action, resource) when { ${conclusion} };`
  const { policies } = readPolicies([{ file: 'x', text }])
  const engine = createCedarEngine({ policies: [{ file: 'x', text }], schema })
  const holds = (overrides: FactOverrides): readonly string[] => {
    const verdict = engine.evaluate(requestOf({ workflow, operation: read, arguments: {}, facts: overrides }, []))
    if (verdict.kind === 'broken') throw new Error(verdict.message)
    return verdict.kind === 'permitted' ? verdict.permits.map(({ id }) => id) : []
  }
  return { formulas: policies.map(({ json }) => formulaOf(json)), holds }
}

test('law: what is said to follow does follow, for every request that the engine is asked', () => {
  const proved = { yes: 0, no: 0 }
  fc.assert(
    fc.property(condition, condition, fc.array(facts, { minLength: 20, maxLength: 20 }), (premise, other, requests) => {
      // Half of the conclusions are weaker on purpose, so that enough of them follow.
      const conclusion = other.length % 2 === 0 ? other : `(${other} || ${premise})`
      let engine: ReturnType<typeof engineOf>
      try {
        engine = engineOf(premise, conclusion)
      } catch {
        return // Cedar's validator sees that one of them can never match.
      }
      const { formulas, holds } = engine
      const [a, b] = formulas
      if (a === undefined || b === undefined) throw new Error('two policies')
      const follows = implies(a, b, schema.words)
      proved[follows === true ? 'yes' : 'no'] += 1
      if (follows !== true) return
      for (const request of requests) {
        const matched = holds(request)
        expect(!matched.includes('a') || matched.includes('b')).toBe(true)
      }
    }),
    { numRuns: 60 },
  )
  expect(proved.yes).toBeGreaterThan(8)
  expect(proved.no).toBeGreaterThan(8)
})
