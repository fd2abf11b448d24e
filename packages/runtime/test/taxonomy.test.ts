import {
  type Connector,
  type ConnectorFailure,
  type ConnectorResult,
  FAILURE_KINDS,
  type FailureKind,
  type Operation,
  type Planner,
  type PolicyEngine,
  type RunState,
  type Shape,
  type Workflow,
} from '@tidegate/kernel'
import { createDisk, createMemoryJournal, createVirtualClock, type Disk, type VirtualClock } from '@tidegate/testkit'
import { describe, expect, test } from 'vitest'
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

/** Every way in which a run can fail, provoked through the real harness: what the run is called, what stays done, who is told. */

type Desk = Awaited<ReturnType<typeof startDesk>>

const FORBID = { kind: 'forbidden', forbids: [{ id: 'no', reason: 'never', outcome: 'deny', approvers: [] }] } as const
const SEND = operation('desk.send')

const asking = (id: string, count = 1) => {
  const ask = { id: 'ask', reason: 'high', outcome: 'ask', approvers: [{ role: 'billing-lead', count }] } as const
  return policyOf((op, held) => (op === id && !held.includes('ask') ? { kind: 'forbidden', forbids: [ask] } : PERMIT))
}
const forbidding = (id: string) => policyOf((op) => (op === id ? FORBID : PERMIT))
const failed = (failure: ConnectorFailure['failure'], retry: ConnectorFailure['retry']): ConnectorResult => ({
  kind: 'failed',
  failure,
  retry,
  message: 'it did not work',
})

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

/** A world in which one operation answers something else, and other looks may be taken. */
function worldWhere(
  id: string,
  result: () => ConnectorResult | Promise<ConnectorResult>,
  looks: Partial<Connector> = {},
): Connector & { readonly done: readonly string[] } {
  const world = createWorld()
  return { ...world, ...looks, execute: async (call) => (call.operation === id ? result() : world.execute(call)) }
}

async function vote({ tidegate }: Desk, answer: 'approve' | 'refuse'): Promise<void> {
  for (const { approval } of await tidegate.approvals({}))
    await tidegate.vote(approval.question.id, { person: MEI, vote: answer, why: 'because', digest: approval.question.digest })
}

interface Case {
  readonly why: string
  readonly connector?: Connector & { readonly done: readonly string[] }
  readonly policy?: PolicyEngine
  readonly planner?: Planner
  readonly operations?: readonly Operation[]
  readonly changes?: Partial<Workflow>
  /** What people do, some moments after the trigger. */
  readonly people?: (desk: Desk) => Promise<unknown>
  /** How the run ends, which effects were made, and what is put before people. */
  readonly ends: 'failed' | 'undone' | 'stopped'
  readonly done: readonly string[]
  readonly items: readonly string[]
}

const LIMITS = workflow([]).limits
const TWO = listPlanner(['desk.set', 'desk.send'])
const UNDONE = { ends: 'undone', done: ['desk.set 0', 'desk.unset 2'], items: ['unfinished'] } as const
const NOTHING = { ends: 'failed', done: [], items: ['unfinished'] } as const
const refuseAll = (message: string): Shape => ({
  parse: () => ({ ok: false, issues: [{ path: '/id', message }] }),
  jsonSchema: {},
})

