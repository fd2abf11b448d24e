import type { JsonObject, Meter, MeterLimit, MeterView, RunEvent, RunHead, RunState, Stop, Workflow } from '@tidegate/kernel'
import { EMPTY_CALIBRATION, recordJudgement, runStateName } from '@tidegate/kernel'
import type { ApprovalView, Person, QueueView, Tidegate, TriggerRequest } from '@tidegate/runtime'
import {
  DESK,
  decided,
  digestOf,
  ended,
  finished,
  opened,
  proposed,
  question,
  runOf,
  START_MS,
  started,
} from '../../runtime/test/story/run-events.ts'

/** What was asked of a fake, call by call. */
export interface FakeTidegate extends Tidegate {
  readonly calls: readonly { readonly name: string; readonly with: unknown }[]
  /** Makes the next call of one name throw. */
  failNext(name: keyof Tidegate, error: unknown): void
  /** Makes the next call of one name never answer. */
  hangNext(name: 'trigger' | 'runs'): void
}

const REFUND = { invoiceId: 'inv-5004', amountMinor: 48_000, reason: 'charged\u001b[31m twice' }
const PREVIEW = { before: { refundable: 48_000, currency: 'EUR' }, after: { refundable: 0, currency: 'EUR' } }
const READ: readonly RunEvent[] = [
  proposed(0, 'desk.ticket.read', { ticketId: 't-1003' }),
  decided(0, 'allow'),
  started(0),
  finished(0, { id: 't-1003' }),
]
const REPLY: readonly RunEvent[] = [
  proposed(1, 'desk.reply.send', { ticketId: 't-1003', body: 'Hello' }),
  decided(1, 'allow'),
  started(1),
  finished(1, { messageId: 'm-1' }),
]

function limitOf(bound: MeterLimit['bound'], outcome: MeterLimit['then'], on: readonly string[] = []): MeterLimit {
  // biome-ignore lint/suspicious/noThenProperty: the kernel's name for what happens; a limit is never awaited
  return { on, bound, then: outcome, approvers: [], reason: 'enough' }
}

const COUNTED: Meter = {
  name: 'refunds-per-customer',
  of: 'effects',
  operations: ['desk.refund.create'],
  sum: '/amountMinor',
  per: '/customerId',
  window: { kind: 'sliding', ms: 5_400_000 },
  self: true,
  anomaly: null,
  limits: [
    {
      ...limitOf({ kind: 'above', value: 2_000 }, 'ask', ['desk.refund.create']),
      approvers: [{ role: 'billing-lead', count: 2 }],
    },
    limitOf({ kind: 'above', value: 5_000 }, 'deny'),
  ],
}
const METER_VIEWS: readonly MeterView[] = [
  {
    meter: COUNTED,
    keys: 22,
    largest: [
      { kind: 'hash', key: '00ff00ff00ff00ff', value: 4_000, reserved: 1_500 },
      { kind: 'hash', key: '11ee11ee11ee11ee', value: 500, reserved: 0 },
    ],
  },
  {
    meter: {
      ...COUNTED,
      ...{ name: 'look-before-refund', of: 'successes', operations: ['desk.ticket.read'], sum: null, per: 'agent', self: false },
      window: { kind: 'run' },
      limits: [limitOf({ kind: 'below', value: 2 }, 'deny', ['desk.refund.create'])],
    },
    keys: 0,
    largest: [],
  },
  {
    meter: {
      ...COUNTED,
      ...{ name: 'model-cost', of: 'cost', operations: [], sum: null, per: 'user' },
      window: { kind: 'calendar', unit: 'month' },
      limits: [limitOf({ kind: 'above', value: 250_000_000 }, 'deny')],
    },
    keys: 1,
    largest: [{ kind: 'name', key: 'user:\u001b[31mann', value: 1_250_000, reserved: 0 }],
  },
]
const CHECKED: RunEvent = { type: 'check.executed', ok: true, sealed: { detail: 'the ticket is solved' } }

/**
 * Plays the runtime in memory: a trigger's `input.play` says what its run does (`done`, `refund`, `attack`, `slow`). It keeps the
 * promises of {@link Tidegate} that a face can see, and none that need a disk.
 */
