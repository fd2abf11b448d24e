import { createDisk, createMemoryJournal } from '@tidegate/testkit'
import { expect, test } from 'vitest'
import { OTTO, READ, SET, startChangeBench, UNDO } from './change-bench.ts'

const CHANGED = { ...SET, title: 'Set, and tell everybody', schemaVersion: '2' }
const FRESH = { ...SET, id: 'desk.put', schemaVersion: '1' }

test('an operation that has changed is denied until a reviewer accepts it as it is', async () => {
  const disk = createDisk()
  const first = await startChangeBench({ journal: createMemoryJournal(disk) })
  expect(await first.outcomeOf(await first.work())).toBe('allow')

  const bench = await startChangeBench({ journal: createMemoryJournal(disk), operations: [READ, CHANGED, UNDO] })
  expect(bench.lines.find(({ code }) => code === 'operations_quarantined')?.message).toMatch(/desk\.set.*tidegate tools review/)
  const run = await bench.work()
  expect((await bench.tidegate.run(run))?.actions[0]?.decision?.policies[0]?.id).toBe('tidegate:quarantined')
  expect(bench.changes.reviewTools()).toMatchObject([
    {
      operation: 'desk.set',
      version: '2',
      accepted: '1',
      before: { title: 'desk.set' },
      after: { title: 'Set, and tell everybody' },
    },
  ])

  const accepted = await bench.changes.acceptTool({ person: OTTO, operation: 'desk.set', why: 'looked at it' })
  if (accepted.kind === 'refused') throw new Error(accepted.message)
  const { view, head } = await bench.approve(accepted.run)
  expect(view.preview).toMatchObject({ before: { title: 'desk.set' }, after: { title: 'Set, and tell everybody' } })
  expect(head.state).toBe('completed')
  expect(await bench.outcomeOf(await bench.work())).toBe('allow')
  expect(bench.changes.reviewTools()).toEqual([])
  expect(await bench.changes.acceptTool({ person: OTTO, operation: 'desk.set', why: 'again' })).toMatchObject({
    code: 'nothing_to_change',
  })

  const undone = await bench.tidegate.undo(accepted.run, { person: OTTO, why: 'not so good' })
  if (undone.kind === 'refused') throw new Error(undone.message)
  expect((await bench.approve(undone.run)).head.state).toBe('completed')
  expect(bench.changes.reviewTools().map(({ operation }) => operation)).toEqual(['desk.set'])
})

test('a new operation counts as changed, and what was accepted stays so over a restart', async () => {
  const disk = createDisk()
  await startChangeBench({ journal: createMemoryJournal(disk) })
  const operations = [READ, SET, UNDO, FRESH]
  const bench = await startChangeBench({ journal: createMemoryJournal(disk), operations })
  expect(bench.changes.reviewTools()).toMatchObject([{ operation: 'desk.put', accepted: null, before: null }])
  const accepted = await bench.changes.acceptTool({ person: OTTO, operation: 'desk.put', why: 'needed' })
  if (accepted.kind === 'refused') throw new Error(accepted.message)
  await bench.approve(accepted.run)
  const again = await startChangeBench({ journal: createMemoryJournal(disk), operations })
  expect(again.changes.reviewTools()).toEqual([])
})

test('without reviewers changed operations are accepted at the start, and that is recorded', async () => {
  const disk = createDisk()
  await startChangeBench({ journal: createMemoryJournal(disk), reviewers: [] })
  const bench = await startChangeBench({ journal: createMemoryJournal(disk), reviewers: [], operations: [READ, CHANGED, UNDO] })
  expect(await bench.outcomeOf(await bench.work())).toBe('allow')
  const events = disk.entries.flatMap((entry) => entry.events.filter(({ type }) => type === 'operations.accepted'))
  expect(events).toMatchObject([
    { cause: 'first_start', operations: { 'desk.read': '1', 'desk.set': '1' } },
    { cause: 'start', operations: { 'desk.set': '2' }, by: 'system:start' },
  ])
  const loaded = disk.entries.flatMap((entry) => entry.events.filter((event) => event.type === 'project.loaded'))
  expect(loaded.map(({ changed }) => changed)).toEqual([expect.arrayContaining(['desk.set', 'workflow w']), ['desk.set']])
})

test('an operation that nobody declares cannot be accepted', async () => {
  const { changes } = await startChangeBench()
  expect(await changes.acceptTool({ person: OTTO, operation: 'desk.nothing', why: 'w' })).toMatchObject({ code: 'not_found' })
})
