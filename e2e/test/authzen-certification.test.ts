import { createPublicKey, verify } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, type Asking, type Pdp, startPdp } from './authzen-pdp.ts'

// The certification scenario of the AuthZEN Authorization API 1.0 (OpenID AuthZEN working group), test by test and under its names,
// against a server process. docs/spec/authzen.md says how the fixture is set up.

/** The test ID matrix of the scenario, with the requirements that hold for all levels (c-5). */
const MATRIX = {
  'Basic Core': ['c-2-2-1', 'c-2-2-2', 'c-2-2-3', 'c-2-2-8', 'c-2-2-9', 'c-2-3', 'c-2-4', 'c-2-5', 'c-2-6'],
  'Basic Properties': ['c-2-2-4', 'c-2-2-5', 'c-2-2-6', 'c-2-2-7'],
  'Batch Core': ['c-3-2-1', 'c-3-2-2', 'c-3-2-5', 'c-3-2-6', 'c-3-3', 'c-3-4'],
  'Batch Properties': ['c-3-2-3', 'c-3-2-4', 'c-3-2-7'],
  'Search Core': [
    'c-4-2-1',
    'c-4-2-2',
    'c-4-2-3',
    'c-4-3-1',
    'c-4-3-2',
    'c-4-3-3',
    'c-4-4-1',
    'c-4-4-2',
    'c-4-5',
    'c-4-6',
    'c-4-7',
  ],
  'Search Properties': ['c-4-2-4', 'c-4-3-4', 'c-4-4-3'],
  Discovery: ['c-6'],
  Transport: ['c-5'],
}

const certified = new Set<string>()

/** One test of the scenario. */
function certify(id: string, title: string, check: () => Promise<void>): void {
  certified.add(id)
  test(`${id} ${title}`, check)
}

const alice = { type: 'user', id: 'alice' }
const bob = { type: 'user', id: 'bob' }
const admin = { ...bob, properties: { role: 'admin' } }
const record1 = { type: 'record', id: 'record-1' }
const record2 = { type: 'record', id: 'record-2' }
const archived = { ...record2, properties: { status: 'archived' } }
const read = { name: 'read' }
const write = { name: 'write' }
const context = { time: '2025-06-27T18:03-07:00', ip: '192.168.1.1' }

let pdp: Pdp
beforeAll(async () => {
  pdp = await startPdp((text) => text.replace('authzen:\n', 'authzen:\n  publicUrl: https://pdp.example.com\n'))
}, 40_000)
afterAll(() => pdp.close())

async function decide(body: object, asking?: Asking): Promise<unknown> {
  const { status, headers, body: answered } = await pdp.ask('/access/v1/evaluation', body, asking)
  expect([status, headers['content-type']]).toEqual([200, 'application/json'])
  return answered.decision
}

async function decideAll(body: object): Promise<readonly unknown[]> {
  const { status, headers, body: answered } = await pdp.ask('/access/v1/evaluations', body)
  expect([status, headers['content-type']]).toEqual([200, 'application/json'])
  return (answered.evaluations ?? []).map(({ decision }) => decision)
}

async function find(what: 'subject' | 'resource' | 'action', body: object): Promise<Answer> {
  const answer = await pdp.ask(`/access/v1/search/${what}`, body)
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json'])
  expect(Array.isArray(answer.body.results)).toBe(true)
  return answer
}

const idsOf = ({ body }: Answer): readonly string[] => (body.results ?? []).map(({ id, name }) => id ?? name ?? '')

async function statusOf(path: string, body: unknown, asking?: Asking): Promise<number> {
  return (await pdp.ask(path, body, asking)).status
}

