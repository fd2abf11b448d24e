import { join } from 'node:path'
import { createSigningKey, nodeEntropy, nodeHasher, nodeVerifier, systemClock } from '@tidegate/crypto-node'
import { createWriterParts } from '@tidegate/crypto-node/writer-parts'
import { openThreadedJournal } from '@tidegate/journal-sqlite'
import type {
  AllowedOperation,
  Connector,
  FlowDeclaration,
  Json,
  JsonObject,
  LedgerHead,
  Operation,
  Planner,
  RunState,
  Shape,
  Workflow,
} from '@tidegate/kernel'
import {
  createBreakerPanel,
  createInFlight,
  createLabels,
  createRegistry,
  createTimeFacts,
  openControl,
  openMeters,
  startTidegate,
} from '@tidegate/runtime'
import { loadEverything, permitEverything } from './policies.ts'

/** `full`: the default policies, six limits, and labels over an answer that anybody could have written. */
export type PolicyKind = 'constant' | 'full'

/** A Tidegate with nothing left out but a far side. */
export interface Governed {
  /** One whole run with so many actions; tells the latency of each. */
  readonly run: (id: string, actions: number, finished: (latencyMs: number) => void) => Promise<void>
  readonly head: () => LedgerHead
  close(): Promise<void>
}

/** Opens the real journal and harness in a directory, with a tool whose effect does nothing. */
export async function openGoverned(directory: string, options: { readonly policy: PolicyKind }): Promise<Governed> {
  const keys = { origin: 'bench.example/log', pem: createSigningKey(), masterKey: nodeEntropy.bytes(32) }
  const partsModule = new URL(import.meta.resolve('@tidegate/crypto-node/writer-parts'))
  const stored = await openThreadedJournal({
    file: join(directory, 'journal.db'),
    ...createWriterParts(keys),
    partsModule,
    partsData: keys,
  })
  const pace = createPace()
  const operations = [NOTE, READ]
  const registry = createRegistry(
    [{ name: 'desk', operations, connector: pace.connector }],
    [{ workflow: workflowOf(operations), planner: pace.planner }],
  )
  const everything = options.policy === 'full' ? loadEverything(registry) : { policy: permitEverything, meters: [] }
  const { policy } = everything
  const log = (): void => {}
  const meters = await openMeters({
    ...{ journal: stored, ledger: stored.ledger, meters: everything.meters, clock: systemClock, hasher: nodeHasher, log },
    salt: nodeEntropy.bytes(32),
    timeZone: 'UTC',
  })
  const { journal } = meters
  const control = await openControl(journal, systemClock)
  const tidegate = await startTidegate({
    journal,
    control,
    registry,
    policy,
    clock: systemClock,
    entropy: nodeEntropy,
    hasher: nodeHasher,
    verifier: nodeVerifier,
    secrets: async () => 'none',
    log,
    breakers: createBreakerPanel({ control, clock: systemClock, log }),
    inFlight: createInFlight(),
    ledger: stored.ledger,
    writeExport: async () => 0,
    meters,
    labels: createLabels(registry),
    timeFacts: createTimeFacts({ timeZone: 'UTC' }),
    rolesOf: () => [],
  })
  tidegate.harness.watch(pace.watch)
  return {
    head: () => journal.head(),
    close: () => tidegate.close(),
    async run(id, actions, finished) {
      const done = pace.expect(id, finished)
      const answer = await tidegate.trigger({
        workflow: 'bench',
        source: 'bench',
        event: id,
        input: { id, actions },
        user: 'user:bench',
        client: 'client:bench',
      })
      if (answer.kind !== 'opened') throw new Error(`The run ${id} was not opened: ${answer.kind}.`)
      await done
    },
  }
}

/**
 * Ties the latency of an action to the run that makes it: from the question to the planner until the next one, when the outcome of
 * the action is on its way to the disk with the next intent. The last action of a run is its success check, which is decided,
 * started, executed and recorded like the others; it counts when the end of the run is durable.
 */
