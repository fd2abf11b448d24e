import type { Journal, Operation, Planner } from '@tidegate/kernel'
import { createDisk, createMemoryJournal } from '@tidegate/testkit'
import { describe, expect, test } from 'vitest'
import { createWorld, listPlanner, READ, SET, startDesk, UNDO } from './bench-desk.ts'

const immediate = (ids: readonly string[]): Planner => ({ ...listPlanner(ids), immediate: true })

describe('a run that is opened', () => {
  test('stands in one record with the first action of a planner that answers at once', async () => {
    const disk = createDisk()
    const { tidegate, trigger } = await startDesk({
      journal: createMemoryJournal(disk),
      planner: immediate(['desk.set']),
    })
    const run = await trigger('e1')
    const [first] = disk.entries.filter(({ stream }) => stream === `run/${run}`)
    expect(first?.events.map(({ type }) => type)).toEqual(['run.opened', 'action.proposed', 'action.decided', 'effect.started'])
    expect(await tidegate.settled(run, 2_000)).toMatchObject({ state: 'completed' })
    await tidegate.close()
  })

  test('is answered for before a planner that takes its time is asked', async () => {
    const disk = createDisk()
    const thinking = Promise.withResolvers<void>()
    const planner: Planner = {
      async next(view) {
        await thinking.promise
        return listPlanner(['desk.set']).next(view)
      },
    }
    const { tidegate, trigger } = await startDesk({ journal: createMemoryJournal(disk), planner })
    const run = await trigger('e1')
    expect(disk.entries.flatMap(({ events }) => events).map(({ type }) => type)).toEqual(['run.opened'])
    thinking.resolve()
    expect(await tidegate.settled(run, 2_000)).toMatchObject({ state: 'completed' })
    await tidegate.close()
  })

  test.each([true, false])('is one for each event, also at the same moment (planner immediate: %s)', async (isImmediate) => {
    const world = createWorld()
    const planner = isImmediate ? immediate(['desk.set']) : listPlanner(['desk.set'])
    const { tidegate, trigger } = await startDesk({ connector: world, planner })
    const runs = await Promise.all(['e1', 'e1', 'e1'].map(trigger))
    await tidegate.harness.idle()
    expect(new Set(runs).size).toBe(1)
    expect(world.done).toEqual(['desk.set 0'])
    await tidegate.close()
  })

  test('H3: is in the journal, and failed there, when something broke before its first record', async () => {
    const { tidegate, trigger } = await startDesk({ operations: [READ, cursed(), UNDO], planner: immediate(['desk.set']) })
    const run = await trigger('e1')
    await tidegate.harness.idle()
    expect(await tidegate.run(run)).toMatchObject({ final: 'failed', failure: 'defect' })
    await tidegate.close()
  })

  test('is refused when the store does not take it, and nothing is done', async () => {
    const world = createWorld()
    const journal = failing(createMemoryJournal())
    const { tidegate, trigger } = await startDesk({ connector: world, journal, planner: immediate(['desk.set']) })
    await expect(trigger('e1')).rejects.toMatchObject({ code: 'journal_full' })
    expect(world.done).toEqual([])
    await tidegate.close()
  })
})

function failing(journal: Journal): Journal {
  return {
    ...journal,
    append: async (draft) => {
      if (!draft.stream.startsWith('run/')) return journal.append(draft)
      throw Object.assign(new Error('the disk is full'), { code: 'journal_full' })
    },
  }
}

/** An operation that breaks whoever decides on it, as a defect of ours would. */
function cursed(): Operation {
  const get = (): never => {
    throw new Error('a defect')
  }
  return Object.defineProperty({ ...SET }, 'records', { get })
}
