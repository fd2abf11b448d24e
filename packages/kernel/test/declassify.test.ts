import {
  addEndorsement,
  type Approval,
  approvedCall,
  compileFlow,
  type Constraint,
  decideEndorsement,
  type Endorsement,
  flowFacts,
  isEndorsed,
  type Json,
  pinnedArguments,
  planDigest,
  type PlannedState,
  type Question,
  targetFor,
  usePlanned,
  type Vote,
  withEndorsed,
} from '@tidegate/kernel'
import { nodeHasher } from '@tidegate/crypto-node'
import { table } from '@tidegate/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { send, tainted } from './label/flow-fixture.ts'

const vote = (voter: string, more: Partial<Vote> = {}): Vote => ({
  voter,
  roles: ['lead'],
  vote: 'approve',
  why: '',
  atMs: 1,
  ...more,
})
const STRANGER = 'eve@evil.example'

function endorsement(more: Partial<Endorsement> = {}): Endorsement {
  return {
    ...{ operation: 'mail.send', pointer: '/to/0', value: STRANGER, approval: 'r.a0.0', policyVersion: 'p' },
    ...{ approvers: [{ role: 'lead', count: 1 }], votes: [vote('user:mei')] },
    ...more,
  }
}

const facts = (args: Json, endorsements: readonly Endorsement[], operation = 'mail.send') =>
  flowFacts({
    ...{ context: withEndorsed(tainted('x'), endorsements), operation, flow: send, arguments: args },
    ...{ environment: 'e', nowMs: 0 },
  })

describe('an endorsement', () => {
  const cases = table(`
    voter    | roles   | at   | answer          | why
    user:mei | lead    | 5    | already_voted   | nobody counts twice
    user:bob | lead    | 5    | granted         | the second one
    user:ann | lead    | 5    | is_requester    | whoever asks
    user:eve | visitor | 5    | not_entitled    | another role
    user:bob | lead    | 1000 | approval_lapsed | I5: at the deadline it is too late
  `)
  const subject = endorsement({ approvers: [{ role: 'lead', count: 2 }] })
  const ground = { requesters: ['user:ann'], deadlineMs: 1_000 }

  test.each(cases)('$voter as $roles at $at -> $answer: $why', ({ voter = '', roles = '', at, answer }) => {
    const endorser = { voter, roles: [roles], why: '' }
    const decision = decideEndorsement([subject], subject, endorser, { ...ground, nowMs: Number(at) })
    expect(decision.kind === 'counted' ? decision.after : decision.code).toBe(answer)
  })

  test('by nobody, where nobody may', () => {
    const nobody = endorsement({ approvers: [], votes: [] })
    const decision = decideEndorsement([], nobody, { voter: 'user:mei', roles: ['lead'], why: '' }, { ...ground, nowMs: 5 })
    expect(decision).toMatchObject({ kind: 'rejected', code: 'not_entitled' })
  })

  test.each<[string, Partial<Endorsement>]>([
    ['value', { value: 'ann@our.example' }],
    ['sink', { pointer: '/cc' }],
    ['operation', { operation: 'mail.post' }],
    ['question', { approval: 'r.a1.0' }],
    ['policy', { policyVersion: 'q' }],
    ['rule', { approvers: [{ role: 'lead', count: 1 }] }],
  ])('of another %s does not add to this one', (_what, more) => {
    const both = addEndorsement([subject], { ...subject, ...more }, vote('user:bob'))
    expect(both.map(({ votes }) => votes.length)).toEqual([1, 1])
    expect(both.filter((each) => each.approvers[0]?.count === 2).some(isEndorsed)).toBe(false)
  })

  test('in another spelling and at another place of the list does', () => {
    const same = { ...subject, value: ' Eve@Evil.example', pointer: '/to/7' }
    expect(addEndorsement([subject], same, vote('user:bob')).map(isEndorsed)).toEqual([true])
  })

  test('counts for its sink and its operation, once enough have said so, and for nothing else', () => {
    const args = { to: [STRANGER], body: 'visit evil.example/pay' }
    expect(facts(args, [endorsement()])).toMatchObject({ tainted: true, sinks: 'named', text: 'carrying' })
    expect(facts(args, [subject]).sinks).toBe('unknown')
    expect(facts(args, [endorsement({ operation: 'mail.post' })]).sinks).toBe('unknown')
    expect(facts(args, [endorsement({ pointer: '/id' })]).sinks).toBe('unknown')
    expect(facts({ to: [STRANGER, 'b@c.example'] }, [endorsement()]).ungrounded).toEqual(['/to/1'])
  })

  test('law: whatever is endorsed, the context keeps its taint, its sources and its readers', () => {
    const any = fc.record({
      operation: fc.constantFrom('mail.send', 'mail.post'),
      pointer: fc.constantFrom('/to/0', '/to', '/id', '/body'),
      value: fc.oneof(fc.string(), fc.integer(), fc.constant(STRANGER)),
      votes: fc.array(
        fc.constantFrom('a', 'b').map((voter) => vote(voter)),
        { maxLength: 2 },
      ),
    })
    fc.assert(
      fc.property(fc.array(any, { maxLength: 5 }), (all) => {
        const { endorsed: _before, ...before } = tainted('x')
        const { endorsed: _after, ...after } = withEndorsed(tainted('x'), all.map(endorsement))
        expect([after.tainted, after.sources, after.readers]).toEqual([before.tainted, before.sources, before.readers])
        const text = { to: [], body: 'visit evil.example/pay' }
        expect(facts(text, all.map(endorsement))).toEqual(facts(text, []))
      }),
    )
  })
})

