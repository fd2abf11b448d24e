import { createHash } from 'node:crypto'
import {
  admit,
  type Admission,
  declaredFacts,
  type Json,
  NO_FLOW,
  type Observed,
  observeAction,
  type Operation,
  openRun,
  policyRequest,
  type Proposal,
  type RunEvent,
  type RunState,
  type Shape,
  type Workflow,
} from '@tidegate/kernel'
import { describe, expect, test } from 'vitest'

const hasher = { sha256: (data: string | Uint8Array) => new Uint8Array(createHash('sha256').update(data).digest()) }

/** Objects whose members have these types, and no others. */
function shape(fields: Readonly<Record<string, 'string' | 'number' | 'array'>>): Shape {
  return {
    jsonSchema: {},
    parse(value) {
      const object =
        typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, Json>>) : {}
      const wrong = [...Object.keys(object), ...Object.keys(fields)].filter(
        (key) => (Array.isArray(object[key]) ? 'array' : typeof object[key]) !== fields[key],
      )
      return wrong.length === 0
        ? { ok: true, value }
        : { ok: false, issues: wrong.map((key) => ({ path: `/${key}`, message: 'does not fit' })) }
    },
  }
}

function operation(id: string, changes: Partial<Operation>): Operation {
  const rest = {
    title: id,
    description: id,
    output: shape({}),
    mutability: 'write',
    dataClass: 'customer',
    blastRadius: 'single',
    risk: 'low',
    nature: [],
    reversibility: 'reversible',
  } as const
  const limits = {
    idempotency: 'none',
    timeoutMs: 1,
    maxAttempts: 1,
    settleMs: 0,
    secrets: [],
    canPreview: false,
    canReconcile: true,
    canVerify: true,
    schemaVersion: '1',
  } as const
  return {
    id,
    tool: 'desk',
    input: shape({ invoiceId: 'string' }),
    records: ['/invoiceId'],
    maxRecords: 1,
    origins: {},
    ...rest,
    ...limits,
    ...changes,
  }
}

const operations = new Map(
  [
    operation('desk.refund', { input: shape({ invoiceId: 'string', amountMinor: 'number' }) }),
    operation('desk.close-many', {
      input: shape({ ticketIds: 'array' }),
      records: ['/ticketIds'],
      maxRecords: 2,
      blastRadius: 'batch',
    }),
    operation('desk.read', { mutability: 'read', input: shape({ customerId: 'string' }), records: ['/customerId'] }),
    operation('desk.delete', {}),
  ].map((op) => [op.id, op]),
)

const workflow: Workflow = {
  name: 'w',
  version: '1',
  title: 'w',
  agent: 'a',
  owners: { model: 'm', permissions: 'p', workflow: 'w', incidents: 'i' },
  environment: 'test',
  stage: 4,
  operations: new Map([
    ['desk.refund', { confine: {} }],
    ['desk.close-many', { confine: {} }],
    ['desk.read', { confine: { '/customerId': '$input/customerId' } }],
  ]),
  limits: { steps: 9, wallMs: 9, tokens: 9, costMicros: 9, repeats: 2, approvalMs: 9 },
  inputOrigins: { '/customerId': 'system' },
  success: { operation: 'desk.read', arguments: {}, expect: {} },
  onFailure: 'undo',
}

function run(): RunState {
  const opened: RunEvent = {
    type: 'run.opened',
    run: 'r',
    workflow: 'w',
    workflowVersion: '1',
    agent: 'a',
    actors: ['user:ann'],
    trigger: { source: 's', event: 'e' },
    environment: 'test',
    stage: 4,
    policyVersion: 'p',
    undoes: null,
    sealed: { input: { customerId: 'c-1', note: 'please refund inv-7' }, undo: [] },
  }
  return openRun({ index: 0, stream: 'run/r', seq: 1, atMs: 1, epoch: 0, events: [opened], erased: false })
}

function admission(changes: Partial<Admission> = {}): Admission {
  return {
    state: run(),
    workflow,
    find: (id) => operations.get(id),
    hasher,
    policyVersion: 'p',
    breakers: {},
    nowMs: 100,
    compensates: null,
    ...changes,
  }
}

function proposal(id: string, args: Json, changes: Partial<Proposal> = {}): Proposal {
  return { goal: 'g', operation: id, arguments: args, justification: 'j', confidence: 10_000, ...changes }
}

