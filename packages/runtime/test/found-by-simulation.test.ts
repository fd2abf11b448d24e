import type { Connector, ConnectorResult, PolicyEngine } from '@tidegate/kernel'
import { createVirtualClock } from '@tidegate/testkit'
import { expect, test } from 'vitest'
import {
  createWorld,
  listPlanner,
  MEI,
  OPS,
  operation,
  PERMIT,
  policyOf,
  READ,
  SET,
  startDesk,
  UNDO,
  workflow,
} from './bench-desk.ts'

/** Every test here was a seed of the simulator first. */

const ASK = {
  kind: 'forbidden',
  forbids: [{ id: 'ask', reason: 'high', outcome: 'ask', approvers: [{ role: 'billing-lead', count: 1 }] }],
} as const
const BUSY: ConnectorResult = { kind: 'failed', failure: 'unavailable', retry: 'safe', message: 'busy' }
const LOST: ConnectorResult = { kind: 'failed', failure: 'unavailable', retry: 'unknown', message: 'the connection broke' }

const asking = (id: string) => policyOf((op, approvals) => (op === id && !approvals.includes('ask') ? ASK : PERMIT))

/** Answers the calls of one operation from a list; the world does the rest. */
function scripted(id: string, results: readonly ConnectorResult[], more: Partial<Connector> = {}) {
  const world = createWorld()
  const calls: string[] = []
  const connector: Connector = {
    ...world,
    ...more,
    async execute(call) {
      const result = call.operation === id ? results[calls.length] : undefined
      if (call.operation === id) calls.push(call.effectId)
      return result ?? world.execute(call)
    },
  }
  return { connector, calls, done: world.done }
}

function createTime() {
  const clock = createVirtualClock()
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  async function pass(ms: number): Promise<void> {
    const untilMs = clock.nowMs() + ms
    await settle()
    for (let next = clock.nextAtMs(); next !== undefined && next <= untilMs; next = clock.nextAtMs()) {
      clock.advanceTo(next)
      await settle()
    }
    clock.advanceTo(untilMs)
    await settle()
  }
  return { clock, pass }
}

async function approveAll({ tidegate }: Pick<Awaited<ReturnType<typeof startDesk>>, 'tidegate'>): Promise<number> {
  const views = await tidegate.approvals({})
  for (const { approval } of views) {
    await tidegate.vote(approval.question.id, { person: MEI, vote: 'approve', why: 'ok', digest: approval.question.digest })
  }
  return views.length
}

test('I6: an engine that throws denies, and the run ends as denied', async () => {
  const { clock, pass } = createTime()
  const policy: PolicyEngine = {
    version: 'p1',
    evaluate() {
      throw new Error('broken')
    },
  }
  const { tidegate, trigger } = await startDesk({ clock, policy })
  const run = await trigger('e1')
  await pass(1_000)
  expect(await tidegate.run(run)).toMatchObject({ final: 'failed', failure: 'policy_denial' })
})

test('I2: when the world changes between two attempts, people are asked again', async () => {
  const { clock, pass } = createTime()
  let version = 1
  const preview = async (): Promise<ConnectorResult> => ({ kind: 'done', output: { version }, complete: true })
  const { connector, calls } = scripted('desk.set', [BUSY], { preview })
  const operations = [READ, { ...SET, canPreview: true }, UNDO]
  const desk = await startDesk({ clock, connector, operations, policy: asking('desk.set') })
  const run = await desk.trigger('e1')
  await pass(10)
  await approveAll(desk)
  version = 2
  await pass(1_000)
  expect([calls.length, await approveAll(desk)]).toEqual([0, 1]) // changed before the first attempt
  await pass(10)
  version = 3
  await pass(1_000)
  expect([calls.length, await approveAll(desk)]).toEqual([1, 1]) // and again between the first and the second
  await pass(1_000)
  expect(await desk.tidegate.run(run)).toMatchObject({ final: 'completed' })
  expect(calls).toHaveLength(2)
})

