import {
  type Connector,
  type ConnectorFailure,
  type ConnectorResult,
  FAILURE_KINDS,
  type FailureKind,
  type Operation,
  type Planner,
  type PolicyEngine,
  type Workflow,
} from '@tidegate/kernel'
import { createDisk, createMemoryJournal, createVirtualClock, type Disk, type VirtualClock } from '@tidegate/testkit'
import { describe, expect, test } from 'vitest'
import { createWorld, listPlanner, MEI, OPS, operation, PERMIT, policyOf, READ, SET, startDesk, UNDO, workflow } from './bench-desk.ts'

/** Every way in which a run can fail, provoked through the real harness: what the run is called, what stays done, who is told. */

type Desk = Awaited<ReturnType<typeof startDesk>>

const ASK = {
  kind: 'forbidden',
  forbids: [{ id: 'ask', reason: 'high', outcome: 'ask', approvers: [{ role: 'billing-lead', count: 1 }] }],
} as const
const FORBID = { kind: 'forbidden', forbids: [{ id: 'no', reason: 'never', outcome: 'deny', approvers: [] }] } as const
const SEND = operation('desk.send')

const asking = (id: string) => policyOf((op, approvals) => (op === id && !approvals.includes('ask') ? ASK : PERMIT))
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
function worldWhere(id: string, result: () => ConnectorResult | Promise<ConnectorResult>, looks: Partial<Connector> = {}): Connector & { readonly done: string[] } {
  const world = createWorld()
  return { ...world, ...looks, execute: async (call) => (call.operation === id ? result() : world.execute(call)) }
}

async function vote({ tidegate }: Desk, answer: 'approve' | 'refuse'): Promise<void> {
  for (const { approval } of await tidegate.approvals({}))
    await tidegate.vote(approval.question.id, { person: MEI, vote: answer, why: 'because', digest: approval.question.digest })
}

interface Case {
  readonly why: string
  readonly connector?: Connector & { readonly done: string[] }
  readonly policy?: PolicyEngine
  readonly planner?: Planner
  readonly operations?: readonly Operation[]
  readonly limits?: Partial<Workflow['limits']>
  readonly success?: Workflow['success']
  /** What people do, some moments after the trigger. */
  readonly people?: (desk: Desk) => Promise<unknown>
  /** How the run ends, which effects were made, and what is put before people. */
  readonly ends: 'failed' | 'undone' | 'stopped'
  readonly done: readonly string[]
  readonly items: readonly string[]
}

const BROKEN_OUTPUT = { parse: () => ({ ok: false, issues: [{ path: '/ok', message: 'expected a boolean' }] }), jsonSchema: {} } as const
const TWO = ['desk.set', 'desk.send']

const CASES: Readonly<Partial<Record<FailureKind, readonly Case[]>>> = {
  planning: [
    { why: 'the planner gives up', planner: listPlanner([]), ends: 'failed', done: [], items: ['unfinished'] },
  ],
}