const cases: readonly [string, string, Json, string][] = [
  ['an exact call', 'desk.refund', { invoiceId: 'inv-7', amountMinor: 5 }, 'admitted'],
  ['an operation that nobody declared', 'desk.wipe', {}, 'tidegate:undeclared-operation'],
  ['an operation named like a prototype member', 'constructor', {}, 'tidegate:undeclared-operation'],
  ['one that the workflow does not list', 'desk.delete', { invoiceId: 'inv-7' }, 'tidegate:not-in-workflow'],
  ['an unknown argument', 'desk.refund', { invoiceId: 'inv-7', amountMinor: 5, force: 'yes' }, 'tidegate:invalid-arguments'],
  ['a missing id', 'desk.refund', { amountMinor: 5 }, 'tidegate:scope'],
  ['an empty id', 'desk.refund', { invoiceId: '', amountMinor: 5 }, 'tidegate:scope'],
  ['a wildcard', 'desk.refund', { invoiceId: '*', amountMinor: 5 }, 'tidegate:scope'],
  ['a pattern', 'desk.refund', { invoiceId: 'inv-%', amountMinor: 5 }, 'tidegate:scope'],
  ['a word for everything', 'desk.refund', { invoiceId: 'ALL', amountMinor: 5 }, 'tidegate:scope'],
  ['a batch where one is meant', 'desk.refund', { invoiceId: ['inv-7', 'inv-8'], amountMinor: 5 }, 'tidegate:scope'],
  ['a batch within its limit', 'desk.close-many', { ticketIds: ['t-1', 't-2'] }, 'admitted'],
  ['a batch over its limit', 'desk.close-many', { ticketIds: ['t-1', 't-2', 't-3'] }, 'tidegate:scope'],
  ['a wildcard in a batch', 'desk.close-many', { ticketIds: ['t-1', '*'] }, 'tidegate:scope'],
  ['an empty batch', 'desk.close-many', { ticketIds: [] }, 'tidegate:scope'],
  ['the record that the run is about', 'desk.read', { customerId: 'c-1' }, 'admitted'],
  ['another record', 'desk.read', { customerId: 'c-2' }, 'tidegate:confined'],
]

describe('admitting a proposal', () => {
  test.each(cases)('%s', (_, id, args, answer) => {
    const result = admit(proposal(id, args), admission())
    expect(result.kind === 'admitted' ? 'admitted' : result.decision.policies[0]?.id).toBe(answer)
  })

  test('I2: the digest depends on tool, operation, arguments and schema, and not on the order of keys', () => {
    const digest = (args: Json, find = admission().find): string => {
      const result = admit(proposal('desk.refund', args), admission({ find }))
      return result.kind === 'admitted' ? result.digest : result.kind
    }
    const usual = digest({ invoiceId: 'inv-7', amountMinor: 5 })
    expect(digest({ amountMinor: 5, invoiceId: 'inv-7' })).toBe(usual)
    expect(digest({ invoiceId: 'inv-7', amountMinor: 6 })).not.toBe(usual)
    const changed = operation('desk.refund', { input: shape({ invoiceId: 'string', amountMinor: 'number' }), schemaVersion: '2' })
    expect(digest({ invoiceId: 'inv-7', amountMinor: 5 }, () => changed)).not.toBe(usual)
  })

  test('I9: arguments carry the origin of what the run has seen, and what was seen nowhere is the model’s', () => {
    const traced = admit(proposal('desk.read', { customerId: 'c-1' }), admission())
    expect(traced).toMatchObject({ origins: ['system'] })
    const invented = admit(proposal('desk.refund', { invoiceId: 'inv-9', amountMinor: 5 }), admission())
    expect(invented).toMatchObject({ origins: ['model'] })
    const referred = admit(
      proposal(
        'desk.refund',
        { invoiceId: 'inv-9', amountMinor: 5 },
        { origins: { '/invoiceId': ['third-party'], '/amountMinor': ['user'] } },
      ),
      admission(),
    )
    expect(referred).toMatchObject({ origins: ['user', 'third-party'] })
  })

  test('a reason names the place and not the value: reasons are in the ledger for good, arguments can be erased', () => {
    const result = admit(proposal('desk.refund', { invoiceId: 'ada@example.org*', amountMinor: 5 }), admission())
    expect(result.kind === 'rejected' && result.decision.policies[0]?.id).toBe('tidegate:scope')
    expect(JSON.stringify(result)).not.toContain('ada@example.org')
  })

  test('an operation whose breaker is open is given a rest, and then one attempt', () => {
    const refund = proposal('desk.refund', { invoiceId: 'inv-7', amountMinor: 5 })
    expect(admit(refund, admission({ breakers: { 'desk.refund': 200 }, nowMs: 199 }))).toMatchObject({
      kind: 'rejected',
      failure: 'connector_timeout',
    })
    expect(admit(refund, admission({ breakers: { 'desk.refund': 200 }, nowMs: 200 })).kind).toBe('admitted')
    const taking = admission({ breakers: { 'desk.refund': 200 }, nowMs: 199, compensates: 0 })
    expect(admit(refund, taking).kind, 'taking back is tried all the same').toBe('admitted')
  })
})

