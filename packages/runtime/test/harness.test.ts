import { describe, expect, test } from 'vitest'
import { INPUT_MAX_BYTES } from '../src/index.ts'
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

const ASK = {
  kind: 'forbidden',
  forbids: [{ id: 'ask', reason: 'high', outcome: 'ask', approvers: [{ role: 'billing-lead', count: 1 }] }],
} as const

describe('a run', () => {
  test('acts, looks at the world, and is completed', async () => {
    const world = createWorld()
    const { tidegate, trigger } = await startDesk({ connector: world })
    const run = await trigger('e1')
    expect((await tidegate.settled(run, 2_000))?.state).toBe('completed')
    expect(world.done).toEqual(['desk.set 0'])
    expect(await trigger('e1')).toBe(run)
    await tidegate.close()
  })

  test('waits for a person, and goes on once with the exact action', async () => {
    const world = createWorld()
    const policy = policyOf((id, approvals) => (id === 'desk.set' && !approvals.includes('ask') ? ASK : PERMIT))
    const { tidegate, trigger } = await startDesk({ connector: world, policy })
    const run = await trigger('e1')
    expect((await tidegate.settled(run, 2_000))?.state).toBe('waiting')
    const [view] = await tidegate.approvals({})
    const { id, digest } = view?.approval.question ?? { id: '', digest: '' }
    expect(await tidegate.vote(id, { person: OPS, vote: 'approve', why: '', digest })).toMatchObject({ code: 'not_entitled' })
    expect(await tidegate.vote(id, { person: MEI, vote: 'approve', why: 'ok', digest })).toMatchObject({
      kind: 'counted',
      state: 'granted',
    })
    expect(await tidegate.vote(id, { person: MEI, vote: 'approve', why: 'ok', digest })).toMatchObject({
      code: 'approval_closed',
    })
    await tidegate.harness.idle()
    expect((await tidegate.run(run))?.final).toBe('completed')
    expect(world.done).toEqual(['desk.set 0'])
    await tidegate.close()
  })

  test('what was done is taken back when a later step fails, in reverse order, and looked at', async () => {
    const world = createWorld()
    const failing = {
      ...world,
      execute: async (call: Parameters<typeof world.execute>[0]) =>
        call.operation === 'desk.send'
          ? { kind: 'failed' as const, failure: 'semantic' as const, retry: 'never' as const, message: 'bounced' }
          : world.execute(call),
    }
    const operations = [READ, SET, UNDO, operation('desk.send')]
    const { tidegate, trigger } = await startDesk({
      connector: failing,
      operations,
      planner: listPlanner(['desk.set', 'desk.send']),
    })
    const run = await trigger('e1')
    expect(await tidegate.settled(run, 2_000)).toMatchObject({ state: 'undone', failure: 'connector_semantic' })
    expect(world.done).toEqual(['desk.set 0', 'desk.unset 2'])
    await tidegate.close()
  })

  test('a stop holds, and a lift lets go', async () => {
    const world = createWorld()
    const { tidegate, trigger } = await startDesk({ connector: world })
    const stopped = await tidegate.stop({ person: OPS, scope: 'global', mode: 'hold', why: 'test' })
    expect(stopped).toMatchObject({ kind: 'stopped', epoch: 1, running: [] })
    const run = await trigger('e1')
    await tidegate.harness.idle()
    expect((await tidegate.run(run))?.held).not.toBeNull()
    expect(world.done).toEqual([])
    expect(await tidegate.lift({ person: OPS, scope: 'global', why: 'test' })).toMatchObject({ kind: 'lifted', epoch: 2 })
    await tidegate.harness.idle()
    expect((await tidegate.run(run))?.final).toBe('completed')
    await tidegate.close()
  })

  test('a finished run is undone by a run of its own', async () => {
    const world = createWorld()
    const { tidegate, trigger } = await startDesk({ connector: world })
    const run = await trigger('e1')
    await tidegate.settled(run, 2_000)
    const answer = await tidegate.undo(run, { person: OPS, why: 'wrong customer' })
    if (answer.kind !== 'opened') throw new Error(answer.message)
    expect((await tidegate.settled(answer.run, 2_000))?.state).toBe('completed')
    expect(world.done).toEqual(['desk.set 0', 'desk.unset 0'])
    expect((await tidegate.run(run))?.undoneBy).toBe(answer.run)
    expect(await tidegate.undo(run, { person: OPS, why: 'again' })).toMatchObject({ code: 'already_undone' })
    await tidegate.close()
  })

  test.each([
    ['an operation nobody declared', ['desk.format'], 'tidegate:undeclared-operation'],
    ['one that the workflow does not list', ['desk.unset'], 'tidegate:not-in-workflow'],
  ])('%s is denied and recorded', async (_, ids, policy) => {
    const world = createWorld()
    const { tidegate, trigger } = await startDesk({
      connector: world,
      planner: listPlanner(ids),
      workflow: workflow([READ, SET]),
    })
    const run = await trigger('e1')
    expect(await tidegate.settled(run, 2_000)).toMatchObject({ state: 'failed', failure: 'policy_denial', openItems: 1 })
    expect((await tidegate.run(run))?.actions[0]?.decision?.policies[0]?.id).toBe(policy)
    expect(world.done).toEqual([])
    await tidegate.close()
  })
})

