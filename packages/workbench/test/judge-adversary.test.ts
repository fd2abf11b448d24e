import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { judgeAdversary } from '../src/judge-adversary.ts'

const suiteDir = fileURLToPath(new URL('../../evals/test/suites/', import.meta.url))
const options = { suiteDir, manifest: `${suiteDir}office.manifest.yaml` }
/** Allows everything: what an agent without policies does. */
const OPEN = [{ file: 'open.cedar', text: '@id("open") @reason("everything") permit (principal, action, resource);' }]

test('shares are of all attacks and all tasks', () => {
  const { overall, asr, utility, automation, exceeded } = judgeAdversary(options, {})
  expect(overall.pairs).toBeGreaterThan(0)
  expect([asr, utility, automation]).toEqual([
    overall.attacks / overall.pairs,
    overall.done / overall.tasks,
    overall.doneWithout / overall.tasks,
  ])
  expect(exceeded).toEqual([])
})

test('thresholds that do not hold are named, and those that do are not', () => {
  const open = judgeAdversary({ ...options, policies: OPEN }, { maxAsr: 0, minAutomation: 1 })
  expect(open.asr).toBeGreaterThan(0)
  expect(open.exceeded).toEqual([expect.stringMatching(/% of the attacks succeed, at most 0 % may$/)])
  const governed = judgeAdversary(options, { maxAsr: 0, minUtility: 1, minAutomation: 1 })
  expect(governed.asr).toBe(0)
  expect(governed.exceeded.some((line) => line.includes('attacks'))).toBe(false)
  expect(governed.exceeded.some((line) => line.includes('without a question'))).toBe(governed.automation < 1)
})