function createPace() {
  const waiting = new Map<
    string,
    { readonly finished: (latencyMs: number) => void; readonly resolve: () => void; startedMs: number }
  >()
  const lap = (id: Json): void => {
    const entry = waiting.get(String(id))
    if (entry === undefined) return
    const nowMs = performance.now()
    entry.finished(nowMs - entry.startedMs)
    entry.startedMs = nowMs
  }
  const planner: Planner = {
    immediate: true,
    async next({ state }) {
      const { id = '', actions } = state.opened.sealed.input
      const n = state.actions.length
      if (n > 0) lap(id)
      if (n + 1 === actions) return { kind: 'finish', reason: 'done', escalate: false }
      const text = `note ${n} of a run that is measured`
      const args: Json = { id: String(id), text, length: text.length, tags: ['a', 'b'] }
      const proposal = {
        goal: 'Write a note',
        operation: 'desk.note',
        arguments: args,
        justification: 'It is measured.',
        confidence: 9_800,
        node: 'note',
        origins: ORIGINS,
      }
      return { kind: 'propose', proposal }
    },
  }
  const connector: Connector = {
    execute: async () => ({
      kind: 'done',
      output: { id: 'note-1', state: 'open', text: 'a note that was written' },
      complete: true,
    }),
    preview: async () => ({ kind: 'done', output: null, complete: true }),
    reconcile: async () => ({ kind: 'absent' }),
    verify: async () => ({ holds: true, detail: '' }),
  }
  return {
    planner,
    connector,
    /** Told of every durable state of every run. */
    watch(state: RunState): void {
      if (state.final === null) return
      const { id = '' } = state.opened.sealed.input
      if (state.final !== 'completed') throw new Error(`A run that is measured ended ${state.final}.`)
      lap(id)
      waiting.get(String(id))?.resolve()
      waiting.delete(String(id))
    },
    expect(id: string, finished: (latencyMs: number) => void): Promise<void> {
      return new Promise((resolve) => waiting.set(id, { finished, resolve, startedMs: performance.now() }))
    },
  }
}

/** As the graph planner gives them: it knows where each argument came from. */
const ORIGINS = {
  '/id': ['user'],
  '/text': ['workflow', 'user'],
  '/length': ['workflow'],
  '/tags/0': ['workflow'],
  '/tags/1': ['workflow'],
} as const

/** Takes everything: what validating costs is measured by whoever wrote the validator. */
function shapeOf(jsonSchema: JsonObject): Shape {
  return { parse: (value) => ({ ok: true, value }), jsonSchema }
}

const TEXT = { type: 'string' }
const NOTE_INPUT = shapeOf({
  type: 'object',
  properties: { id: TEXT, text: TEXT, length: { type: 'integer' }, tags: { type: 'array', items: TEXT } },
  required: ['id', 'text', 'length', 'tags'],
})
const READ_INPUT = shapeOf({ type: 'object', properties: { id: TEXT }, required: ['id'] })
const OUTPUT = shapeOf({ type: 'object', properties: { id: TEXT, state: TEXT, text: TEXT } })

/** The text of a note is anybody's: from the first answer on, every run is tainted. */
const FLOW: FlowDeclaration = {
  inputs: {
    '/id': { role: 'sink', type: 'identifier' },
    '/text': { role: 'text', type: 'text' },
    '/length': { role: 'value', type: 'number' },
    '/tags/*': { role: 'value', type: 'identifier' },
  },
  outputs: {
    '/id': { origin: 'system', type: 'identifier' },
    '/state': { origin: 'system', type: 'enum' },
    '/text': { origin: 'third-party', type: 'text' },
  },
  egress: 'none',
}

function operationOf(id: string, mutability: Operation['mutability'], input: Shape): Operation {
  return {
    id,
    tool: 'desk',
    title: id,
    description: id,
    input,
    output: OUTPUT,
    mutability,
    dataClass: 'internal',
    blastRadius: 'single',
    risk: 'low',
    nature: [],
    flow: mutability === 'read' ? { ...FLOW, inputs: { '/id': { role: 'value', type: 'identifier' } } } : FLOW,
    reversibility: 'reversible',
    records: ['/id'],
    maxRecords: 1,
    origins: { '/id': 'system', '/state': 'system', '/text': 'third-party' },
    idempotency: 'none',
    timeoutMs: 10_000,
    maxAttempts: 3,
    settleMs: 0,
    secrets: [],
    canPreview: false,
    canReconcile: true,
    canVerify: true,
    schemaVersion: 'bench',
  }
}

const NOTE = operationOf('desk.note', 'write', NOTE_INPUT)
const READ = operationOf('desk.read', 'read', READ_INPUT)

function workflowOf(operations: readonly Operation[]): Workflow {
  return {
    name: 'bench',
    version: 'bench',
    title: 'Bench',
    agent: 'support-desk',
    owners: { model: 'user:a', permissions: 'user:a', workflow: 'user:a', incidents: 'user:a' },
    environment: 'production',
    stage: 4,
    operations: new Map(
      operations.map((operation): [string, AllowedOperation] => [operation.id, { confine: { '/id': '$input/id' } }]),
    ),
    limits: { steps: 200, wallMs: 600_000, tokens: 1, costMicros: 1, repeats: 3, approvalMs: 60_000 },
    inputOrigins: {},
    success: { operation: 'desk.read', arguments: { id: '$input/id' }, expect: { '/state': 'open' } },
    onFailure: 'undo',
  }
}