describe('Basic: Access Evaluation', () => {
  certify('c-2-2-1', 'a permit', async () => {
    expect(await decide({ subject: alice, action: read, resource: record1 })).toBe(true)
  })
  certify('c-2-2-2', 'a denial', async () => {
    expect(await decide({ subject: bob, action: write, resource: record1 })).toBe(false)
  })
  certify('c-2-2-3', 'a context changes nothing', async () => {
    expect(await decide({ subject: alice, action: read, resource: record1, context })).toBe(true)
  })
  certify('c-2-2-4', 'a denial by the properties of the resource', async () => {
    expect(await decide({ subject: alice, action: write, resource: archived })).toBe(false)
    // By the property, not by the id: it goes over what is stored of record-1.
    expect(await decide({ subject: alice, action: write, resource: { ...record1, properties: { status: 'archived' } } })).toBe(
      false,
    )
  })
  certify('c-2-2-5', 'a permit by the properties of the subject', async () => {
    expect(await decide({ subject: admin, action: write, resource: archived })).toBe(true)
  })
  certify('c-2-2-6', 'a permit by the properties of the action', async () => {
    expect(await decide({ subject: alice, action: { name: 'delete', properties: { soft: true } }, resource: record1 })).toBe(true)
  })
  certify('c-2-2-7', 'a denial by the properties of the action', async () => {
    expect(await decide({ subject: alice, action: { name: 'delete', properties: { soft: false } }, resource: record1 })).toBe(
      false,
    )
  })
  certify('c-2-2-8', 'properties beyond those of the fixture', async () => {
    const request = {
      subject: { ...alice, properties: { department: 'Sales', role: 'manager' } },
      action: { ...read, properties: { method: 'GET' } },
      resource: { ...record1, properties: { status: 'active', owner: 'bob' } },
    }
    expect(await decide(request)).toBe(true)
  })
  certify('c-2-2-9', 'unknown fields', async () => {
    expect(await decide({ subject: alice, action: read, resource: record1, foo: 'bar', futureField: { nested: true } })).toBe(
      true,
    )
  })
  certify('c-2-3', 'the form of the response', async () => {
    const { body } = await pdp.ask('/access/v1/evaluation', { subject: alice, action: read, resource: record1 })
    expect(typeof body.decision).toBe('boolean')
    expect(body.context).toBeTypeOf('object')
    expect(Array.isArray(body.context)).toBe(false)
  })
  certify('c-2-4', 'what is wrong is a 400', async () => {
    const whole = { subject: alice, action: read, resource: record1 }
    const wrong = [
      { action: read, resource: record1 },
      { subject: alice, resource: record1 },
      { subject: alice, action: read },
      { ...whole, subject: { id: 'alice' } },
      { ...whole, subject: { type: 'user' } },
      { ...whole, action: {} },
      { ...whole, resource: { id: 'record-1' } },
      { ...whole, resource: { type: 'record' } },
      { ...whole, subject: 'alice' },
      { ...whole, action: { name: 123 } },
    ]
    for (const body of wrong) expect([body, await statusOf('/access/v1/evaluation', body)]).toEqual([body, 400])
    const text = JSON.stringify(whole)
    for (const type of ['text/plain', 'application/xml', '']) {
      expect(await statusOf('/access/v1/evaluation', {}, { raw: text, headers: { 'content-type': type } })).toBe(400)
    }
    for (const raw of ['{"subject":', 'subject=alice', '']) {
      expect([raw, await statusOf('/access/v1/evaluation', {}, { raw })]).toEqual([raw, 400])
    }
  })
  certify('c-2-5', 'the identifier of the request comes back', async () => {
    const whole = { subject: alice, action: read, resource: record1 }
    const sent = { 'x-request-id': 'bfe9eb29-ab87-4ca3-be83-a1d5d8305716' }
    const paths = ['/access/v1/evaluation', '/access/v1/evaluations', '/access/v1/search/action']
    for (const path of paths) {
      expect((await pdp.ask(path, whole, { headers: sent })).headers['x-request-id']).toBe(sent['x-request-id'])
      expect((await pdp.ask(path, whole)).headers['x-request-id']).toBeUndefined()
      const refused = await pdp.ask(path, {}, { headers: sent })
      expect([refused.status, refused.headers['x-request-id']]).toEqual([400, sent['x-request-id']])
    }
  })
  certify('c-2-6', 'the same request gets the same decision', async () => {
    for (let round = 0; round < 5; round += 1) {
      expect(await decide({ subject: alice, action: read, resource: record1 })).toBe(true)
      expect(await decide({ subject: bob, action: write, resource: record1 })).toBe(false)
    }
  })
})

