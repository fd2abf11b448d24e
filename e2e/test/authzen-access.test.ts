import { createClient } from '@tidegate/client'
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, type Answered, type AccessHint, type Asking, type Pdp, type PdpPerson, startPdp } from './authzen-pdp.ts'

// The Access Request and Approval Profile, with people: alice asks, carol owns the records, an operator takes back.

let pdp: Pdp
beforeAll(async () => {
  pdp = await startPdp()
}, 40_000)
afterAll(() => pdp.close())

const alice = { type: 'user', id: 'alice' }
const share = { name: 'share' }
let records = 0
/** A record of its own for each test: nobody has asked about it before. */
function freshRecord() {
  records += 1
  return { type: 'record', id: `shared-${records}` }
}

interface Question {
  readonly subject: object
  readonly action: object
  readonly resource: object
  readonly context?: object
}

async function evaluate(question: Question, asking: Asking = { as: 'alice' }, of = pdp): Promise<Answered> {
  const { status, body } = await of.ask('/access/v1/evaluation', question, asking)
  expect(status).toBe(200)
  return body
}

/** The denial of a question, ready to be sent along with a request. */
async function denialOf(question: Question, of = pdp): Promise<AccessHint & { readonly evaluation_id: string }> {
  const { decision, context } = await evaluate(question, undefined, of)
  expect([decision, context?.outcome, context?.reason]).toEqual([false, 'require_approval', 'approval_required'])
  const hint = context?.access_request
  if (hint === undefined) throw new Error('the denial does not say how to ask')
  const { expires_at, binding_token } = hint
  return { expires_at, binding_token, evaluation_id: String(context?.evaluation_id) }
}

function submit(
  body: object,
  { key = '', as = 'alice' }: { readonly key?: string; readonly as?: PdpPerson } = {},
  of = pdp,
): Promise<Answer> {
  return of.ask('/access/v1/requests', body, { as, headers: { 'idempotency-key': key } })
}

/** Asks for what was denied; answers the id of the task. */
async function askFor(question: Question, of = pdp): Promise<string> {
  const { status, body } = await submit({ ...question, denial: await denialOf(question, of) }, {}, of)
  expect([status, body.task?.status]).toEqual([202, 'pending'])
  return body.task?.id ?? ''
}

/** The task, once it is no longer pending. */
async function endOf(task: string, of = pdp): Promise<Answered> {
  for (let tries = 0; tries < 400; tries += 1) {
    const { body } = await of.ask(`/access/v1/requests/${task}`, undefined, { as: 'alice' })
    if (body.task?.status !== 'pending') return body
    await pause(25)
  }
  throw new Error('the task stays pending')
}

function clientOf(person: PdpPerson, of = pdp) {
  const token = readFileSync(join(of.project, '.tidegate', 'tokens', `${person}.token`), 'utf8').trim()
  return createClient({ url: of.url, token })
}

/** Votes on the question of a task, as soon as it is put. */
async function vote(task: string, person: PdpPerson, how: 'approve' | 'refuse', of = pdp): Promise<string> {
  const client = clientOf(person, of)
  try {
    const run = task.replace('arq_', '')
    const { openApprovals } = await client.settled(run, 15_000)
    const { id, digest } = await client.approval(openApprovals[0] ?? 'none')
    return (await client.vote(id, { vote: how, why: 'Looked at it', digest })).state
  } catch (error) {
    return error instanceof Error && 'problem' in error ? String((error.problem as { code: string }).code) : String(error)
  } finally {
    client.close()
  }
}

async function approvalFor(question: Question, of = pdp): Promise<Readonly<Record<string, string>>> {
  const task = await askFor(question, of)
  expect(await vote(task, 'carol', 'approve', of)).toBe('granted')
  const { task: ended, result } = await endOf(task, of)
  expect([ended?.status, result?.mode]).toEqual(['approved', 'reevaluate'])
  return result?.approval ?? {}
}

