import { readFileSync } from 'node:fs'
import { generateSchema, loadPolicies } from '@tidegate/cedar'
import { expect, test } from 'vitest'
import { tool } from '../tools/desk.ts'

const PAGE = readFileSync(new URL('../../../docs/guide/policy.md', import.meta.url), 'utf8')
const { operations } = tool({ settings: { baseUrl: 'http://127.0.0.1:7444' } })
const schema = generateSchema(operations, [{ name: 'support-billing', agent: 'support-desk' }])
const blocks = [...PAGE.matchAll(/^```cedar\n(.*?)^```$/gmsu)].map(([, block]) => block ?? '')

test('every policy of the guide loads', () => {
  expect(blocks.length).toBeGreaterThan(0)
  const ids = blocks.flatMap((text) => loadPolicies([{ file: 'policies/guide.cedar', text }], schema)).map(({ id }) => id)
  expect(ids).toEqual(['low-runs', 'high-asks'])
})

test('the mistake that the guide shows is refused as the guide shows it', () => {
  const [, word, instead] = /context\.risk is never "(\w+)", did you mean "(\w+)"\?/.exec(PAGE) ?? []
  const text = (blocks[0] ?? '').replaceAll(`context.risk == "${instead}"`, `context.risk == "${word}"`)
  expect(() => loadPolicies([{ file: 'policies/risk.cedar', text }], schema)).toThrow(`context.risk is never "${word}"`)
})
