import {
  foldEntry,
  type Json,
  type JsonObject,
  type Model,
  type ModelRequest,
  type ModelResult,
  openRun,
  type Operation,
  type Origin,
  type PlannerAnswer,
  type PlannerView,
  readModelCall,
  type RunEvent,
  type RunState,
  type Shape,
  type Workflow,
} from '@tidegate/kernel'
import type { ModelUse } from '../src/planner/index.ts'

const OPEN_SHAPE: Shape = { parse: (value) => ({ ok: true, value }), jsonSchema: { type: 'object' } }

/** An operation that declares as little as possible. */
export function operation(id: string, origins: Readonly<Record<string, Origin>> = {}): Operation {
  return {
    id,
    tool: id.split('.')[0] ?? id,
    title: `Title of ${id}`,
    description: `Describes ${id}.`,
    input: OPEN_SHAPE,
    output: OPEN_SHAPE,
    mutability: id.endsWith('.read') ? 'read' : 'write',
    dataClass: 'internal',
    blastRadius: 'single',
    risk: 'low',
    nature: [],
    reversibility: 'reversible',
    records: [],
    maxRecords: 1,
    origins,
    idempotency: 'none',
    timeoutMs: 1_000,
    maxAttempts: 1,
    settleMs: 0,
    secrets: [],
    canPreview: false,
    canReconcile: false,
    canVerify: false,
    schemaVersion: '0',
  }
}

export const OPERATIONS: ReadonlyMap<string, Operation> = new Map(
  [operation('box.read', { '/subject': 'user', '/body': 'user', '/size': 'system' }), operation('box.write')].map((o) => [
    o.id,
    o,
  ]),
)

export const WORKFLOW: Workflow = {
  name: 'w',
  version: '0',
  title: 'Test workflow',
  agent: 'a',
  owners: { model: '', permissions: '', workflow: '', incidents: '' },
  environment: 'test',
  stage: 4,
  operations: new Map([...OPERATIONS.keys()].map((id) => [id, { confine: {} }])),
  limits: { steps: 40, wallMs: 600_000, tokens: 50_000, costMicros: 1_000_000, repeats: 3, approvalMs: 1_000 },
  inputOrigins: { '/boxId': 'system' },
  success: { operation: 'box.read', arguments: {}, expect: {} },
  onFailure: 'undo',
}

/** What becomes of a proposal in a test. */
export type Fate =
  | { readonly kind: 'done'; readonly output: Json; readonly complete?: boolean }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'denied'; readonly failure: 'planning' | 'policy_denial'; readonly reason: string }
  | { readonly kind: 'open' }

/** A run of a test: what a planner says is recorded as the harness records it. */
export class TestRun {
  state: RunState

  constructor(input: JsonObject = { boxId: 'b-1', text: 'please refund me' }) {
    const trigger = { source: 's', event: 'e' }
    const fixed = {
      run: 'r',
      workflow: 'w',
      workflowVersion: '0',
      agent: 'a',
      actors: ['user:u'],
      trigger,
      environment: 'test',
      stage: 4,
      policyVersion: '0',
      undoes: null,
    }
    this.state = openRun({
      index: 0,
      stream: 'run/r',
      seq: 1,
      atMs: 0,
      epoch: 0,
      erased: false,
      events: [{ type: 'run.opened', ...fixed, sealed: { input, undo: [] } }],
    })
  }

  get view(): PlannerView {
    return { state: this.state, workflow: WORKFLOW, find: (id) => OPERATIONS.get(id) }
  }

  append(...events: readonly RunEvent[]): void {
    const seq = this.state.seq + 1
    this.state = foldEntry(this.state, { index: seq, stream: 'run/r', seq, atMs: seq, epoch: 0, erased: false, events })
  }