const withApproval = (question: Question, approval: object): Question => ({
  ...question,
  context: { ...question.context, approval },
})

describe('from a denial to an allow', () => {
  test('alice asks, carol approves, alice may: once', async () => {
    const question = { subject: alice, action: share, resource: freshRecord(), context: { purpose: 'audit' } }
    const approval = await approvalFor(question)
    expect(Object.keys(approval).toSorted()).toEqual(['approved_at', 'approved_until', 'id', 'state'])
    const allowed = await evaluate(withApproval(question, approval))
    expect([allowed.decision, allowed.context?.outcome]).toEqual([true, 'allow'])
    expect(allowed.context?.approval).toEqual({ id: approval.id, approved_until: approval.approved_until })
    const again = await evaluate(withApproval(question, approval))
    expect([again.decision, again.context?.reason, again.context?.next_action]).toEqual([false, 'approval_expired', 'request'])
    expect(again.context?.access_request?.binding_token).toBeTypeOf('string')
  })

  test('ten who use the same approval at the same moment: one may', async () => {
    const question = { subject: alice, action: share, resource: freshRecord() }
    const presented = withApproval(question, await approvalFor(question))
    const answers = await Promise.all(Array.from({ length: 10 }, () => evaluate(presented)))
    expect(answers.filter(({ decision }) => decision === true)).toHaveLength(1)
  })

  test('the ledger tells the whole story, and the runs are completed', async () => {
    const client = clientOf('operator')
    const runs = await client.runs({ limit: 100 })
    const ours = runs.filter(({ workflow }) => workflow === 'access-request' || workflow === 'access-use')
    const ended = await Promise.all(ours.map(({ run }) => client.settled(run, 15_000)))
    expect(new Set(ended.map(({ state }) => state))).toEqual(new Set(['completed']))
    expect(ended.filter(({ workflow }) => workflow === 'access-use')).toHaveLength(2)
    expect((await client.ledgerVerify()).verified).toBe(true)
    client.close()
  })
})

describe('who may what', () => {
  test('whoever asks may not approve, nor may somebody who is not named by policy', async () => {
    const task = await askFor({ subject: alice, action: share, resource: freshRecord() })
    expect(await vote(task, 'alice', 'approve')).toBe('is_requester')
    expect(await vote(task, 'bob', 'approve')).toBe('not_entitled')
    expect(await vote(task, 'carol', 'refuse')).toBe('refused')
    const { task: ended, result } = await endOf(task)
    expect([ended?.status, result]).toEqual(['denied', undefined])
  })

  test('bob may not approve what the gate asks for in the name of bob', async () => {
    const question = { subject: { type: 'user', id: 'bob' }, action: share, resource: freshRecord() }
    const { context } = await evaluate(question, { as: 'gate' })
    const { expires_at, binding_token } = context?.access_request ?? { expires_at: '', binding_token: '' }
    const { body } = await submit({ ...question, denial: { expires_at, binding_token } }, { as: 'gate' })
    const task = body.task?.id ?? ''
    expect(await vote(task, 'bob', 'approve')).toBe('is_requester')
    expect(await vote(task, 'carol', 'approve')).toBe('granted')
  })

  test('nobody asks, looks or cancels for somebody else', async () => {
    const question = { subject: alice, action: share, resource: freshRecord() }
    // bob gets the denial, but not the means to ask in the name of alice.
    const seenByBob = await evaluate(question, { as: 'bob' })
    expect([seenByBob.decision, seenByBob.context?.access_request]).toEqual([false, undefined])
    const denial = await denialOf(question)
    expect((await submit({ ...question, denial }, { as: 'bob' })).status).toBe(403)
    const task = await askFor(question)
    expect((await pdp.ask(`/access/v1/requests/${task}`, undefined, { as: 'bob' })).status).toBe(404)
    expect((await pdp.ask(`/access/v1/requests/${task}/cancel`, {}, { as: 'bob' })).status).toBe(404)
    // The gate may look, since it may have asked; to cancel is for alice.
    expect((await pdp.ask(`/access/v1/requests/${task}`, undefined, { as: 'gate' })).status).toBe(200)
    expect((await pdp.ask(`/access/v1/requests/${task}/cancel`, {}, { as: 'gate' })).status).toBe(403)
  })

  test('an approval is of no use to somebody else', async () => {
    const question = { subject: alice, action: share, resource: freshRecord() }
    const presented = withApproval(question, await approvalFor(question))
    const { decision, context } = await evaluate(presented, { as: 'bob' })
    expect([decision, context?.reason, context?.next_action]).toEqual([false, 'approval_unverifiable', 'none'])
    expect((await evaluate(presented)).decision).toBe(true)
  })

  test('a policy of the project that forbids the granting is stronger than any approver', async () => {
    const question = { subject: alice, action: share, resource: { type: 'record', id: 'record-2' } }
    const task = (await submit({ ...question, denial: await denialOf(question) })).body.task?.id ?? ''
    expect((await endOf(task)).task?.status).toBe('denied')
  })

  test('no trigger from outside opens what only our own code opens', async () => {
    const input = { approvers: [{ role: 'staff', count: 1 }] }
    for (const workflow of ['access-request', 'access-use']) {
      const { status } = await pdp.ask('/v1/triggers', { workflow, source: 'x', event: 'e', input }, { as: 'bob' })
      expect(status).toBe(404)
    }
  })
})

