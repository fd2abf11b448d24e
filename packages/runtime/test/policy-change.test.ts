import { createDisk, createMemoryJournal } from '@tidegate/testkit'
import { expect, test } from 'vitest'
import { ANN, OTTO, PERMISSIVE, policies, RITA, startChangeBench, STRICT } from './change-bench.ts'

test('a change waits for a reviewer, and the next decision is made by what was agreed on', async () => {
  const bench = await startChangeBench()
  expect(await bench.outcomeOf(await bench.work())).toBe('allow')
  const before = bench.store.version
  const proposed = await bench.changes.apply({ person: OTTO, files: policies(STRICT), backtest: { last: 100 }, why: 'no more' })
  if (proposed.kind === 'refused') throw new Error(proposed.message)
  const { head, view } = await bench.approve(proposed.run)
  expect(view.reasons).toEqual(['a change of policy or of a tool: somebody else looks at it first'])
  expect(view.preview).toMatchObject({ before: { version: before }, after: { version: proposed.version } })
  expect(head.state).toBe('completed')
  expect(bench.store.version).toBe(proposed.version)
  expect(await bench.outcomeOf(await bench.work())).toBe('deny')
})
