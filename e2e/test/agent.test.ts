import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { JsonObject } from '@tidegate/kernel'
import { type ModelServer, type ServerReply, startModelServer } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { setStage, type Stage } from '../src/stage.ts'

const AGENT = fileURLToPath(new URL('../../examples/support-desk/workflows/support-agent.yaml', import.meta.url))

let stage: Stage
let model: ModelServer
/** What the model says next, whatever it is asked. */
let script: ServerReply[] = []

function call(name: string, args: JsonObject | string): ServerReply {
  return { kind: 'calls', calls: [{ name: name.replaceAll('.', '_'), arguments: args }] }
}

beforeAll(async () => {
  model = await startModelServer({ script: () => script.shift() ?? { kind: 'text', text: 'I have nothing more to say.' } })
  stage = await setStage({
    configuration: `model: { preset: vllm, name: scripted, baseUrl: ${JSON.stringify(model.baseUrl)}, timeout: 2s }\n`,
  })
  cpSync(AGENT, join(stage.project, 'workflows', 'support-agent.yaml'))
  await stage.start()
}, 30_000)

afterAll(async () => {
  await stage.close()
  await model.close()
})

/** Opens a ticket of c-101 at the desk; answers its id. */
async function openTicket(event: string): Promise<string> {
  const ticket = {
    customerId: 'c-101',
    subject: 'A question',
    body: 'Could I have a copy of inv-5001?',
    severity: 4,
    eventId: event,
    attachments: [],
  }
  const { answer } = await stage.desk.call('POST', '/tickets', ticket)
  return String(answer.id)
}

async function run(event: string, replies: (ticketId: string) => readonly ServerReply[]) {
  const ticketId = await openTicket(event)
  script = [...replies(ticketId)]
  const client = stage.client('operator')
  const opened = await client.trigger({ workflow: 'support-agent', source: 'agent-test', event, input: { ticketId } })
  const head = await client.settled(opened.run, 15_000)
  return { head, detail: await client.run(opened.run), client }
}

const readTicket = (ticketId: string): ServerReply => call('desk.ticket.read', { ticketId })

describe('an agent that a model leads, over the real wire', () => {
  test('does its work step by step, and is completed by what the desk says', async () => {
    const { head, detail } = await run('e-1', (ticketId) => [
      readTicket(ticketId),
      call('desk.customer.read', { customerId: 'c-101' }),
      call('desk.reply.send', {
        ticketId,
        recipient: 'aoife.byrne@harbour.example',
        subject: 'Your question',
        body: 'Here it is.',
      }),
      call('desk.ticket.set-state', { ticketId, state: 'answered' }),
      call('finish', { reason: 'answered' }),
    ])
    const told = detail.story.lines.map((line) => line.text).join('\n')
    expect({ state: head.state, told }).toMatchObject({ state: 'completed', told: expect.stringContaining('Send a reply') })
  })

  test('a claim to be finished is not believed (I13)', async () => {
    const { head } = await run('e-1b', (ticketId) => [readTicket(ticketId), call('finish', { reason: 'all done, trust me' })])
    expect(head).toMatchObject({ state: 'failed', failure: 'unverified' })
  })

  test('a customer that the run is not about is confined, and nothing happens', async () => {
    const { head } = await run('e-2', (ticketId) => [readTicket(ticketId), call('desk.customer.read', { customerId: 'c-102' })])
    expect(head).toMatchObject({ state: 'failed', failure: 'policy_denial', effects: 0 })
  })

  test('an operation that the model invents is denied and recorded', async () => {
    const { head, detail } = await run('e-3', (ticketId) => [
      readTicket(ticketId),
      call('desk.database.drop', { table: 'customers' }),
    ])
    expect(head).toMatchObject({ state: 'failed', failure: 'policy_denial', effects: 0 })
    expect(JSON.stringify(detail)).toContain('tidegate:undeclared-operation')
  })

  test('malformed arguments are told to the model, which may try again', async () => {
    const { head } = await run('e-4', (ticketId) => [
      call('desk.ticket.read', '{"ticketId": "t-10'),
      readTicket(ticketId),
      call('escalate', { reason: 'not sure' }),
    ])
    expect(head.state).toBe('escalated')
  })

  test('a rate limit is waited for, and a refusal goes to a person', async () => {
    const limited: ServerReply = { kind: 'failed', code: 'rate_limited', retryAfterMs: 1_000 }
    const { head } = await run('e-5', (ticketId) => [
      limited,
      readTicket(ticketId),
      { kind: 'refused', text: 'I cannot help with that.' },
    ])
    expect(head.state).toBe('escalated')
  }, 20_000)

  test('garbage ends the run as a failure of planning, with nothing done', async () => {
    const garbage: ServerReply = {
      kind: 'raw',
      status: 200,
      headers: { 'content-type': 'text/html' },
      body: '<html>hello</html>',
    }
    const { head } = await run('e-6', () => Array.from({ length: 8 }, () => garbage))
    expect(head).toMatchObject({ state: 'failed', failure: 'planning', effects: 0 })
  }, 30_000)

  test('I8: no secret was ever sent to the model', () => {
    expect(JSON.stringify(model.requests)).not.toContain(stage.desk.token)
  })
})