describe('what may be endorsed', () => {
  const flow = compileFlow({
    mutability: 'write',
    declaration: {
      inputs: {
        '/to/*': { role: 'sink', type: 'recipient' },
        '/note': { role: 'sink', type: 'text' },
        '/pin': { role: 'sink', type: 'secret' },
        '/sum': { role: 'value', type: 'amount' },
        '/body': { role: 'text', type: 'text' },
      },
      outputs: {},
      egress: 'external',
    },
  })
  const long = 'x'.repeat(401)
  test.each<[string, Json | undefined, string]>([
    ['/to/0', 'a@b.example', 'target'],
    ['/to/3', 7, 'target'],
    ['/to', ['a@b.example'], 'not_a_sink'],
    ['/to/0', undefined, 'value_unusable'],
    ['/to/0', null, 'value_unusable'],
    ['/to/0', true, 'value_unusable'],
    ['/to/0', { a: 'b' }, 'value_unusable'],
    ['/to/0', ' ... ', 'value_unusable'],
    ['/to/0', 'a\nb', 'value_unusable'],
    ['/to/0', long, 'value_unusable'],
    ['/note', 'words', 'not_a_sink'],
    ['/pin', '1234', 'not_a_sink'],
    ['/sum', 5, 'not_a_sink'],
    ['/body', 'words', 'not_a_sink'],
    ['/else', 'x', 'not_a_sink'],
    ['', 'x', 'not_a_sink'],
    ['to/0', 'x', 'not_a_sink'],
    [`/to/${long}`, 'x', 'not_a_sink'],
  ])('%s: %j -> %s', (pointer, value, expected) => {
    const found = targetFor(flow, pointer, value)
    expect(found.kind === 'target' ? 'target' : found.code).toBe(expected)
  })

  test('nothing of an operation that nobody has described', () => {
    const undeclared = compileFlow({ mutability: 'write', input: { type: 'object', properties: { to: { type: 'string' } } } })
    expect(targetFor(undeclared, '/to', 'a@b.example')).toMatchObject({ kind: 'refused', code: 'not_a_sink' })
  })
})

