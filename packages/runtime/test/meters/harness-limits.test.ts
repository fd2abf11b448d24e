import { nodeEntropy, nodeHasher, nodeVerifier, systemClock } from '@tidegate/crypto-node'
import type { Connector, Journal, Meter, PolicyEngine, PolicyVerdict } from '@tidegate/kernel'
import { createDisk, createMemoryJournal, type Disk } from '@tidegate/testkit'
import { describe, expect, test } from 'vitest'
import { meter } from '../../../kernel/test/limit/run-events.ts'
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
import { createWorld, listPlanner, PERMIT, READ, SET, UNDO, workflow } from '../bench-desk.ts'
import { ledgerOf } from './memory-ledger.ts'

/** Denies what a meter says is too much, as the Cedar text of its limit does. */
function limited(name: string, above: number): PolicyEngine {
  const forbids: PolicyVerdict = {
    kind: 'forbidden',
    forbids: [{ id: `limit.${name}`, reason: 'too much', outcome: 'deny', approvers: [] }],
  }
  return {
    version: 'p1',
    evaluate: ({ context, operation }) =>
      operation !== 'desk.read' && !context.compensating && (context.meters[name] ?? 0) > above ? forbids : PERMIT,
  }
}

/** A Tidegate with meters on a journal in memory. */
async function startMetered(options: {
  disk: Disk
  meters: readonly Meter[]
  policy: PolicyEngine
  connector: Connector
  planned?: readonly string[]
  through?: (journal: Journal) => Journal
}) {
  const { disk, meters: declared, connector, policy, planned = ['desk.set'], through = (journal) => journal } = options
  const log = () => undefined
  const ledger = ledgerOf(disk)
  const opened = through(createMemoryJournal(disk))
  const salt = new Uint8Array(32)
  const parts = { meters: declared, journal: opened, ledger, clock: systemClock, hasher: nodeHasher, salt, timeZone: 'UTC', log }
  const meters = await openMeters(parts)
  const { journal } = meters
  const control = await openControl(journal, systemClock)
  const operations = [READ, SET, UNDO]
  const limits = { ...workflow(operations).limits, wallMs: 60_000 }
  const registry = createRegistry(
    [{ name: 'desk', operations, connector }],
    [{ workflow: workflow(operations, { limits }), planner: listPlanner(planned) }],
  )
  const tidegate = await startTidegate({
    journal,
    control,
    registry,
    policy,
    clock: systemClock,
    entropy: nodeEntropy,
    hasher: nodeHasher,
    verifier: nodeVerifier,
    secrets: async () => 'secret',
    log,
    breakers: createBreakerPanel({ control, clock: systemClock, log }),
    inFlight: createInFlight(),
    ledger: { ...ledger, verifierKey: '', tile: () => new Uint8Array(), lastIndex: () => undefined, payloads: () => [] },
    writeExport: async () => 0,
    meters,
    labels: createLabels(registry),
    timeFacts: createTimeFacts({ timeZone: 'UTC' }),
    rolesOf: () => [],
  })
  const trigger = (event: string) =>
    tidegate.trigger({ workflow: 'w', source: 's', event, input: { id: event }, user: 'user:ann', client: 'client:test' })
  return { tidegate, trigger }
}

const names = (prefix: string, count: number): readonly string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

describe('a limit of ten effects', () => {
  const effects = [meter('sets', { operations: ['desk.set'] })]
  const policy = limited('sets', 10)

  test('lets ten of sixty-four at once through, not one more, also after a restart', async () => {
    const disk = createDisk()
    const connector = createWorld()
    const first = await startMetered({ disk, meters: effects, policy, connector })
    await Promise.all(names('a', 64).map(first.trigger))
    await first.tidegate.harness.idle()
    expect(connector.done).toHaveLength(10)
    const heads = await first.tidegate.runs({ limit: 100 })
    expect(heads.filter(({ failure }) => failure === 'policy_denial')).toHaveLength(54)
    await first.tidegate.close()

    const again = await startMetered({ disk, meters: effects, policy, connector })
    await Promise.all(names('b', 16).map(again.trigger))
    await again.tidegate.harness.idle()
    expect(connector.done).toHaveLength(10)
    await again.tidegate.close()
  })

  test('gives room back for what certainly did not happen, and for nothing else', async () => {
    const done: string[] = []
    const answers = ['semantic', 'semantic', 'semantic', 'unknown', 'unknown']
    const connector: Connector = {
      ...createWorld(),
      async execute({ operation, effectId }) {
        if (operation === 'desk.read') return { kind: 'done', output: { ok: true }, complete: true }
        const answer = answers.shift()
        if (answer === 'semantic') return { kind: 'failed', failure: 'semantic', retry: 'never', message: 'no' }
        if (answer === 'unknown') return { kind: 'failed', failure: 'timeout', retry: 'unknown', message: 'who knows' }
        done.push(effectId)
        return { kind: 'done', output: { ok: true }, complete: true }
      },
      reconcile: async () => ({ kind: 'unknown', message: 'nobody can look' }),
    }
    const { tidegate, trigger } = await startMetered({ disk: createDisk(), meters: effects, policy, connector })
    for (const event of names('a', 20)) {
      await trigger(event)
      await tidegate.harness.idle()
    }
    expect(done).toHaveLength(8) // and two of which nobody knows
    await tidegate.close()
  })

  test('counts no effect whose start was refused by a stop', async () => {
    const connector = createWorld()
    const disk = createDisk()
    let stopNow: (() => Promise<unknown>) | undefined
    const through = (journal: Journal): Journal => ({
      ...journal,
      async append(draft) {
        if (draft.fence !== undefined) {
          const raise = stopNow
          stopNow = undefined
          await raise?.()
        }
        return journal.append(draft)
      },
    })
    const { tidegate, trigger } = await startMetered({ disk, meters: effects, policy: limited('sets', 1), connector, through })
    const person = { id: 'user:op', roles: ['operator'] }
    let stop = ''
    stopNow = async () => {
      const answer = await tidegate.stop({ scope: 'global', mode: 'kill', person, why: 'test' })
      if (answer.kind === 'stopped') stop = answer.stop.id
    }
    await trigger('a0')
    await tidegate.harness.idle()
    await tidegate.lift({ stop, person, why: 'test' })
    expect(connector.done).toHaveLength(0)
    await trigger('a1')
    await tidegate.harness.idle()
    expect(connector.done).toEqual(['desk.set 0'])
    await tidegate.close()
  })
})

test('a sequence: never a write after a read of the same run, and a compensation is not bound by it', async () => {
  const after = [meter('read-first', { of: 'calls', operations: ['desk.read'], window: { kind: 'run' }, self: false })]
  const connector = createWorld()
  const options = { meters: after, policy: limited('read_first', 0), connector }
  const one = await startMetered({ ...options, disk: createDisk(), planned: ['desk.set', 'desk.read', 'desk.set'] })
  await one.trigger('a')
  await one.tidegate.harness.idle()
  expect(connector.done).toEqual(['desk.set 0', 'desk.unset 3'])
  await one.tidegate.close()
})