export function createFakeTidegate(): FakeTidegate {
  const calls: { name: string; with: unknown }[] = []
  const failures = new Map<string, unknown>()
  const hanging = new Set<string>()
  const events = new Map<string, RunEvent[]>()
  const byEvent = new Map<string, string>()
  const resolved = new Set<string>()
  let stops: readonly Stop[] = []
  let epoch = 0

  const note = (name: keyof Tidegate, what?: unknown): void => {
    calls.push({ name, with: what })
    if (!failures.has(name)) return
    const error = failures.get(name)
    failures.delete(name)
    throw error
  }
  const stateOf = (run: string): RunState | undefined => {
    const recorded = events.get(run)
    return recorded === undefined ? undefined : runOf(recorded)
  }
  const open = (request: TriggerRequest, run: string): void => {
    const play = request.input.play
    const begin = opened(run, {
      input: request.input,
      actors: [request.user, request.client, 'agent:desk'],
      trigger: { source: request.source, event: request.event },
    })
    events.set(run, [begin, ...playOf(run, play)])
  }
  const views = (): readonly ApprovalView[] => [...events.keys()].flatMap((run) => approvalViews(stateOf(run)))
  const operator = (person: Person): boolean => person.roles.includes('operator')
  const denied = { kind: 'refused', code: 'not_entitled', message: 'Only the role operator may do this.' } as const

  return {
    calls,
    failNext: (name, error) => void failures.set(name, error),
    hangNext: (name) => void hanging.add(name),
    trigger: async (request) => {
      note('trigger', request)
      if (hanging.delete('trigger')) await new Promise(() => undefined)
      if (request.workflow !== 'support-billing')
        return { kind: 'refused', code: 'unknown_workflow', message: `There is no workflow ${request.workflow}.` }
      if (stops.some(({ scope }) => scope === 'global'))
        return { kind: 'refused', code: 'stopped', message: 'A stop is in force.' }
      const key = `${request.source} ${request.event}`
      const known = byEvent.get(key)
      if (known !== undefined) return { kind: 'duplicate', run: known }
      const run = `run-${String(events.size + 1).padStart(4, '0')}-${'abcdef'[events.size % 6]}`
      byEvent.set(key, run)
      open(request, run)
      return { kind: 'opened', run }
    },
    runs: async (query) => {
      note('runs', query)
      if (hanging.delete('runs')) await new Promise(() => undefined)
      const heads = [...events.keys()].reverse().flatMap((run) => headOf(stateOf(run)))
      return heads
        .filter(({ state, workflow }) => (query.states?.includes(state) ?? true) && (query.workflow ?? workflow) === workflow)
        .slice(0, query.limit)
    },
    run: async (id) => {
      note('run', id)
      return stateOf(id)
    },
    settled: async (id, timeoutMs) => {
      note('settled', { id, timeoutMs })
      const [head] = headOf(stateOf(id))
      if (head?.state === 'running') await new Promise((resolve) => setTimeout(resolve, timeoutMs))
      return head
    },
    approvals: async ({ state }) => {
      note('approvals', state)
      return views().filter(({ approval }) => state === 'all' || approval.state === 'open')
    },
    approval: async (id) => {
      note('approval', id)
      return views().find(({ approval }) => approval.question.id === id)
    },
    vote: async (id, ballot) => {
      note('vote', { id, ...ballot })
      const view = views().find(({ approval }) => approval.question.id === id)
      if (view === undefined) return { kind: 'rejected', code: 'not_found', message: 'There is no such approval.' }
      const { question: asked, state } = view.approval
      if (state !== 'open') return { kind: 'rejected', code: 'approval_closed', message: `this approval is already ${state}` }
      if (ballot.digest !== asked.digest)
        return { kind: 'rejected', code: 'digest_mismatch', message: 'the vote names another action' }
      if (asked.requesters.includes(ballot.person.id))
        return { kind: 'rejected', code: 'is_requester', message: 'whoever asks may not approve' }
      if (!ballot.person.roles.includes('billing-lead'))
        return { kind: 'rejected', code: 'not_entitled', message: 'only billing-lead may vote' }
      const voted: RunEvent = {
        type: 'approval.voted',
        approval: id,
        voter: ballot.person.id,
        roles: ballot.person.roles,
        vote: ballot.vote,
        sealed: { why: ballot.why },
      }
      const granted = ballot.vote === 'approve'
      const close: RunEvent = { type: 'approval.closed', approval: id, state: granted ? 'granted' : 'refused', why: ballot.why }
      const after = granted
        ? [decided(1, 'allow'), started(1, id), finished(1, { refundId: 'rf-1' }), CHECKED, ended('completed')]
        : [ended('failed', 'approval_refused')]
      events.get(asked.run)?.push(voted, close, ...after)
      return { kind: 'counted', state: granted ? 'granted' : 'refused', run: asked.run }
    },
    endorse: async (run, request) => {
      note('endorse', { run, ...request })
      return { kind: 'rejected', code: 'not_a_sink', message: 'this argument does not select a target' }
    },
    stop: async ({ person, scope, mode, why }) => {
      note('stop', { person, scope, mode, why })
      if (!operator(person)) return denied
      const stop: Stop = { id: `stop-${stops.length + 1}`, scope, mode, by: person.id, why, atMs: START_MS }
      stops = [...stops, stop]
      epoch += 1
      const running = [...events.keys()].filter((run) => stateOf(run)?.actions.at(-1)?.state === 'started')
      return {
        kind: 'stopped',
        stop,
        epoch,
        acknowledgedMs: 3.25,
        running: running.map((run) => ({ run, operation: 'desk.reply.send', sinceMs: 120 })),
      }
    },
    lift: async ({ person, stop, scope, why }) => {
      note('lift', { person, stop, scope, why })
      if (!operator(person)) return denied
      const lifted = stops.filter((each) => each.id === stop || each.scope === scope)
      if (lifted.length === 0) return { kind: 'refused', code: 'not_found', message: 'No such stop is in force.' }
      stops = stops.filter((each) => !lifted.includes(each))
      epoch += 1
      return { kind: 'lifted', stops: lifted, epoch }
    },
    stops: () => {
      note('stops')
      return stops
    },
    undo: async (run, { person, why }) => {
      note('undo', { run, person, why })
      const state = stateOf(run)
      if (state === undefined) return { kind: 'refused', code: 'not_found', message: 'There is no such run.' }
      if (!operator(person)) return denied
      if (state.final === null) return { kind: 'refused', code: 'not_finished', message: 'The run is not finished.' }
      if (state.undoneBy !== null)
        return { kind: 'refused', code: 'already_undone', message: `Run ${state.undoneBy} has undone it.` }
      const effects = state.actions.filter((action) => action.proposed.effect && action.state === 'done').length
      if (effects === 0) return { kind: 'refused', code: 'nothing_to_undo', message: 'It changed nothing.' }
      const by = `undo-${run}`
      events.get(run)?.push({ type: 'run.undone', by })
      const back = proposed(0, 'desk.refund.cancel', { refundId: 'rf-1' }, { purpose: 'compensate', compensates: 1 })
      const seen: RunEvent = { type: 'effect.verified', action: 0, holds: true, sealed: { detail: '' } }
      events.set(by, [
        opened(by, { undoes: run }),
        back,
        decided(0, 'allow'),
        started(0),
        finished(0, {}),
        seen,
        ended('completed'),
      ])
      return { kind: 'opened', run: by, effects }
    },
    calibration: async (workflow) => {
      note('calibration', workflow)
      const right = { kind: 'classification', confidence: 9_500, right: true } as const
      return { runs: 1, calibration: recordJudgement(EMPTY_CALIBRATION, right) }
    },
    limits: () => {
      note('limits')
      return METER_VIEWS
    },
    queue: async ({ all }) => {
      note('queue', all)
      const items = [...events.keys()].flatMap((run) =>
        [...(stateOf(run)?.items.values() ?? [])].map((item): QueueView => ({ ...item, run, workflow: 'support-billing' })),
      )
      return items
        .map((item) => ({ ...item, resolvedBy: resolved.has(item.item) ? 'user:otto' : null }))
        .filter((item) => all || item.resolvedBy === null)
    },
    resolve: async (item, { person, why }) => {
      note('resolve', { item, person, why })
      const known = [...events.keys()].some((run) => stateOf(run)?.items.has(item))
      if (!known) return { kind: 'refused', code: 'not_found', message: 'There is no such item.' }
      if (!operator(person)) return denied
      if (resolved.has(item)) return { kind: 'refused', code: 'already_resolved', message: 'Somebody has settled it already.' }
      resolved.add(item)
      return { kind: 'resolved' }
    },
    ledgerHead: () => {
      note('ledgerHead')
      return { size: 42, root: 'cm9vdA==', epoch, checkpoint: 'example.org/log\n42\ncm9vdA==\n\n\u2014 example.org/log c2ln\n' }
    },
    ledgerVerify: async () => {
      note('ledgerVerify')
      await new Promise((resolve) => setTimeout(resolve, 20))
      return { verified: true, size: 42, root: 'cm9vdA==', problems: [], durationMs: 7 }
    },
    receipt: async (of) => {
      note('receipt', of)
      if ('index' in of && of.index >= 42) return { kind: 'not_found', message: 'The ledger has 42 entries.' }
      return { kind: 'receipt', text: 'c2sp.org/tlog-proof@v1\nindex 41\n', index: 'index' in of ? of.index : 41 }
    },
    exportLedger: async (directory, options) => {
      note('exportLedger', { directory, ...options })
      return { size: 42, files: 5 }
    },
    operations: () => DESK,
    workflows: () => [WORKFLOW],
    close: async () => note('close'),
  }
}

