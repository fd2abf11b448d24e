import { createSigningKey, nodeEntropy, nodeHasher, nodeVerifier, signerOf } from '@tidegate/crypto-node'
import { EMPTY_CONTROL } from '@tidegate/kernel'
import { createVirtualClock } from '@tidegate/testkit'
import { expect, test } from 'vitest'
import { ACCESS_TIMES, type AuthZenParts, createAuthZen, type DecisionSource } from '../../src/authzen/index.ts'

/** A source of `size` users, of whom every `every`th may. */
function sourceOf(size: number, every: number): DecisionSource & { readonly asked: () => number } {
  let asked = 0
  const names = Array.from({ length: size }, (_, n) => `u${String(n).padStart(6, '0')}`)
  return {
    asked: () => asked,
    covers: () => true,
    async judge({ subject }) {
      asked += 1
      const outcome = Number(subject.id.slice(1)) % every === 0 ? 'allow' : 'deny'
      return { kind: 'decided', decision: { outcome, policies: [], approvers: [], policyVersion: 'v' } }
    },
    subjects: () => names,
    resources: () => [],
    actions: () => [],
    relevantContext: () => [],
  }
}

function authzenOf(source: DecisionSource) {
  const parts: AuthZenParts = {
    identifier: 't',
    sources: [source],
    signer: signerOf('t', createSigningKey()),
    verifier: nodeVerifier,
    hasher: nodeHasher,
    entropy: nodeEntropy,
    clock: createVirtualClock(),
    control: () => EMPTY_CONTROL,
    runs: {
      open: async () => ({ kind: 'refused', code: 'stopped', message: 'no runs here' }),
      load: async () => undefined,
      list: async () => [],
      withdraw: async () => false,
    },
    times: ACCESS_TIMES,
  }
  return createAuthZen(parts)
}

const query = {
  for: 'subject',
  subject: { type: 'user' },
  action: { name: 'read' },
  resource: { type: 'r', id: '1' },
  context: {},
} as const

test.each([
  { size: 0, every: 1, limit: 10 },
  { size: 7, every: 1, limit: 3 },
  { size: 2_500, every: 900, limit: 100 },
  { size: 3_000, every: 1, limit: 500 },
])(
  '$size candidates, every $every may, pages of $limit: all are found once, and a page looks at 1,000 at most',
  async ({ size, every, limit }) => {
    const source = sourceOf(size, every)
    const authzen = authzenOf(source)
    const found: unknown[] = []
    let token: string | undefined
    do {
      const before = source.asked()
      const answer = await authzen.search(query, token === undefined ? { limit } : { token })
      if (answer.kind === 'refused') throw new Error(answer.message)
      expect(source.asked() - before).toBeLessThanOrEqual(1_000)
      expect(answer.page.count).toBe(answer.results.length)
      expect(answer.results.length).toBeLessThanOrEqual(limit)
      found.push(...answer.results.map(({ id }) => id))
      token = answer.page.next_token
    } while (token !== '')
    expect(found).toEqual(source.subjects('user').filter((_, n) => n % every === 0))
  },
)

test('a token is for its own search, and names nobody', async () => {
  const authzen = authzenOf(sourceOf(10, 2))
  const answer = await authzen.search(query, { limit: 1 })
  const token = answer.kind === 'found' ? answer.page.next_token : ''
  expect(Buffer.from(token, 'base64url').toString()).not.toContain('u0')
  const others = [
    { ...query, action: { name: 'write' } },
    { ...query, resource: { type: 'r', id: '2' } },
    { ...query, context: { a: 1 } },
    { for: 'action', subject: { type: 'user', id: 'x' }, resource: query.resource, context: {} },
  ] as const
  for (const other of others) expect((await authzen.search(other, { token })).kind).toBe('refused')
  expect((await authzen.search(query, { token })).kind).toBe('found')
})
