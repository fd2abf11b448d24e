import type {
  Connector,
  ConnectorCall,
  ConnectorResult,
  Journal,
  Operation,
  PolicyEngine,
  RunState,
  StopScope,
} from '@tidegate/kernel'
import {
  type AppendFaults,
  createDisk,
  createMemoryJournal,
  createVirtualClock,
  type Disk,
  type VirtualClock,
} from '@tidegate/testkit'
import { describe, expect, test } from 'vitest'
import { createWorld, listPlanner, MEI, OPS, operation, PERMIT, policyOf, READ, SET, startDesk, UNDO } from './bench-desk.ts'

/** Stops through the real harness (I7): every scope, both modes, at the worst moments, and over a restart. */

type Mode = 'hold' | 'kill'

/** The next timer, and whatever comes of it, until so much time has passed. */
async function pass(clock: VirtualClock, ms = 10): Promise<void> {
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

interface Setting {
  readonly disk?: Disk
  readonly clock?: VirtualClock
  readonly connector?: Connector
  readonly planned?: readonly string[]
  readonly policy?: PolicyEngine
  readonly operations?: readonly Operation[]
  readonly faults?: AppendFaults
  /** Puts something between the harness and its journal. */
  readonly wrap?: (journal: Journal) => Journal
}

async function start(setting: Setting = {}) {
  const { disk = createDisk(), clock = createVirtualClock(), planned = ['desk.set'], wrap = (journal) => journal } = setting
  const { connector, policy, operations = [READ, SET, UNDO] } = setting
  const desk = await startDesk({
    journal: wrap(createMemoryJournal(disk, setting.faults)),
    clock,
    operations,
    planner: listPlanner(planned),
    ...(connector === undefined ? {} : { connector }),
    ...(policy === undefined ? {} : { policy }),
  })
  const { tidegate } = desk
  return {
    ...desk,
    disk,
    clock,
    stop: (scope: StopScope, mode: Mode) => tidegate.stop({ person: OPS, scope, mode, why: 'test' }),
    lift: (scope: StopScope) => tidegate.lift({ person: OPS, scope, why: 'test' }),
    async approve() {
      for (const { approval } of await tidegate.approvals({}))
        await tidegate.vote(approval.question.id, { person: MEI, vote: 'approve', why: '', digest: approval.question.digest })
    },
  }
}

const asking = (id: string) => {
  const ask = { id: 'ask', reason: 'high', outcome: 'ask', approvers: [{ role: 'billing-lead', count: 1 }] } as const
  return policyOf((op, held) => (op === id && !held.includes('ask') ? { kind: 'forbidden', forbids: [ask] } : PERMIT))
}

const items = (run: RunState | undefined) => [...(run?.items.values() ?? [])].map((item) => item.kind)

const SCOPES = ['global', 'agent:agent-1', 'workflow:w', 'tool:desk', 'run:ID'] as const
const OTHERS = ['agent:agent-2', 'agent:agent', 'workflow:v', 'tool:des', 'tool:desk.set', 'run:other'] as const
const scopeOf = (text: string, run: string) => text.replace('ID', run) as StopScope

describe.each(SCOPES)('a stop over %s', (text) => {
  test('holds what was granted, over a restart, until it is lifted', async () => {
    const world = createWorld()
    const first = await start({ connector: world, policy: asking('desk.set') })
    const run = await first.trigger('e1')
    await pass(first.clock)
    const scope = scopeOf(text, run)
    expect(await first.stop(scope, 'hold')).toMatchObject({
      kind: 'stopped',
      epoch: 1,
      running: [],
      stop: { scope, mode: 'hold' },
    })
    await first.approve()
    await pass(first.clock, 20_000)
    expect([world.done, (await first.tidegate.run(run))?.held === null]).toEqual([[], false])
    await first.tidegate.close()

    const second = await start({ disk: first.disk, clock: first.clock, connector: world, policy: asking('desk.set') })
    await pass(first.clock, 20_000)
    expect([world.done, second.tidegate.stops().map((stop) => stop.scope)]).toEqual([[], [scope]])
    expect(await second.lift(scope)).toMatchObject({ kind: 'lifted', epoch: 2 })
    await pass(first.clock)
    expect([(await second.tidegate.run(run))?.final, world.done]).toEqual(['completed', ['desk.set 0']])
    await second.tidegate.close()
  })

  test('kills: the run ends and its question with it, also after a restart and a lift', async () => {
    const world = createWorld()
    const first = await start({ connector: world, policy: asking('desk.set') })
    const run = await first.trigger('e1')
    await pass(first.clock)
    const scope = scopeOf(text, run)
    const [view] = await first.tidegate.approvals({})
    const { id = '', digest = '' } = view?.approval.question ?? {}
    await first.stop(scope, 'kill')
    await pass(first.clock)
    expect(await first.tidegate.vote(id, { person: MEI, vote: 'approve', why: '', digest })).toMatchObject({
      code: 'approval_closed',
    })
    const { approvals } = (await first.tidegate.run(run)) ?? {}
    expect(approvals?.get(id)?.state).toBe('voided')
    await first.tidegate.close()

    const second = await start({ disk: first.disk, clock: first.clock, connector: world, policy: asking('desk.set') })
    await second.lift(scope)
    await pass(first.clock, 100_000)
    expect(await second.tidegate.run(run)).toMatchObject({ final: 'stopped', failure: 'stopped' })
    expect(world.done).toEqual([])
    await second.tidegate.close()
  })
})

test.each(OTHERS)('a stop over %s is none over this run', async (text) => {
  const desk = await start({ policy: asking('desk.set') })
  const run = await desk.trigger('e1')
  await pass(desk.clock)
  await desk.stop(text, 'kill')
  await desk.approve()
  await pass(desk.clock)
  expect((await desk.tidegate.run(run))?.final).toBe('completed')
  await desk.tidegate.close()
})

test.each<[StopScope, Mode, string | null]>([
  ['global', 'hold', null],
  ['workflow:w', 'hold', null],
  ['agent:agent-1', 'kill', 'stopped'],
  ['tool:desk', 'kill', 'stopped'],
])('a run that comes under a stop over %s (%s) does nothing, and asks for no preview', async (scope, mode, final) => {
  const world = createWorld()
  let previews = 0
  const preview: Connector['preview'] = (call) => {
    previews += 1
    return world.preview(call)
  }
  const operations = [READ, { ...SET, canPreview: true }, UNDO]
  const desk = await start({ connector: { ...world, preview }, operations, policy: asking('desk.set') })
  await desk.stop(scope, mode)
  const run = await desk.trigger('late')
  await pass(desk.clock, 20_000)
  expect([world.done, previews, (await desk.tidegate.run(run))?.final]).toEqual([[], 0, final])
  await desk.tidegate.close()
})

describe('at the worst moment', () => {
  /** A stop that is raised by the record of an intent: before it is written, or when it is and nobody knows yet. */
  function stopAt(moment: 'before' | 'after', stop: () => Promise<unknown>): (journal: Journal) => Journal {
    let done = false
    return (journal) => ({
      ...journal,
      async append(draft) {
        const intent = !done && draft.events.some((event) => event.type === 'effect.started')
        done ||= intent
        if (intent && moment === 'before') await stop()
        const result = await journal.append(draft)
        if (intent && moment === 'after') await stop()
        return result
      },
    })
  }

  test.each(['before', 'after'] as const)('%s the intent is recorded: the call is not made', async (moment) => {
    const world = createWorld()
    const stop: () => Promise<unknown> = () => desk.stop('tool:desk', 'hold')
    const desk = await start({ connector: world, wrap: stopAt(moment, stop) })
    const run = await desk.trigger('e1')
    await pass(desk.clock, 20_000)
    const started = (await desk.journal.read(`run/${run}`))
      .flatMap((entry) => entry.events)
      .filter((event) => event.type === 'effect.started')
    expect([world.done, started.length]).toEqual([[], moment === 'before' ? 0 : 1])
    await desk.lift('tool:desk')
    await pass(desk.clock, 1_000)
    expect([(await desk.tidegate.run(run))?.final, world.done]).toEqual(['completed', ['desk.set 0']])
    await desk.tidegate.close()
  })

  test('while an effect is under way: it is told, keeps no secret, and is recorded as what it was', async () => {
    const world = createWorld()
    const { promise, resolve } = Promise.withResolvers<ConnectorResult>()
    const calls: ConnectorCall[] = []
    const execute: Connector['execute'] = async (call) => {
      calls.push(call)
      await promise
      return world.execute(call)
    }
    const operations = [READ, { ...SET, secrets: ['token'], timeoutMs: 60_000 }, UNDO]
    const desk = await start({ connector: { ...world, execute }, operations })
    const run = await desk.trigger('e1')
    await pass(desk.clock)
    const sinceMs = desk.clock.nowMs() - 10
    expect(await calls[0]?.secret('token')).toBe('secret')
    expect(await desk.stop('workflow:other', 'kill')).toMatchObject({ running: [] })
    expect(await desk.stop('tool:desk', 'kill')).toMatchObject({ running: [{ run, operation: 'desk.set', sinceMs }] })
    await expect(calls[0]?.secret('token')).rejects.toThrow('taken back')
    resolve({ kind: 'done', output: { ok: true }, complete: true })
    await pass(desk.clock)
    const state = await desk.tidegate.run(run)
    expect([state?.actions[0]?.state, world.done]).toEqual(['done', ['desk.set 0']])
    expect(await desk.stop('global', 'kill')).toMatchObject({ running: [] })
    await pass(desk.clock)
    const ended = await desk.tidegate.run(run)
    expect([ended?.final, items(ended)]).toEqual(['stopped', ['stopped_midway']])
    await desk.tidegate.close()
  })

  test('after a connector broke its contract nothing is told to be under way', async () => {
    const execute = async () => undefined as never // no connector that the compiler has seen
    const desk = await start({ connector: { ...createWorld(), execute } })
    const run = await desk.trigger('e1')
    await pass(desk.clock)
    expect((await desk.tidegate.run(run))?.failure).toBe('defect')
    expect(await desk.stop('global', 'hold')).toMatchObject({ running: [] })
    await desk.tidegate.close()
  })

  test.each<[Mode, string | null, readonly string[]]>([
    ['hold', null, []],
    ['kill', 'stopped', ['stopped_midway']],
  ])('between two steps of an undo (%s): nothing more is taken back', async (mode, final, kinds) => {
    const world = createWorld()
    const execute: Connector['execute'] = async (call) => {
      if (call.operation === 'desk.send') return { kind: 'failed', failure: 'semantic', retry: 'never', message: 'no' }
      const result = await world.execute(call)
      if (call.operation === 'desk.unset' && world.done.length === 3) await desk.stop('workflow:w', mode)
      return result
    }
    const planned = ['desk.set', 'desk.set', 'desk.send']
    const operations = [READ, SET, UNDO, operation('desk.send')]
    const desk = await start({ connector: { ...world, execute }, planned, operations })
    const run = await desk.trigger('e1')
    await pass(desk.clock, 20_000)
    const state = await desk.tidegate.run(run)
    expect([world.done, state?.final, items(state)]).toEqual([['desk.set 0', 'desk.set 1', 'desk.unset 3'], final, kinds])
    await desk.lift('workflow:w')
    await pass(desk.clock)
    expect(world.done).toHaveLength(mode === 'hold' ? 4 : 3)
    await desk.tidegate.close()
  })

  test('while a retry is due: the far side is left alone', async () => {
    const world = createWorld()
    let calls = 0
    const execute: Connector['execute'] = async (call) => {
      if (call.operation !== 'desk.set' || ++calls > 1) return world.execute(call)
      return { kind: 'failed', failure: 'unavailable', retry: 'safe', message: 'down' }
    }
    const desk = await start({ connector: { ...world, execute } })
    const run = await desk.trigger('e1')
    await pass(desk.clock, 50)
    await desk.stop('agent:agent-1', 'hold')
    await pass(desk.clock, 100_000)
    expect(calls).toBe(1)
    await desk.lift('agent:agent-1')
    await pass(desk.clock, 1_000)
    expect([calls, (await desk.tidegate.run(run))?.final]).toEqual([2, 'completed'])
    await desk.tidegate.close()
  })
})

test('a process that dies the moment its stop is durable leaves the stop behind, and an effect nobody repeats', async () => {
  const world = createWorld()
  let dead = false
  const faults: AppendFaults = { fault: () => (dead ? 'lost' : 'none') }
  const execute: Connector['execute'] = (call) =>
    call.operation === 'desk.set' ? new Promise(() => undefined) : world.execute(call)
  const first = await start({ connector: { ...world, execute }, faults })
  const run = await first.trigger('e1')
  await pass(first.clock)
  await first.stop(`run:${run}`, 'hold')
  dead = true
  first.clock.forget()

  const second = await start({ disk: first.disk, clock: first.clock, connector: world })
  await pass(first.clock, 60_000)
  const held = await second.tidegate.run(run)
  expect([held?.held === null, held?.actions[0]?.found, held?.actions[0]?.attempts, world.done]).toEqual([false, 'absent', 1, []])
  await second.lift(`run:${run}`)
  await pass(first.clock, 1_000)
  expect([(await second.tidegate.run(run))?.final, world.done]).toEqual(['completed', ['desk.set 0']])
  await second.tidegate.close()
})

test('a stop that the store does not take is not acknowledged', async () => {
  let full = false
  const desk = await start({ faults: { fault: () => (full ? 'lost' : 'none') } })
  full = true
  await expect(desk.stop('global', 'hold')).rejects.toMatchObject({ code: 'journal_full' })
  expect(desk.tidegate.stops()).toEqual([])
})

test('the time until a stop is durable is measured', async () => {
  const slow = (journal: Journal): Journal => ({
    ...journal,
    async append(draft) {
      if (draft.stream === 'control') desk.clock.advanceTo(desk.clock.nowMs() + 40)
      return journal.append(draft)
    },
  })
  const desk = await start({ wrap: slow })
  expect(await desk.stop('global', 'hold')).toMatchObject({ acknowledgedMs: 40 })
  await desk.tidegate.close()
})

test('of two stops the killing one counts, and lifting one leaves the other', async () => {
  const world = createWorld()
  const desk = await start({ connector: world })
  await desk.stop('global', 'hold')
  await desk.stop('workflow:w', 'hold')
  const run = await desk.trigger('e1')
  await desk.lift('global')
  await pass(desk.clock)
  expect([world.done, desk.tidegate.stops().map((stop) => stop.scope)]).toEqual([[], ['workflow:w']])
  await desk.stop('tool:desk', 'kill')
  await desk.stop('agent:agent-1', 'kill')
  await pass(desk.clock)
  expect((await desk.tidegate.run(run))?.final).toBe('stopped')
  await desk.tidegate.close()
})

test('a stop is lifted by its name, or with all others over its scope', async () => {
  const desk = await start()
  const first = await desk.stop('global', 'hold')
  await desk.stop('global', 'kill')
  await desk.stop('tool:desk', 'hold')
  if (first.kind !== 'stopped') throw new Error(first.message)
  await desk.tidegate.lift({ person: OPS, stop: first.stop.id, why: 'test' })
  expect(desk.tidegate.stops().map(({ scope, mode }) => [scope, mode])).toEqual([
    ['global', 'kill'],
    ['tool:desk', 'hold'],
  ])
  await desk.stop('global', 'hold')
  expect(await desk.lift('global')).toMatchObject({ stops: [{ mode: 'kill' }, { mode: 'hold' }] })
  expect(desk.tidegate.stops().map((stop) => stop.scope)).toEqual(['tool:desk'])
  expect(await desk.lift('global')).toMatchObject({ kind: 'refused', code: 'not_found' })
  await desk.tidegate.close()
})

test('only an operator stops and lifts, and only what is a scope', async () => {
  const desk = await start()
  const refused = await desk.tidegate.stop({ person: MEI, scope: 'global', mode: 'kill', why: 'test' })
  expect(refused).toMatchObject({ kind: 'refused', code: 'not_entitled' })
  expect(await desk.stop('tool:*' as StopScope, 'kill')).toMatchObject({ kind: 'refused', code: 'invalid_scope' })
  expect(desk.tidegate.stops()).toEqual([])
  await desk.stop('global', 'hold')
  expect(await desk.tidegate.lift({ person: MEI, scope: 'global', why: 'test' })).toMatchObject({ code: 'not_entitled' })
  expect(desk.tidegate.stops()).toHaveLength(1)
  await desk.tidegate.close()
})
