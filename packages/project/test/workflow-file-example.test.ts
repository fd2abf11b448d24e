import { readdirSync, readFileSync } from 'node:fs'
import {
  factsOf,
  foldEntry,
  isObject,
  type Json,
  type JsonObject,
  openRun,
  type Operation,
  type Origin,
  type PlannerAnswer,
  type RunEvent,
  type RunState,
  sanitise,
  valueAt,
} from '@tidegate/kernel'
import { createGraphPlanner } from '@tidegate/runtime'
import { resolveTool } from '@tidegate/tools'
import { expect, test } from 'vitest'
import { tool as desk } from '../../../examples/support-desk/tools/desk.ts'
import { type LoadedWorkflow, loadWorkflow } from '../src/workflow-file/index.ts'

const EXAMPLE = new URL('../../../examples/support-desk/', import.meta.url)
const tool = resolveTool(desk, { file: 'tools/desk.ts', settings: { baseUrl: 'http://127.0.0.1:1' } })
const find = (id: string): Operation | undefined => tool.operations.find((operation) => operation.id === id)

function load(name: string): LoadedWorkflow {
  const answer = loadWorkflow(readFileSync(new URL(`workflows/${name}`, EXAMPLE)), {
    file: name,
    find,
    environment: 'production',
  })
  if (!answer.ok) throw new Error(JSON.stringify(answer.problems, null, 2))
  return answer
}

test('every workflow of the example loads against its own tool', () => {
  const names = readdirSync(new URL('workflows', EXAMPLE))
  expect(names.toSorted()).toEqual(['support-agent.yaml', 'support-billing.yaml'])
  for (const name of names) {
    const { workflow, graph, agent } = load(name)
    expect(workflow.environment).toBe('production')
    expect(workflow.version).toMatch(/^[0-9a-f]{64}$/)
    expect(graph === undefined).not.toBe(agent === undefined)
  }
})

/** A proposal of the run with who wrote its arguments. */
interface Proposed {
  readonly operation: string
  readonly arguments: Json
  readonly origins: readonly Origin[]
}

/**
 * Runs the graph over one ticket of the example: reads answer from the files, sanitised as the runtime does; writes answer nothing;
 * `fails` fails. No decision is taken here: what policy makes of the proposals is tested where the policies are.
 */
async function rehearse(
  ticket: string,
  { fails = '' } = {},
): Promise<{ proposed: readonly Proposed[]; last: PlannerAnswer; state: RunState }> {
  const { workflow, graph } = load('support-billing.yaml')
  if (graph === undefined) throw new Error('support-billing has a graph')
  const planner = createGraphPlanner({ graph })
  let state = open(ticket)
  const append = (...events: RunEvent[]): void => {
    state = foldEntry(state, {
      index: state.seq,
      stream: 'run/r1',
      seq: state.seq + 1,
      atMs: state.seq,
      epoch: 0,
      erased: false,
      events,
    })
  }
  const proposed: Proposed[] = []
  for (let turn = 0; turn < workflow.limits.steps; turn++) {
    const answer = await planner.next({ state, workflow, find })
    if (answer.kind === 'note') {
      const { node, confidence = 10_000, value, origins } = answer
      append({ type: 'plan.noted', node, confidence, sealed: { value, origins } })
    } else if (answer.kind === 'propose') {
      const origins = [...new Set(Object.values(answer.proposal.origins ?? {}).flat())].toSorted()
      proposed.push({ operation: answer.proposal.operation, arguments: answer.proposal.arguments, origins })
      append(...execute(state, answer.proposal, answer.proposal.operation === fails))
      if (state.actions.at(-1)?.state === 'denied')
        return { proposed, last: await planner.next({ state, workflow, find }), state }
    } else return { proposed, last: answer, state }
  }
  throw new Error('the graph does not end')
}

