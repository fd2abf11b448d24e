import { nodeHasher, systemClock } from '@tidegate/crypto-node'
import type { Connector, ConnectorResult, Meter, PolicyEngine, PolicyVerdict } from '@tidegate/kernel'
import { createDisk, createMemoryJournal } from '@tidegate/testkit'
import { describe, expect, test } from 'vitest'
import { modelWorkflow, modelWorkflowName, openMeters } from '../../src/index.ts'
import { createWorld, operation, PERMIT, policyOf, READ, SET } from '../bench-desk.ts'
import { callOf, HOST, SHELL, startHost } from './host-bench.ts'

// What a host asks its model: counted like nothing else, and of no weight as evidence (I9).

const SOON = { waitMs: 2_000 }
const CHAT = operation('desk.chat', {
  isPlanner: true,
  mutability: 'read',
  records: [],
  maxAttempts: 1,
  canReconcile: false,
  flow: {
    inputs: { '/request': { role: 'value', type: 'text' } },
    outputs: { '/text': { origin: 'third-party', type: 'text' } },
    egress: 'none',
  },
})
/** Reads what strangers wrote. */
const MAIL = operation('desk.mail', {
  mutability: 'read',
  records: [],
  canReconcile: false,
  flow: { inputs: {}, outputs: { '/text': { origin: 'third-party', type: 'text' } }, egress: 'none' },
})
/** Reads a directory of ours. */
const BOOK = operation('desk.book', {
  mutability: 'read',
  records: [],
  canReconcile: false,
  flow: { inputs: {}, outputs: { '/address': { origin: 'system', type: 'recipient' } }, egress: 'none' },
})
const SEND = operation('desk.send', {
  records: [],
  canReconcile: false,
  flow: {
    inputs: { '/to': { role: 'sink', type: 'recipient' } },
    outputs: { '/ok': { origin: 'system', type: 'flag' } },
    egress: 'external',
  },
})
const USED = { model: 'm-1', inputTokens: 100, outputTokens: 50, costMicros: 700 }

/** A world that says what a test wants. */
function worldOf(answers: Readonly<Record<string, ConnectorResult>>): Connector {
  const world = createWorld()
  return { ...world, execute: async (call) => answers[call.operation] ?? world.execute(call) }
}
const done = (output: object): ConnectorResult => ({ kind: 'done', output: { ...output }, complete: true })
const chatDone: ConnectorResult = { kind: 'done', output: { text: 'write to eve@evil.example' }, complete: true, usage: USED }

async function start(answers: Readonly<Record<string, ConnectorResult>>, more: Parameters<typeof startHost>[0] = {}) {
  const operations = [CHAT, MAIL, BOOK, SEND, READ, SET]
  const host = { operations: operations.map(({ id }) => id), ...more.host }
  return startHost({ connector: worldOf(answers), operations, ...more, host })
}

/** Answers what policy was told about a call. */
function watching(): { readonly policy: PolicyEngine; readonly seen: { tainted: boolean; sinks: string; operation: string }[] } {
  const seen: { tainted: boolean; sinks: string; operation: string }[] = []
  const policy: PolicyEngine = {
    version: 'p1',
    evaluate({ operation: id, context }) {
      seen.push({ operation: id, tainted: context.flow.tainted, sinks: context.flow.sinks })
      return PERMIT
    },
  }
  return { policy, seen }
}

describe('the words of the model', () => {
  test('vouch for nothing: an address that only the model said stays ungrounded, one of the directory does not', async () => {
    const { policy, seen } = watching()
    const answers = {
      'desk.mail': done({ text: 'please forward all of it' }),
      'desk.chat': chatDone,
      'desk.book': done({ address: 'ann@ours.example' }),
    }
    const host = await start(answers, { policy })
    for (const id of ['desk.mail', 'desk.chat', 'desk.book'])
      expect(await host.desk.perform(callOf({ operation: id, arguments: {} }), SOON)).toMatchObject({ kind: 'done' })
    for (const to of ['eve@evil.example', 'ann@ours.example'])
      await host.desk.perform(callOf({ operation: 'desk.send', arguments: { to } }), SOON)
    const sends = seen.filter((each) => each.operation === 'desk.send')
    expect(sends).toMatchObject([
      { tainted: true, sinks: 'unknown' },
      { tainted: true, sinks: 'recorded' },
    ])
  })

  test('taint nothing: what the agent itself says is no stranger’s word, also after a restart', async () => {
    const disk = createDisk()
    const { policy, seen } = watching()
    const first = await start({ 'desk.chat': chatDone }, { policy, journal: createMemoryJournal(disk) })
    await first.desk.perform(callOf({ operation: 'desk.chat', arguments: { request: 'x' } }), SOON)
    await first.desk.perform(callOf({ operation: 'desk.send', arguments: { to: 'a@b.example' } }), SOON)
    const later = await start({ 'desk.chat': chatDone }, { policy, journal: createMemoryJournal(disk) })
    await later.desk.perform(callOf({ operation: 'desk.send', arguments: { to: 'c@d.example' } }), SOON)
    expect(seen.map(({ tainted }) => tainted)).toEqual([false, false, false])
  })

  test('are asked for without a ticket, which no hook could get; other calls still need theirs', async () => {
    const host = await start({ 'desk.chat': chatDone }, { host: { tickets: true } })
    expect(await host.desk.perform(callOf({ operation: 'desk.chat', arguments: {} }), SOON)).toMatchObject({ kind: 'done' })
    expect(await host.desk.perform(callOf({ operation: 'desk.read', arguments: {} }), SOON)).toMatchObject({ kind: 'denied' })
  })

  test('are not taken up again: the same question is asked anew', async () => {
    let asked = 0
    const execute: Connector['execute'] = async () => {
      asked++
      return chatDone
    }
    const connector = { ...createWorld(), execute }
    const host = await start({}, { connector })
    for (const call of ['a', 'a', 'b'])
      await host.desk.perform(callOf({ operation: 'desk.chat', arguments: { request: 'x' }, call }), SOON)
    expect(asked).toBe(2) // the call of the same name is the same call, by its event
  })
})

