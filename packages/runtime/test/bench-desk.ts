import { nodeEntropy, nodeHasher, nodeVerifier, systemClock } from '@tidegate/crypto-node'
import type {
  AllowedOperation,
  Clock,
  Connector,
  Journal,
  Json,
  Operation,
  Planner,
  PolicyEngine,
  PolicyVerdict,
  Shape,
  Workflow,
} from '@tidegate/kernel'
import { createMemoryJournal } from '@tidegate/testkit'
import {
  createBreakerPanel,
  createInFlight,
  createLabels,
  createRegistry,
  createTimeFacts,
  openControl,
  startTidegate,
  type TaintIndex,
  withoutMeters,
} from '../src/index.ts'

const ANY: Shape = { parse: (value) => ({ ok: true, value }), jsonSchema: {} }

/** An operation with plain declarations, to be changed where a test needs it. */
export function operation(id: string, changes: Partial<Operation> = {}): Operation {
  return {
    id,
    tool: id.split('.')[0] ?? '',
    title: id,
    description: id,
    input: ANY,
    output: ANY,
    mutability: 'write',
    dataClass: 'customer',
    blastRadius: 'single',
    risk: 'low',
    nature: [],
    reversibility: 'reversible',
    records: ['/id'],
    maxRecords: 1,
    origins: {},
    idempotency: 'none',
    timeoutMs: 1_000,
    maxAttempts: 3,
    settleMs: 0,
    secrets: [],
    canPreview: false,
    canReconcile: true,
    canVerify: true,
    schemaVersion: '1',
    ...changes,
  }
}

export const READ = operation('desk.read', { mutability: 'read', reversibility: 'irreversible', canReconcile: false })
export const UNDO = operation('desk.unset')
export const SET = operation('desk.set', {
  compensation: ({ arguments: args }) => ({ operation: 'desk.unset', arguments: args }),
})

export function workflow(operations: readonly Operation[], changes: Partial<Workflow> = {}): Workflow {
  return {
    name: 'w',
    version: 'v1',
    title: 'Work',
    agent: 'agent-1',
    owners: { model: 'm', permissions: 'p', workflow: 'w', incidents: 'i' },
    environment: 'test',
    stage: 4,
    operations: new Map(operations.map((op): [string, AllowedOperation] => [op.id, { confine: {} }])),
    limits: { steps: 20, wallMs: 600_000, tokens: 1_000, costMicros: 1_000, repeats: 3, approvalMs: 60_000 },
    inputOrigins: {},
    success: { operation: 'desk.read', arguments: { id: '$input/id' }, expect: { '/ok': true } },
    onFailure: 'undo',
    ...changes,
  }
}

/** Proposes a fixed list of operations on the input's record, then finishes; gives up after a failure. */
export function listPlanner(ids: readonly string[]): Planner {
  return {
    async next({ state }) {
      const acts = state.actions.filter((action) => action.proposed.purpose === 'act')
      const last = acts.at(-1)
      if (last?.state === 'failed' || last?.state === 'denied') return { kind: 'give_up', reason: 'it did not work' }
      const id = ids[acts.length]
      if (id === undefined) return { kind: 'finish', reason: 'all done', escalate: false }
      const args: Json = { id: state.opened.sealed.input.id ?? null }
      return {
        kind: 'propose',
        proposal: { goal: 'work', operation: id, arguments: args, justification: 'because', confidence: 10_000 },
      }
    },
  }
}

/** A world that does what it is told, and remembers. */
export function createWorld(): Connector & { readonly done: string[] } {
  const done: string[] = []
  return {
    done,
    async execute({ operation: id, effectId }) {
      if (id !== 'desk.read') done.push(`${id} ${effectId.split('.')[1]}`)
      return { kind: 'done', output: { ok: true }, complete: true }
    },
    preview: async () => ({ kind: 'done', output: { would: 'change' }, complete: true }),
    reconcile: async () => ({ kind: 'absent' }),
    verify: async () => ({ holds: true, detail: '' }),
  }
}

export function policyOf(decide: (operation: string, approvals: readonly string[]) => PolicyVerdict): PolicyEngine {
  return { version: 'p1', evaluate: ({ operation: id, context }) => decide(id, context.approvals) }
}

export const PERMIT: PolicyVerdict = { kind: 'permitted', permits: [{ id: 'all', reason: 'test' }] }

/** A Tidegate on a journal in memory. */
export async function startDesk(options: {
  connector?: Connector
  policy?: PolicyEngine
  planner?: Planner
  workflow?: Workflow
  operations?: readonly Operation[]
  journal?: Journal
  clock?: Clock
  taint?: TaintIndex
}) {
  const {
    journal = createMemoryJournal(),
    clock = systemClock,
    connector = createWorld(),
    operations = [READ, SET, UNDO],
  } = options
  const control = await openControl(journal, clock)
  const registry = createRegistry(
    [{ name: 'desk', operations, connector }],
    [{ workflow: options.workflow ?? workflow(operations), planner: options.planner ?? listPlanner(['desk.set']) }],
  )
  const log = () => {}
  const tidegate = await startTidegate({
    journal,
    control,
    registry,
    policy: options.policy ?? policyOf(() => PERMIT),
    clock,
    entropy: nodeEntropy,
    hasher: nodeHasher,
    verifier: nodeVerifier,
    secrets: async () => 'secret',
    log,
    breakers: createBreakerPanel({ control, clock, log }),
    inFlight: createInFlight(),
    ledger: {
      head: journal.head,
      verifierKey: '',
      texts: () => [],
      tile: () => new Uint8Array(),
      lastIndex: () => undefined,
      payloads: () => [],
    },
    writeExport: async () => 0,
    meters: withoutMeters(journal),
    labels: createLabels(registry),
    timeFacts: createTimeFacts({ timeZone: 'UTC' }),
    rolesOf: () => [],
    ...(options.taint === undefined ? {} : { taint: options.taint }),
  })
  const trigger = async (event: string) => {
    const answer = await tidegate.trigger({
      workflow: 'w',
      source: 's',
      event,
      input: { id: event },
      user: 'user:ann',
      client: 'client:test',
    })
    if (answer.kind === 'refused') throw new Error(answer.message)
    return answer.run
  }
  return { tidegate, trigger, journal, connector }
}

export const MEI = { id: 'user:mei', roles: ['billing-lead'] }
export const OPS = { id: 'user:ops', roles: ['operator'] }
