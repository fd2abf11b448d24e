import { afterEach, expect, test } from 'vitest'
import { asking, openRun, pinned } from '../../runtime/test/declassify-run.ts'
import type { Gateway } from '../src/index.ts'
import { TOKENS } from './people.ts'
import { gatewayOver } from './start-gateway.ts'

// Over the real runtime: what people may let pass besides one call.

let gateway: Gateway | undefined
afterEach(async () => gateway?.close())

async function over(run: Awaited<ReturnType<typeof openRun>>) {
  gateway = gatewayOver(run.tidegate)
  const { url } = await gateway.listen()
  return async (who: keyof typeof TOKENS, method: 'GET' | 'POST', path: string, body?: unknown) => {
    const headers = { authorization: `Bearer ${TOKENS[who]}`, 'content-type': 'application/json' }
    const response = await fetch(`${url}/v1${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, json: (await response.json()) as { readonly [key: string]: never } }
  }
}

const STRANGER = 'eve@evil.example'
const MAIL = { operation: 'desk.mail' }
const sending = { operation: 'desk.send', arguments: { to: STRANGER, text: 'hello' } }
const UNKNOWN = asking({ target: ({ flow }) => flow.tainted && flow.sinks === 'unknown' })

test('a value is endorsed by who may, told with its reason, and closes the question that it settles', async () => {
  const run = await openRun({ steps: [MAIL, sending], policy: UNKNOWN })
  const { id, digest } = (await run.asked()).approval.question
  const ask = await over(run)
  const path = `/runs/${run.run}/endorsements`
  const body = { why: 'a partner', approval: id, digest, values: [{ pointer: '/to' }] }
  expect(await ask('dan', 'POST', path, body)).toMatchObject({ status: 403, json: { code: 'not_entitled' } })
  const text = await ask('mei', 'POST', path, { ...body, values: [{ pointer: '/text' }] })
  expect(text).toMatchObject({ status: 422, json: { code: 'not_a_sink' } })
  const list = await ask('mei', 'POST', path, { ...body, values: [{ pointer: '/to/0' }] })
  expect(list).toMatchObject({ status: 422, json: { code: 'value_unusable' } })
  expect(await ask('mei', 'POST', path, { ...body, digest: 'f'.repeat(64) })).toMatchObject({
    status: 409,
    json: { code: 'digest_mismatch' },
  })
  for (const wrong of [
    { ...body, values: [] },
    { ...body, why: ' ' },
    { ...body, values: [{ pointer: 'to' }] },
    { ...body, more: 1 },
  ])
    expect(await ask('mei', 'POST', path, wrong)).toMatchObject({ status: 400, json: { code: 'invalid_request' } })
  expect(await ask('mei', 'POST', path, body)).toEqual({
    status: 201,
    json: { run: run.run, values: [{ operation: 'desk.send', pointer: '/to', state: 'endorsed' }], reopened: true },
  })
  expect((await run.state()).final).toBe('completed')
  expect((await ask('dan', 'GET', path)).json).toMatchObject({
    endorsements: [
      {
        operation: 'desk.send',
        pointer: '/to',
        value: STRANGER,
        state: 'endorsed',
        votes: [{ voter: 'user:mei', why: 'a partner' }],
      },
    ],
  })
  expect(await ask('mei', 'POST', path, body)).toMatchObject({ status: 409, json: { code: 'approval_closed' } })
  expect(await ask('mei', 'GET', '/runs/none/endorsements')).toMatchObject({ status: 404, json: { code: 'not_found' } })
})

test('a question shows the plan, and a vote that names its digest answers for all of it', async () => {
  const args = { to: 'ann@our.example', text: 'one' }
  const grants = [pinned('desk.send', args), pinned('desk.move', args)]
  const steps = [
    { kind: 'grant', grants } as const,
    { operation: 'desk.send', arguments: args },
    { operation: 'desk.move', arguments: args },
  ]
  const changes = { approvals: { plan: 'whole', endorsers: [] } } as const
  const run = await openRun({ steps, policy: asking({ write: ({ mutability }) => mutability !== 'read' }), changes })
  const { id } = (await run.asked()).approval.question
  const ask = await over(run)
  const { json } = await ask('mei', 'GET', `/approvals/${id}`)
  expect(json).toMatchObject({ plan: { isApproved: false, calls: [{ operation: 'desk.move', arguments: args, usedBy: null }] } })
  const { digest } = json.plan as unknown as { digest: string }
  const voted = await ask('mei', 'POST', `/approvals/${id}/votes`, { vote: 'approve', why: 'all of it', digest })
  expect(voted).toMatchObject({ status: 200, json: { state: 'granted' } })
  expect((await run.state()).final).toBe('completed')
  expect((await ask('mei', 'GET', `/approvals/${id}`)).json).toMatchObject({
    votes: [{ voter: 'user:mei', plan: true }],
    plan: { isApproved: true, calls: [{ usedBy: 1 }] },
  })
})