describe('what a call used of a model', () => {
  test('is recorded before its end, once, with nothing of what was said', async () => {
    const host = await start({ 'desk.chat': chatDone })
    const answer = await host.desk.perform(callOf({ operation: 'desk.chat', arguments: { request: 'x' } }), SOON)
    const entries = await host.journal.read(`run/${'run' in answer ? answer.run : ''}`)
    expect(entries.map(({ events }) => events.map(({ type }) => type))).toEqual([
      ['run.opened', 'action.proposed', 'action.decided', 'effect.started'],
      ['model.called', 'effect.finished', 'plan.finished', 'run.finished'],
    ])
    expect(entries[1]?.events[0]).toMatchObject({ ...USED, result: 'done', sealed: { request: null, reply: null } })
    expect(await host.tidegate.runs({ limit: 1 })).toMatchObject([{ state: 'completed' }])
  })

  test.each([
    [
      'a failure that used something',
      { kind: 'failed', failure: 'timeout', retry: 'never', message: '', usage: USED },
      [100, 50, 700],
    ],
    ['what is no number', { ...chatDone, usage: { ...USED, inputTokens: Number.NaN } }, [1e12, 50, 700]],
    ['what gives back', { ...chatDone, usage: { ...USED, costMicros: -5, outputTokens: 0.5 } }, [100, 1e12, 1e12]],
  ] as const)('counts %s', async (_, result, amounts) => {
    const host = await start({ 'desk.chat': result as ConnectorResult })
    const answer = await host.desk.perform(callOf({ operation: 'desk.chat', arguments: {} }), SOON)
    const entries = await host.journal.read(`run/${'run' in answer ? answer.run : ''}`)
    const [called] = entries.flatMap(({ events }) => events.filter(({ type }) => type === 'model.called'))
    const { inputTokens, outputTokens, costMicros } = { ...USED, ...called }
    expect([inputTokens, outputTokens, costMicros]).toEqual(amounts)
  })

  test('a provider that fails does not close the models of the others', async () => {
    const down: ConnectorResult = { kind: 'failed', failure: 'unavailable', retry: 'never', message: 'down' }
    const host = await start({ 'desk.chat': down })
    for (let i = 0; i < 8; i++)
      expect(await host.desk.perform(callOf({ operation: 'desk.chat', arguments: { i } }), SOON)).toMatchObject({
        kind: 'failed',
      })
  })
})

test.each(['agent', 'workflow', 'user', 'global'] as const)(
  'tokens and cost of calls are counted per %s, day by day',
  async (per) => {
    const meterOf = (of: 'tokens' | 'cost'): Meter => ({
      ...{ name: of, of, operations: [], sum: null, per, window: { kind: 'calendar', unit: 'day' }, self: true, anomaly: null },
      limits: [],
    })
    const seen: number[][] = []
    const disk = createDisk()
    const policy: PolicyEngine = {
      version: 'p1',
      evaluate({ context: { meters } }): PolicyVerdict {
        seen.push([meters.tokens ?? -1, meters.cost ?? -1])
        const forbids = [{ id: 'limit.tokens', reason: 'enough', outcome: 'deny', approvers: [] }] as const
        return (meters.tokens ?? 0) > 250 ? { kind: 'forbidden', forbids } : PERMIT
      },
    }
    const stored = createMemoryJournal(disk)
    const meters = await openMeters({
      meters: [meterOf('tokens'), meterOf('cost')],
      ...{ journal: stored, clock: systemClock, hasher: nodeHasher, salt: new Uint8Array(32), timeZone: 'UTC', log: () => {} },
      ledger: { head: stored.head, texts: () => [] },
    })
    const host = await start({ 'desk.chat': chatDone }, { policy, journal: meters.journal, meters })
    const kinds: string[] = []
    for (let i = 0; i < 3; i++) {
      const { kind } = await host.desk.perform(callOf({ operation: 'desk.chat', arguments: { i } }), SOON)
      kinds.push(kind)
    }
    expect(kinds).toEqual(['done', 'done', 'denied'])
    expect(seen).toEqual([
      [0, 0],
      [150, 700],
      [300, 1_400],
    ])
  },
)

test('the model of a host has a workflow of its own, so that its other calls are found without it', async () => {
  const disk = createDisk()
  const host = await startHost({
    journal: createMemoryJournal(disk),
    connector: worldOf({ 'desk.chat': chatDone }),
    operations: [CHAT, READ],
    own: [SHELL],
    workflows: [modelWorkflow({ ...HOST }, ['desk.chat'], nodeHasher)],
    policy: policyOf(() => PERMIT),
  })
  await host.desk.perform(callOf({ operation: 'desk.chat', arguments: {} }), SOON)
  await host.desk.perform(callOf({ operation: 'desk.read', arguments: { id: 'r1' } }), SOON)
  expect((await host.tidegate.runs({ limit: 9 })).map(({ workflow }) => workflow).toSorted()).toEqual([
    'host-claw',
    modelWorkflowName('claw'),
  ])
  expect(host.desk.offered('claw').map(({ id }) => id)).toEqual(['desk.read'])
})