describe('an approval counts for what it was given for', () => {
  test('another record, action, subject, property or bound context is out of scope', async () => {
    const question = { subject: alice, action: share, resource: freshRecord(), context: { purpose: 'audit' } }
    const approval = await approvalFor(question)
    const others: readonly Question[] = [
      { ...question, resource: freshRecord() },
      { ...question, resource: { ...question.resource, properties: { status: 'active' } } },
      { ...question, action: { ...share, properties: { how: 'link' } } },
      { ...question, context: { purpose: 'curiosity' } },
      { ...question, context: {} },
      { ...question, subject: { ...alice, properties: { role: 'admin' } } },
    ]
    for (const other of others) {
      const { decision, context } = await evaluate(withApproval(other, approval))
      expect([other, decision, context?.reason, context?.next_action]).toEqual([other, false, 'out_of_scope', 'request'])
    }
    // What no policy speaks of, and the time, bind nothing.
    const same = { ...question, context: { ...question.context, time: '2030-01-01T00:00:00Z', unheard: 1 } }
    expect((await evaluate(withApproval(same, approval))).decision).toBe(true)
  })

  test('made up, swapped or changed', async () => {
    const question = { subject: alice, action: share, resource: freshRecord() }
    const approval = await approvalFor(question)
    const other = await approvalFor({ ...question, resource: freshRecord() })
    const [head, claims, signature] = (approval.state ?? '').split('.')
    const wrong: readonly unknown[] = [
      'apr_1',
      { id: 'apr_00000000000000000000000000' },
      { ...approval, state: other.state },
      { ...approval, state: `${head}.${claims}.${signature?.replace(/./, (c) => (c === 'A' ? 'B' : 'A'))}` },
      { ...approval, state: `${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims}.` },
      { ...approval, state: { a: 1 } },
      { id: approval.id?.replace('apr_', 'arq_') },
    ]
    for (const each of wrong) {
      const { decision, context } = await evaluate({ ...question, context: { approval: each } })
      expect([each, decision, context?.reason]).toEqual([each, false, 'approval_unverifiable'])
    }
    expect((await evaluate(withApproval(question, { id: approval.id }))).decision).toBe(true)
  })

  test('an operator takes it back by undoing the run', async () => {
    const question = { subject: alice, action: share, resource: freshRecord() }
    const approval = await approvalFor(question)
    const client = clientOf('operator')
    const { run } = await client.undo((approval.id ?? '').replace('apr_', ''), 'Alice has left')
    expect((await client.settled(run, 15_000)).state).toBe('completed')
    client.close()
    const { decision, context } = await evaluate(withApproval(question, approval))
    expect([decision, context?.reason]).toEqual([false, 'approval_expired'])
  })
})