describe('what policy is told', () => {
  const OBSERVED: Observed = {
    confidence: 9_500,
    confidences: { classification: 9_900, retrieval: 9_900, extraction: 9_900 },
    attempts: 1,
    compensates: null,
    approvals: ['p'],
    roles: ['clerk'],
    time: { nowMs: 5, hour: 1, weekday: 2 },
    meters: { today: 3 },
    flow: NO_FLOW,
  }

  function askedAbout(id: string, args: Json, observed: Partial<Observed> = {}, state = run()) {
    const admitted = admit(proposal(id, args), admission({ state }))
    if (admitted.kind !== 'admitted') throw new Error(admitted.decision.policies[0]?.reason)
    return policyRequest(admitted, observeAction(admitted, { ...OBSERVED, ...observed }, state), state, workflow)
  }

  test('is declared by the operation and the workflow, or observed', () => {
    expect(askedAbout('desk.refund', { invoiceId: 'inv-7', amountMinor: 5 })).toEqual({
      agent: 'a',
      workflow: 'w',
      operation: 'desk.refund',
      tool: 'desk',
      user: 'user:ann',
      client: '',
      context: {
        environment: 'test',
        risk: 'low',
        mutability: 'write',
        dataClass: 'customer',
        blastRadius: 'single',
        nature: [],
        reversible: true,
        stage: 4,
        actors: ['user:ann'],
        roles: ['clerk'],
        records: 1,
        confidence: 9_500,
        confidences: OBSERVED.confidences,
        attempts: 1,
        time: OBSERVED.time,
        meters: { today: 3 },
        origins: ['model'],
        flow: NO_FLOW,
        compensating: false,
        mode: 'live',
        approvals: ['p'],
        arguments: { invoiceId: 'inv-7', amountMinor: 5 },
      },
    })
  })

  test('records are counted as they are limited', () => {
    expect(askedAbout('desk.close-many', { ticketIds: ['t-1', 't-2'] }).context.records).toBe(2)
    expect(askedAbout('desk.read', { customerId: 'c-1' }).context.records).toBe(1)
  })

  test.each<[string, Partial<Observed>, number, number]>([
    ['the planner', { confidence: 4_000 }, 10_000, 4_000],
    ['any of its parts', { confidences: { classification: 9_900, retrieval: 3_000, extraction: 9_900 } }, 10_000, 3_000],
    ['the doubts of the run', {}, 2_000, 2_000],
    ['but not for taking back', { compensates: 0 }, 2_000, 9_500],
  ])('confidence is the least: %s', (_why, observed, ofRun, confidence) => {
    const state = { ...run(), confidence: ofRun }
    const { context } = askedAbout('desk.read', { customerId: 'c-1' }, observed, state)
    expect([context.confidence, context.compensating]).toEqual([confidence, observed.compensates === 0])
  })

  test('what is read leaves nothing behind; what is written may', () => {
    const declared = (changes: Partial<Operation>) => declaredFacts(operation('desk.x', changes), workflow).reversible
    expect(declared({ mutability: 'read', reversibility: 'irreversible' })).toBe(true)
    expect(declared({ reversibility: 'compensable' })).toBe(true)
    expect(declared({ reversibility: 'irreversible' })).toBe(false)
  })
})
