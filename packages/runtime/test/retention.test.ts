import { systemClock } from '@tidegate/crypto-node'
import type { Connector, Journal, JournalEvent, LogLine } from '@tidegate/kernel'
import { createMemoryJournal } from '@tidegate/testkit'
import { describe, expect, test } from 'vitest'
import { openControl, sweepRetention } from '../src/index.ts'
import { createWorld, listPlanner, OPS, startDesk } from './bench-desk.ts'

const DAY_MS = 86_400_000

/** A desk, and a sweep of it as of so many days later. */
async function stage(options: Parameters<typeof startDesk>[0] = {}) {
  const journal = createMemoryJournal()
  const desk = await startDesk({ journal, ...options })
  const lines: LogLine[] = []
  async function sweep(days: number, more: { over?: Journal; signal?: { readonly aborted: boolean } } = {}): Promise<number> {
    const { over = journal, ...rest } = more
    const control = await openControl(over, systemClock)
    const limits = { nowMs: Date.now() + days * DAY_MS, keepMs: 30 * DAY_MS, ...rest }
    return sweepRetention({ journal: over, control, log: (line) => lines.push(line) }, limits)
  }
  async function finished(event: string): Promise<string> {
    const run = await desk.trigger(event)
    await desk.tidegate.settled(run, 2_000)
    return run
  }
  const controlEvents = async (): Promise<readonly JournalEvent[]> =>
    (await journal.read('control')).flatMap((entry) => entry.events)
  return { ...desk, journal, sweep, finished, lines, controlEvents }
}

const isErased = async (journal: Journal, run: string) => (await journal.read(`run/${run}`)).some((entry) => entry.erased)
const BOUNCED: Connector['execute'] = async () => ({ kind: 'failed', failure: 'semantic', retry: 'never', message: 'bounced' })

describe('retention', () => {
  test('erases what finished too long ago, keeps the rest, records it and says how many', async () => {
    const { journal, sweep, finished, tidegate, lines, controlEvents } = await stage()
    const run = await finished('e1')
    const size = journal.head().size
    expect([await sweep(29), await isErased(journal, run), lines]).toEqual([0, false, []])
    expect([await sweep(31), await isErased(journal, run)]).toEqual([1, true])
    expect(await controlEvents()).toMatchObject([{ type: 'run.erased', run, by: 'tidegate:retention' }])
    expect([journal.head().size, lines.length]).toEqual([size + 1, 1])
    await expect(tidegate.run(run)).rejects.toMatchObject({ code: 'run_erased' })
    expect(await sweep(32)).toBe(0)
    await tidegate.close()
  })

  test('leaves runs that are not finished, however old', async () => {
    const { journal, sweep, tidegate, trigger } = await stage()
    await tidegate.stop({ person: OPS, scope: 'global', mode: 'hold', why: 'test' })
    const run = await trigger('e1')
    await tidegate.harness.idle()
    expect([await sweep(400), await isErased(journal, run)]).toEqual([0, false])
    await tidegate.close()
  })

  test('leaves runs as long as something of theirs waits for a person', async () => {
    const world = createWorld()
    const { journal, sweep, finished, tidegate } = await stage({ connector: { ...world, execute: BOUNCED } })
    const run = await finished('e1')
    const items = await tidegate.queue({ all: false })
    expect([items.length > 0, await sweep(400), await isErased(journal, run)]).toEqual([true, 0, false])
    for (const { item } of items) await tidegate.resolve(item, { person: OPS, why: 'settled by hand' })
    expect([await sweep(400), await isErased(journal, run)]).toEqual([1, true])
    await tidegate.close()
  })

  test('leaves a run that another one is taking back, until that one is done', async () => {
    const { journal, sweep, finished, tidegate } = await stage()
    const run = await finished('e1')
    await tidegate.stop({ person: OPS, scope: 'global', mode: 'hold', why: 'test' })
    const undo = await tidegate.undo(run, { person: OPS, why: 'wrong customer' })
    await tidegate.harness.idle()
    expect([undo.kind, await sweep(400), await isErased(journal, run)]).toEqual(['opened', 0, false])
    await tidegate.lift({ person: OPS, scope: 'global', why: 'test' })
    await tidegate.harness.idle()
    expect((await tidegate.run(run))?.undoneBy).toBe(undo.kind === 'opened' ? undo.run : '')
    expect(await sweep(400)).toBe(2)
    await tidegate.close()
  })

  test('an undo run ends although what it takes back has been erased meanwhile', async () => {
    const world = createWorld()
    const { journal, finished, tidegate } = await stage({ connector: world })
    const run = await finished('e1')
    await tidegate.stop({ person: OPS, scope: 'global', mode: 'hold', why: 'test' })
    const undo = await tidegate.undo(run, { person: OPS, why: 'wrong customer' })
    if (undo.kind !== 'opened') throw new Error(undo.message)
    await journal.erase(`run/${run}`)
    await tidegate.lift({ person: OPS, scope: 'global', why: 'test' })
    await tidegate.harness.idle()
    expect((await tidegate.run(undo.run))?.final).toBe('completed')
    expect(world.done).toEqual(['desk.set 0', 'desk.unset 0'])
    await tidegate.close()
  })

  test('what is erased is refused to everybody who asks for it, and lists go on without it', async () => {
    const { journal, finished, tidegate } = await stage()
    const run = await finished('e1')
    await journal.erase(`run/${run}`)
    await expect(tidegate.undo(run, { person: OPS, why: 'late' })).rejects.toMatchObject({ code: 'run_erased' })
    await expect(tidegate.resolve(`${run}.q1`, { person: OPS, why: 'late' })).rejects.toMatchObject({ code: 'run_erased' })
    expect([await tidegate.approvals({ state: 'all' }), await tidegate.queue({ all: true })]).toEqual([[], []])
    expect((await tidegate.runs({ limit: 5 })).map((head) => head.run)).toEqual([run])
    await tidegate.close()
  })

  test('a crash between the record and the erasing erases the next time', async () => {
    const { journal, sweep, finished, tidegate, controlEvents } = await stage()
    const run = await finished('e1')
    const failing: Journal = {
      ...journal,
      erase: async () => {
        throw new Error('the power is gone')
      },
    }
    await expect(sweep(31, { over: failing })).rejects.toThrow('the power is gone')
    expect(await isErased(journal, run)).toBe(false)
    expect([await sweep(31), await isErased(journal, run), (await controlEvents()).length]).toEqual([1, true, 2])
    await tidegate.close()
  })

  test('ends between two runs when it is told to', async () => {
    const { sweep, finished, tidegate } = await stage()
    for (const event of ['e1', 'e2']) await finished(event)
    expect(await sweep(31, { signal: { aborted: true } })).toBe(0)
    expect(await sweep(31)).toBe(2)
    await tidegate.close()
  })

  test('goes through more runs than one page holds', async () => {
    const { sweep, tidegate, trigger } = await stage({ planner: listPlanner([]) })
    for (let i = 0; i < 520; i += 65) await Promise.all(Array.from({ length: 65 }, (_, n) => trigger(`e${i + n}`)))
    await tidegate.harness.idle()
    expect(await sweep(31)).toBe(520)
    await tidegate.close()
  })
})