function playOf(run: string, play: JsonObject[string] | undefined): readonly RunEvent[] {
  if (play === 'slow') return [...READ, ...REPLY.slice(0, 3)]
  if (play === 'attack') {
    const denial = decided(1, 'deny', [{ id: 'untrusted-money', reason: 'an attachment asks for money' }])
    const item: RunEvent = {
      type: 'queue.added',
      item: `q-${run}`,
      kind: 'blocked',
      action: null,
      effect: null,
      sealed: { title: 'Blocked, and left for a person', detail: 'an attachment asks for money' },
    }
    return [...READ, proposed(1, 'desk.refund.create', REFUND), denial, item, ended('failed', 'policy_denial')]
  }
  if (play !== 'refund') return [...READ, ...REPLY, CHECKED, ended('completed')]
  return [
    ...READ,
    proposed(1, 'desk.refund.create', REFUND),
    decided(1, 'ask', [{ id: 'production-high-risk', reason: 'high risk in production' }]),
    { type: 'preview.taken', action: 1, digest: 'd'.repeat(64), sealed: { preview: PREVIEW } },
    { type: 'approval.opened', question: question(run, `apr-${run}`, 1) },
  ]
}

function headOf(state: RunState | undefined): readonly RunHead[] {
  if (state === undefined) return []
  const openApprovals = [...state.approvals.values()]
    .filter((approval) => approval.state === 'open')
    .map((approval) => approval.question.id)
  return [
    {
      run: state.opened.run,
      workflow: state.opened.workflow,
      agent: state.opened.agent,
      state: runStateName(state),
      failure: state.failure,
      summary: `a ticket\u202e from ${state.opened.trigger.event}`,
      openedAtMs: state.openedAtMs,
      updatedAtMs: state.updatedAtMs,
      wakeAtMs: null,
      effects: state.actions.filter((action) => action.proposed.effect && action.state === 'done').length,
      openApprovals,
      undoes: state.opened.undoes,
      openItems: [...state.items.values()].filter((item) => item.resolvedBy === null).length,
    },
  ]
}

