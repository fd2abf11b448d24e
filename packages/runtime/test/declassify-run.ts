import { randomUUID } from 'node:crypto'
import { systemClock } from '@tidegate/crypto-node'
import type { Connector, Grant, JsonObject, Operation, PolicyContext, PolicyEngine, RunEvent, Workflow } from '@tidegate/kernel'
import { createMemoryJournal } from '@tidegate/testkit'
import type { EndorseRequest, Person } from '../src/index.ts'
import { PERMIT, startDesk, workflow } from './bench-desk.ts'
import { farSide, OPERATIONS, wanting } from './label-run.ts'

export const MEI: Person = { id: 'user:mei', roles: ['billing-lead'] }
export const BOB: Person = { id: 'user:bob', roles: ['billing-lead', 'security'] }
export const EVE: Person = { id: 'user:eve', roles: ['visitor'] }
/** Who asked for the run. */
export const ANN: Person = { id: 'user:ann', roles: ['billing-lead', 'security'] }

/** What a rule of {@link asking} looks at. */
type Rule = (context: PolicyContext) => boolean

/** A policy that may change while a run goes on. */
export interface Asking extends PolicyEngine {
  version: string
}

/** Asks by rules, each with an id of its own, until it is approved. */
export function asking(rules: Readonly<Record<string, Rule>>, { role = 'billing-lead', count = 1 } = {}): Asking {
  const approvers = [{ role, count }]
  return {
    version: 'p1',
    evaluate({ context }) {
      const forbids = Object.entries(rules)
        .filter(([id, matches]) => matches(context) && !context.compensating && !context.approvals.includes(id))
        .map(([id]) => ({ id, reason: id, outcome: 'ask', approvers }) as const)
      return forbids.length === 0 ? PERMIT : { kind: 'forbidden', forbids }
    },
  }
}

/** A grant that pins the given arguments. */
export function pinned(operation: string, args: Readonly<Record<string, string>>): Grant {
  const constraints = Object.entries(args).map(([name, value]) => [`/${name}`, { kind: 'exact', value }] as const)
  return {
    ...{ id: `${operation} ${JSON.stringify(args)}`, operation, arguments: Object.fromEntries(constraints) },
    ...{ maxCalls: null, notAfterMs: null, environment: null, budget: null },
  }
}

interface Given {
  readonly steps: Parameters<typeof wanting>[0]
  readonly policy: PolicyEngine
  readonly changes?: Partial<Workflow>
  readonly operations?: readonly Operation[]
  readonly connector?: Connector
  readonly input?: JsonObject
}

/** Opens a run that a test takes on step by step, as people would. */
export async function openRun({ steps, policy, changes, operations = OPERATIONS, connector = farSide(), input }: Given) {
  let aheadMs = 0
  const journal = createMemoryJournal()
  const flow = workflow(operations, { success: { operation: 'desk.read', arguments: {}, expect: { '/ok': true } }, ...changes })
  const { tidegate } = await startDesk({
    ...{ journal, policy, connector, operations, workflow: flow, planner: wanting(steps) },
    clock: { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs },
  })
  const event = randomUUID()
  const request = { workflow: 'w', source: 's', event, input: input ?? { task: 'please write to Ann' } }
  const opened = await tidegate.trigger({ ...request, user: ANN.id, client: 'client:test' })
  if (opened.kind === 'refused') throw new Error(opened.message)
  const { run } = opened

  /** The question that is open now. */
  async function open() {
    await tidegate.harness.idle()
    const [view] = await tidegate.approvals({})
    return view
  }
  async function asked() {
    const view = await open()
    if (view === undefined) throw new Error('nothing is asked')
    return view
  }
  return {
    tidegate,
    run,
    open,
    asked,
    /** Says yes to what is asked now: to the action, or to the whole plan. */
    async approve(what: 'action' | 'plan' = 'action', person: Person = MEI) {
      const { approval, plan } = await asked()
      const digest = what === 'plan' ? (plan?.digest ?? '') : approval.question.digest
      return tidegate.vote(approval.question.id, { person, vote: 'approve', why: 'ok', digest })
    },
    /** Endorses what stands in the action that is asked about now. */
    async endorse(person: Person, values: EndorseRequest['values'], more: Partial<EndorseRequest> = {}) {
      const { id, digest } = (await asked()).approval.question
      return tidegate.endorse(run, { person, why: 'known to us', approval: id, digest, values, ...more })
    },
    /** Lets time pass for Tidegate. */
    wait(ms: number) {
      aheadMs += ms
    },
    async state() {
      await tidegate.harness.idle()
      const state = await tidegate.run(run)
      if (state === undefined) throw new Error('the run is gone')
      return state
    },
    async events(): Promise<readonly RunEvent[]> {
      return (await journal.read(`run/${run}`)).flatMap((entry) => entry.events as readonly RunEvent[])
    },
  }
}
