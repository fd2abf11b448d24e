import { nodeHasher } from '@tidegate/crypto-node'
import { foldEntry, type Journal, type Meter, openRun, type RunEvent, type RunState } from '@tidegate/kernel'
import { createDisk, createMemoryJournal, createVirtualClock, StoreFault } from '@tidegate/testkit'
import { expect, test } from 'vitest'
import {
  ambiguous,
  decided,
  done,
  FINISHED,
  meter,
  op,
  opened,
  proposed,
  started,
} from '../../../kernel/test/limit/run-events.ts'
import { openMeters, type SnapshotStore } from '../../src/meters/index.ts'
import { ledgerOf } from './memory-ledger.ts'

const NOW = 1_000_000

/** Meters on a journal that fails on demand, before or after it has written. */
async function openFaulty(meters: readonly Meter[] = [meter('m')], snapshots?: SnapshotStore) {
  const disk = createDisk()
  const inner = createMemoryJournal(disk)
  let fault: 'lost' | 'kept' | undefined
  const journal: Journal = {
    ...inner,
    async append(draft) {
      const now = fault
      fault = undefined
      if (now === 'lost') throw new StoreFault()
      const result = await inner.append(draft)
      if (now === 'kept') throw new StoreFault()
      return result
    },
  }
  const clock = createVirtualClock(NOW)
  const salt = new Uint8Array(32)
  const log = () => undefined
  const rest = snapshots === undefined ? {} : { snapshots }
  const opening = { meters, journal, ledger: ledgerOf(disk), clock, hasher: nodeHasher, salt, timeZone: 'UTC', log, ...rest }
  const counted = await openMeters(opening)
  const append = async (state: RunState | undefined, run: string, events: readonly RunEvent[]): Promise<RunState> => {
    const draft = { stream: `run/${run}`, expectedSeq: state?.seq ?? 0, events, atMs: NOW }
    const result = await counted.journal.append(draft)
    if (result.kind !== 'committed') throw new Error(result.kind)
    return state === undefined ? openRun(result.entry) : foldEntry(state, result.entry)
  }
  const reserve = (state: RunState, action = 0) =>
    counted.reserve({ state, waiting: [], action, isNew: true, operation: op('desk.set'), arguments: {} }).values.m
  return {
    counted,
    clock,
    append,
    reserve,
    fail: (how: 'lost' | 'kept') => {
      fault = how
    },
    read: (run: string) => inner.read(`run/${run}`),
  }
}

const START: readonly RunEvent[] = [proposed(0, 'desk.set'), decided(0, 'allow'), started(0)]

test('an append that failed and left nothing gives its room back with the next record of the run', async () => {
  const { counted, append, reserve, fail } = await openFaulty()
  const [a, b] = [await append(undefined, 'a', [opened('a')]), await append(undefined, 'b', [opened('b')])]
  reserve(a)
  fail('lost')
  await expect(append(a, 'a', START)).rejects.toThrow(StoreFault)
  counted.release('a')
  expect(reserve(b)).toBe(2)
  await append(a, 'a', [{ type: 'run.failing', failure: 'budget', sealed: { reason: '' } }])
  expect(reserve(b)).toBe(1)
})

test('one that failed although it is there is counted when the run goes on', async () => {
  const { counted, append, reserve, fail, read } = await openFaulty()
  const [a, b] = [await append(undefined, 'a', [opened('a')]), await append(undefined, 'b', [opened('b')])]
  reserve(a)
  fail('kept')
  await expect(append(a, 'a', START)).rejects.toThrow(StoreFault)
  counted.release('a')
  expect(reserve(b)).toBe(2)
  const kept = (await read('a')).slice(1).reduce(foldEntry, a)
  const unsure = await append(kept, 'a', [ambiguous(0)])
  expect(reserve(b)).toBe(2)
  await append(unsure, 'a', [FINISHED])
  expect(reserve(b)).toBe(2)
})

test('a run whose opening failed although it is there is taken up', async () => {
  const { append, reserve, fail, read } = await openFaulty()
  const b = await append(undefined, 'b', [opened('b')])
  fail('kept')
  await expect(append(undefined, 'a', [opened('a')])).rejects.toThrow(StoreFault)
  const [first] = await read('a')
  if (first === undefined) throw new Error('it is there')
  const started = await append(openRun(first), 'a', START)
  expect(reserve(b)).toBe(2)
  await append(started, 'a', [done(0), FINISHED])
  expect(reserve(b)).toBe(2)
})

test('what is refused as a conflict gives its room back at once', async () => {
  const { counted, append, reserve } = await openFaulty()
  const [a, b] = [await append(undefined, 'a', [opened('a')]), await append(undefined, 'b', [opened('b')])]
  reserve(a)
  const behind = { stream: 'run/a', expectedSeq: 0, events: START, atMs: NOW }
  expect((await counted.journal.append(behind)).kind).toBe('conflict')
  expect(reserve(b)).toBe(1)
})

test('counts are written down by themselves, not too often, and a store that fails stops nothing', async () => {
  const saved: string[] = []
  const snapshots: SnapshotStore = {
    load: async () => undefined,
    save: async (text) => {
      saved.push(text)
      if (saved.length === 2) throw new Error('disk full')
    },
  }
  const { counted, clock, append } = await openFaulty([meter('m')], snapshots)
  const many = async (count: number) => {
    for (let i = 0; i < count; i++)
      await counted.journal.append({ stream: 'control', expectedSeq: sequence++, events: [], atMs: NOW })
  }
  let sequence = 0
  await append(undefined, 'a', [opened('a')])
  await many(50)
  expect(saved).toHaveLength(0)
  await counted.save()
  await counted.save()
  await counted.save()
  expect(saved).toHaveLength(3)
  expect(saved[2]).toContain('"anchor"')
  await many(50_000)
  expect(saved).toHaveLength(3) // not a minute has passed
  clock.advanceTo(NOW + 120_000)
  await many(1)
  await counted.save()
  expect(saved).toHaveLength(5)
})

test('no meters cost nothing: the journal is handed through, and policy still sees what the run used', async () => {
  const { counted, append } = await openFaulty([])
  const state = await append(undefined, 'a', [opened('a')])
  const request = { state, waiting: [], action: 0, isNew: true, operation: op('desk.set'), arguments: {} }
  expect(counted.reserve(request)).toEqual({ values: { run_steps: 1, run_tokens: 0, run_cost_micros: 0 }, metered: undefined })
})
