import { type Outcome, type PolicyContext, resolveVerdict } from '@tidegate/kernel'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createCedarEngine, type PolicyFile } from '../src/index.ts'
import { requestOf, schema } from './desk.ts'

/** What an outcome lets through, the most first. */
const RANK: Readonly<Record<Outcome, number>> = { allow: 0, dry_run: 1, ask: 2, deny: 3 }

const condition = fc.constantFrom(
  'true',
  'context.risk == "high"',
  'context.mutability != "read"',
  'context.confidence < 9000',
  'context.origins.contains("third-party")',
  'context.arguments has amountMinor && context.arguments.amountMinor > 500',
  'context.arguments has amountMinor && context.arguments.amountMinor * 9000000000000000 > 1',
)
const head = fc.constantFrom(
  'principal, action, resource',
  'principal, action in Action::"tool::desk", resource',
  'principal == Agent::"clerk", action, resource',
)

/** A policy as text; `n` is its own number. */
const policy = fc.record({ effect: fc.constantFrom('permit', 'permit', 'ask', 'dry_run', 'deny'), head, condition })
type Draft = typeof policy extends fc.Arbitrary<infer T> ? T : never

function write(draft: Draft, n: number): PolicyFile {
  const scope = `(${draft.head}) when { ${draft.condition} }`
  if (draft.effect === 'permit') return { file: `${n}.cedar`, text: `@id("p${n}") permit ${scope};` }
  const unless = draft.effect === 'ask' ? ` unless { context.approvals.contains("p${n}") }` : ''
  const approvers = draft.effect === 'ask' ? '@approvers("role:lead")' : ''
  return {
    file: `${n}.cedar`,
    text: `@id("p${n}") @reason("because") @outcome("${draft.effect}") ${approvers} forbid ${scope}${unless};`,
  }
}

const context: fc.Arbitrary<Partial<PolicyContext>> = fc.record({
  risk: fc.constantFrom('low', 'high'),
  mutability: fc.constantFrom('read', 'write'),
  confidence: fc.constantFrom(8_999, 9_000),
  origins: fc.constantFrom(['user'], ['user', 'third-party']),
  approvals: fc.subarray(['p0', 'p1', 'p2', 'p3', 'p4']),
  arguments: fc.constantFrom({}, { amountMinor: 1 }, { amountMinor: 501 }, { amountMinor: 2_000 }),
})

function decide(policies: readonly PolicyFile[], asked: Partial<PolicyContext>) {
  return resolveVerdict(createCedarEngine({ policies, schema }).evaluate(requestOf(asked)), 'v')
}

test('the order of policies never matters', () => {
  const shuffled = fc.array(policy, { maxLength: 5 }).chain((drafts) => {
    const files = drafts.map(write)
    return fc.tuple(fc.constant(files), fc.shuffledSubarray(files, { minLength: files.length }))
  })
  fc.assert(
    fc.property(shuffled, context, ([files, others], asked) => {
      expect(decide(others, asked)).toEqual(decide(files, asked))
    }),
    { numRuns: 150 },
  )
})

test('adding a forbid never widens', () => {
  const forbid = policy.filter((draft) => draft.effect !== 'permit')
  fc.assert(
    fc.property(fc.array(policy, { maxLength: 4 }), forbid, context, (drafts, added, asked) => {
      const before = decide(drafts.map(write), asked)
      const after = decide([...drafts, added].map(write), asked)
      expect(RANK[after.outcome]).toBeGreaterThanOrEqual(RANK[before.outcome])
    }),
    { numRuns: 150 },
  )
})

test('nothing is let through, asked for or tried out without a permit', () => {
  const forbids = fc.array(
    policy.filter((draft) => draft.effect !== 'permit'),
    { maxLength: 5 },
  )
  fc.assert(
    fc.property(forbids, context, (drafts, asked) => {
      expect(decide(drafts.map(write), asked).outcome).toBe('deny')
    }),
    { numRuns: 100 },
  )
})

test('an approval never turns a denial into anything else', () => {
  fc.assert(
    fc.property(fc.array(policy, { maxLength: 5 }), context, (drafts, asked) => {
      const files = drafts.map(write)
      const [without, all] = [
        decide(files, { ...asked, approvals: [] }),
        decide(files, { ...asked, approvals: ['p0', 'p1', 'p2', 'p3', 'p4'] }),
      ]
      if (without.outcome === 'deny') expect(all.outcome).toBe('deny')
    }),
    { numRuns: 100 },
  )
})
