import type {
  Connector,
  ConnectorResult,
  ModelCallRecord,
  Planner,
  PlannerAnswer,
  PolicyEngine,
  RunState,
  Workflow,
} from '@tidegate/kernel'
import { CONFIDENCE_INCOMPLETE, CONFIDENCE_TAMPERED } from '@tidegate/kernel'
import { createDisk, createMemoryJournal, createVirtualClock, type VirtualClock } from '@tidegate/testkit'
import { describe, expect, test } from 'vitest'
import { createWorld, listPlanner, MEI, operation, PERMIT, policyOf, READ, SET, startDesk, UNDO, workflow } from './bench-desk.ts'

/** What a run may use up, through the real harness: each limit ends it, takes back what it did, and holds over a restart. */

const OPERATIONS = [READ, SET, UNDO]
const LIMITS = workflow([]).limits

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

interface Setting {
  readonly planner: Planner
  readonly limits?: Partial<Workflow['limits']>
  readonly connector?: Connector
  readonly policy?: PolicyEngine
  readonly operations?: Parameters<typeof workflow>[0]
}

/** A desk whose disk and clock outlive it. */
async function start({ planner, limits = {}, connector = createWorld(), policy, operations = OPERATIONS }: Setting) {
  const disk = createDisk()
  const clock = createVirtualClock()
  const startedAtMs = clock.nowMs()
  const open = () =>
    startDesk({
      journal: createMemoryJournal(disk),
      clock,
      connector,
      planner,
      operations,
      workflow: workflow(operations, { limits: { ...LIMITS, ...limits } }),
      ...(policy === undefined ? {} : { policy }),
    })
  let desk = await open()
  const run = await desk.trigger('e1')
  return {
    clock,
    pass: (ms: number) => pass(clock, ms),
    run: () => desk.tidegate.run(run),
    approve: async () => {
      for (const { approval } of await desk.tidegate.approvals({}))
        await desk.tidegate.vote(approval.question.id, {
          person: MEI,
          vote: 'approve',
          why: '',
          digest: approval.question.digest,
        })
    },
    async restart() {
      await desk.tidegate.close()
      clock.forget()
      desk = await open()
    },
    close: () => desk.tidegate.close(),
    elapsedMs: () => clock.nowMs() - startedAtMs,
  }
}

/** Does one thing, then goes on with the given answer, far beyond any limit; counts how often it was asked. */
function endless(answer: (asked: number) => PlannerAnswer): Planner & { readonly asked: () => number } {
  let asked = 0
  const once = listPlanner(['desk.set'])
  return {
    asked: () => asked,
    async next(view) {
      if (view.state.actions.length === 0) return once.next(view)
      asked += 1
      return asked < 200 ? answer(asked) : { kind: 'finish', reason: 'no limit was kept', escalate: true }
    },
  }
}

const note = (n: number, usage?: ModelCallRecord): PlannerAnswer => ({
  kind: 'note',
  node: `n${n}`,
  value: n,
  origins: ['system'],
  ...(usage === undefined ? {} : { usage }),
})
const propose = (id: string, args: { readonly [key: string]: string }): PlannerAnswer => ({
  kind: 'propose',
  proposal: { goal: 'g', operation: id, arguments: args, justification: 'j', confidence: 10_000 },
})
const used = (changes: Partial<ModelCallRecord>): ModelCallRecord => ({
  model: 'm',
  inputTokens: 0,
  outputTokens: 0,
  costMicros: 0,
  durationMs: 1,
  result: 'answered',
  request: null,
  reply: null,
  ...changes,
})

const undoneFor = (failure: string) => ({ final: 'undone', failure })
const kinds = (run: RunState | undefined) => run?.actions.map(({ proposed, state }) => `${proposed.operation} ${state}`)

describe('steps', () => {
  test.each<[string, (asked: number) => PlannerAnswer]>([
    ['notes', (asked) => note(asked)],
    ['reads', (asked) => propose('desk.read', { id: `r${asked}` })],
    ['pauses', () => ({ kind: 'again', reason: 'busy', afterMs: 1_000 })],
    ['proposals that fit no schema', () => propose('desk.strict', { id: 'x' })],
  ])('%s are counted, and when they are used up the planner is asked no more', async (_, answer) => {
    const strict = operation('desk.strict', {
      input: { parse: () => ({ ok: false, issues: [{ path: '/id', message: 'no' }] }), jsonSchema: {} },
    })
    const planner = endless(answer)
    const desk = await start({ planner, limits: { steps: 5 }, operations: [...OPERATIONS, strict] })
    await desk.pass(60_000)
    const run = await desk.run()
    expect([run?.final, run?.failure, planner.asked()]).toEqual(['undone', 'budget', 4])
    await desk.close()
  })

  test('a restart gives no new ones', async () => {
    const planner = endless(() => ({ kind: 'again', reason: 'busy', afterMs: 1_000 }))
    const desk = await start({ planner, limits: { steps: 6 } })
    for (let restarts = 0; restarts < 4; restarts++) {
      await desk.pass(1_500)
      await desk.restart()
    }
    await desk.pass(60_000)
    expect([(await desk.run())?.failure, planner.asked()]).toEqual(['budget', 5])
    await desk.close()
  })
})