  /** Records an answer, and for a proposal what became of it. */
  record(answer: PlannerAnswer, fate: Fate = { kind: 'done', output: {} }): void {
    if (answer.usage !== undefined) {
      const { request, reply, ...facts } = answer.usage
      this.append({ type: 'model.called', ...facts, sealed: { request, reply } })
    }
    if (answer.kind === 'note') {
      const { node, value, origins, confidence } = answer
      this.append({ type: 'plan.noted', node, ...(confidence === undefined ? {} : { confidence }), sealed: { value, origins } })
    }
    if (answer.kind === 'propose') this.append(...eventsOf(this.state.actions.length, answer, fate))
  }
}

function eventsOf(action: number, { proposal }: Extract<PlannerAnswer, { kind: 'propose' }>, fate: Fate): readonly RunEvent[] {
  const sealed = { goal: proposal.goal, justification: proposal.justification, arguments: proposal.arguments, origins: [] }
  const facts = {
    purpose: 'act',
    effect: true,
    node: proposal.node ?? null,
    confidence: proposal.confidence,
    claimedRisk: null,
    digest: 'd',
    compensates: null,
  } as const
  const proposed: RunEvent = { type: 'action.proposed', action, operation: proposal.operation, ...facts, sealed }
  const decided = { type: 'action.decided', action, approvers: [], policyVersion: '0', facts: null } as const
  if (fate.kind === 'open') return [proposed]
  if (fate.kind === 'denied') {
    return [proposed, { ...decided, outcome: 'deny', policies: [{ id: 'p', reason: fate.reason }], failure: fate.failure }]
  }
  const finished =
    fate.kind === 'done'
      ? ({ result: 'done', failure: null, retry: null, code: null, sealed: { output: fate.output, message: '' } } as const)
      : ({
          result: 'failed',
          failure: 'semantic',
          retry: 'never',
          code: 'no',
          sealed: { output: null, message: fate.message },
        } as const)
  const complete = fate.kind !== 'done' || fate.complete !== false
  return [
    proposed,
    { ...decided, outcome: 'allow', policies: [], failure: null },
    { type: 'effect.started', action, attempt: 1, digest: 'd', approval: null, lease: [] },
    { type: 'effect.finished', action, attempt: 1, durationMs: 1, complete, findings: [], ...finished },
  ]
}

const USAGE = {
  usage: { inputTokens: 100, outputTokens: 10, estimated: false },
  reportedModel: null,
  finishReason: 'stop',
} as const

/** Replies of a scripted model. */
export const said = {
  call: (...calls: readonly (readonly [name: string, args: JsonObject | string])[]): ModelResult => ({
    kind: 'calls',
    text: 'because',
    calls: calls.map(([name, args], i) => readModelCall(`c${i}`, name, typeof args === 'string' ? args : JSON.stringify(args))),
    ...USAGE,
  }),
  text: (text: string): ModelResult => ({ kind: 'text', text, ...USAGE }),
  refused: (text: string): ModelResult => ({ kind: 'refused', text, ...USAGE }),
  failed: (code: 'rate_limited' | 'unavailable' | 'timeout' | 'context_too_long', retryAfterMs?: number): ModelResult => ({
    kind: 'failed',
    code,
    retry: code === 'context_too_long' ? 'never' : 'safe',
    message: `scripted ${code}`,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...USAGE,
  }),
  uncounted: (text: string): ModelResult => ({
    kind: 'text',
    text,
    ...USAGE,
    usage: { inputTokens: 0, outputTokens: 0, estimated: true },
  }),
}

/** A model that says the same to everybody, in order, and keeps what it was asked. */
export function scripted(...replies: readonly ModelResult[]): { use: ModelUse; requests: ModelRequest[] } {
  const requests: ModelRequest[] = []
  const model: Model = {
    id: 'test/model',
    call: async (request) => {
      requests.push(request)
      const reply = replies[requests.length - 1]
      if (reply === undefined) throw new Error('the script of the model has ended')
      return reply
    },
  }
  let nowMs = 0
  const clock = { nowMs: () => (nowMs += 7) }
  return {
    use: { model, clock, price: { inputMicros: 1_000_000, outputMicros: 2_000_000 }, timeoutMs: 1_000, maxOutputTokens: 100 },
    requests,
  }
}
