import {
  attenuateGrants,
  type Constraint,
  type Flow,
  type FlowContext,
  type FlowFacts,
  type Grant,
  isWithin,
  type Json,
  mintGrants,
  observe,
  openFlow,
} from '@tidegate/kernel'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FLOW_WORDS } from '../../src/label/flow.ts'
import { grantOf, spendGrant } from '../../src/label/grant.ts'
import { readBooks, readChat, readDirectory, readMail, sending } from './flow-fixture.ts'

const word = fc.constantFrom(
  'bob',
  'sarah',
  'rent',
  'alice@x.example',
  'eve@y.example',
  'pay',
  'US12200',
  '50',
  'www.a.example',
  'hello',
)
const phrase = fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => words.join(' '))
const id = fc.integer({ min: 1, max: 60 })
const mail = fc.record({ id, from: word, subject: phrase, body: phrase, at: fc.constant('2024-05-01') })
const strangers = fc.array(fc.record({ from: word, subject: phrase, body: phrase }), { minLength: 1, maxLength: 3 })
const observation: fc.Arbitrary<readonly [Flow, Json]> = fc.oneof(
  fc.tuple(fc.constant(readMail), fc.array(mail, { maxLength: 3 })),
  fc.tuple(fc.constant(readDirectory), fc.array(fc.record({ name: phrase, address: word }), { maxLength: 3 })),
  fc.tuple(fc.constant(readBooks), fc.array(fc.record({ id, payee: word, amount: id, about: phrase }), { maxLength: 3 })),
  fc.tuple(fc.constant(readChat), fc.array(phrase, { maxLength: 3 })),
)
const call = fc.record(
  {
    to: fc.array(word, { maxLength: 3 }),
    id,
    amount: id,
    at: fc.constant('2024-05-01'),
    body: phrase,
    urgent: fc.boolean(),
    secret: word,
  },
  { requiredKeys: [] },
)

function see(context: FlowContext, seen: readonly (readonly [Flow, Json])[]): FlowContext {
  return seen.reduce((c, [flow, output]) => observe(c, { source: `s${JSON.stringify(output).length}`, output, flow }), context)
}

/** How trusting a set of facts is, fact by fact; larger trusts more. `none` is not comparable and never changes. */
function trustOf(facts: FlowFacts): readonly number[] {
  const rank = (words: readonly string[], fact: string) => words.indexOf(fact)
  return [
    facts.tainted ? 0 : 1,
    facts.readable ? 1 : 0,
    rank(FLOW_WORDS.sinks, facts.sinks),
    rank(FLOW_WORDS.values, facts.values),
    rank(FLOW_WORDS.amounts, facts.amounts),
    rank(FLOW_WORDS.text, facts.text),
    -facts.ungrounded.length,
  ]
}

describe('labels', () => {
  test('law: evidence that is joined finds what it finds one by one', () => {
    fc.assert(
      fc.property(
        phrase,
        fc.array(observation, { minLength: 16, maxLength: 40 }),
        call,
        fc.nat(40),
        (task, seen, args, forgotten) => {
          const whole = see(openFlow([task]), seen)
          const context = { ...whole, seen: whole.seen.slice(forgotten) }
          const apart = { ...context, seen: context.seen.map((each, i) => ({ ...each, n: i * 100 })) }
          expect(sending(context, args)).toEqual(sending(apart, args))
        },
      ),
      { numRuns: 60 },
    )
  })

  test('law: they only rise', () => {
    fc.assert(
      fc.property(phrase, fc.array(observation, { maxLength: 5 }), observation, (task, seen, one) => {
        const before = see(openFlow([task]), seen)
        const after = see(before, [one])
        expect(after.tainted || !before.tainted).toBe(true)
        for (const source of before.sources) expect(after.sources).toContain(source)
        for (const set of before.readers) expect(after.readers).toContainEqual(set)
      }),
    )
  })

  test('law: the order of observations does not matter', () => {
    fc.assert(
      fc.property(phrase, fc.array(observation, { maxLength: 5 }), call, (task, seen, args) => {
        const there = see(openFlow([task]), seen)
        const back = see(openFlow([task]), seen.toReversed())
        expect(sending(back, args)).toEqual(sending(there, args))
        expect(back.readers).toEqual(there.readers)
      }),
    )
  })

  test('law: what a stranger writes never makes anything more trusted', () => {
    fc.assert(
      fc.property(phrase, fc.array(observation, { maxLength: 4 }), strangers, call, (task, seen, output, args) => {
        const before = see(openFlow([task]), seen)
        const after = observe(before, { source: 'stranger', output, flow: readMail })
        const [was, is] = [trustOf(sending(before, args)), trustOf(sending(after, args))]
        for (const [i, trust] of is.entries()) expect(trust).toBeLessThanOrEqual(was[i] ?? 0)
      }),
      { numRuns: 500 },
    )
  })

  test('law: no text and no secret is ever endorsed by what was read, only by the task', () => {
    const unlisted = observation.filter(([flow]) => flow !== readDirectory)
    fc.assert(
      fc.property(fc.array(unlisted, { maxLength: 4 }), strangers, (seen, output) => {
        const context = see(observe(openFlow(['do it']), { source: 'x', output, flow: readMail }), seen)
        for (const { body } of output) expect(sending(context, { body }).text).not.toBe('task')
        expect(sending(context, { secret: 'hello' }).values).toBe('free')
      }),
    )
  })
})

