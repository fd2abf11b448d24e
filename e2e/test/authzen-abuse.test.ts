import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answered, type Pdp, startPdp } from './authzen-pdp.ts'

// What nobody should send, and what must hold whatever is sent.

let pdp: Pdp
beforeAll(async () => {
  pdp = await startPdp()
}, 40_000)
afterAll(() => pdp.close())

const good = { subject: { type: 'user', id: 'alice' }, action: { name: 'read' }, resource: { type: 'record', id: 'record-1' } }
const PATHS = ['evaluation', 'evaluations', 'search/subject', 'search/resource', 'search/action', 'requests']

describe.each(PATHS)('/access/v1/%s', (path) => {
  const at = `/access/v1/${path}`

  test('refuses what is no request, and goes on', async () => {
    const nested = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`
    const raws: readonly (readonly [string, number])[] = [
      ['', 400],
      ['null', 400],
      ['[]', 400],
      ['"text"', 400],
      ['{', 400],
      [nested, 400],
      [`{"subject":${'['.repeat(100)}${']'.repeat(100)}}`, 400],
      [JSON.stringify(good).replace('{', '{"subject":{"type":"user","id":"bob"},'), 400],
      [JSON.stringify(good).replace('alice', '\\ud800'), 400],
      [JSON.stringify({ ...good, context: {} }).replace('"context":{', '"context":{"__proto__":{}'), 400],
      [JSON.stringify({ ...good, pad: 'x'.repeat(10_000_000) }), 413],
    ]
    for (const [raw, status] of raws) {
      const answer = await pdp.ask(at, {}, { raw })
      expect([raw.slice(0, 60), answer.status]).toEqual([raw.slice(0, 60), status])
    }
    expect((await pdp.ask('/access/v1/evaluation', good)).body.decision).toBe(true)
  }, 30_000)

  test('knows one method, and only whoever has a token', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
      const { status, headers } = await pdp.ask(at, undefined, { method })
      expect([method, status, headers.allow]).toEqual([method, 405, 'POST'])
    }
    expect((await pdp.ask(at, good, { as: 'nobody' })).status).toBe(401)
    expect((await pdp.ask(at, good, { headers: { authorization: 'Bearer no' } })).status).toBe(401)
    expect((await pdp.ask(at, good, { headers: { host: 'pdp.attacker.example' } })).status).toBe(421)
    expect((await pdp.ask(`${at}?decision=true`, good)).status).toBe(400)
  })
})

describe('limits', () => {
  test('500 evaluations and no more', async () => {
    const evaluations = Array.from({ length: 501 }, () => ({}))
    expect((await pdp.ask('/access/v1/evaluations', { ...good, evaluations })).status).toBe(400)
    const { body } = await pdp.ask('/access/v1/evaluations', { ...good, evaluations: evaluations.slice(1) })
    expect(body.evaluations).toHaveLength(500)
  })

  test('a limit of pages is a whole number from 0, and nothing is an end only when it is one', async () => {
    const search = { subject: { type: 'user' }, action: good.action, resource: good.resource }
    for (const limit of [-1, 1.5, '1', null]) {
      expect((await pdp.ask('/access/v1/search/subject', { ...search, page: { limit } })).status).toBe(400)
    }
    const none = await pdp.ask('/access/v1/search/subject', { ...search, page: { limit: 0 } })
    expect([none.body.results, none.body.page?.next_token === '']).toEqual([[], false])
    const all = await pdp.ask('/access/v1/search/subject', { ...search, page: { limit: 9_999_999 } })
    expect([all.body.results?.length, all.body.page?.next_token]).toEqual([2, ''])
    for (const token of ['x', '!', 'WyJhIiwxLDBd', 'a'.repeat(5_000)]) {
      expect((await pdp.ask('/access/v1/search/subject', { ...search, page: { token } })).status).toBe(400)
    }
  })
})

describe('what is not declared, or not as it is declared, is denied with a reason', () => {
  const cases: readonly (readonly [string, object])[] = [
    ['unknown_subject_type', { ...good, subject: { type: 'spaceship', id: 'x' } }],
    ['unknown_resource_type', { ...good, resource: { type: 'spaceship', id: 'x' } }],
    ['unknown_action', { ...good, action: { name: 'launch' } }],
    ['unknown_action', { ...good, action: { name: '__proto__' } }],
    ['action_not_applicable', { ...good, subject: { type: 'record', id: 'record-1' } }],
    ['invalid_properties', { ...good, subject: { ...good.subject, properties: { role: 5 } } }],
    ['invalid_properties', { ...good, resource: { ...good.resource, properties: { status: ['active'] } } }],
    ['invalid_properties', { ...good, action: { name: 'delete', properties: { soft: 'yes' } } }],
    ['invalid_properties', { ...good, context: { purpose: 1 } }],
    ['unknown_subject', { ...good, subject: { type: 'agent', id: 'x' }, resource: { type: 'tool', id: 'desk' } }],
  ]
  test.each(cases)('%s', async (reason, body) => {
    const { status, body: answered } = await pdp.ask('/access/v1/evaluation', body)
    expect([status, answered.decision, answered.context?.reason]).toEqual([200, false, reason])
  })

  test('what a caller says about approvals in the context counts for nothing', async () => {
    const share = { ...good, action: { name: 'share' }, context: { approvals: ['sharing-needs-the-owner'] } }
    expect((await pdp.ask('/access/v1/evaluation', share)).body.decision).toBe(false)
    const hard = { ...good, action: { name: 'delete' }, context: { action: { soft: true } } }
    expect((await pdp.ask('/access/v1/evaluation', hard)).body.decision).toBe(false)
  })
})

describe('laws', () => {
  const one = <T>(...values: readonly T[]) => fc.constantFrom(...values)
  const question = fc.record({
    subject: fc.record(
      {
        type: one('user', 'record', 'agent'),
        id: one('alice', 'bob', 'eve'),
        properties: fc.record({ role: one('admin', 'none') }),
      },
      { requiredKeys: ['type', 'id'] },
    ),
    action: fc.record(
      { name: one('read', 'write', 'delete', 'share', 'fly'), properties: fc.record({ soft: fc.boolean() }) },
      { requiredKeys: ['name'] },
    ),
    resource: fc.record(
      {
        type: one('record', 'tool'),
        id: one('record-1', 'record-2', 'x'),
        properties: fc.record({ status: one('active', 'archived') }),
      },
      { requiredKeys: ['type', 'id'] },
    ),
  })
  const plain = ({ decision, context }: Answered) => [decision, context?.outcome, context?.reason, context?.reasons]

  test('evaluations say what evaluation says, in every semantic', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(question, { minLength: 1, maxLength: 6 }), async (evaluations) => {
        const alone = await Promise.all(evaluations.map((body) => pdp.ask('/access/v1/evaluation', body)))
        const singles = alone.map(({ body }) => plain(body))
        const together = async (semantic: string): Promise<readonly unknown[]> => {
          const options = { evaluations_semantic: semantic }
          const { body } = await pdp.ask('/access/v1/evaluations', { evaluations, options })
          return (body.evaluations ?? []).map(plain)
        }
        const until = (stop: boolean) => {
          const at = singles.findIndex(([decision]) => decision === stop)
          return at === -1 ? singles : singles.slice(0, at + 1)
        }
        expect(await together('execute_all')).toEqual(singles)
        expect(await together('deny_on_first_deny')).toEqual(until(false))
        expect(await together('permit_on_first_permit')).toEqual(until(true))
      }),
      { numRuns: 25 },
    )
  }, 30_000)

  test('a search finds exactly what an evaluation allows', async () => {
    await fc.assert(
      fc.asyncProperty(question, async ({ subject, action, resource }) => {
        const { body } = await pdp.ask('/access/v1/search/action', { subject, resource })
        const found = (body.results ?? []).map(({ name }) => name)
        const bare = { name: action.name }
        const { body: answered } = await pdp.ask('/access/v1/evaluation', { subject, action: bare, resource })
        expect(found.includes(action.name)).toBe(answered.decision)
      }),
      { numRuns: 40 },
    )
  }, 30_000)

  test('an unknown semantic is refused', async () => {
    const options = { evaluations_semantic: 'whatever' }
    expect((await pdp.ask('/access/v1/evaluations', { ...good, evaluations: [{}], options })).status).toBe(400)
  })
})