describe('time', () => {
  const pausing = (afterMs: number) => endless(() => ({ kind: 'again', reason: 'busy', afterMs }))

  test('ends a run that goes on for too long', async () => {
    const desk = await start({ planner: pausing(700), limits: { wallMs: 5_000, steps: 1_000 } })
    await desk.pass(4_800)
    expect((await desk.run())?.final).toBeNull()
    await desk.pass(1_000)
    expect(await desk.run()).toMatchObject(undoneFor('budget'))
    await desk.close()
  })

  test('goes on over a restart', async () => {
    const desk = await start({ planner: pausing(700), limits: { wallMs: 5_000, steps: 1_000 } })
    await desk.pass(3_000)
    await desk.restart()
    await desk.pass(2_800)
    expect(await desk.run()).toMatchObject(undoneFor('budget'))
    await desk.close()
  })

  test('ends a run in the middle of a long pause', async () => {
    const desk = await start({ planner: pausing(600_000), limits: { wallMs: 5_000, steps: 1_000 } })
    await desk.pass(6_000)
    expect(await desk.run()).toMatchObject(undoneFor('budget'))
    await desk.close()
  })

  test('ends a run whose planner never answers', async () => {
    const once = listPlanner(['desk.set'])
    const planner: Planner = {
      next: (view) => (view.state.actions.length === 0 ? once.next(view) : new Promise<never>(() => undefined)),
    }
    const desk = await start({ planner, limits: { wallMs: 5_000 } })
    await desk.pass(60_000)
    expect(await desk.run()).toMatchObject(undoneFor('budget'))
  })

  test('does not pass while people are asked', async () => {
    const ask = { id: 'ask', reason: 'high', outcome: 'ask', approvers: [{ role: 'billing-lead', count: 1 }] } as const
    const policy = policyOf((id, held) =>
      id === 'desk.set' && !held.includes('ask') ? { kind: 'forbidden', forbids: [ask] } : PERMIT,
    )
    const desk = await start({ planner: listPlanner(['desk.set']), policy, limits: { wallMs: 5_000, approvalMs: 60_000 } })
    await desk.pass(50_000)
    await desk.approve()
    await desk.pass(100)
    expect((await desk.run())?.final).toBe('completed')
    await desk.close()
  })
})

describe.each<[string, Partial<Workflow['limits']>, Partial<ModelCallRecord>]>([
  ['tokens', { tokens: 1_000 }, { inputTokens: 200, outputTokens: 100 }],
  ['cost', { costMicros: 1_000, tokens: 1_000_000 }, { inputTokens: 1, costMicros: 300 }],
])('%s of the model', (_, limits, usage) => {
  test('are added up, and when they are used up the model is asked no more', async () => {
    const planner = endless((asked) => note(asked, used(usage)))
    const desk = await start({ planner, limits: { ...limits, steps: 1_000 } })
    await desk.pass(60_000)
    expect(await desk.run()).toMatchObject(undoneFor('budget'))
    expect(planner.asked()).toBe(4)
    await desk.close()
  })

  test('are counted for calls that came to nothing, and over a restart', async () => {
    const planner = endless(() => ({ kind: 'again', reason: 'nonsense', afterMs: 1_000, usage: used(usage) }))
    const desk = await start({ planner, limits: { ...limits, steps: 1_000 } })
    await desk.pass(1_500)
    await desk.restart()
    await desk.pass(60_000)
    expect([(await desk.run())?.failure, planner.asked()]).toEqual(['budget', 4])
    await desk.close()
  })
})