/** `unclaimed` is a way to fail for calls of hosts alone: see host/desk.test.ts. */
const CASES: Readonly<Record<Exclude<FailureKind, 'unclaimed'>, readonly Case[]>> = {
  planning: [
    { why: 'the planner gives up', planner: { next: async () => ({ kind: 'give_up', reason: 'no idea' }) }, ...NOTHING },
    { why: 'its arguments fit no schema', operations: [READ, { ...SET, input: refuseAll('not an id') }, UNDO], ...NOTHING },
  ],
  retrieval: [
    {
      why: 'what it had to read is refused',
      connector: worldWhere('desk.look', () => failed('semantic', 'never')),
      operations: [READ, SET, UNDO, { ...READ, id: 'desk.look' }],
      planner: listPlanner(['desk.set', 'desk.look']),
      ...UNDONE,
    },
    {
      why: 'nobody answers a read, however often it is asked',
      connector: worldWhere('desk.look', silence),
      operations: [READ, { ...READ, id: 'desk.look' }],
      planner: listPlanner(['desk.look']),
      ...NOTHING,
    },
  ],
  policy_denial: [
    { why: 'a policy forbids it', policy: forbidding('desk.set'), ...NOTHING, items: ['blocked'] },
    { why: 'a policy forbids a later step', policy: forbidding('desk.send'), planner: TWO, ...UNDONE, items: ['blocked'] },
  ],
  approval_refused: [
    { why: 'a person says no', policy: asking('desk.send'), planner: TWO, people: (desk) => vote(desk, 'refuse'), ...UNDONE },
  ],
  approval_timeout: [
    { why: 'nobody says anything', policy: asking('desk.send'), planner: TWO, ...UNDONE },
    {
      why: 'one of two says yes',
      policy: asking('desk.set', 2),
      people: (desk) => vote(desk, 'approve'),
      ...NOTHING,
    },
  ],
  connector_timeout: [
    {
      why: 'the far side is down',
      connector: worldWhere('desk.send', () => failed('unavailable', 'safe')),
      planner: TWO,
      ...UNDONE,
    },
    { why: 'it never answers, and nothing happened', connector: worldWhere('desk.send', silence), planner: TWO, ...UNDONE },
    {
      why: 'it cannot be shown what it would change',
      connector: worldWhere('', silence, { preview: silence }),
      operations: [READ, { ...SET, canPreview: true }, UNDO],
      policy: asking('desk.set'),
      ...NOTHING,
    },
  ],
  connector_semantic: [
    {
      why: 'the far side will not',
      connector: worldWhere('desk.send', () => failed('semantic', 'never')),
      planner: TWO,
      ...UNDONE,
    },
  ],
  output_validation: [
    {
      why: 'a read answers garbage',
      connector: worldWhere('desk.look', () => ({ kind: 'done', output: '<html>', complete: true })),
      operations: [READ, SET, UNDO, { ...READ, id: 'desk.look', output: refuseAll('not a text') }],
      planner: listPlanner(['desk.set', 'desk.look']),
      ...UNDONE,
    },
    {
      why: 'a write answers garbage, and nothing happened',
      connector: worldWhere('desk.set', () => ({ kind: 'done', output: '<html>', complete: true })),
      operations: [READ, { ...SET, output: refuseAll('not a text') }, UNDO],
      ...NOTHING,
    },
  ],
  duplicate_execution: [
    {
      why: 'a look finds it twice',
      connector: worldWhere('desk.set', () => failed('timeout', 'unknown'), {
        reconcile: async () => ({ kind: 'doubled', count: 2, output: { ok: true } }),
      }),
      ...NOTHING,
      items: ['doubled'],
    },
  ],
  ambiguous: [
    {
      why: 'nobody can look',
      connector: worldWhere('desk.send', () => failed('timeout', 'unknown')),
      operations: [READ, SET, UNDO, { ...SEND, canReconcile: false }],
      planner: TWO,
      ...UNDONE,
      items: ['ambiguous'],
    },
    {
      why: 'every look is silent',
      connector: worldWhere('desk.set', () => failed('timeout', 'unknown'), { reconcile: silence }),
      ...NOTHING,
      items: ['ambiguous'],
    },
  ],
  rollback_failure: [
    {
      why: 'policy forbids to take it back',
      connector: worldWhere('desk.send', () => failed('semantic', 'never')),
      policy: forbidding('desk.unset'),
      planner: TWO,
      ends: 'failed',
      done: ['desk.set 0'],
      items: ['cannot_undo'],
    },
    {
      why: 'no way back is declared',
      policy: forbidding('desk.set'),
      planner: listPlanner(['desk.send', 'desk.set']),
      ends: 'failed',
      done: ['desk.send 0'],
      items: ['cannot_undo'],
    },
  ],
  budget: [
    {
      why: 'its steps are used',
      planner: TWO,
      changes: { limits: { ...LIMITS, steps: 1 } },
      ...UNDONE,
      done: ['desk.set 0', 'desk.unset 1'],
    },
  ],
  loop: [
    {
      why: 'it proposes the same again',
      planner: listPlanner(['desk.set', 'desk.set']),
      changes: { limits: { ...LIMITS, repeats: 1 } },
      ...UNDONE,
    },
  ],
  stopped: [
    { why: 'before it did anything', policy: asking('desk.set'), people: kill, ends: 'stopped', done: [], items: [] },
    {
      why: 'halfway',
      policy: asking('desk.send'),
      planner: TWO,
      people: kill,
      ends: 'stopped',
      done: ['desk.set 0'],
      items: ['stopped_midway'],
    },
  ],
  unverified: [
    {
      why: 'the world does not show it',
      changes: { success: { operation: 'desk.read', arguments: { id: '$input/id' }, expect: { '/ok': 'yes' } } },
      ...UNDONE,
    },
    { why: 'nobody can look', connector: worldWhere('desk.read', () => failed('semantic', 'never')), ...UNDONE },
    { why: 'policy forbids to look', policy: forbidding('desk.read'), ...UNDONE },
  ],
  defect: [
    {
      why: 'a connector breaks its contract',
      connector: worldWhere('desk.set', () => undefined as never), // no connector that the compiler has seen
      ...NOTHING,
      items: ['unfinished', 'ambiguous'],
    },
  ],
}

function silence(): Promise<never> {
  return new Promise(() => undefined)
}

function kill({ tidegate }: Desk): Promise<unknown> {
  return tidegate.stop({ person: OPS, scope: 'global', mode: 'kill', why: 'test' })
}

/** A Tidegate as the case wants it, on a disk and a clock that outlive it. */
function startCase(disk: Disk, clock: VirtualClock, given: Case): Promise<Desk> {
  const { connector = createWorld(), policy, planner, changes = {}, operations = [READ, SET, UNDO, SEND] } = given
  return startDesk({
    journal: createMemoryJournal(disk),
    clock,
    connector,
    operations,
    workflow: workflow(operations, changes),
    ...(policy === undefined ? {} : { policy }),
    ...(planner === undefined ? {} : { planner }),
  })
}

function told(run: RunState | undefined, done: readonly string[]) {
  const items = [...(run?.items.values() ?? [])].map((item) => item.kind)
  return { failure: run?.failure, ends: run?.final, done, items }
}

describe.each(FAILURE_KINDS.filter((kind) => kind !== 'unclaimed'))('%s', (failure) => {
  test.each(CASES[failure])('$why', async (given) => {
    const connector = given.connector ?? createWorld()
    const disk = createDisk()
    const clock = createVirtualClock()
    const expected = { failure, ends: given.ends, done: given.done, items: given.items }
    const first = await startCase(disk, clock, { ...given, connector })
    const run = await first.trigger('e1')
    await pass(clock, 10)
    await given.people?.(first)
    await pass(clock, 300_000)
    expect(told(await first.tidegate.run(run), connector.done)).toEqual(expected)
    expect(await first.tidegate.runs({ limit: 9 })).toMatchObject([{ state: given.ends, failure, openItems: given.items.length }])
    await first.tidegate.close()

    const second = await startCase(disk, clock, { ...given, connector })
    await pass(clock, 300_000)
    expect(told(await second.tidegate.run(run), connector.done)).toEqual(expected) // I12
    await second.tidegate.close()
  })
})
