import { createCedarEngine, generateSchema } from '@tidegate/cedar'
import { resolveVerdict } from '@tidegate/kernel'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { planPolicies } from '../src/plan/plan-policies.ts'
import { requestOf } from '../src/request/facts.ts'
import { condition, facts } from './arbitraries.ts'
import { operation } from './operation.ts'

const read = operation('desk.read')
const workflow = {
  name: 'w',
  agent: 'clerk',
  environment: 'production',
  stage: 3,
  operations: new Map([['desk.read', { confine: {} }]]),
}
const schema = generateSchema([read], [workflow])

const policy = fc
  .tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('permit', 'forbid', 'ask'), condition)
  .map(([id, kind, when]) => {
    const own = `context.approvals.contains("${id}")`
    if (kind === 'ask')
      return {
        id,
        text: `@id("${id}") @reason("x") @outcome("ask") @approvers("role:r") forbid (principal, action, resource) when { ${when} } unless { ${own} };`,
      }
    return { id, text: `@id("${id}") @reason("x") ${kind} (principal, action, resource) when { ${when} };` }
  })
const set = fc
  .uniqueArray(policy, { selector: ({ id }) => id, minLength: 1 })
  .map((list) => [PERMIT, ...list.map(({ text }) => text)].join('\n'))
const PERMIT = '@id("all") @reason("x") permit (principal, action, resource) when { context.attempts < 4 };'

function engineOf(text: string) {
  return createCedarEngine({ policies: [{ file: 'x', text }], schema })
}

test('law: a plan that says it is complete leaves out no change that any request shows', () => {
  const seen = { changed: 0, complete: 0 }
  fc.assert(
    fc.property(set, set, fc.array(facts, { minLength: 30, maxLength: 30 }), (before, after, requests) => {
      let engines: readonly ReturnType<typeof engineOf>[]
      try {
        engines = [engineOf(before), engineOf(after)]
      } catch {
        return // Cedar's validator sees that one of them can never match.
      }
      const project = {
        policyFiles: [{ file: 'x', text: after, layer: 'project' }],
        schema,
        operations: [read],
        workflows: [{ workflow }],
        configuration: { people: [] },
      }
      // Sound: what a plan looks at of a project is there.
      const { decisions } = planPolicies(project as unknown as Parameters<typeof planPolicies>[0], {
        before: [{ file: 'x', text: before }],
        samples: 1_500,
      })
      if (decisions === null || !decisions.exhaustive) return
      seen.complete += 1
      const planned = new Set(decisions.changes.map((change) => `${change.before} -> ${change.after}`))
      for (const { risk: _, ...overrides } of requests) {
        const request = requestOf({ workflow, operation: read, arguments: {}, facts: overrides }, [])
        const [old, fresh] = engines.map((engine) => resolveVerdict(engine.evaluate(request), engine.version).outcome)
        if (old === fresh) continue
        seen.changed += 1
        expect(planned).toContain(`${old} -> ${fresh}`)
      }
    }),
    { numRuns: 40 },
  )
  expect(seen.complete).toBeGreaterThan(8)
  expect(seen.changed).toBeGreaterThan(15)
})