function approvalViews(state: RunState | undefined): readonly ApprovalView[] {
  return [...(state?.approvals.values() ?? [])].map((approval) => ({
    approval,
    workflow: 'support-billing',
    operation: 'desk.refund.create',
    title: 'Refund an invoice',
    goal: 'give the money back',
    justification: 'the ticket says \u001b[2J\u202echarged twice',
    arguments: REFUND,
    preview: PREVIEW,
    reasons: ['high risk in production'],
    risk: 'high',
    reversibility: 'compensable',
    plan: null,
  }))
}

const WORKFLOW: Workflow = {
  name: 'support-billing',
  version: digestOf(99),
  title: 'Answer billing tickets',
  agent: 'agent:desk',
  owners: { model: 'user:mei', permissions: 'user:mei', workflow: 'user:otto', incidents: 'user:otto' },
  environment: 'production',
  stage: 3,
  operations: new Map(DESK.map(({ id }) => [id, { confine: {} }])),
  limits: { steps: 20, wallMs: 60_000, tokens: 1_000, costMicros: 0, repeats: 2, approvalMs: 86_400_000 },
  inputOrigins: {},
  success: { operation: 'desk.ticket.read', arguments: { ticketId: '$input/ticketId' }, expect: { '/state': 'solved' } },
  onFailure: 'undo',
}
