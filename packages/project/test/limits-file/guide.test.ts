import { readFileSync } from 'node:fs'
import { createCedarEngine, generateSchema } from '@tidegate/cedar'
import { limitPolicies, meterNames } from '@tidegate/kernel'
import { resolveTool } from '@tidegate/tools'
import { expect, test } from 'vitest'
import { tool as desk } from '../../../../examples/support-desk/tools/desk.ts'
import { parseLimits } from '../../src/limits-file/index.ts'
import { writeProblem } from '../../src/yaml/problem.ts'

const PAGE = readFileSync(new URL('../../../../docs/guide/limits.md', import.meta.url), 'utf8')
const { operations } = resolveTool(desk, { file: 'tools/desk.ts', settings: { baseUrl: 'http://127.0.0.1:1' } })
const blocks = (kind: string) =>
  [...PAGE.matchAll(new RegExp(`^\`\`\`${kind}\\n(.*?)^\`\`\`$`, 'gmsu'))].map((match) => match[1] ?? '')
const all = blocks('yaml').join('\n')

function problems(text: string): readonly string[] {
  const answer = parseLimits([{ file: 'limits/money.yaml', text }], operations)
  return answer.ok ? [] : answer.problems.map(writeProblem)
}

test('every limit of the guide loads, and so does the policy that reads one', () => {
  expect(blocks('yaml')).toHaveLength(5)
  expect(problems(all)).toEqual([])
  const answer = parseLimits([{ file: 'limits/money.yaml', text: all }], operations)
  const meters = answer.ok ? answer.meters : []
  expect(meters).toHaveLength(8)
  const schema = generateSchema(operations, [{ name: 'w', agent: 'billing' }], {
    meters: meterNames(meters),
    roles: ['billing-lead'],
  })
  const policies = [...limitPolicies(meters, operations), { file: 'guide.cedar', text: blocks('cedar').join('\n') }]
  expect(createCedarEngine({ policies, schema }).policies).toHaveLength(10)
})

test('the mistake that the guide shows is reported as the guide shows it', () => {
  const shown = blocks('text')
    .find((text) => text.includes('desk.refnd'))
    ?.trim()
  expect(problems(all.replace('desk.refund.small', 'desk.refnd.small'))).toContain(shown)
})