describe('Batch: Access Evaluations', () => {
  certify('c-3-2-1', 'several evaluations', async () => {
    const decisions = await decideAll({
      subject: alice,
      action: read,
      evaluations: [{ resource: record1 }, { resource: record2 }],
    })
    expect(decisions.map((decision) => typeof decision)).toEqual(['boolean', 'boolean'])
  })
  certify('c-3-2-2', 'decisions of the fixture', async () => {
    expect(await decideAll({ subject: bob, resource: record1, evaluations: [{ action: read }, { action: write }] })).toEqual([
      true,
      false,
    ])
  })
  certify('c-3-2-3', 'properties of each resource', async () => {
    const evaluations = [{ resource: { ...record1, properties: { status: 'active' } } }, { resource: archived }]
    expect(await decideAll({ subject: alice, action: write, evaluations })).toEqual([true, false])
  })
  certify('c-3-2-4', 'properties of each subject', async () => {
    expect(await decideAll({ action: write, resource: archived, evaluations: [{ subject: alice }, { subject: admin }] })).toEqual(
      [false, true],
    )
  })
  certify('c-3-2-5', 'no defaults', async () => {
    const evaluations = [
      { subject: alice, action: read, resource: record1 },
      { subject: bob, action: write, resource: record1 },
    ]
    expect(await decideAll({ evaluations })).toEqual([true, false])
  })
  certify('c-3-2-6', 'context is inherited or replaced', async () => {
    const own = { time: '2025-06-27T19:00-07:00', source: 'batch-override' }
    const evaluations = [{ resource: record1 }, { resource: record2, context: own }]
    expect(await decideAll({ subject: alice, action: read, context: { time: context.time }, evaluations })).toHaveLength(2)
  })
  certify('c-3-2-7', 'defaults are inherited whole and replaced whole', async () => {
    const active = { ...record1, properties: { status: 'active' } }
    expect(
      await decideAll({ subject: alice, action: write, resource: active, evaluations: [{}, { resource: archived }] }),
    ).toEqual([true, false])
  })
  certify('c-3-3', 'the form of the response', async () => {
    const body = {
      subject: alice,
      resource: record1,
      evaluations: [{ action: read }, { action: { name: 'delete' } }, { action: write }],
    }
    const { body: answered } = await pdp.ask('/access/v1/evaluations', body)
    expect(answered.evaluations?.map(({ decision }) => decision)).toEqual([true, false, true])
    expect('decision' in answered).toBe(false)
  })
  certify('c-3-4', 'one that is wrong; none at all', async () => {
    const options = { evaluations_semantic: 'execute_all' }
    const body = { subject: alice, action: read, options, evaluations: [{ resource: record1 }, {}] }
    expect(await decideAll(body)).toEqual([true, false])
    for (const more of [{}, { evaluations: [] }]) {
      const { status, body: single } = await pdp.ask('/access/v1/evaluations', {
        subject: alice,
        action: read,
        resource: record1,
        ...more,
      })
      expect([status, single.decision, single.evaluations]).toEqual([200, true, undefined])
    }
  })
})

