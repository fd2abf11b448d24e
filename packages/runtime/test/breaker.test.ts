import {
  type Connector,
  type ConnectorResult,
  type ControlEvent,
  DEFAULT_BREAKER,
  type Journal,
  type RunState,
} from '@tidegate/kernel'
import { createDisk, createMemoryJournal, createVirtualClock, type Disk, type VirtualClock } from '@tidegate/testkit'
import { expect, test } from 'vitest'
import { createWorld, listPlanner, operation, READ, startDesk } from './bench-desk.ts'

/** The breaker over one operation, through the real harness: it opens, holds off, lets one attempt decide, and outlives a restart. */

const { threshold, coolMs } = DEFAULT_BREAKER
const SET = operation('desk.set', { maxAttempts: 1 })
const SEND = operation('desk.send', { maxAttempts: 1 })
const DOWN: ConnectorResult = { kind: 'failed', failure: 'unavailable', retry: 'safe', message: 'down' }
const REFUSED: ConnectorResult = { kind: 'failed', failure: 'semantic', retry: 'never', message: 'no' }

/** The next timer, and whatever comes of it, until so much time has passed. */
async function pass(clock: VirtualClock, ms: number): Promise<void> {
  const untilMs = clock.nowMs() + ms
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  await turn()
  for (let next = clock.nextAtMs(); next !== undefined && next <= untilMs; next = clock.nextAtMs()) {
    clock.advanceTo(next)
    await turn()
  }
  clock.advanceTo(untilMs)
  await turn()
}

/** A far side whose operation `desk.set` is as it is made: it counts what reaches it. */
function createFarSide() {
  const world = createWorld()
  const farSide = { calls: 0, answer: (): ConnectorResult | Promise<ConnectorResult> => DOWN }
  const connector: Connector = {
    ...world,
    async execute(call) {
      if (call.operation !== 'desk.set') return world.execute(call)
      farSide.calls += 1
      return farSide.answer()
    },
  }
  return { farSide, connector, done: world.done }
}

const DONE: ConnectorResult = { kind: 'done', output: { ok: true }, complete: true }

async function start(connector: Connector, planned = 'desk.set', disk: Disk = createDisk(), clock = createVirtualClock()) {
  const journal = createMemoryJournal(disk)
  const desk = await startDesk({ journal, clock, connector, operations: [READ, SET, SEND], planner: listPlanner([planned]) })
  let events = 0
  /** Opens so many runs one after the other, and answers them. */
  async function runs(count: number, label = 'e'): Promise<readonly (RunState | undefined)[]> {
    const ended: (RunState | undefined)[] = []
    for (let n = 0; n < count; n++) {
      const run = await desk.trigger(`${label}${events++}`)
      await pass(clock, 10)
      ended.push(await desk.tidegate.run(run))
    }
    return ended
  }
  return { ...desk, journal, disk, clock, runs }
}

async function breakerEvents(journal: Journal): Promise<readonly ControlEvent['type'][]> {
  const entries = await journal.read('control')
  return entries.flatMap((entry) => entry.events as readonly ControlEvent[]).map((event) => event.type)
}

test(`after ${threshold} failures in a row nothing reaches the far side, and each refusal is recorded`, async () => {
  const { farSide, connector } = createFarSide()
  const { tidegate, journal, runs } = await start(connector)
  const before = await runs(threshold)
  expect(before.map((run) => [run?.failure, run?.actions[0]?.state])).toEqual(before.map(() => ['connector_timeout', 'failed']))
  const [after] = await runs(1)
  expect(farSide.calls).toBe(threshold)
  expect(after).toMatchObject({ final: 'failed', failure: 'connector_timeout' })
  expect(after?.actions[0]).toMatchObject({ state: 'denied', attempts: 0 })
  expect(after?.actions[0]?.decision?.policies.map((policy) => policy.id)).toEqual(['tidegate:breaker-open'])
  expect(await breakerEvents(journal)).toEqual(['breaker.opened'])
  await tidegate.close()
})

test('one failure fewer leaves it closed, and a success in between starts the count again', async () => {
  const { farSide, connector } = createFarSide()
  const { tidegate, journal, runs } = await start(connector)
  await runs(threshold - 1)
  farSide.answer = () => DONE
  await runs(1)
  farSide.answer = () => DOWN
  await runs(threshold - 1)
  expect(farSide.calls).toBe(2 * threshold - 1)
  expect(await breakerEvents(journal)).toEqual([])
  await tidegate.close()
})

test('what the far side will not do is not its failure', async () => {
  const { farSide, connector } = createFarSide()
  farSide.answer = () => REFUSED
  const { tidegate, journal, runs } = await start(connector)
  const ended = await runs(2 * threshold)
  expect([farSide.calls, new Set(ended.map((run) => run?.failure))]).toEqual([2 * threshold, new Set(['connector_semantic'])])
  expect(await breakerEvents(journal)).toEqual([])
  await tidegate.close()
})

