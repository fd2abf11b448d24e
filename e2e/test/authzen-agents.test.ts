import type { WireApproval } from '@tidegate/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PersonName, setStage, type Stage } from '../src/stage.ts'
import { customerOf, stockTickets } from '../src/stock.ts'
import { ticketOf } from '../src/ticket.ts'
import type { Answered } from './authzen-pdp.ts'

// Decisions about governed agents, asked from outside: they are the ones that a run of the agent gets.

let stage: Stage
let ticketId = ''
let thanksId = ''
/** A run that waits for a billing lead, at its large refund. */
let question: WireApproval

beforeAll(async () => {
  stage = await setStage({ customers: 2 })
  const tickets = stockTickets(stage.deskFile, [ticketOf('largeRefund', customerOf(0)), ticketOf('thanks', customerOf(0))])
  ticketId = tickets[0] ?? ''
  thanksId = tickets[1] ?? ''
  await stage.start()
  const operator = stage.client('operator')
  const { run } = await operator.trigger({ workflow: 'support-billing', source: 'desk', event: 'e-1', input: { ticketId } })
  const { openApprovals } = await operator.settled(run, 15_000)
  question = await operator.approval(openApprovals[0] ?? 'none')
}, 40_000)
afterAll(() => stage.close())

async function post(path: string, body: unknown, as: PersonName = 'operator'): Promise<Answered> {
  const headers = { authorization: `Bearer ${stage.token(as)}`, 'content-type': 'application/json' }
  const answer = await fetch(`${stage.url}/access/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  return (await answer.json()) as Answered
}

const desk = { type: 'tool', id: 'desk' }
const agent = { type: 'agent', id: 'support-desk', properties: { user: 'operator' } }

function ask(operation: string, context: object, as?: PersonName): Promise<Answered> {
  return post('evaluation', { subject: agent, action: { name: operation }, resource: desk, context }, as)
}

test('the first action of a run that is not there yet', async () => {
  const input = { ticketId }
  const cases: readonly (readonly [string, object, boolean, string])[] = [
    ['desk.ticket.read', { input, arguments: { ticketId } }, true, 'allow'],
    // Another ticket than the one that the run would be about; a ticket that it knows nothing of.
    ['desk.ticket.read', { input, arguments: { ticketId: 't-1' } }, false, 'deny'],
    ['desk.ticket.read', { arguments: { ticketId } }, false, 'deny'],
    ['desk.ticket.read', { input, arguments: { ticketId, more: 1 } }, false, 'deny'],
    ['desk.ticket.read', { input, arguments: { ticketId: '*' } }, false, 'deny'],
    ['desk.ticket.read', { input }, false, 'deny'],
  ]
  for (const [operation, context, decision, outcome] of cases) {
    const answered = await ask(operation, context)
    expect([operation, context, answered.decision, answered.context?.outcome]).toEqual([operation, context, decision, outcome])
  }
})

test('what no workflow of the agent may do, and what nobody declared', async () => {
  const cases = [
    [{ subject: { ...agent, id: 'nobody' }, action: { name: 'desk.ticket.read' }, resource: desk }, 'unknown_subject'],
    [{ subject: agent, action: { name: 'desk.launch' }, resource: desk }, 'unknown_action'],
    [{ subject: agent, action: { name: 'desk.ticket.read' }, resource: { ...desk, id: 'mail' } }, 'unknown_action'],
    // The agent of the built-in tool is nobody's to ask about.
    [
      { subject: { ...agent, id: 'tidegate' }, action: { name: 'tidegate.access.grant' }, resource: { ...desk, id: 'tidegate' } },
      'unknown_subject',
    ],
    [{ subject: agent, action: { name: 'tidegate.access.grant' }, resource: { ...desk, id: 'tidegate' } }, 'not_in_workflow'],
    [{ subject: agent, action: { name: 'desk.ticket.read' }, resource: desk, context: { workflow: 'other' } }, 'not_in_workflow'],
    [{ subject: agent, action: { name: 'desk.ticket.read' }, resource: desk, context: { run: 'x' } }, 'unknown_run'],
    [{ subject: { type: 'user', id: 'mei' }, action: { name: 'read' }, resource: desk }, 'unknown_subject_type'],
  ] as const
  for (const [body, reason] of cases) {
    const answered = await post('evaluation', body)
    expect([body, answered.decision, answered.context?.reason]).toEqual([body, false, reason])
  }
})

test('inside a run it is the decision that the run got, for the same policies', async () => {
  const context = { run: question.run, arguments: question.arguments }
  const answered = await ask(question.operation, context)
  const action = (await stage.client('operator').run(question.run)).actions[question.action]
  expect([answered.decision, answered.context?.outcome, action?.outcome]).toEqual([false, 'require_approval', 'ask'])
  expect(answered.context?.reasons).toEqual(action?.policies)
  expect(answered.context?.policy_version).toBe(question.policyVersion)
  const larger = { ...(question.arguments as object), invoiceId: 'inv-1' }
  expect((await ask(question.operation, { run: question.run, arguments: larger })).context?.outcome).toBe('deny')
})

test('inside a run that has ended nothing is allowed any more', async () => {
  const operator = stage.client('operator')
  const input = { ticketId: thanksId }
  const { run } = await operator.trigger({ workflow: 'support-billing', source: 'desk', event: 'e-2', input })
  expect((await operator.settled(run, 15_000)).state).toBe('completed')
  const answered = await ask('desk.ticket.read', { run, arguments: input })
  expect([answered.decision, answered.context?.reason]).toEqual([false, 'run_finished'])
})

test('it does nothing: the run stays as it was, and nothing is recorded', async () => {
  const operator = stage.client('operator')
  const before = [await operator.ledgerHead(), await operator.run(question.run)]
  for (let times = 0; times < 20; times += 1) {
    await ask(question.operation, { run: question.run, arguments: question.arguments })
    await ask('desk.ticket.read', { input: { ticketId }, arguments: { ticketId } })
  }
  expect([await operator.ledgerHead(), await operator.run(question.run)]).toEqual(before)
})

test('a stop over the tool denies it', async () => {
  const operator = stage.client('operator')
  const context = { input: { ticketId }, arguments: { ticketId } }
  await operator.stop({ scope: 'tool:desk', mode: 'hold', why: 'Drill' })
  const answered = await ask('desk.ticket.read', context)
  expect([answered.decision, answered.context?.reason]).toEqual([false, 'stopped'])
  await operator.lift({ scope: 'tool:desk', why: 'Over' })
  expect((await ask('desk.ticket.read', context)).decision).toBe(true)
})

test('a search finds the agents, tools and operations that may', async () => {
  const context = { input: { ticketId }, arguments: { ticketId } }
  const read = { name: 'desk.ticket.read' }
  const agents = await post('search/subject', { subject: { type: 'agent' }, action: read, resource: desk, context })
  expect(agents.results).toEqual([{ type: 'agent', id: 'support-desk' }])
  const tools = await post('search/resource', { subject: agent, action: read, resource: { type: 'tool' }, context })
  expect(tools.results).toEqual([desk])
  const operations = await post('search/action', { subject: agent, resource: desk, context })
  expect(operations.results).toEqual([read])
})

test('what policy lets people lift can be asked for: another billing lead approves, and it may, once', async () => {
  const body = {
    subject: { ...agent, properties: { user: 'mei' } },
    action: { name: question.operation },
    resource: desk,
    context: { run: question.run, arguments: question.arguments },
  }
  const denied = await post('evaluation', body, 'mei')
  const { expires_at, binding_token } = denied.context?.access_request ?? { expires_at: '', binding_token: '' }
  const { task } = await post('requests', { ...body, denial: { expires_at, binding_token } }, 'mei')
  const [mei, jonas] = [stage.client('mei'), stage.client('jonas')]
  const run = task?.id.replace('arq_', '') ?? ''
  const { openApprovals } = await jonas.settled(run, 15_000)
  const { id, digest, approvers } = await jonas.approval(openApprovals[0] ?? 'none')
  expect(approvers).toEqual([{ role: 'billing-lead', count: 1 }])
  await expect(mei.vote(id, { vote: 'approve', why: 'Mine', digest })).rejects.toMatchObject({
    problem: { code: 'is_requester' },
  })
  await jonas.vote(id, { vote: 'approve', why: 'Charged twice indeed', digest })
  await jonas.settled(run, 15_000)
  const headers = { authorization: `Bearer ${stage.token('mei')}` }
  const looked = (await (await fetch(`${stage.url}/access/v1/requests/${task?.id}`, { headers })).json()) as Answered
  expect(looked.task?.status).toBe('approved')
  const presented = { ...body, context: { ...body.context, approval: looked.result?.approval } }
  const answers = [await post('evaluation', presented, 'mei'), await post('evaluation', presented, 'mei')]
  expect(answers.map(({ decision }) => decision)).toEqual([true, false])
})
