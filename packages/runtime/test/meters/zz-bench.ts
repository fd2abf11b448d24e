import { createMeterBook, type Meter, foldRun, type RunEvent, type Entry, openRun, foldEvents } from '@tidegate/kernel'
import { createCalendar, createHashKey } from '../../src/meters/index.ts'
import { nodeHasher } from '@tidegate/crypto-node'
const base = {
  operations: ['desk.refund.create'],
  sum: null,
  per: 'agent',
  window: { kind: 'sliding', ms: 86_400_000 },
  self: true,
  anomaly: null,
  limits: [],
} as const
const m = (name: string, changes: Partial<Meter>): Meter => ({ name, of: 'effects', ...base, ...changes })
const meters: Meter[] = [
  m('a1', { sum: '/amountMinor' }),
  m('a2', { window: { kind: 'sliding', ms: 60_000 } }),
  m('a3', { per: 'global', of: 'calls', operations: [] }),
  m('a4', { per: '/customerId', window: { kind: 'calendar', unit: 'day' } }),
  m('a5', { per: '/customerId', sum: '/amountMinor', window: { kind: 'calendar', unit: 'month' } }),
  m('a6', { of: 'tokens', operations: [] }),
  m('a7', { of: 'cost', operations: [], window: { kind: 'calendar', unit: 'month' } }),
  m('a8', { of: 'denials', window: { kind: 'sliding', ms: 600_000 } }),
  m('a9', { of: 'calls', operations: ['desk.ticket.read'], window: { kind: 'run' }, self: false }),
  m('a10', {
    of: 'successes',
    operations: ['desk.ticket.*'],
    window: { kind: 'sliding', ms: 3_600_000 },
    per: 'user',
    self: false,
  }),
  m('a11', { per: 'agent', anomaly: { bucketMs: 3_600_000, baselineMs: 14 * 86_400_000, minimum: 20 } }),
  m('a12', { per: 'user', of: 'failures' }),
]
const book = createMeterBook({
  meters,
  calendar: createCalendar('Europe/Dublin'),
  hashKey: createHashKey(nodeHasher, new Uint8Array(32)),
})
const N = Number(process.argv[2] ?? 200_000)
let now = 1_700_000_000_000,
  index = 0
const d = { policies: [], approvers: [], policyVersion: 'p', failure: null, facts: null }
function runEvents(i: number) {
  const run = `R${i}`
  const opened: RunEvent = {
    type: 'run.opened',
    run,
    workflow: 'w',
    workflowVersion: 'v',
    agent: `agent-${i % 8}`,
    actors: [`user:${i % 50}`, 'c'],
    trigger: { source: 's', event: 'e' },
    environment: 't',
    stage: 4,
    policyVersion: 'p',
    undoes: null,
    sealed: { input: {}, undo: [] },
  }
  return { run, opened }
}
const PROBE = process.argv.includes('--split')
let tReserve = 0,
  tFold = 0
// precompute states
const { opened } = runEvents(0)
function proposed(operation: string, args: Record<string, unknown>, n: number): RunEvent {
  return {
    type: 'action.proposed',
    action: n,
    operation,
    purpose: 'act',
    effect: operation !== 'desk.ticket.read',
    node: null,
    confidence: 1,
    claimedRisk: null,
    digest: 'd',
    compensates: null,
    sealed: { goal: '', justification: '', arguments: args as never, origins: [] },
  }
}
const cases = Array.from({ length: 1000 }, (_, i) => {
  const { run, opened } = runEvents(i)
  const e1: Entry = { index: 0, stream: `run/${run}`, seq: 1, atMs: now, epoch: 0, events: [opened], erased: false }
  const s1 = openRun(e1)
  const args = { customerId: `c-${i % 300}`, amountMinor: 100 + i }
  const act: RunEvent[] = [
    proposed('desk.ticket.read', { ticket: 't' }, 0),
    { type: 'action.decided', action: 0, outcome: 'allow', ...d },
    { type: 'effect.started', action: 0, attempt: 1, digest: 'd', approval: null, lease: [] },
  ]
  const s2 = { ...foldEvents(s1, act, now), seq: 2 }
  const fin: RunEvent[] = [
    {
      type: 'effect.finished',
      action: 0,
      attempt: 1,
      result: 'done',
      durationMs: 1,
      complete: true,
      findings: [],
      failure: null,
      retry: null,
      code: null,
      sealed: { output: {}, message: '' },
    },
  ]
  const s3 = foldEvents(s2, fin, now)
  const act2: RunEvent[] = [
    ...fin,
    proposed('desk.refund.create', args, 1),
    { type: 'action.decided', action: 1, outcome: 'allow', ...d },
    {
      type: 'effect.started',
      action: 1,
      attempt: 1,
      digest: 'd',
      approval: null,
      lease: [],
      metered: { sums: { '/amountMinor': 100 + i }, keys: { '/customerId': `k${i % 300}` } },
    } as RunEvent,
  ]
  const end: RunEvent[] = [{ ...fin[0], action: 1 } as RunEvent, { type: 'run.finished', state: 'completed', failure: null }]
  return { run, s1, s2, s3, args, e1, act, act2, fin, end }
})
function once(i: number) {
  const c = cases[i % 1000]!
  now += i % 3 === 0 ? 1 : 0
  book.fold({ ...c.e1, index: index++, atMs: now })
  book.reserve(
    {
      state: c.s1,
      waiting: [],
      action: 0,
      isNew: true,
      operation: { id: 'desk.ticket.read', mutability: 'read' },
      arguments: { ticket: 't' },
    },
    now,
  )
  book.fold({ index: index++, stream: `run/${c.run}`, seq: 2, atMs: now, events: c.act })
  book.reserve(
    {
      state: c.s3,
      waiting: c.fin,
      action: 1,
      isNew: true,
      operation: { id: 'desk.refund.create', mutability: 'write' },
      arguments: c.args,
    },
    now,
  )
  book.fold({ index: index++, stream: `run/${c.run}`, seq: 3, atMs: now, events: c.act2 })
  book.fold({ index: index++, stream: `run/${c.run}`, seq: 4, atMs: now, events: c.end })
}
for (let i = 0; i < 20_000; i++) once(i)
for (let r = 0; r < 10; r++) {
  const c0 = process.cpuUsage()
  for (let i = 0; i < N / 8; i++) once(i)
  const c = process.cpuUsage(c0)
  console.log(`per action ${((c.user + c.system) / (N / 4)).toFixed(2)} us cpu`)
}
console.log(
  book.reserve(
    {
      state: cases[5]!.s3,
      waiting: [],
      action: 1,
      isNew: true,
      operation: { id: 'desk.refund.create', mutability: 'write' },
      arguments: cases[5]!.args,
    },
    now,
  ).values,
)
