import type { Connector, ConnectorResult, Journal } from '@tidegate/kernel'
import { createDisk, createMemoryJournal, createVirtualClock } from '@tidegate/testkit'
import { describe, expect, test } from 'vitest'
import { createWorld, listPlanner, OPS, READ, SET, startDesk, UNDO } from './bench-desk.ts'

/** A world whose answers to one operation wait until they are let go. */
function slow(id: string) {
  const world = createWorld()
  const called = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const connector: Connector = {
    ...world,
    async execute(call) {
      if (call.operation !== id) return world.execute(call)
      called.resolve()
      await release.promise
      return world.execute(call)
    },
  }
  return { connector, done: world.done, called: called.promise, release: release.resolve }
}

describe('a server that is closed', () => {
  test('I4: while an effect is under way records its outcome, so that nobody has to look for it', async () => {
    const disk = createDisk()
    const { connector, called, release, done } = slow('desk.set')
    const operations = [READ, { ...SET, canReconcile: false }, UNDO] // who looks finds nobody to ask
    const first = await startDesk({ journal: createMemoryJournal(disk), connector, operations })
    const run = await first.trigger('e1')
    await called
    const closing = first.tidegate.close()
    release()
    await closing
    expect(disk.entries.flatMap((entry) => entry.events).map((event) => event.type)).toContain('effect.finished')
    const second = await startDesk({ journal: createMemoryJournal(disk), connector, operations })
    expect(await second.tidegate.settled(run, 2_000)).toMatchObject({ state: 'completed', openItems: 0 })
    expect(done).toEqual(['desk.set 0'])
    await second.tidegate.close()
  })
})

describe('a store that cannot be read', () => {
  const broken = (journal: Journal, code: string): Journal => ({
    ...journal,
    read: async () => {
      throw Object.assign(new Error('the disk fails'), { code, name: 'JournalError' })
    },
  })

  test('is no empty list: whoever asks what waits for people hears that nobody knows', async () => {
    const disk = createDisk()
    const world = createWorld()
    const bounced: ConnectorResult = { kind: 'failed', failure: 'semantic', retry: 'never', message: 'bounced' }
    const first = await startDesk({ journal: createMemoryJournal(disk), connector: { ...world, execute: async () => bounced } })
    await first.tidegate.settled(await first.trigger('e1'), 2_000)
    expect(await first.tidegate.queue({ all: false })).not.toEqual([])
    const journal = createMemoryJournal(disk)
    let failing = false
    const second = await startDesk({
      journal: {
        ...journal,
        read: (...of) => (failing ? broken(journal, 'journal_unwritable').read(...of) : journal.read(...of)),
      },
    })
    failing = true
    await expect(second.tidegate.queue({ all: false })).rejects.toMatchObject({ code: 'journal_unwritable' })
    await expect(second.tidegate.approvals({ state: 'all' })).rejects.toMatchObject({ code: 'journal_unwritable' })
    await second.tidegate.close()
  })
})

describe('the queue', () => {
  test('shows what waits for a person, however many runs came after it', async () => {
    const world = createWorld()
    let bounces = true
    const connector: Connector = {
      ...world,
      execute: async (call) =>
        bounces ? { kind: 'failed', failure: 'semantic', retry: 'never', message: 'bounced' } : world.execute(call),
    }
    const memory = createMemoryJournal()
    // As a store with more runs than one page of ten thousand: pages are shorter, and the newest come first.
    const journal: Journal = { ...memory, runs: (query) => memory.runs({ ...query, limit: Math.min(query.limit, 500) }) }
    const { tidegate, trigger } = await startDesk({ connector, journal, planner: listPlanner(['desk.set']) })
    const old = await trigger('old')
    await tidegate.settled(old, 2_000)
    bounces = false
    for (let i = 0; i < 600; i += 100) await Promise.all(Array.from({ length: 100 }, (_, n) => trigger(`e${i + n}`)))
    await tidegate.harness.idle()
    expect((await tidegate.queue({ all: false })).map((item) => item.run)).toEqual([old])
    await tidegate.close()
  })
})

test('an answer full of hidden text is recorded, and does not end the run as a defect', async () => {
  const world = createWorld()
  const hidden = Array.from({ length: 3_000 }, (_, i) => ({ [`key-${i}-${'x'.repeat(300)}`]: 'a\u200bb' }))
  const connector: Connector = {
    ...world,
    execute: async (call) =>
      call.operation === 'desk.set' ? { kind: 'done', output: { hidden }, complete: true } : world.execute(call),
  }
  const { tidegate, trigger, journal } = await startDesk({ connector })
  const run = await trigger('e1')
  expect((await tidegate.settled(run, 2_000))?.state).toBe('completed')
  const finished = (await journal.read(`run/${run}`)).flatMap((entry) => entry.events).filter((e) => e.type === 'effect.finished')
  expect(JSON.stringify(finished.map(({ sealed: _, ...open }) => open)).length).toBeLessThan(30_000)
  expect((await tidegate.run(run))?.confidence).toBeLessThan(10_000)
  await tidegate.close()
})

describe('I4: undoing', () => {
  test('does not make up a second time for what may have been made up for already', async () => {
    const world = createWorld()
    const calls: string[] = []
    const connector: Connector = {
      ...world,
      async execute(call) {
        calls.push(call.operation)
        if (call.operation === 'desk.send') return { kind: 'failed', failure: 'semantic', retry: 'never', message: 'bounced' }
        if (call.operation === 'desk.unset') return { kind: 'failed', failure: 'timeout', retry: 'unknown', message: 'silence' }
        return world.execute(call)
      },
      reconcile: async () => ({ kind: 'unknown', message: 'nobody knows' }),
    }
    const operations = [READ, SET, { ...UNDO, canReconcile: false }, { ...SET, id: 'desk.send' }]
    const planner = listPlanner(['desk.set', 'desk.send'])
    const clock = createVirtualClock()
    const { tidegate, trigger } = await startDesk({ connector, operations, planner, clock })
    const run = await trigger('e1')
    for (let i = 0; i < 100 && (await tidegate.run(run))?.final === null; i++) {
      await new Promise((resolve) => setImmediate(resolve))
      clock.advanceTo(clock.nextAtMs() ?? clock.nowMs())
    }
    expect((await tidegate.run(run))?.final).toBe('failed')
    expect(calls.filter((id) => id === 'desk.unset')).toHaveLength(1)
    expect(await tidegate.undo(run, { person: OPS, why: 'try' })).toMatchObject({ kind: 'refused', code: 'nothing_to_undo' })
    await tidegate.harness.idle()
    expect(calls.filter((id) => id === 'desk.unset')).toHaveLength(1)
    await tidegate.close()
  })
})
