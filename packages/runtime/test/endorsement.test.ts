import { describe, expect, test } from 'vitest'
import { table } from '@tidegate/testkit'
import { ANN, asking, BOB, EVE, MEI, openRun } from './declassify-run.ts'
import { OPERATIONS, type Wanted } from './label-run.ts'

const MAIL: Wanted = { operation: 'desk.mail' }
const STRANGER = 'eve@evil.example'
const sending = (to: string, text = 'hello', operation = 'desk.send'): Wanted => ({ operation, arguments: { to, text } })
const UNKNOWN = { target: ({ flow }: { flow: { tainted: boolean; sinks: string } }) => flow.tainted && flow.sinks === 'unknown' }
const TO = [{ pointer: '/to' }]

describe('a value that a person endorses', () => {
  test('settles the question that it stands in, and counts for the same sink until the run ends', async () => {
    const run = await openRun({
      steps: [MAIL, sending(STRANGER), sending(` ${STRANGER.toUpperCase()} `, 'again'), sending(STRANGER, 'hello', 'desk.move')],
      policy: asking(UNKNOWN),
    })
    expect(await run.endorse(MEI, TO)).toMatchObject({
      kind: 'endorsed',
      reopened: true,
      values: [{ operation: 'desk.send', pointer: '/to', state: 'endorsed' }],
    })
    const next = await run.asked()
    expect(next.operation).toBe('desk.move') // another sink
    const { actions, approvals } = await run.state()
    expect(actions.map(({ proposed, state }) => [proposed.operation, state])).toEqual([
      ['desk.mail', 'done'],
      ['desk.send', 'done'],
      ['desk.send', 'done'],
      ['desk.move', 'asking'],
    ])
    expect([...approvals.values()].map(({ state }) => state)).toEqual(['voided', 'open'])
    const facts = actions.map(({ decision }) => decision?.facts?.flow)
    // Integrity for one sink: the context stays tainted, and who may read it stays as it was.
    expect(facts[1]).toMatchObject({ tainted: true, sinks: 'named', readable: false })
    expect(facts[3]).toMatchObject({ tainted: true, sinks: 'unknown', readable: false })
  })

  test('is recorded with who and why; the value itself is sealed', async () => {
    const run = await openRun({ steps: [MAIL, sending(STRANGER)], policy: asking(UNKNOWN) })
    await run.endorse(MEI, TO)
    const said = (await run.events()).find(({ type }) => type === 'value.endorsed')
    expect(said).toMatchObject({
      voter: 'user:mei',
      action: 1,
      state: 'endorsed',
      sealed: { value: STRANGER, why: 'known to us' },
    })
    expect(JSON.stringify({ ...said, sealed: null })).not.toContain('evil')
  })

  test('takes as many people as the call would', async () => {
    const run = await openRun({ steps: [MAIL, sending(STRANGER)], policy: asking(UNKNOWN, { count: 2 }) })
    expect(await run.endorse(MEI, TO)).toMatchObject({ kind: 'endorsed', reopened: false, values: [{ state: 'open' }] })
    expect(await run.endorse(MEI, TO)).toMatchObject({ kind: 'rejected', code: 'already_voted' })
    expect((await run.state()).actions[1]?.state).toBe('asking')
    expect(await run.endorse(BOB, TO)).toMatchObject({ kind: 'endorsed', reopened: true, values: [{ state: 'endorsed' }] })
    expect((await run.state()).final).toBe('completed')
  })

  test('does not count beside another value, and what one person says of each of two values is no quorum for either', async () => {
    const run = await openRun({ steps: [MAIL, sending(STRANGER)], policy: asking(UNKNOWN, { count: 2 }) })
    await run.endorse(MEI, [{ pointer: '/to', value: 'one@book.example' }])
    expect(await run.endorse(BOB, TO)).toMatchObject({ kind: 'endorsed', reopened: false })
    const { actions, endorsements } = await run.state()
    expect(actions[1]?.state).toBe('asking')
    expect(endorsements.map(({ votes }) => votes.length)).toEqual([1, 1])
  })

  test('that the question was not about leaves the question as it is', async () => {
    const run = await openRun({ steps: [MAIL, sending(STRANGER), sending('two@book.example')], policy: asking(UNKNOWN) })
    const other = [{ pointer: '/to', value: 'two@book.example' }]
    expect(await run.endorse(MEI, other)).toMatchObject({ kind: 'endorsed', reopened: false })
    expect((await run.state()).actions[1]?.state).toBe('asking')
    await run.approve()
    expect((await run.state()).final).toBe('completed')
  })

  test('is nothing for the run beside it, nor for the next', async () => {
    const steps = [MAIL, sending(STRANGER)]
    const first = await openRun({ steps, policy: asking(UNKNOWN) })
    await first.endorse(MEI, TO)
    expect((await first.state()).final).toBe('completed')
    const { tidegate } = first
    await tidegate.trigger({ workflow: 'w', source: 's', event: 'other', input: {}, user: ANN.id, client: 'client:test' })
    expect((await first.asked()).operation).toBe('desk.send')
    const over = { person: MEI, why: 'late', operation: 'desk.send', values: [{ pointer: '/to', value: STRANGER }] }
    expect(await tidegate.endorse(first.run, over)).toMatchObject({ kind: 'rejected', code: 'approval_closed' })
  })
})

