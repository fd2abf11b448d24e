import { type Approval, type Ballot, decideVote, hasQuorum, type Question, type Vote } from '@tidegate/kernel'
import { table } from '@tidegate/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const question: Question = {
  id: 'r.a0.0',
  run: 'r',
  action: 0,
  digest: 'd1',
  previewDigest: null,
  policyVersion: 'p',
  policies: ['ask'],
  approvers: [{ role: 'lead', count: 2 }],
  requesters: ['user:ann', 'client:desk', 'agent-1'],
  openedAtMs: 0,
  deadlineMs: 1_000,
}

function votes(text: string): readonly Vote[] {
  if (text === '') return []
  return text.split(',').map((part) => {
    const [voter = '', ...roles] = part.trim().split(' ')
    return { voter, roles, vote: 'approve', why: '', atMs: 1 }
  })
}

function ballot(voter: string, roles: string, more: Partial<Ballot> = {}): Ballot {
  return { voter, roles: roles.split(' '), vote: 'approve', why: '', digest: 'd1', ...more }
}

const cases = table(`
  voted     | voter    | roles     | vote    | digest | at   | answer          | why
  -         | user:mei | lead      | approve | d1     | 5    | open            | two are needed
  a lead    | user:mei | lead      | approve | d1     | 5    | granted         | the second one grants
  a lead    | a        | lead      | approve | d1     | 5    | already_voted   | nobody counts twice
  -         | user:ann | lead      | approve | d1     | 5    | is_requester    | whoever asks may not approve
  -         | user:ann | lead      | refuse  | d1     | 5    | is_requester    | nor refuse
  -         | user:bob | ops       | approve | d1     | 5    | not_entitled    | another role
  -         | user:mei | lead      | approve | d2     | 5    | digest_mismatch | another action
  a lead    | user:mei | lead      | approve | d1     | 1000 | approval_lapsed | I5: at the deadline it is too late
  a lead    | user:mei | lead      | refuse  | d1     | 5    | refused         | one no is a no
`)

describe('a vote', () => {
  test.each(cases)(
    '$voter $vote after ($voted) -> $answer: $why',
    ({ voted = '', voter = '', roles = '', vote, digest = '', at, answer }) => {
      const approval: Approval = { state: 'open', question, votes: votes(voted) }
      const decision = decideVote(approval, ballot(voter, roles, { vote: vote as Ballot['vote'], digest }), Number(at))
      expect(decision.kind === 'counted' ? decision.after : decision.code).toBe(answer)
    },
  )

  test.each(['granted', 'refused', 'lapsed', 'consumed'] as const)('nothing can be said about a question that is %s', (state) => {
    const approval: Approval = { state, question, votes: [] }
    expect(decideVote(approval, ballot('user:mei', 'lead'), 5)).toMatchObject({ kind: 'rejected', code: 'approval_closed' })
  })
})

const quorums = table(`
  rules          | people                        | enough | why
  lead 1         | -                             | no     | silence is no
  lead 2         | a lead, b lead                | yes    | two different people
  lead 2         | a lead, a lead                | no     | the same one twice
  lead 1, ops 1  | a lead ops                    | no     | nobody counts for two rules
  lead 1, ops 1  | a lead ops, b lead            | yes    | whoever holds both goes where they are needed
  lead 1, ops 1  | b lead, a lead ops            | yes    | in either order
  lead 2, ops 1  | a lead ops, b lead ops, c ops | yes    | found by looking, not by chance
`)

describe('a quorum', () => {
  test.each(quorums)('$rules with ($people) -> $enough: $why', ({ rules = '', people = '', enough }) => {
    const parsed = rules
      .split(',')
      .map((rule) => ({ role: rule.trim().split(' ')[0] ?? '', count: Number(rule.trim().split(' ')[1]) }))
    expect(hasQuorum(parsed, votes(people))).toBe(enough === 'yes')
  })

  test('of many is counted in no time: an answer that takes minutes would be no answer to a stop', () => {
    const leads = Array.from({ length: 14 }, (_, i) => `p${i} lead`).join(',')
    const rules = [
      { role: 'lead', count: 9 },
      { role: 'ops', count: 1 },
    ]
    expect(hasQuorum(rules, votes(leads))).toBe(false)
    expect(hasQuorum(rules, votes(`${leads},last ops`))).toBe(true)
  })

  test('law: one more yes never takes a quorum away', () => {
    const person = fc.record({
      voter: fc.constantFrom('a', 'b', 'c', 'd'),
      roles: fc.subarray(['lead', 'ops']),
      vote: fc.constant('approve' as const),
      why: fc.constant(''),
      atMs: fc.constant(1),
    })
    const rules = fc.uniqueArray(fc.record({ role: fc.constantFrom('lead', 'ops'), count: fc.integer({ min: 1, max: 2 }) }), {
      selector: (r) => r.role,
      minLength: 1,
    })
    fc.assert(
      fc.property(
        rules,
        fc.array(person, { maxLength: 4 }),
        person,
        (r, list, more) => !hasQuorum(r, list) || hasQuorum(r, [...list, more]),
      ),
    )
  })
})
