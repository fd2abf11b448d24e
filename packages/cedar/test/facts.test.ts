import type { PolicyContext } from '@tidegate/kernel'
import { expect, test } from 'vitest'
import { createCedarEngine, createOracleEngine, generateSchema } from '../src/index.ts'
import { type CedarType, factTypes } from '../src/schema.ts'
import { operations, PERMIT, requestOf } from './desk.ts'

const meters = ['refunds_today', 'run_steps']
const schema = generateSchema(operations, [{ name: 'refunds', agent: 'triage' }], { meters })
const policies = [{ file: 'p.cedar', text: PERMIT }]
const engines = [createCedarEngine({ policies, schema }), createOracleEngine({ policies, schema })]
const METERS = { meters: { refunds_today: 1, run_steps: 2 } }

/** Every fact of the schema, with the way to it and an expression that is true of any of its values. */
function* factsOf(
  types: Readonly<Record<string, CedarType>>,
  path: readonly string[] = [],
): Generator<readonly [string, string]> {
  for (const [name, type] of Object.entries(types)) {
    const at = [...path, name]
    const value = `context.${at.join('.')}`
    if (type.type === 'Record') yield* factsOf(type.attributes, at)
    else yield [at.join('.'), `${value} == ${value}`]
  }
}
const facts = [...factsOf(factTypes(meters))]

/** Where a request keeps a fact, when it is not at the same place of its context. */
const PLACES: Readonly<Record<string, string>> = { now: 'time.nowMs', hour: 'time.hour', weekday: 'time.weekday' }

function setAt(owner: object, [name = '', ...rest]: readonly string[], value: unknown): object {
  const kept = (owner as Readonly<Record<string, unknown>>)[name]
  return { ...owner, [name]: rest.length === 0 ? value : setAt(kept as object, rest, value) }
}

function breakFact(fact: string, value: unknown) {
  const request = requestOf(METERS)
  if (Object.hasOwn(request, fact)) return { ...request, [fact]: value }
  const context = setAt(request.context, (PLACES[fact] ?? fact).split('.'), value)
  return { ...request, context: context as PolicyContext }
}

test('there are the eight dimensions and more', () => {
  expect(facts.map(([fact]) => fact)).toEqual(
    expect.arrayContaining([
      ...[
        'user',
        'client',
        'actors',
        'roles',
        'workflow',
        'dataClass',
        'blastRadius',
        'records',
        'nature',
        'reversible',
        'confidence',
      ],
      ...[
        'confidences.extraction',
        'environment',
        'stage',
        'now',
        'hour',
        'weekday',
        'meters.refunds_today',
        'attempts',
        'origins',
      ],
      ...['flow.tainted', 'flow.sinks', 'approvals'],
    ]),
  )
})

test.each(facts)('%s is there, and can be spoken of', (_fact, condition) => {
  const text = `@id("p") permit (principal, action, resource) when { ${condition} };`
  for (const create of [createCedarEngine, createOracleEngine]) {
    expect(create({ policies: [{ file: 'p.cedar', text }], schema }).evaluate(requestOf(METERS))).toMatchObject({
      kind: 'permitted',
    })
  }
})

test.each(facts)('%s is refused when it is missing or of another type, whether a policy reads it or not', (fact) => {
  for (const wrong of [undefined, null, { a: 1 }, 0.5]) {
    for (const engine of engines) expect(engine.evaluate(breakFact(fact, wrong))).toMatchObject({ kind: 'broken' })
  }
})

test('a list of facts is a list of texts', () => {
  for (const name of ['nature', 'actors', 'roles', 'origins', 'approvals', 'flow.sources', 'flow.ungrounded']) {
    for (const engine of engines) expect([name, engine.evaluate(breakFact(name, [7])).kind]).toEqual([name, 'broken'])
  }
})

test('a meter that is not declared is not seen, and a misspelt one does not load', () => {
  for (const engine of engines) {
    expect(engine.evaluate(requestOf({ meters: { ...METERS.meters, more: 1 } })).kind).toBe('permitted')
  }
  const text = '@id("p") permit (principal, action, resource) when { context.meters.refunds_todya < 5 };'
  expect(() => createCedarEngine({ policies: [{ file: 'p.cedar', text }], schema })).toThrow(/p.cedar:1:54: .*did you mean/)
})

test.each([
  ['context.nature.contains("finacial")', /did you mean "financial"/],
  ['context.flow.sinks == "name"', /did you mean "named"/],
  ['context.roles.contains("billing-led")', /did you mean "billing-lead"/],
  ['context.arguments has currency && context.arguments.currency == "EURO"', /did you mean "EUR"/],
])('a word that never is does not load: %s', (condition, message) => {
  const currency = { jsonSchema: { type: 'object', properties: { currency: { enum: ['EUR', 'USD'] } } } }
  const known = generateSchema([{ id: 'desk.pay', tool: 'desk', input: currency }], [], { roles: ['billing-lead'] })
  const text = `@id("p") permit (principal, action, resource) when { ${condition} };`
  expect(() => createCedarEngine({ policies: [{ file: 'p.cedar', text }], schema: known })).toThrow(message)
})
