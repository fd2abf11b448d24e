import { systemClock } from '@tidegate/crypto-node'
import { expect, test } from 'vitest'
import { backtestLedger } from '../src/index.ts'
import { OTTO, policies, startChangeBench, STRICT } from './change-bench.ts'

const EVERYTHING = { last: 1_000, timeMs: 10_000 }

/** Three runs of the desk, each of one write and one read, under the permissive policies. */
async function threeRuns() {
  const bench = await startChangeBench()
  const runs = [await bench.work(), await bench.work(), await bench.work()]
  const loading = await bench.store.load(policies(STRICT))
  if (loading.kind === 'refused') throw loading.cause
  const parts = { journal: bench.journal, history: bench.store.history, clock: systemClock }
  return { bench, runs, parts, engine: loading.candidate.set.engine }
}

test('decides every decision of the ledger again, and touches nothing', async () => {
  const { bench, runs, parts, engine } = await threeRuns()
  const size = bench.journal.head().size
  const done = [...bench.connector.done]
  const report = await backtestLedger(parts, engine, EVERYTHING)
  expect(report).toMatchObject({ decided: 6, changed: 3, loosened: 0, runs: 3, complete: true })
  expect(report.groups).toMatchObject([
    { from: 'allow', to: 'deny', operation: 'desk.set', policies: ['no-set'], were: ['desk-runs'] },
  ])
  expect(report.groups[0]?.examples.map(({ run }) => run)).toEqual(runs.toReversed())
  expect([bench.journal.head().size, bench.connector.done]).toEqual([size, done])
})

test('comes out as it was under the policies that decided', async () => {
  const { bench, parts } = await threeRuns()
  expect(await backtestLedger(parts, bench.store, EVERYTHING)).toMatchObject({ decided: 6, changed: 0, groups: [] })
})

test('looks back as far as it is told: the newest first', async () => {
  const { parts, engine, runs } = await threeRuns()
  const last = await backtestLedger(parts, engine, { last: 2, timeMs: 10_000 })
  expect([last.decided, last.complete, last.groups[0]?.examples.map(({ run }) => run)]).toEqual([2, false, runs.slice(2)])
  const since = await backtestLedger(parts, engine, { ...EVERYTHING, sinceMs: Date.now() + 60_000 })
  expect([since.decided, since.complete]).toEqual([0, true])
  const late = await backtestLedger(parts, engine, { last: 1_000, timeMs: -1 })
  expect([late.decided, late.complete]).toEqual([0, false])
})

test('counts what cannot be decided again', async () => {
  const { bench, parts, engine, runs } = await threeRuns()
  await bench.journal.erase(`run/${runs[0]}`)
  const nowhere = { ...parts.history, listingAt: () => undefined }
  expect((await backtestLedger(parts, engine, EVERYTHING)).undecidable).toEqual({ erased: 1, unrecorded: 0, undeclared: 0 })
  const undeclared = await backtestLedger({ ...parts, history: nowhere }, engine, EVERYTHING)
  expect([undeclared.decided, undeclared.undecidable.undeclared]).toEqual([0, 4])
})

test('lets others have their turn', async () => {
  const { bench, parts, engine } = await threeRuns()
  const slow = {
    version: engine.version,
    evaluate: (request: Parameters<typeof engine.evaluate>[0]) => {
      const until = performance.now() + 6
      while (performance.now() < until);
      return engine.evaluate(request)
    },
  }
  let turns = 0
  const timer = setInterval(() => {
    turns += 1
  }, 1)
  await backtestLedger(parts, slow, EVERYTHING)
  clearInterval(timer)
  expect(turns).toBeGreaterThan(1)
  expect(bench.store.version).not.toBe(engine.version)
})

test('what was asked and granted comes out as granted, by whoever is asked now', async () => {
  const bench = await startChangeBench()
  const change = await bench.changes.apply({ person: OTTO, files: policies(STRICT), backtest: null, why: 'w' })
  if (change.kind === 'refused') throw new Error(change.message)
  await bench.approve(change.run)
  const parts = { journal: bench.journal, history: bench.store.history, clock: systemClock }
  const report = await backtestLedger(parts, bench.store, EVERYTHING)
  expect(report).toMatchObject({ decided: 3, changed: 0 })
})