describe('a loop', () => {
  const bare = (value: Parameters<typeof SET.input.parse>[0]) => ({
    ok: true as const,
    value: { id: (value as { id: string }).id },
  })
  const folding = { ...SET, input: { parse: bare, jsonSchema: {} } }

  test.each([
    ['the same action', SET],
    ['the same action in other words', folding],
  ])('%s is proposed so often and no more', async (_, set) => {
    const world = createWorld()
    const planner: Planner = {
      next: async ({ state: { actions } }) =>
        actions.length < 9
          ? propose('desk.set', { id: 'x', aside: set === folding ? `${actions.length}` : '' })
          : { kind: 'finish', reason: '', escalate: false },
    }
    const desk = await start({ planner, connector: world, limits: { repeats: 3 }, operations: [READ, set, UNDO] })
    await desk.pass(1_000)
    const run = await desk.run()
    expect(run).toMatchObject(undoneFor('loop'))
    expect(run?.actions[3]?.decision).toMatchObject({ outcome: 'deny', policies: [{ id: 'tidegate:loop' }] })
    expect(world.done.filter((text) => text.startsWith('desk.set'))).toHaveLength(3)
    await desk.close()
  })

  test.each([
    ['other records are no repetition', ['r0', 'r1', 'r2', 'r0', 'r1', 'r2']],
    ['the look at the end is none', ['e1', 'e1']],
  ])('%s', async (_, ids) => {
    const planner: Planner = {
      async next({ state: { actions } }) {
        const id = ids[actions.length]
        return id === undefined ? { kind: 'finish', reason: '', escalate: false } : propose('desk.read', { id })
      },
    }
    const desk = await start({ planner, limits: { repeats: 2 } })
    await desk.pass(1_000)
    expect((await desk.run())?.final).toBe('completed')
    await desk.close()
  })

  test('is recognised over a restart', async () => {
    const planner: Planner = {
      next: async ({ state }) =>
        state.actions.length > 8
          ? { kind: 'finish', reason: '', escalate: false }
          : state.spent.steps % 2 === 0
            ? propose('desk.set', { id: 'x' })
            : { kind: 'again', reason: 'busy', afterMs: 1_000 },
    }
    const desk = await start({ planner, limits: { repeats: 2 } })
    await desk.pass(1_500)
    await desk.restart()
    await desk.pass(10_000)
    expect(await desk.run()).toMatchObject(undoneFor('loop'))
    await desk.close()
  })
})

test.each([1, 3])('a far side that is down is called %i times and no more', async (maxAttempts) => {
  const world = createWorld()
  let calls = 0
  const down: ConnectorResult = { kind: 'failed', failure: 'unavailable', retry: 'safe', message: 'down' }
  const execute: Connector['execute'] = async (call) =>
    call.operation === 'desk.set' && ++calls > 0 ? down : world.execute(call)
  const desk = await start({
    planner: listPlanner(['desk.set']),
    connector: { ...world, execute },
    operations: [READ, { ...SET, maxAttempts }, UNDO],
  })
  await desk.pass(60_000)
  expect([calls, (await desk.run())?.failure]).toEqual([maxAttempts, 'connector_timeout'])
  await desk.close()
})

describe('an answer that is not whole', () => {
  const CUT: ConnectorResult = { kind: 'done', output: { ok: true }, complete: false }
  const HIDDEN: ConnectorResult = { kind: 'done', output: { ok: true, text: 'fine\u200b\u200bfine' }, complete: true }
  const floor: PolicyEngine = {
    version: 'p1',
    evaluate: ({ operation: id, context }) =>
      id === 'desk.set' && context.confidence < 9_000 && !context.approvals.includes('unsure')
        ? {
            kind: 'forbidden',
            forbids: [{ id: 'unsure', reason: 'r', outcome: 'ask', approvers: [{ role: 'billing-lead', count: 1 }] }],
          }
        : PERMIT,
  }

  test.each<[string, ConnectorResult, number]>([
    ['cut short', CUT, CONFIDENCE_INCOMPLETE],
    ['with something hidden in it', HIDDEN, CONFIDENCE_TAMPERED],
  ])(
    '%s lowers the confidence of all that follows, and a person is asked, also after a restart',
    async (_, answer, confidence) => {
      const world = createWorld()
      const execute: Connector['execute'] = async (call) => (call.operation === 'desk.look' ? answer : world.execute(call))
      const desk = await start({
        planner: listPlanner(['desk.look', 'desk.set']),
        connector: { ...world, execute },
        policy: floor,
        operations: [...OPERATIONS, { ...READ, id: 'desk.look' }],
      })
      await desk.pass(100)
      await desk.restart()
      await desk.pass(100)
      const run = await desk.run()
      expect([run?.confidence, kinds(run), world.done]).toEqual([confidence, ['desk.look done', 'desk.set asking'], []])
      await desk.approve()
      await desk.pass(100)
      expect([(await desk.run())?.final, world.done]).toEqual(['completed', ['desk.set 1']])
      await desk.close()
    },
  )
})