test('a world that never stands still ends the run and not the patience of the machine', async () => {
  const { clock, pass } = createTime()
  let version = 0
  const preview = async (): Promise<ConnectorResult> => ({ kind: 'done', output: { version: version++ }, complete: true })
  const { connector, calls } = scripted('desk.set', [], { preview })
  const desk = await startDesk({
    clock,
    connector,
    operations: [READ, { ...SET, canPreview: true }, UNDO],
    policy: asking('desk.set'),
  })
  const run = await desk.trigger('e1')
  for (let i = 0; i < 6; i++) {
    await pass(10)
    await approveAll(desk)
  }
  await pass(10)
  expect(await desk.tidegate.run(run)).toMatchObject({ final: 'failed', failure: 'approval_timeout' })
  expect(calls).toEqual([])
})

test('I5: what a stop held beyond the deadline is asked again before it runs', async () => {
  const { clock, pass } = createTime()
  const { connector, calls } = scripted('desk.set', [BUSY])
  const desk = await startDesk({ clock, connector, policy: asking('desk.set') })
  const run = await desk.trigger('e1')
  await pass(10)
  await approveAll(desk)
  await pass(10)
  await desk.tidegate.stop({ person: OPS, scope: 'global', mode: 'hold', why: 'test' })
  await pass(3 * 86_400_000)
  await desk.tidegate.lift({ person: OPS, scope: 'global', why: 'test' })
  await pass(10)
  expect([calls.length, (await desk.tidegate.run(run))?.actions[0]?.state]).toEqual([1, 'asking'])
})

test('I4: an effect under a key that never answered is left to a person, not forgotten', async () => {
  const { clock, pass } = createTime()
  const { connector, calls } = scripted('desk.send', [LOST, LOST, BUSY])
  const operations = [READ, operation('desk.send', { idempotency: 'key', canReconcile: false })]
  const desk = await startDesk({ clock, connector, operations, planner: listPlanner(['desk.send']) })
  const run = await desk.trigger('e1')
  await pass(10_000)
  const state = await desk.tidegate.run(run)
  expect(calls).toHaveLength(3)
  expect(state).toMatchObject({ final: 'failed', failure: 'ambiguous' })
  expect([...(state?.items.values() ?? [])].map((item) => item.kind)).toEqual(['ambiguous'])
})

test('I4: a killing stop does not swallow what nobody can tell', async () => {
  const { clock, pass } = createTime()
  const { connector } = scripted('desk.send', [LOST])
  const operations = [READ, operation('desk.send', { idempotency: 'key', canReconcile: false })]
  const desk = await startDesk({ clock, connector, operations, planner: listPlanner(['desk.send']) })
  const run = await desk.trigger('e1')
  await pass(50)
  await desk.tidegate.stop({ person: OPS, scope: 'global', mode: 'kill', why: 'test' })
  await pass(1_000)
  const state = await desk.tidegate.run(run)
  expect([state?.final, [...(state?.items.values() ?? [])].map((item) => item.kind)]).toEqual(['stopped', ['ambiguous']])
})

test('I4: a wall clock that jumps over the settling time does not make an early look believed', async () => {
  const { clock, pass } = createTime()
  let landed = 0
  const { connector, calls } = scripted('desk.set', [LOST], {
    reconcile: async () => (landed > 0 ? { kind: 'happened', output: {} } : { kind: 'absent' }),
  })
  const desk = await startDesk({ clock, connector, operations: [READ, { ...SET, settleMs: 4_000 }, UNDO] })
  const run = await desk.trigger('e1')
  await pass(10)
  clock.jump(60_000)
  desk.tidegate.harness.advance(run)
  await pass(3_000)
  landed += 1 // within the settling time
  await pass(10_000)
  expect(calls).toHaveLength(1)
  expect(await desk.tidegate.run(run)).toMatchObject({ final: 'completed' })
})

test('a compensation that trips over an unknown answer is left to a person, and the rest is undone', async () => {
  const { clock, pass } = createTime()
  const { connector, done } = scripted('desk.note', [LOST], { reconcile: async () => ({ kind: 'happened', output: null }) })
  const tripping = operation('desk.note', {
    compensation: ({ output }) => ({ operation: 'desk.unset', arguments: { id: (output as { id: string }).id } }),
  })
  const refuse = operation('desk.refuse')
  const refusing: Connector = {
    ...connector,
    execute: async (call) =>
      call.operation === 'desk.refuse' ? { ...BUSY, failure: 'semantic', retry: 'never' } : connector.execute(call),
  }
  const planner = listPlanner(['desk.set', 'desk.note', 'desk.refuse'])
  const desk = await startDesk({ clock, connector: refusing, operations: [READ, SET, UNDO, tripping, refuse], planner })
  const run = await desk.trigger('e1')
  await pass(10_000)
  const state = await desk.tidegate.run(run)
  expect(state).toMatchObject({ final: 'failed', failure: 'rollback_failure' })
  expect([...(state?.items.values() ?? [])].map((item) => [item.kind, item.effect])).toEqual([['cannot_undo', 1]])
  expect(done.map((text) => text.split(' ')[0])).toEqual(['desk.set', 'desk.unset'])
})