describe('submissions', () => {
  test('the same key and body, or the same denial and body, are one request', async () => {
    const question = { subject: alice, action: share, resource: freshRecord() }
    const body = { ...question, denial: await denialOf(question) }
    const answers = await Promise.all(Array.from({ length: 5 }, () => submit(body, { key: 'k-1' })))
    const ids = new Set(answers.map(({ body: answered }) => answered.task?.id))
    expect([ids.size, new Set(answers.map(({ status }) => status))]).toEqual([1, new Set([202])])
    const replayed = await submit(body, { key: 'k-2' })
    expect([replayed.status, ids.has(replayed.body.task?.id)]).toEqual([202, true])
    const changed = await submit({ ...body, requested_access: { emergency: true } }, { key: 'k-1' })
    expect([changed.status, changed.body.type]).toEqual([409, 'urn:openid:authzen:access-request:error:duplicate_request'])
    expect((await submit({ ...body, context: { business_justification: 'x' } })).status).toBe(409)
  })

  test('what does not belong to a denial of ours is refused, as the profile names it', async () => {
    const question = { subject: alice, action: share, resource: freshRecord() }
    const denial = await denialOf(question)
    const other = await denialOf({ ...question, resource: freshRecord() })
    const urn = (code: string): string => `urn:openid:authzen:access-request:error:${code}`
    const own = (code: string): string => `urn:tidegate:problem:${code}`
    const wrong = [
      [{ ...question, denial: other }, 400, urn('invalid_denial_binding')],
      [{ ...question, denial: { ...denial, binding_token: undefined } }, 400, urn('invalid_denial_binding')],
      [{ ...question, denial: { ...denial, binding_token: 'a.b.c' } }, 400, urn('invalid_denial_binding')],
      [{ ...question, denial: { ...denial, expires_at: '2099-01-01T00:00:00Z' } }, 400, urn('invalid_denial_binding')],
      [{ ...question, denial: { ...denial, evaluation_id: 'another' } }, 400, urn('invalid_denial_binding')],
      [question, 400, urn('invalid_denial_binding')],
      [{ ...question, denial, requested_access: { requested_until: '2001-01-01T00:00:00Z' } }, 400, urn('not_requestable')],
      [{ ...question, denial, callback: { endpoint: 'https://127.0.0.1/' } }, 400, own('callback_unsupported')],
      [{ subject: alice, items: [{ action: share, resource: question.resource }], denial }, 400, own('items_unsupported')],
      [{ ...question, denial: 'no' }, 400, own('invalid_request')],
    ] as const
    for (const [body, status, type] of wrong) {
      const answer = await submit(body)
      expect([body, answer.status, answer.body.type, answer.headers['content-type']]).toEqual([
        body,
        status,
        type,
        'application/problem+json',
      ])
    }
    const unknown = await pdp.ask('/access/v1/requests/arq_00000000000000000000000000', undefined, { as: 'alice' })
    expect([unknown.status, unknown.body.type]).toEqual([404, urn('unknown_task')])
  })

  test('cancelled: once, and nobody can approve it afterwards', async () => {
    const task = await askFor({ subject: alice, action: share, resource: freshRecord() })
    const client = clientOf('carol')
    await client.settled(task.replace('arq_', ''), 15_000)
    client.close()
    const cancel = (body?: object) => pdp.ask(`/access/v1/requests/${task}/cancel`, body, { as: 'alice', method: 'POST' })
    const [first, second] = await Promise.all([cancel({ reason: 'mistake' }), cancel()])
    const statuses = [first, second].map(({ status }) => status).toSorted()
    expect(statuses).toEqual([200, 409])
    expect((await endOf(task)).task?.status).toBe('cancelled')
    expect(await vote(task, 'carol', 'approve')).not.toBe('granted')
  })

  test('a killed server forgets neither the request nor its key, nor that an approval was used; other policies void it', async () => {
    const own = await startPdp()
    try {
      const question = { subject: alice, action: share, resource: freshRecord() }
      const body = { ...question, denial: await denialOf(question, own) }
      const first = await submit(body, { key: 'k-9' }, own)
      await own.restart('SIGKILL')
      const again = await submit(body, { key: 'k-9' }, own)
      expect([again.status, again.body.task?.id]).toEqual([202, first.body.task?.id])
      const task = first.body.task?.id ?? ''
      expect(await vote(task, 'carol', 'approve', own)).toBe('granted')
      const { result } = await endOf(task, own)
      const presented = withApproval(question, result?.approval ?? {})
      expect((await evaluate(presented, undefined, own)).decision).toBe(true)
      const other = { ...question, resource: freshRecord() }
      const unused = withApproval(other, await approvalFor(other, own))
      appendFileSync(join(own.project, 'authzen', 'sharing.cedar'), '// Looked at again.\n')
      await own.restart('SIGKILL')
      expect((await evaluate(presented, undefined, own)).decision).toBe(false)
      // Given under other policies than those in force.
      const { decision, context } = await evaluate(unused, undefined, own)
      expect([decision, context?.reason, context?.next_action]).toEqual([false, 'approval_expired', 'request'])
    } finally {
      await own.close()
    }
  }, 60_000)
})