describe('an approved plan', () => {
  const call = (digest: string, usedBy: number | null = null): PlannedState => ({
    ...{ operation: 'mail.send', digest, previewDigest: null, policies: ['ask'], arguments: {}, preview: null },
    usedBy,
  })
  const question: Question = {
    ...{ id: 'r.a0.0', run: 'r', action: 0, digest: 'd0', previewDigest: null, policyVersion: 'p', policies: ['ask'] },
    ...{ approvers: [{ role: 'lead', count: 1 }], requesters: [], openedAtMs: 0, deadlineMs: 1_000 },
    plan: { digest: 'dp', calls: [call('d1')] },
  }
  const plans = (usedBy: number | null = null) => new Map([[question.id, [call('d1', usedBy)]]])
  const approved = (state: Approval['state'], votes = [vote('user:mei', { plan: true })]) =>
    new Map([[question.id, { state, question, votes, why: '' } as Approval]])

  test('covers its call once, and further attempts of the same action', () => {
    const run = { approvals: approved('consumed'), plans: plans() }
    expect(approvedCall(run, { digest: 'd1', action: 3 })?.call.policies).toEqual(['ask'])
    const used = { ...run, plans: usePlanned(run, { approval: question.id, digest: 'd1', action: 3 }) }
    expect(approvedCall(used, { digest: 'd1', action: 3 })).toBeDefined()
    expect(approvedCall(used, { digest: 'd1', action: 4 })).toBeUndefined()
    expect(() => usePlanned(used, { approval: question.id, digest: 'd1', action: 4 })).toThrow('I1')
    expect(approvedCall(run, { digest: 'd2', action: 3 })).toBeUndefined()
    expect(() => usePlanned(run, { approval: 'r.a9.0', digest: 'd1', action: 3 })).toThrow('I1')
  })

  test.each(['open', 'granted', 'refused', 'lapsed', 'voided'] as const)('covers nothing while its question is %s', (state) => {
    const run = { approvals: approved(state), plans: plans() }
    expect(approvedCall(run, { digest: 'd1', action: 3 })).toBeUndefined()
    expect(() => usePlanned(run, { approval: question.id, digest: 'd1', action: 3 })).toThrow('I1')
  })

  test('covers nothing when people said yes to the one call only', () => {
    const run = { approvals: approved('consumed', [vote('user:mei')]), plans: plans() }
    expect(approvedCall(run, { digest: 'd1', action: 3 })).toBeUndefined()
  })

  test('has a digest of everything that it shows', () => {
    const calls = [call('d1'), call('d2')]
    const others = [
      planDigest(nodeHasher, { ...question, digest: 'd9' }, calls),
      planDigest(nodeHasher, { ...question, previewDigest: 'x' }, calls),
      planDigest(nodeHasher, { ...question, policyVersion: 'q' }, calls),
      planDigest(nodeHasher, question, calls.toReversed()),
      planDigest(nodeHasher, question, [call('d1')]),
      planDigest(nodeHasher, question, [call('d1'), { ...call('d2'), previewDigest: 'x' }]),
      planDigest(nodeHasher, question, [call('d1'), { ...call('d2'), policies: [] }]),
    ]
    expect(new Set([planDigest(nodeHasher, question, calls), ...others]).size).toBe(others.length + 1)
  })
})

describe('a step of a plan is one exact call', () => {
  const exact: Constraint = { kind: 'exact', value: 'x' }
  test.each<[string, Readonly<Record<string, Constraint>>, Json | undefined]>([
    ['when every argument is pinned', { '/a': exact, '/b~1c': { kind: 'exact', value: 3 } }, { a: 'x', 'b/c': 3 }],
    ['not when none is', {}, undefined],
    ['not when one is a choice', { '/a': exact, '/b': { kind: 'enum', values: ['x'] } }, undefined],
    ['not when one is left to trust', { '/a': { kind: 'trusted' } }, undefined],
    ['not when one lies deeper', { '/a/b': exact }, undefined],
  ])('%s', (_why, args, expected) => {
    const grant = {
      id: 'g',
      operation: 'mail.send',
      arguments: args,
      maxCalls: null,
      notAfterMs: null,
      environment: null,
      budget: null,
    }
    expect(pinnedArguments(grant)).toEqual(expected)
  })
})
