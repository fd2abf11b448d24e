import type { RunHead, RunQuery } from '@tidegate/kernel'
import { summariseCalibration } from '@tidegate/kernel'
import { describe, expect, test } from 'vitest'
import { calibrate } from '../src/desk/calibration.ts'

function head(run: string, changes: Partial<RunHead>): RunHead {
  return {
    run,
    workflow: 'w',
    agent: 'a',
    state: 'completed',
    failure: null,
    summary: '',
    openedAtMs: 0,
    updatedAtMs: 0,
    wakeAtMs: null,
    effects: 0,
    openApprovals: [],
    openItems: 0,
    undoes: null,
    ...changes,
  }
}

function journalOf(heads: readonly RunHead[]) {
  return {
    runs: async ({ states, workflow, before, limit }: RunQuery) =>
      heads
        .filter((each) => states?.includes(each.state) !== false && (workflow === undefined || each.workflow === workflow))
        .filter((each) => before === undefined || each.run < before)
        .slice(0, limit),
  }
}

describe('calibration', () => {
  test('a completed run was right, a failed one wrong; what people ended, undo runs and old heads say nothing', async () => {
    const journal = journalOf([
      head('6', { confidences: { classification: 9_000, extraction: 8_000 } }),
      head('5', { state: 'failed', confidences: { classification: 9_000 } }),
      head('4', { state: 'escalated', confidences: { classification: 100 } }),
      head('3', { undoes: '1', confidences: { classification: 100 } }),
      head('2', {}),
      head('1', { state: 'undone', workflow: 'other', confidences: { classification: 1_000 } }),
    ])
    const all = await calibrate({ journal }, undefined)
    expect(all.runs).toBe(3)
    expect(summariseCalibration(all.calibration.classification)).toMatchObject({ count: 3, accuracy: 1 / 3 })
    expect(summariseCalibration(all.calibration.extraction)).toMatchObject({ count: 1, accuracy: 1, meanConfidence: 0.8 })
    expect(summariseCalibration(all.calibration.retrieval)).toBeUndefined()
    expect((await calibrate({ journal }, 'other')).runs).toBe(1)
  })

  test('goes on over more runs than fit one page', async () => {
    const many = Array.from({ length: 1_201 }, (_, i) => head(String(9_999 - i), { confidences: { retrieval: 10_000 } }))
    expect((await calibrate({ journal: journalOf(many) }, undefined)).runs).toBe(1_201)
  })
})
