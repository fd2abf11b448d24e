import type { Connector } from '@tidegate/kernel'
import { expect, test } from 'vitest'
import { createWorld, listPlanner, operation, READ, SET, startDesk, UNDO } from './bench-desk.ts'

const OPERATIONS = [READ, SET, UNDO, operation('desk.send')]

/** Undoes a run whose compensation is not seen for so many looks, and answers how the run ended and how often it was looked at. */
async function undoSeenAfter(failures: number, how: 'says no' | 'throws') {
  const world = createWorld()
  let looks = 0
  const connector: Connector = {
    ...world,
    execute: async (call) =>
      call.operation === 'desk.send'
        ? { kind: 'failed', failure: 'semantic', retry: 'never', message: 'bounced' }
        : world.execute(call),
    async verify() {
      looks += 1
      if (looks <= failures && how === 'throws') throw new Error('The look broke off.')
      return { holds: looks > failures, detail: '' }
    },
  }
  const { tidegate, trigger } = await startDesk({
    connector,
    operations: OPERATIONS,
    planner: listPlanner(['desk.set', 'desk.send']),
  })
  const head = await tidegate.settled(await trigger('e1'), 5_000)
  await tidegate.close()
  return { ends: `${head?.state} ${head?.failure}`, looks, done: world.done }
}

test.each([
  [0, 'says no', 'undone connector_semantic', 1],
  [1, 'throws', 'undone connector_semantic', 2],
  [2, 'says no', 'undone connector_semantic', 3],
  [3, 'says no', 'failed rollback_failure', 3],
] as const)('a compensation that is not seen %i times (%s): %s', async (failures, how, ends, looks) => {
  expect(await undoSeenAfter(failures, how)).toEqual({ ends, looks, done: ['desk.set 0', 'desk.unset 2'] })
})