test('attempts of one run count like those of many, and the run ends when it opens', async () => {
  const { farSide, connector } = createFarSide()
  const clock = createVirtualClock()
  const stubborn = operation('desk.set', { maxAttempts: threshold + 3 })
  const desk = await startDesk({ clock, connector, operations: [READ, stubborn] })
  const run = await desk.trigger('e1')
  await pass(clock, 60_000)
  expect(farSide.calls).toBe(threshold)
  expect(await desk.tidegate.run(run)).toMatchObject({ final: 'failed', failure: 'connector_timeout' })
  await desk.tidegate.close()
})

test('another operation of the same tool is not held off', async () => {
  const { connector, done } = createFarSide()
  const disk = createDisk()
  const clock = createVirtualClock()
  const broken = await start(connector, 'desk.set', disk, clock)
  await broken.runs(threshold)
  await broken.tidegate.close()
  const other = await start(connector, 'desk.send', disk, clock)
  const [run] = await other.runs(1, 'other')
  expect([run?.final, done]).toEqual(['completed', ['desk.send 0']])
  await other.tidegate.close()
})

test('when it has cooled down one success closes it', async () => {
  const { farSide, connector } = createFarSide()
  const { tidegate, journal, clock, runs } = await start(connector)
  await runs(threshold)
  await pass(clock, coolMs - 500)
  await runs(1)
  expect(farSide.calls).toBe(threshold)
  farSide.answer = () => DONE
  await pass(clock, 500)
  const [run] = await runs(1)
  expect([run?.final, farSide.calls]).toEqual(['completed', threshold + 1])
  expect(await breakerEvents(journal)).toEqual(['breaker.opened', 'breaker.closed'])
  farSide.answer = () => DOWN
  await runs(threshold - 1)
  expect(await breakerEvents(journal)).toEqual(['breaker.opened', 'breaker.closed'])
  await tidegate.close()
})

test('when it has cooled down one failure opens it again', async () => {
  const { farSide, connector } = createFarSide()
  const { tidegate, journal, clock, runs } = await start(connector)
  await runs(threshold)
  await pass(clock, coolMs)
  const [tried, refused] = await runs(2)
  expect([tried?.actions[0]?.state, refused?.actions[0]?.state, farSide.calls]).toEqual(['failed', 'denied', threshold + 1])
  expect(await breakerEvents(journal)).toEqual(['breaker.opened', 'breaker.opened'])
  farSide.answer = () => DONE
  await pass(clock, coolMs)
  expect((await runs(1))[0]?.final).toBe('completed')
  await tidegate.close()
})

test('one attempt decides: whoever comes while it is under way is still held off', async () => {
  const { farSide, connector } = createFarSide()
  const { tidegate, clock, trigger, runs } = await start(connector)
  await runs(threshold)
  await pass(clock, coolMs)
  const { promise, resolve } = Promise.withResolvers<ConnectorResult>()
  farSide.answer = () => promise
  await Promise.all(['a', 'b', 'c'].map(trigger)) // at once: all three are decided before the first is under way
  await pass(clock, 10)
  expect(farSide.calls).toBe(threshold + 1)
  resolve(DONE)
  await pass(clock, 60_000)
  expect((await runs(1, 'later'))[0]?.final).toBe('completed')
  await tidegate.close()
})

test('a restart does not close it: it is open for the rest of its time', async () => {
  const { farSide, connector } = createFarSide()
  const first = await start(connector)
  await first.runs(threshold)
  await pass(first.clock, coolMs / 2)
  await first.tidegate.close()

  const second = await start(connector, 'desk.set', first.disk, first.clock)
  const [refused] = await second.runs(1, 'later')
  expect([refused?.actions[0]?.state, farSide.calls]).toEqual(['denied', threshold])
  farSide.answer = () => DONE
  await pass(first.clock, coolMs / 2)
  const [passed] = await second.runs(1, 'later')
  expect([passed?.final, farSide.calls]).toEqual(['completed', threshold + 1])
  expect(await breakerEvents(second.journal)).toEqual(['breaker.opened', 'breaker.closed'])
  await second.tidegate.close()
})

test('after a restart, too, one failure opens it again', async () => {
  const { farSide, connector } = createFarSide()
  const first = await start(connector)
  await first.runs(threshold)
  await first.tidegate.close()

  const second = await start(connector, 'desk.set', first.disk, first.clock)
  await pass(first.clock, coolMs)
  const [tried, refused] = await second.runs(2, 'later')
  expect([tried?.actions[0]?.state, refused?.actions[0]?.state, farSide.calls]).toEqual(['failed', 'denied', threshold + 1])
  await second.tidegate.close()
})