test('a run that asks while it takes something back is found by those who may vote', async () => {
  const { clock, pass } = createTime()
  const { connector } = scripted('', [])
  const desk = await startDesk({ clock, connector, policy: asking('desk.unset') })
  const run = await desk.trigger('e1')
  await pass(10)
  const undo = await desk.tidegate.undo(run, { person: OPS, why: 'wrong' })
  await pass(10)
  expect([undo.kind, await approveAll(desk)]).toEqual(['opened', 1])
  await pass(10)
  expect((await desk.tidegate.run(run))?.undoneBy).not.toBeNull()
})

test('a question does not outlive its run', async () => {
  const { clock, pass } = createTime()
  const desk = await startDesk({
    clock,
    connector: createWorld(),
    policy: asking('desk.set'),
    workflow: workflow([READ, SET, UNDO]),
  })
  const run = await desk.trigger('e1')
  await pass(10)
  await desk.tidegate.stop({ person: OPS, scope: 'global', mode: 'kill', why: 'test' })
  await pass(10)
  const state = await desk.tidegate.run(run)
  expect([state?.final, [...(state?.approvals.values() ?? [])].map((approval) => approval.state)]).toEqual([
    'stopped',
    ['voided'],
  ])
})

test('time under two stops, one after the other, does not count against the limit of the run', async () => {
  const { clock, pass } = createTime()
  const desk = await startDesk({ clock, connector: createWorld(), policy: asking('desk.set') })
  await desk.tidegate.stop({ person: OPS, scope: 'workflow:w', mode: 'hold', why: 'test' })
  const run = await desk.trigger('e1')
  await pass(500_000)
  await desk.tidegate.stop({ person: OPS, scope: 'tool:desk', mode: 'hold', why: 'test' })
  await desk.tidegate.lift({ person: OPS, scope: 'workflow:w', why: 'test' })
  await desk.tidegate.stop({ person: OPS, scope: 'global', mode: 'hold', why: 'test' })
  await pass(500_000)
  await desk.tidegate.lift({ person: OPS, scope: 'global', why: 'test' })
  await desk.tidegate.lift({ person: OPS, scope: 'tool:desk', why: 'test' })
  await pass(10)
  expect((await desk.tidegate.run(run))?.waitedMs).toBe(1_000_000)
})

test.each([
  ['with a code, as errors of the network have', 'ECONNRESET'],
  ['without one', undefined],
])('a planner that throws %s has given up: what was done is taken back', async (_, code) => {
  const { clock, pass } = createTime()
  const world = createWorld()
  const sound = listPlanner(['desk.set'])
  const planner: typeof sound = {
    async next(view) {
      if (view.state.actions.length === 0) return sound.next(view)
      throw Object.assign(new Error('broken'), code === undefined ? {} : { code })
    },
  }
  const desk = await startDesk({ clock, connector: world, planner })
  const run = await desk.trigger('e1')
  await pass(10)
  expect(await desk.tidegate.run(run)).toMatchObject({ final: 'undone', failure: 'planning' })
  expect(world.done.map((text) => text.split(' ')[0])).toEqual(['desk.set', 'desk.unset'])
})

test('I4: a defect next to an effect tells a person of that effect', async () => {
  const { clock, pass } = createTime()
  const execute = async () => undefined as never // no connector that the compiler has seen
  const desk = await startDesk({
    clock,
    connector: { ...createWorld(), execute },
    operations: [READ, SET, UNDO],
  })
  const run = await desk.trigger('e1')
  await pass(10)
  const state = await desk.tidegate.run(run)
  expect(state).toMatchObject({ final: 'failed', failure: 'defect' })
  expect([...(state?.items.values() ?? [])].map(({ kind, action }) => [kind, action])).toEqual([
    ['unfinished', null],
    ['ambiguous', 0],
  ])
})