const value = fc.constantFrom('a', 'ab', 'abc', 'b')
const constraint: fc.Arbitrary<Constraint> = fc.oneof(
  value.map((v) => ({ kind: 'exact', value: v }) as const),
  fc.array(value, { minLength: 1, maxLength: 3 }).map((values) => ({ kind: 'enum', values }) as const),
  fc.constantFrom('', 'a', 'ab').map((prefix) => ({ kind: 'prefix', prefix }) as const),
  fc.tuple(fc.nat(5), fc.nat(5)).map(([min, max]) => ({ kind: 'range', min, max }) as const),
  fc.constant({ kind: 'trusted' } as const),
)
const maybe = (max: number) => fc.option(fc.nat(max), { nil: null })
const grant: fc.Arbitrary<Grant> = fc.record({
  id: fc.constantFrom('g1', 'g2'),
  operation: fc.constantFrom('mail.send', 'mail.read'),
  arguments: fc.dictionary(fc.constantFrom('/x', '/y'), constraint, { maxKeys: 2 }),
  maxCalls: maybe(3),
  notAfterMs: maybe(3),
  environment: fc.constantFrom(null, 'test', 'live'),
  budget: fc.option(
    fc.nat(5).map((max) => ({ pointer: '/n', max })),
    { nil: null },
  ),
})
const granted = fc.record({
  operation: fc.constantFrom('mail.send', 'mail.read'),
  arguments: fc.record({ x: fc.oneof(value, fc.nat(6)), y: value, n: fc.nat(6) }, { requiredKeys: [] }),
  environment: fc.constantFrom('test', 'live'),
  nowMs: fc.nat(4),
  trusted: fc.boolean().map((yes) => () => yes),
})

function contextWith(grants: readonly Grant[]): FlowContext {
  const minted = mintGrants(openFlow(['x']), grants)
  if (minted.kind !== 'minted') throw new Error(minted.why)
  return minted.context
}

describe('grants', () => {
  test('law: what a narrower grant allows, the wider one allows', () => {
    fc.assert(
      fc.property(grant, grant, fc.array(granted, { maxLength: 4 }), (narrow, wide, calls) => {
        fc.pre(isWithin(narrow, wide))
        let [a, b] = [contextWith([narrow]), contextWith([wide])]
        for (const each of calls) {
          if (grantOf(a, each) === 'within') expect(grantOf(b, each)).toBe('within')
          else continue
          a = spendGrant(a, each)
          b = spendGrant(b, each)
        }
      }),
      { numRuns: 300 },
    )
  })
  test('a grant lies within itself, and dropping a limit widens it', () => {
    fc.assert(
      fc.property(grant, (one) => {
        expect(isWithin(one, one)).toBe(true)
        const { id, operation } = one
        const free: Grant = { id, operation, arguments: {}, maxCalls: null, notAfterMs: null, environment: null, budget: null }
        expect(isWithin(one, free)).toBe(true)
        if (JSON.stringify(one) !== JSON.stringify(free)) expect(isWithin(free, one)).toBe(false)
      }),
    )
  })
  test('a plan made after something untrusted was read is refused, a person may stand for it', () => {
    const plan: readonly Grant[] = [
      { id: 'g', operation: 'mail.send', arguments: {}, maxCalls: 1, notAfterMs: null, environment: null, budget: null },
    ]
    const context = observe(openFlow(['x']), { source: 'x', output: ['hello'], flow: readChat })
    expect(mintGrants(context, plan)).toEqual({ kind: 'refused', why: 'tainted' })
    expect(mintGrants(context, plan, 'person').kind).toBe('minted')
  })
  test('a second plan lies within the first, and a sub-agent gets a part', () => {
    const wide: Grant = {
      id: 'g',
      operation: 'mail.send',
      arguments: {},
      maxCalls: 2,
      notAfterMs: null,
      environment: null,
      budget: null,
    }
    const context = contextWith([wide])
    expect(mintGrants(context, [{ ...wide, maxCalls: 3 }])).toEqual({ kind: 'refused', why: 'wider' })
    expect(mintGrants(context, [{ ...wide, maxCalls: 1 }]).kind).toBe('minted')
    expect(attenuateGrants([wide], [{ ...wide, operation: 'mail.read' }])).toBeUndefined()
    expect(attenuateGrants([wide], [{ ...wide, arguments: { '/x': { kind: 'exact', value: 'a' } } }])).toHaveLength(1)
  })
  test('calls, money and time run out', () => {
    const one: Grant = {
      id: 'g',
      operation: 'pay',
      arguments: {},
      maxCalls: 2,
      notAfterMs: 10,
      environment: null,
      budget: { pointer: '/n', max: 5 },
    }
    const pay = (n: Json, nowMs = 0) => ({ operation: 'pay', arguments: { n }, environment: 'test', nowMs, trusted: () => true })
    let context = contextWith([one])
    expect(grantOf(context, pay(6))).toBe('exceeded')
    expect(grantOf(context, pay(-1))).toBe('exceeded')
    expect(grantOf(context, pay('1'))).toBe('exceeded')
    expect(grantOf(context, pay(1, 11))).toBe('exceeded')
    context = spendGrant(context, pay(4))
    expect([grantOf(context, pay(2)), grantOf(context, pay(1))]).toEqual(['exceeded', 'within'])
    context = spendGrant(context, pay(1))
    expect(grantOf(context, pay(0))).toBe('exceeded')
    expect(grantOf(context, { ...pay(1), operation: 'read' })).toBe('outside')
    expect(grantOf(openFlow(['x']), pay(1))).toBe('none')
  })
})