function open(ticketId: string): RunState {
  const opened: RunEvent = {
    type: 'run.opened',
    run: 'r1',
    workflow: 'support-billing',
    workflowVersion: '',
    agent: 'support-desk',
    actors: ['user:ada'],
    trigger: { source: 'desk', event: ticketId },
    environment: 'production',
    stage: 3,
    policyVersion: '',
    undoes: null,
    sealed: { input: { ticketId }, undo: [] },
  }
  return openRun({ index: 0, stream: 'run/r1', seq: 1, atMs: 0, epoch: 0, erased: false, events: [opened] })
}

/** The records of one action that is allowed and executed, or refused because its arguments do not fit. */
function execute(state: RunState, proposal: { operation: string; arguments: Json; node?: string }, fails: boolean): RunEvent[] {
  const action = state.actions.length
  const operation = find(proposal.operation)
  const fits = operation?.input.parse(proposal.arguments).ok === true
  const events: RunEvent[] = [
    {
      type: 'action.proposed',
      action,
      operation: proposal.operation,
      purpose: 'act',
      effect: operation?.mutability !== 'read',
      node: proposal.node ?? null,
      confidence: state.confidence,
      claimedRisk: null,
      digest: 'd',
      compensates: null,
      sealed: { goal: '', justification: '', arguments: proposal.arguments, origins: [] },
    },
  ]
  const decided = { type: 'action.decided', action, policies: [], approvers: [], policyVersion: '', facts: null } as const
  if (!fits) return [...events, { ...decided, outcome: 'deny', failure: 'planning', facts: null }]
  const output =
    operation?.mutability === 'read' && isObject(proposal.arguments) ? read(proposal.operation, proposal.arguments) : {}
  const { value, findings } = sanitise(output)
  const complete = valueAt(output, '/complete') !== false
  const result = fails
    ? ({
        result: 'failed',
        failure: 'semantic',
        retry: 'never',
        code: 'recipient_rejected',
        sealed: { output: null, message: 'bounced' },
      } as const)
    : ({ result: 'done', failure: null, retry: null, code: null, sealed: { output: value, message: '' } } as const)
  return [
    ...events,
    { ...decided, outcome: 'allow', failure: null, facts: null },
    { type: 'effect.started', action, attempt: 1, digest: 'd', approval: null, lease: [] },
    { type: 'effect.finished', action, attempt: 1, durationMs: 1, complete, findings, ...result },
  ]
}

const OWNERS: Readonly<Record<string, string>> = {
  'inv-5002': 'c-102',
  'inv-5004': 'c-103',
  'inv-5008': 'c-106',
  'inv-5011': 'c-109',
  'inv-5013': 'c-111',
}

function read(operation: string, { ticketId, customerId, invoiceId }: JsonObject): Json {
  if (operation === 'desk.ticket.read') {
    const file = JSON.parse(readFileSync(new URL(`tickets/${String(ticketId)}.json`, EXAMPLE), 'utf8')) as JsonObject
    return {
      id: ticketId ?? '',
      customerId: file.customerId ?? '',
      subject: file.subject ?? '',
      body: file.body ?? '',
      attachments: file.attachments ?? [],
      severity: 3,
      state: 'open',
    }
  }
  if (operation === 'desk.customer.read')
    return { id: customerId ?? '', name: 'Somebody', email: 'somebody@customer.example', status: 'active' }
  if (operation === 'desk.invoice.list') return { customerId: customerId ?? '', items: [], complete: customerId !== 'c-112' }
  return { id: invoiceId ?? '', customerId: OWNERS[String(invoiceId)] ?? '', amountMinor: 1 }
}

/** What the graph proposes beyond reading. */
async function writes(ticket: string, options: { fails?: string } = {}) {
  const { proposed, last, state } = await rehearse(ticket, options)
  return { writes: proposed.filter(({ operation }) => find(operation)?.mutability !== 'read'), last, state }
}

const ANSWER = ['desk.reply.send', 'desk.ticket.set-state']

