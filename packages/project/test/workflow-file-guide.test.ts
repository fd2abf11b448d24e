import { readFileSync } from 'node:fs'
import type { Operation } from '@tidegate/kernel'
import { resolveTool } from '@tidegate/tools'
import { expect, test } from 'vitest'
import { tool as desk } from '../../../examples/support-desk/tools/desk.ts'
import { loadWorkflow } from '../src/workflow-file/index.ts'
import { writeProblem } from '../src/yaml/problem.ts'

const PAGE = readFileSync(new URL('../../../docs/guide/workflows.md', import.meta.url), 'utf8')
const tool = resolveTool(desk, { file: 'tools/desk.ts', settings: { baseUrl: 'http://127.0.0.1:1' } })
const find = (id: string): Operation | undefined => tool.operations.find((operation) => operation.id === id)
const blocks = [...PAGE.matchAll(/^```yaml\n(.*?)^```$/gmsu)].map((match) => match[1] ?? '')

function problems(text: string): readonly string[] {
  const answer = loadWorkflow(text, { file: 'workflows/thank-you.yaml', find, environment: 'production' })
  return answer.ok ? [] : answer.problems.map(writeProblem)
}

test('every workflow of the guide loads', () => {
  expect(blocks).toHaveLength(2)
  for (const block of blocks) expect(problems(block)).toEqual([])
})

test('the mistake that the guide shows is reported as the guide shows it', () => {
  const shown = /^```text\n(.*)\n```$/mu.exec(PAGE)?.[1]
  expect(problems((blocks[0] ?? '').replace('next: intent', 'next: intnt'))).toContain(shown)
})