test('I7: under a stop over its tool a new proposal is recorded, and nothing starts', async () => {
  const world = createWorld()
  const { tidegate, trigger } = await startDesk({ connector: world })
  await tidegate.stop({ person: OPS, scope: 'tool:desk', mode: 'hold', why: 'test' })
  const run = await trigger('e1')
  await tidegate.harness.idle()
  const state = await tidegate.run(run)
  expect([state?.actions[0]?.state, state?.actions[0]?.attempts, state?.held === null]).toEqual(['proposed', 0, false])
  expect(world.done).toEqual([])
  await tidegate.lift({ person: OPS, scope: 'tool:desk', why: 'test' })
  await tidegate.harness.idle()
  expect((await tidegate.run(run))?.final).toBe('completed')
  await tidegate.close()
})

test('two events are never taken for one, and our own sources are not for others', async () => {
  const { tidegate } = await startDesk({})
  const deliver = (source: string, event: string) =>
    tidegate.trigger({ workflow: 'w', source, event, input: { id: 'x' }, user: 'user:ann', client: 'client:test' })
  expect((await deliver('a\nb', 'c')).kind).toBe('opened')
  expect((await deliver('a', 'b\nc')).kind).toBe('opened')
  expect((await deliver('a', 'b\nc')).kind).toBe('duplicate')
  expect(await deliver('tidegate:undo', 'run')).toMatchObject({ kind: 'refused', code: 'invalid_input' })
  await tidegate.close()
})

test('I6: a validator that throws has accepted nothing', async () => {
  const world = createWorld()
  const broken = {
    jsonSchema: {},
    parse: () => {
      throw new Error('broken')
    },
  }
  const { tidegate, trigger } = await startDesk({ connector: world, operations: [READ, { ...SET, input: broken }, UNDO] })
  const run = await trigger('e1')
  expect(await tidegate.settled(run, 2_000)).toMatchObject({ state: 'failed', failure: 'planning' })
  expect(world.done).toEqual([])
  await tidegate.close()
})

describe('the desk, on the real runtime', () => {
  test('only an operator undoes, once, and only what has ended and still stands', async () => {
    const { tidegate, trigger } = await startDesk({})
    const run = await trigger('e1')
    expect(await tidegate.undo(run, { person: MEI, why: 'x' })).toMatchObject({ code: 'not_entitled' })
    await tidegate.stop({ person: OPS, scope: 'global', mode: 'hold', why: 'test' })
    const held = await trigger('e2')
    await tidegate.harness.idle()
    expect(await tidegate.undo(held, { person: OPS, why: 'x' })).toMatchObject({ code: 'not_finished' })
    await tidegate.lift({ person: OPS, scope: 'global', why: 'test' })
    await tidegate.settled(run, 5_000) // the stop came before its first call, which is tried again after a while
    const undone = await tidegate.undo(run, { person: OPS, why: 'x' })
    if (undone.kind !== 'opened') throw new Error(undone.message)
    await tidegate.harness.idle()
    expect(await tidegate.undo(undone.run, { person: OPS, why: 'x' })).toMatchObject({ code: 'nothing_to_undo' })
    expect(await tidegate.undo('nobody', { person: OPS, why: 'x' })).toMatchObject({ code: 'not_found' })
    await tidegate.close()
  })

  test('only an operator stops, lifts and clears the queue, and an item is cleared once', async () => {
    const { tidegate, trigger } = await startDesk({ planner: listPlanner(['desk.format']) })
    await trigger('e1')
    await tidegate.harness.idle()
    expect(await tidegate.stop({ person: MEI, scope: 'global', mode: 'hold', why: 'x' })).toMatchObject({ code: 'not_entitled' })
    expect(await tidegate.lift({ person: MEI, scope: 'global', why: 'x' })).toMatchObject({ code: 'not_entitled' })
    const [item] = await tidegate.queue({ all: false })
    expect(await tidegate.resolve(item?.item ?? '', { person: MEI, why: 'x' })).toMatchObject({ code: 'not_entitled' })
    expect(await tidegate.resolve(item?.item ?? '', { person: OPS, why: 'x' })).toMatchObject({ kind: 'resolved' })
    expect(await tidegate.resolve(item?.item ?? '', { person: OPS, why: 'x' })).toMatchObject({ code: 'already_resolved' })
    expect(await tidegate.queue({ all: false })).toEqual([])
    await tidegate.close()
  })

  test('an input that is too large opens no run', async () => {
    const { tidegate } = await startDesk({})
    const input = { id: 'x'.repeat(INPUT_MAX_BYTES) }
    const answer = await tidegate.trigger({
      workflow: 'w',
      source: 's',
      event: 'e',
      input,
      user: 'user:ann',
      client: 'client:test',
    })
    expect(answer).toMatchObject({ kind: 'refused', code: 'input_too_large' })
    expect(await tidegate.runs({ limit: 10 })).toEqual([])
    await tidegate.close()
  })
})