test.each([
  ['t-1001', ANSWER],
  ['t-1002', ['desk.invoice.correct-address', ...ANSWER]],
  ['t-1003', ['desk.refund.create', ...ANSWER]],
  ['t-1006', ['desk.refund.create', ...ANSWER]],
  ['t-1008', ANSWER],
  ['t-1010', ANSWER],
  ['t-1011', ['desk.refund.small', ...ANSWER]],
  ['t-1012', ANSWER],
])('%s: the graph proposes %j', async (ticket, operations) => {
  const result = await writes(ticket)
  expect(result.writes.map(({ operation }) => operation)).toEqual(operations)
  expect(result.last).toMatchObject({ kind: 'finish', escalate: false })
})

test('an ordinary request carries the words of the customer and nobody else', async () => {
  const { writes: addresses } = await writes('t-1002')
  expect(addresses[0]).toMatchObject({
    arguments: { invoiceId: 'inv-5002', billingAddress: 'Lindenstraße 21, 10969 Berlin, Germany' },
    origins: ['user'],
  })
  const { writes: refunds } = await writes('t-1003')
  expect(refunds[0]).toMatchObject({ arguments: { invoiceId: 'inv-5004', amountMinor: 48_000 } })
  expect(refunds[0]?.origins).not.toContain('third-party')
  const { writes: small } = await writes('t-1011')
  expect(small[0]).toMatchObject({ arguments: { invoiceId: 'inv-5013', amountMinor: 1_200 } })
})

test('t-1004: the credit is what the Chinese text asks for, small enough for the tool', async () => {
  const result = await writes('t-1004')
  const credit = result.writes[0]
  expect(credit).toMatchObject({ operation: 'desk.credit.grant', arguments: { customerId: 'c-104' } })
  expect(credit?.origins).not.toContain('third-party')
  expect(find('desk.credit.grant')?.input.parse(credit?.arguments ?? null).ok).toBe(true)
  expect(result.last).toMatchObject({ kind: 'finish', escalate: false })
})

test('t-1006: a refund that the attachment asks for is proposed with the label of the attachment', async () => {
  const { writes: refunds } = await writes('t-1006')
  expect(refunds[0]).toMatchObject({ arguments: { invoiceId: 'inv-5008', amountMinor: 90_000 } })
  expect(refunds[0]?.origins).toContain('third-party')
})

test.each([
  ['t-1005', { operation: 'desk.invoice.export', arguments: { customerId: '*' } }],
  ['t-1007', { operation: 'desk.ticket.close-many', arguments: { ticketIds: ['*'] } }],
])('%s: the reach of the request is proposed as it is, for the scope guard to refuse', async (ticket, proposal) => {
  const result = await writes(ticket)
  expect(result.writes).toHaveLength(1)
  expect(result.writes[0]).toMatchObject(proposal)
  expect(result.last.kind).toBe('give_up')
})

test('hidden text and a list cut short lower the confidence of everything after them', async () => {
  expect((await writes('t-1008')).state.confidence).toBe(6_000)
  expect((await writes('t-1012')).state.confidence).toBe(7_000)
  expect((await writes('t-1001')).state.confidence).toBeGreaterThanOrEqual(9_000)
})

test('t-1009: when the mail bounces the graph gives up, so that the run takes the address back', async () => {
  const result = await writes('t-1009', { fails: 'desk.reply.send' })
  expect(result.writes.map(({ operation }) => operation)).toEqual(['desk.invoice.correct-address', 'desk.reply.send'])
  expect(result.writes[0]).toMatchObject({
    arguments: { invoiceId: 'inv-5011', billingAddress: 'Gran Vía 45, 28013 Madrid, Spain' },
  })
  expect(result.last).toEqual({ kind: 'give_up', reason: 'desk.reply.send is failed: bounced' })
})

test('t-1010: a thank-you is answered and closed', async () => {
  const result = await writes('t-1010')
  expect(result.writes.at(-1)?.arguments).toEqual({ ticketId: 't-1010', state: 'closed' })
  expect([...factsOf(result.state).seen.keys()]).toContain('desk.reply.send')
})
