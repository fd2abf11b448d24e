import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FLOW_WORDS, NEUTRAL_FACTS, NO_FLOW, type ObservedFacts, packFacts, unpackFacts } from '../src/index.ts'

const flow = fc.record({
  tainted: fc.boolean(),
  sources: fc.array(fc.string()),
  egress: fc.constantFrom(...FLOW_WORDS.egress),
  sinks: fc.constantFrom(...FLOW_WORDS.sinks),
  values: fc.constantFrom(...FLOW_WORDS.values),
  amounts: fc.constantFrom(...FLOW_WORDS.amounts),
  text: fc.constantFrom(...FLOW_WORDS.text),
  grant: fc.constantFrom(...FLOW_WORDS.grant),
  readable: fc.boolean(),
  ungrounded: fc.array(fc.string()),
  declared: fc.boolean(),
})
const facts: fc.Arbitrary<ObservedFacts> = fc.record({
  actors: fc.array(fc.string()),
  roles: fc.array(fc.string()),
  records: fc.nat(),
  confidence: fc.nat(10_000),
  confidences: fc.record({ classification: fc.nat(10_000), retrieval: fc.nat(10_000), extraction: fc.nat(10_000) }),
  attempts: fc.nat(9),
  time: fc.record({ nowMs: fc.nat(), hour: fc.nat(23), weekday: fc.integer({ min: 1, max: 7 }) }),
  meters: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.integer({ min: 1, max: 99 }), { noNullPrototype: true }),
  origins: fc.uniqueArray(fc.constantFrom('user', 'system', 'third-party')),
  flow,
  compensating: fc.boolean(),
  mode: fc.constantFrom('live', 'dry_run'),
  approvals: fc.array(fc.string()),
})

describe('recorded facts', () => {
  test('law: what was observed comes back as it was', () => {
    fc.assert(
      fc.property(facts, (observed) => {
        expect(unpackFacts(packFacts(observed), observed)).toEqual(observed)
      }),
    )
  })

  test('an action about which there is nothing to say costs its time alone', () => {
    const packed = packFacts({ ...NEUTRAL_FACTS, time: { nowMs: 5, hour: 1, weekday: 2 } })
    expect(packed).toEqual({ at: [5, 1, 2] })
  })

  test('a meter that shows nothing, and labels that say nothing, are left out', () => {
    const time = { nowMs: 5, hour: 1, weekday: 2 }
    const packed = packFacts({ ...NEUTRAL_FACTS, time, meters: { a: 0, b: 3 }, flow: { ...NO_FLOW, tainted: true } })
    expect(packed).toEqual({ at: [5, 1, 2], meters: { b: 3 }, flow: { tainted: true } })
  })
})
