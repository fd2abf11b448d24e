import type { Json, JsonObject, Operation } from '@tidegate/kernel'
import type { HostAnswer, HostPatience } from '@tidegate/runtime'
import type { McpDesk } from '../../src/index.ts'

type Performed = Parameters<McpDesk['perform']>[0]

/** A desk whose answers a test decides: what was performed, and how the questions to people end. */
export interface FakeDesk extends McpDesk {
  readonly performed: Performed[]
  /** Calls of which the waiting was given up. */
  readonly abandoned: string[]
  /** Offers these from now on. */
  offer(operations: readonly Operation[]): void
  /** People decide about all that is open: `granted` performs it. */
  decide(outcome: 'granted' | 'refused'): void
  /** Calls of which people are asked now. */
  open(): readonly string[]
}

/** One operation as a project or an upstream would declare it. */
export function operationOf(id: string, over: Partial<Operation> & { readonly schema?: JsonObject } = {}): Operation {
  const { schema, ...rest } = over
  const jsonSchema = schema ?? { type: 'object', properties: { message: { type: 'string' } } }
  return {
    id,
    tool: id.split('.')[0] ?? id,
    title: `Use ${id}`,
    description: `Does what ${id} does.`,
    input: { parse: (value) => ({ ok: true, value }), jsonSchema },
    output: { parse: (value) => ({ ok: true, value }), jsonSchema: {} },
    mutability: 'read',
    dataClass: 'internal',
    blastRadius: 'single',
    risk: 'low',
    nature: [],
    reversibility: 'reversible',
    records: [],
    maxRecords: 1,
    origins: {},
    idempotency: 'none',
    timeoutMs: 1_000,
    maxAttempts: 1,
    settleMs: 0,
    secrets: [],
    canPreview: false,
    canReconcile: false,
    canVerify: false,
    schemaVersion: `v-${id}`,
    ...rest,
  }
}

/** What this desk offers unless told; the verb says how a call ends. */
export const OFFERED: readonly Operation[] = [
  operationOf('desk.echo'),
  operationOf('desk.asked', { mutability: 'write' }),
  operationOf('desk.denied', { mutability: 'destructive' }),
  operationOf('desk.hang'),
  operationOf('desk.broken'),
  operationOf('desk.stopped'),
  operationOf('desk.unknown'),
  operationOf('desk.rehearsed'),
]

const DEADLINE_MS = 86_400_000

/** Decides by the verb, and remembers every call by its name, as the real one does. */
export function createFakeDesk(): FakeDesk {
  let offered = OFFERED
  const calls = new Map<string, Promise<HostAnswer>>()
  const questions = new Map<string, (answer: HostAnswer) => void>()
  const performed: Performed[] = []
  const abandoned: string[] = []

  const begin = (call: Performed): Promise<HostAnswer> => {
    const run = `run-${calls.size}`
    if (!offered.some(({ id }) => id === call.operation)) {
      const reasons = [`no tool declares the operation "${call.operation}" (tidegate:undeclared-operation)`]
      return Promise.resolve({ kind: 'denied', run, reasons, failure: 'policy_denial' })
    }
    switch (call.operation) {
      case 'desk.asked':
        return new Promise((resolve) => questions.set(call.call, resolve))
      case 'desk.hang':
        return new Promise(() => {})
      case 'desk.denied':
        return Promise.resolve({ kind: 'denied', run, reasons: ['too much', 'too late'], failure: 'policy_denial' })
      case 'desk.broken':
        return Promise.reject(new Error('the secret is hunter2'))
      case 'desk.stopped':
        return Promise.resolve({ kind: 'stopped', run, why: 'an incident' })
      case 'desk.unknown':
        return Promise.resolve({ kind: 'unknown', run, message: 'The far side did not answer.' })
      case 'desk.rehearsed':
        return Promise.resolve({ kind: 'rehearsed', run, preview: { rows: 3 }, reasons: [] })
      default:
        return Promise.resolve(done(call, run))
    }
  }
  return {
    performed,
    abandoned,
    offered: () => offered,
    offer: (operations) => {
      offered = operations
    },
    open: () => [...questions.keys()],
    decide(outcome) {
      for (const [call, resolve] of questions) {
        const refused: HostAnswer = { kind: 'denied', run: 'run-asked', reasons: ['people said no'], failure: 'policy_denial' }
        resolve(outcome === 'granted' ? done({ arguments: { call } }, 'run-asked') : refused)
      }
      questions.clear()
    },
    async perform(call, { waitMs, signal, onAsked }: HostPatience) {
      performed.push(call)
      const going = calls.get(call.call) ?? begin(call)
      calls.set(call.call, going)
      const asked = { approval: `a-${call.call}`, run: 'run-asked', deadlineMs: DEADLINE_MS }
      if (questions.has(call.call)) onAsked?.(asked)
      const { promise: given, resolve } = Promise.withResolvers<HostAnswer>()
      const later: HostAnswer = questions.has(call.call)
        ? { kind: 'pending', ...asked }
        : { kind: 'unknown', run: 'run-hang', message: 'It is under way.' }
      const timer = setTimeout(() => resolve(later), waitMs)
      signal?.addEventListener('abort', () => {
        abandoned.push(call.call)
        resolve(later)
      })
      try {
        return await Promise.race([going, given])
      } finally {
        clearTimeout(timer)
      }
    },
  }
}

function done({ arguments: output }: { readonly arguments: Json }, run: string): HostAnswer {
  return { kind: 'done', run, output, findings: [], complete: true }
}