test('times: a denial too old to ask about, an answer too late, an approval too old to use', async () => {
  const times = 'requests: { ask: 2s, answer: 6s, grant: 1s }'
  const own = await startPdp((text) => text.replace(/requests: .*/, times))
  try {
    const question = { subject: alice, action: share, resource: freshRecord() }
    const denial = await denialOf(question, own)
    const lapsing = await askFor({ ...question, resource: freshRecord() }, own)
    const granted = { ...question, resource: freshRecord() }
    const task = await askFor(granted, own)
    expect(await vote(task, 'carol', 'approve', own)).toBe('granted')
    const { result } = await endOf(task, own)
    await pause(2_200)
    const late = await submit({ ...question, denial }, {}, own)
    expect([late.status, late.body.type]).toEqual([410, 'urn:openid:authzen:access-request:error:expired_denial'])
    const used = await evaluate(withApproval(granted, result?.approval ?? {}), undefined, own)
    expect([used.decision, used.context?.reason]).toEqual([false, 'approval_expired'])
    expect((await endOf(lapsing, own)).task?.status).toBe('expired')
  } finally {
    await own.close()
  }
}, 60_000)

test('while a stop holds back what records a use, no approval is used', async () => {
  const question = { subject: alice, action: share, resource: freshRecord() }
  const presented = withApproval(question, await approvalFor(question))
  const client = clientOf('operator')
  await client.stop({ scope: 'workflow:access-use', mode: 'hold', why: 'Drill' })
  const { decision, context } = await evaluate(presented)
  expect([decision, context?.reason, context?.next_action, typeof context?.retry_after]).toEqual([
    false,
    'grant_pending',
    'retry',
    'number',
  ])
  await client.lift({ scope: 'workflow:access-use', why: 'Over' })
  client.close()
  expect((await evaluate(presented)).decision).toBe(true)
})

test('a stop over everything denies everything', async () => {
  const read = { subject: alice, action: { name: 'read' }, resource: { type: 'record', id: 'record-1' } }
  expect((await evaluate(read)).decision).toBe(true)
  const client = clientOf('operator')
  await client.stop({ scope: 'global', mode: 'hold', why: 'Drill' })
  const stopped = await evaluate(read)
  expect([stopped.decision, stopped.context?.reason]).toEqual([false, 'stopped'])
  const found = await pdp.ask('/access/v1/search/action', { subject: alice, resource: read.resource })
  expect(found.body.results).toEqual([])
  await client.lift({ scope: 'global', why: 'Over' })
  client.close()
  expect((await evaluate(read)).decision).toBe(true)
})
