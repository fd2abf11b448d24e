import { nodeEntropy, nodeHasher, nodeVerifier, systemClock } from '@tidegate/crypto-node'
import { type Journal, openRun, type PolicyEngine } from '@tidegate/kernel'
import { createDisk, createMemoryJournal, createVirtualClock, type Disk } from '@tidegate/testkit'
import { expect, test } from 'vitest'
import { meter, op, opened } from '../../../kernel/test/limit/run-events.ts'
import {
  createBreakerPanel,
  createInFlight,
  createLabels,
  createRegistry,
  createTimeFacts,
  openControl,
  openMeters,
  startTidegate,
} from '../../src/index.ts'
import { createWorld, listPlanner, PERMIT, READ, SET, startDesk, UNDO, workflow } from '../bench-desk.ts'
import { ledgerOf } from './memory-ledger.ts'

const SETS = meter('sets', { operations: ['desk.set'], per: 'user', window: { kind: 'ever' } })
const log = (): void => undefined

const opening = (disk: Disk, journal: Journal) => ({
  ...{ meters: [SETS], journal, ledger: ledgerOf(disk), hasher: nodeHasher, salt: new Uint8Array(32), timeZone: 'UTC', log },
})

/** A Tidegate whose records of a start wait for `gate`, and what it told policy. */
async function startGated(disk: Disk, gate: Promise<void>) {
  const inner = createMemoryJournal(disk)
  const held = Promise.withResolvers<void>()
  const gated: Journal = {
    ...inner,
    async append(draft) {
      if (draft.events.some(({ type }) => type === 'effect.started')) {
        held.resolve()
        await gate
      }
      return inner.append(draft)
    },
  }
  const meters = await openMeters({ ...opening(disk, gated), clock: systemClock })
  const { journal } = meters
  const control = await openControl(journal, systemClock)
  const told: number[] = []
  const policy: PolicyEngine = {
    version: 'p1',
    evaluate: ({ context, operation }) => {
      if (operation === 'desk.set') told.push(context.meters.sets ?? -1)
      return PERMIT
    },
  }
  const operations = [READ, SET, UNDO]
  const registry = createRegistry(
    [{ name: 'desk', operations, connector: createWorld() }],
    [{ workflow: workflow(operations), planner: listPlanner(['desk.set']) }],
  )
  const ground = { clock: systemClock, entropy: nodeEntropy, hasher: nodeHasher, verifier: nodeVerifier, log }
  const tidegate = await startTidegate({
    ...ground,
    ...{ journal, control, registry, policy, meters },
    secrets: async () => 'secret',
    breakers: createBreakerPanel({ control, clock: systemClock, log }),
    inFlight: createInFlight(),
    ledger: { ...ledgerOf(disk), verifierKey: '', tile: () => new Uint8Array(), lastIndex: () => undefined, payloads: () => [] },
    writeExport: async () => 0,
    labels: createLabels(registry),
    timeFacts: createTimeFacts({ timeZone: 'UTC' }),
    rolesOf: () => [],
  })
  const trigger = (event: string) =>
    tidegate.trigger({ workflow: 'w', source: 's', event, input: { id: event }, user: 'user:ann', client: 'client:test' })
  return { tidegate, trigger, told, held: held.promise }
}

test('what a Tidegate shows is reserved until the start is recorded, is counted from then on, and is there after a restart', async () => {
  const gate = Promise.withResolvers<void>()
  const disk = createDisk()
  const { tidegate, trigger, told, held } = await startGated(disk, gate.promise)
  expect(tidegate.limits()).toEqual([{ meter: SETS, keys: 0, largest: [] }])
  await trigger('a')
  await held
  expect(tidegate.limits()[0]?.largest).toEqual([{ kind: 'name', key: 'user:ann', value: 1, reserved: 1 }])
  gate.resolve()
  await tidegate.harness.idle()
  await trigger('b')
  await tidegate.harness.idle()
  const counted = [{ kind: 'name', key: 'user:ann', value: 2, reserved: 0 }]
  expect(tidegate.limits()[0]?.largest).toEqual(counted)
  expect(told.at(-1)).toBe(2) // and policy was told the same, with the action that asked
  await tidegate.close()

  const again = await startGated(disk, Promise.resolve())
  expect(again.tidegate.limits()[0]?.largest).toEqual(counted)
  await again.tidegate.close()
})

test('a project without limits shows none', async () => {
  const { tidegate } = await startDesk({})
  expect(tidegate.limits()).toEqual([])
  await tidegate.close()
})

test('looking takes nobody the room, and gives nobody any', async () => {
  const disk = createDisk()
  const counted = await openMeters({ ...opening(disk, createMemoryJournal(disk)), clock: createVirtualClock(1_000) })
  const result = await counted.journal.append({ stream: 'run/a', expectedSeq: 0, events: [opened('a')], atMs: 1_000 })
  if (result.kind !== 'committed') throw new Error(result.kind)
  const state = openRun(result.entry)
  const request = { state, waiting: [], action: 0, isNew: true, operation: op('desk.set'), arguments: {} }
  expect(counted.reserve(request).values.sets).toBe(1)
  for (const nowMs of [0, 1_000, 9e12]) expect(counted.view(nowMs)[0]?.largest[0]).toMatchObject({ value: 1, reserved: 1 })
  expect(counted.reserve(request).values.sets).toBe(1)
  counted.release('a')
  expect(counted.view(1_000)[0]?.largest).toEqual([])
})