describe('Search', () => {
  const whoReads = { subject: { type: 'user' }, action: read, resource: record1 }
  const whatAliceReads = { subject: alice, action: read, resource: { type: 'record' } }
  const whatAliceMay = { subject: alice, resource: record1 }

  certify('c-4-2-1', 'subjects', async () => {
    const answer = await find('subject', whoReads)
    expect(idsOf(answer)).toEqual(expect.arrayContaining(['alice', 'bob']))
    expect(answer.body.results?.every(({ type }) => type === 'user')).toBe(true)
  })
  certify('c-4-2-2', 'subjects, with a context', async () => {
    expect((await find('subject', { ...whoReads, context })).body.results).toEqual((await find('subject', whoReads)).body.results)
  })
  certify('c-4-2-3', 'the id of the subject is ignored', async () => {
    expect((await find('subject', { ...whoReads, subject: alice })).body.results).toEqual(
      (await find('subject', whoReads)).body.results,
    )
  })
  certify('c-4-2-4', 'subjects, by the properties of the resource', async () => {
    expect(idsOf(await find('subject', { subject: { type: 'user' }, action: write, resource: archived }))).toContain('bob')
  })
  certify('c-4-3-1', 'resources', async () => {
    const answer = await find('resource', whatAliceReads)
    expect(idsOf(answer)).toContain('record-1')
    expect(answer.body.results?.every(({ type }) => type === 'record')).toBe(true)
  })
  certify('c-4-3-2', 'resources, with a context', async () => {
    expect((await find('resource', { ...whatAliceReads, context })).body.results).toEqual(
      (await find('resource', whatAliceReads)).body.results,
    )
  })
  certify('c-4-3-3', 'the id of the resource is ignored', async () => {
    expect((await find('resource', { ...whatAliceReads, resource: record1 })).body.results).toEqual(
      (await find('resource', whatAliceReads)).body.results,
    )
  })
  certify('c-4-3-4', 'resources, by the properties of the subject', async () => {
    expect(idsOf(await find('resource', { subject: admin, action: write, resource: { type: 'record' } }))).toContain('record-2')
  })
  certify('c-4-4-1', 'actions', async () => {
    expect(idsOf(await find('action', whatAliceMay))).toEqual(expect.arrayContaining(['read', 'write']))
  })
  certify('c-4-4-2', 'actions, with a context', async () => {
    expect((await find('action', { ...whatAliceMay, context })).body.results).toEqual(
      (await find('action', whatAliceMay)).body.results,
    )
  })
  certify('c-4-4-3', 'actions, by properties', async () => {
    expect(idsOf(await find('action', { subject: admin, resource: archived }))).toContain('write')
  })
  certify('c-4-5', 'pages', async () => {
    const first = await find('subject', { ...whoReads, page: { limit: 1 } })
    expect(idsOf(first)).toEqual(['alice'])
    const token = first.body.page?.next_token
    expect(token).not.toBe('')
    // The harness leaves the limit out of the second request.
    for (const page of [{ token }, { token, limit: 1 }]) {
      const second = await find('subject', { ...whoReads, page })
      expect([idsOf(second), second.body.page?.next_token]).toEqual([['bob'], ''])
    }
    const changed = { ...whoReads, action: write, page: { token } }
    expect(await statusOf('/access/v1/search/subject', changed)).toBe(400)
    expect(await statusOf('/access/v1/search/subject', { ...whoReads, page: { token, limit: 2 } })).toBe(400)
  })
  certify('c-4-6', 'nothing is found', async () => {
    const nobody = { type: 'user', id: 'nonexistent-user' }
    const ship = { type: 'spaceship' }
    expect(idsOf(await find('action', { subject: nobody, resource: record1 }))).toEqual([])
    expect(idsOf(await find('resource', { subject: nobody, action: read, resource: { type: 'record' } }))).toEqual([])
    expect(
      idsOf(
        await find('subject', {
          subject: { type: 'user' },
          action: write,
          resource: { type: 'record', id: 'none', properties: { status: 'archived' } },
        }),
      ),
    ).not.toContain('alice')
    expect(idsOf(await find('subject', { ...whoReads, subject: ship }))).toEqual([])
    expect(idsOf(await find('resource', { ...whatAliceReads, resource: ship }))).toEqual([])
    expect(idsOf(await find('action', { subject: { ...ship, id: 'x' }, resource: record1 }))).toEqual([])
  })
  certify('c-4-7', 'what is wrong is a 400', async () => {
    const both = { subject: { type: 'user' }, action: read, resource: { type: 'record' } }
    const wrong = [
      ['subject', { subject: { type: 'user' }, resource: record1 }],
      ['resource', { action: read, resource: { type: 'record' } }],
      ['action', { subject: alice }],
      ['subject', both],
      ['resource', both],
      ['action', { subject: { type: 'user' }, resource: record1 }],
    ] as const
    for (const [what, body] of wrong)
      expect([what, body, await statusOf(`/access/v1/search/${what}`, body)]).toEqual([what, body, 400])
  })
})

describe('Transport and Discovery', () => {
  certify('c-5', 'JSON in and out, and who may ask', async () => {
    const whole = { subject: alice, action: read, resource: record1 }
    expect(await decide(whole, { headers: { 'content-type': 'application/json; charset=utf-8' } })).toBe(true)
    const refused = await pdp.ask('/access/v1/evaluation', whole, { as: 'nobody' })
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, 'Bearer'])
  })
  certify('c-6', 'metadata, as seen through what ends TLS in front', async () => {
    const seen = { as: 'nobody', headers: { host: 'pdp.example.com' } } as const
    const { status, headers, body } = await pdp.ask('/.well-known/authzen-configuration', undefined, seen)
    expect([status, headers['content-type']]).toEqual([200, 'application/json'])
    expect(body.policy_decision_point).toBe('https://pdp.example.com')
    const endpoints = Object.entries(body).filter(([name]) => /_endpoint$|^jwks_uri$/.test(name))
    expect(endpoints.length).toBeGreaterThanOrEqual(7)
    for (const [, url] of endpoints) expect(new URL(String(url)).origin).toBe('https://pdp.example.com')
    expect(body.capabilities).toEqual(['urn:openid:authzen:capability:access-request'])
    const keys = (await pdp.ask('/access/v1/jwks', undefined, seen)).body.keys as readonly { readonly kid: string }[]
    const [head = '', claims = '', signature = ''] = String(body.signed_metadata).split('.')
    const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { readonly kid: string }
    const jwk = keys.find((key) => key.kid === kid)
    const key = createPublicKey({ key: { ...jwk }, format: 'jwk' })
    expect(verify(null, Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url'))).toBe(true)
    const { iss, iat, ...metadata } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>
    const { signed_metadata: _, ...plain } = body
    expect([typeof iss, typeof iat, metadata]).toEqual(['string', 'number', plain])
  })
})

test('every test of the matrix is here', () => {
  expect([...certified].toSorted()).toEqual(Object.values(MATRIX).flat().toSorted())
})