describe('who may not, and what may not', () => {
  const cases = table(`
    who | pointer | value | code            | why
    ann | /to     | -     | is_requester    | whoever asks for it
    eve | /to     | -     | not_entitled    | nobody who may answer the question
    mei | /text   | -     | not_a_sink      | free text is never endorsed
    mei | /to/0   | -     | value_unusable  | there is nothing at this place
    mei | /none   | x     | not_a_sink      | an argument that nobody has declared
    mei | /to     | ...   | value_unusable  | nothing but punctuation
    mei | to      | x     | not_a_sink      | no JSON pointer
  `)
  const people = { ann: ANN, eve: EVE, mei: MEI }

  test.each(cases)('$who $pointer $value -> $code: $why', async ({ who, pointer = '', value, code }) => {
    const run = await openRun({ steps: [MAIL, sending(STRANGER)], policy: asking(UNKNOWN) })
    const values = [value === undefined || value === '' ? { pointer } : { pointer, value }]
    expect(await run.endorse(people[who as 'ann'], values)).toMatchObject({ kind: 'rejected', code })
    expect((await run.events()).some(({ type }) => type === 'value.endorsed')).toBe(false)
  })

  test('somebody who saw another action, in time, or under another policy', async () => {
    const policy = asking(UNKNOWN)
    const run = await openRun({ steps: [MAIL, sending(STRANGER)], policy })
    expect(await run.endorse(MEI, TO, { digest: 'f'.repeat(64) })).toMatchObject({ code: 'digest_mismatch' })
    policy.version = 'p2'
    expect(await run.endorse(MEI, TO)).toMatchObject({ code: 'approval_closed' })
    policy.version = 'p1'
    const { id, digest } = (await run.asked()).approval.question
    run.wait(61_000)
    const late = { person: MEI, why: 'late', approval: id, digest, values: TO }
    expect(await run.tidegate.endorse(run.run, late)).toMatchObject({ code: 'approval_lapsed' }) // I5
  })

  test('an operation that nobody has described, and one of critical risk', async () => {
    const send = OPERATIONS.find(({ id }) => id === 'desk.send')
    const { flow: _, ...undescribed } = send ?? {}
    for (const changed of [undescribed, { ...send, risk: 'critical' }]) {
      const operations = OPERATIONS.map((each) => (each.id === 'desk.send' ? { ...each, flow: undefined, ...changed } : each))
      const run = await openRun({
        steps: [MAIL, sending(STRANGER)],
        policy: asking(UNKNOWN),
        operations: operations as typeof OPERATIONS,
      })
      expect(await run.endorse(MEI, TO)).toMatchObject({ kind: 'rejected', code: 'not_a_sink' })
    }
  })
})

describe('when nobody was asked', () => {
  const wanted = { why: 'known to us', operation: 'desk.send', values: [{ pointer: '/to', value: STRANGER }] }
  const steps = [MAIL, sending('two@book.example', 'x', 'desk.move'), sending(STRANGER)]

  test('those may endorse whom the workflow names', async () => {
    const changes = { approvals: { plan: 'each', endorsers: [{ role: 'security', count: 1 }] } } as const
    const run = await openRun({ steps, policy: asking(UNKNOWN), changes })
    await run.asked()
    expect(await run.tidegate.endorse(run.run, { person: MEI, ...wanted })).toMatchObject({ code: 'not_entitled' })
    expect(await run.tidegate.endorse(run.run, { person: ANN, ...wanted })).toMatchObject({ code: 'is_requester' })
    expect(await run.tidegate.endorse(run.run, { person: BOB, ...wanted })).toMatchObject({ kind: 'endorsed', reopened: false })
    await run.approve()
    expect((await run.state()).final).toBe('completed')
  })

  test('and nobody, when it names none', async () => {
    const run = await openRun({ steps, policy: asking(UNKNOWN) })
    await run.asked()
    expect(await run.tidegate.endorse(run.run, { person: BOB, ...wanted })).toMatchObject({ code: 'not_entitled' })
  })
})
