import { createDisk, createMemoryJournal } from '@tidegate/testkit'
import { describe, expect, test } from 'vitest'
import { PERMISSIVE, propose, SET, startChangeBench, STRICT } from './change-bench.ts'

// What a later start, and somebody who asks later, find in the ledger.

describe('a later start', () => {
  test('without reviewers brings the files on disk into force, and records it', async () => {
    const disk = createDisk()
    await startChangeBench({ journal: createMemoryJournal(disk), reviewers: [] })
    const again = await startChangeBench({ journal: createMemoryJournal(disk), reviewers: [] })
    expect(again.store.history.versions).toHaveLength(1)
    const changed = await startChangeBench({ journal: createMemoryJournal(disk), reviewers: [], onDisk: STRICT })
    expect(changed.store.history.versions.map(({ cause, by }) => [cause, by])).toEqual([
      ['first_start', 'system:start'],
      ['start', 'system:start'],
    ])
    expect(await changed.outcomeOf(await changed.work())).toBe('deny')
  })

  test('with reviewers goes on with what is recorded, and says what to type', async () => {
    const disk = createDisk()
    const first = await startChangeBench({ journal: createMemoryJournal(disk) })
    const again = await startChangeBench({ journal: createMemoryJournal(disk), onDisk: STRICT })
    expect(again.store.version).toBe(first.store.version)
    expect(await again.outcomeOf(await again.work())).toBe('allow')
    const [line] = again.lines.filter(({ code }) => code === 'policy_not_applied')
    expect(line?.message).toMatch(/tidegate policy plan.*tidegate policy apply/)
    const garbage = await startChangeBench({ journal: createMemoryJournal(disk), onDisk: 'permit (' })
    expect(garbage.store.version).toBe(first.store.version)
    expect(garbage.lines.find(({ code }) => code === 'policy_not_applied')?.message).toContain('would be refused')
  })

  test('is refused when the recorded policies do not fit the tools any more', async () => {
    const disk = createDisk()
    await startChangeBench({ journal: createMemoryJournal(disk), onDisk: STRICT })
    const gone = { ...SET, id: 'desk.put' }
    const start = startChangeBench({ journal: createMemoryJournal(disk), onDisk: PERMISSIVE, operations: [gone] })
    await expect(start).rejects.toMatchObject({
      code: 'policy_unfit',
      message: expect.stringContaining('policies/desk.cedar:6:30'),
    })
  })

  test('records another version of the same texts when what is declared has changed', async () => {
    const disk = createDisk()
    await startChangeBench({ journal: createMemoryJournal(disk) })
    const more = { ...SET, id: 'desk.put' }
    const again = await startChangeBench({ journal: createMemoryJournal(disk), operations: [more, SET] })
    const [first, second] = again.store.history.versions
    expect([second?.cause, second?.texts === first?.texts, second?.version === first?.version]).toEqual(['schema', true, false])
  })
})

describe('explaining', () => {
  test('decides again with the policies of the day, also after they have changed', async () => {
    const disk = createDisk()
    const bench = await startChangeBench({ journal: createMemoryJournal(disk) })
    const allowed = await bench.work()
    await bench.approve(await propose(bench, STRICT))
    const denied = await bench.work()
    const again = await startChangeBench({ journal: createMemoryJournal(disk), onDisk: STRICT })
    const told = await Promise.all([allowed, denied].map((run) => again.changes.explain({ run, action: 0 })))
    const [old, fresh] = told.map((answer) => (answer.kind === 'explained' ? answer.decisions : []))
    expect(old).toMatchObject([{ verdict: 'agrees', recorded: { outcome: 'allow' }, rules: [{ id: 'desk-runs' }] }])
    expect(fresh).toMatchObject([{ verdict: 'agrees', recorded: { outcome: 'deny' }, rules: [{ id: 'no-set', line: 4 }] }])
    expect(fresh?.[0]?.hints).toEqual([expect.stringContaining('no-set (policies/desk.cedar:4)')])
  })

  test('says loudly when a decision does not come out as it was recorded', async () => {
    const disk = createDisk()
    const bench = await startChangeBench({ journal: createMemoryJournal(disk) })
    const run = await bench.work()
    for (const [i, entry] of disk.entries.entries()) {
      const events = entry.events.map((event) =>
        event.type === 'action.decided' && event.action === 0
          ? { ...event, policies: [{ id: 'other', reason: 'forged' }] }
          : event,
      )
      if (entry.stream === `run/${run}`) disk.entries[i] = { ...entry, events }
    }
    const answer = await bench.changes.explain({ run, action: 0 })
    expect(answer).toMatchObject({ decisions: [{ verdict: 'differs', recomputed: { policies: [{ id: 'desk-runs' }] } }] })
  })

  test('refuses what is erased, unknown, or never decided', async () => {
    const bench = await startChangeBench()
    const run = await bench.work()
    expect(await bench.changes.explain({ run: 'nothing' })).toMatchObject({ kind: 'refused', code: 'not_found' })
    expect(await bench.changes.explain({ run, action: 77 })).toMatchObject({ kind: 'refused', code: 'not_found' })
    await bench.journal.erase(`run/${run}`)
    expect(await bench.changes.explain({ run })).toMatchObject({ kind: 'refused', code: 'run_erased' })
  })

  test('tells a guard from a policy', async () => {
    const bench = await startChangeBench({ reviewers: [] })
    const refused = await propose(bench, STRICT)
    await bench.settled(refused)
    expect(await bench.changes.explain({ run: refused })).toMatchObject({
      decisions: [{ verdict: 'agrees' }, { verdict: 'agrees' }],
    })
  })
})
