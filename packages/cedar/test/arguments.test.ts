import { type Json, type JsonObject, resolveVerdict } from '@tidegate/kernel'
import { z } from 'zod'
import { describe, expect, test } from 'vitest'
import { argumentsType, createCedarEngine, createOracleEngine, generateSchema, sampleArguments } from '../src/index.ts'
import { inputOf, requestOf } from './desk.ts'

/** A type in short: `text(a|b)`, `{name?: long}`. */
function short(type: ReturnType<typeof argumentsType>['members'][string]['type']): string {
  if (type.kind === 'text' && type.words !== undefined) return `text(${type.words.join('|')})`
  if (type.kind === 'set') return `set of ${short(type.element)}`
  if (type.kind !== 'record') return type.kind
  return `{${Object.entries(type.members)
    .map(([name, { type: member, required }]) => `${name}${required ? '' : '?'}: ${short(member)}`)
    .join(', ')}}`
}

const item = z.strictObject({ id: z.string() })
const shapes: readonly (readonly [why: string, input: z.ZodObject, type: string])[] = [
  ['nothing', z.strictObject({}), '{}'],
  [
    'texts, also with a pattern or a format',
    z.strictObject({ a: z.string().regex(/^x/), b: z.email().optional() }),
    '{a: text, b?: text}',
  ],
  [
    'whole numbers, other numbers, booleans',
    z.strictObject({ a: z.int(), b: z.number(), c: z.boolean() }),
    '{a: long, b: decimal, c: flag}',
  ],
  ['enumerations and literals', z.strictObject({ a: z.enum(['y', 'x']), b: z.literal('z') }), '{a: text(x|y), b: text(z)}'],
  [
    'lists of scalars',
    z.strictObject({ a: z.array(z.string()), b: z.array(z.enum(['x'])).optional() }),
    '{a: set of text, b?: set of text(x)}',
  ],
  ['records', z.strictObject({ a: z.strictObject({ b: z.int().optional() }).optional() }), '{a?: {b?: long}}'],
  ['a default may be missing from a proposal', z.strictObject({ a: z.int().default(3) }), '{a?: long}'],
  ['what may be null may be missing', z.strictObject({ a: z.int().nullable(), b: z.string().nullish() }), '{a?: long, b?: text}'],
  ['a shape that is used twice', z.strictObject({ a: item, b: item }), '{a: {id: text}, b: {id: text}}'],
  ['a union has no type', z.strictObject({ a: z.union([z.string(), z.int()]), b: z.int() }), '{b: long}'],
  [
    'nor has a union of objects',
    z.strictObject({
      a: z.discriminatedUnion('k', [z.strictObject({ k: z.literal('x') }), z.strictObject({ k: z.literal('y') })]),
    }),
    '{}',
  ],
  [
    'nor a list of objects, of lists or of what may be null',
    z.strictObject({ a: z.array(item), b: z.array(z.array(z.int())), c: z.array(z.int().nullable()) }),
    '{}',
  ],
  ['nor a tuple', z.strictObject({ a: z.tuple([z.string(), z.int()]) }), '{}'],
  ['nor an object with free keys', z.strictObject({ a: z.record(z.string(), z.int()), b: z.json() }), '{}'],
  ['nor an enumeration of numbers', z.strictObject({ a: z.literal([1, 2]) }), '{}'],
]
test.each(shapes)('%s', (_why, input, type) => {
  expect(short(argumentsType(z.toJSONSchema(input, { io: 'input' }) as JsonObject))).toBe(type)
})

describe('schemas that are not ours', () => {
  test.each<[string, JsonObject, string]>([
    ['a type that may be null', inputOf({ a: { type: ['integer', 'null'] } }, ['a']).jsonSchema, '{a?: long}'],
    ['two types', inputOf({ a: { type: ['integer', 'string'] } }).jsonSchema, '{}'],
    [
      'names that Cedar or JavaScript reads otherwise',
      inputOf({ __entity: { type: 'string' }, __extn: { type: 'string' }, a: { type: 'string' } }).jsonSchema,
      '{a?: text}',
    ],
    ['a reference to itself', { $ref: '#' }, '{}'],
    ['a reference to nowhere', inputOf({ a: { $ref: '#/$defs/none' }, b: { $ref: 'elsewhere.json' } }).jsonSchema, '{}'],
    ['all of', inputOf({ a: { allOf: [{ type: 'string' }] } }).jsonSchema, '{}'],
    ['no object', { type: 'string' }, '{}'],
    ['nothing at all', {}, '{}'],
  ])('%s', (_why, schema, type) => {
    expect(short(argumentsType(schema))).toBe(type)
  })

  test('and do not nest without end', () => {
    const deep = Array.from({ length: 40 }).reduce<JsonObject>((inner) => inputOf({ a: inner }).jsonSchema, { type: 'string' })
    expect(short(argumentsType(deep))).toBe('{a?: {a?: {a?: {a?: {a?: {}}}}}}'.replace('{a?: {}}', '{a?: {}}'))
    const loop: JsonObject = { ...inputOf({ a: { $ref: '#' } }).jsonSchema }
    expect(short(argumentsType(loop)).length).toBeLessThan(100)
  })
})

const properties = {
  whole: { type: 'integer' },
  number: { type: 'number' },
  flag: { type: 'boolean' },
  text: { type: 'string' },
  currency: { type: 'string', enum: ['EUR', 'USD'] },
  tags: { type: 'array', items: { type: 'string' } },
  rates: { type: 'array', items: { type: 'number' } },
  none: { type: ['string', 'null'] },
  to: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'], additionalProperties: false },
}
const schema = generateSchema(
  [
    { id: 'desk.ticket.read', tool: 'desk', input: inputOf(properties) },
    { id: 'desk.pay', tool: 'desk', input: inputOf({ whole: { type: 'integer' }, account: { type: 'string' } }, ['whole']) },
  ],
  [{ name: 'refunds', agent: 'triage' }],
)

/** What becomes of an action with these arguments if it is permitted only under a condition. */
function ask(condition: string, args: JsonObject, operation = 'desk.ticket.read'): string {
  const text = `@id("p") permit (principal, action == Action::"${operation}", resource) when { ${condition} };`
  const engines = [createCedarEngine, createOracleEngine].map((create) =>
    create({ policies: [{ file: 'p.cedar', text }], schema }),
  )
  const [compiled, oracle] = engines.map((engine) => engine.evaluate(requestOf({ arguments: args }, { operation })))
  expect(compiled).toEqual(oracle)
  const { outcome, policies } = resolveVerdict(compiled ?? { kind: 'unmatched' }, 'v')
  return outcome === 'allow' ? 'allow' : `deny ${policies[0]?.id === 'tidegate:policy-error' ? policies[0].reason : ''}`
}

describe('policies see arguments as they are', () => {
  test.each<[string, JsonObject]>([
    ['context.arguments has whole && context.arguments.whole == 9007199254740991', { whole: Number.MAX_SAFE_INTEGER }],
    ['context.arguments has number && context.arguments.number == decimal("0.3")', { number: 0.3 }],
    ['context.arguments has number && context.arguments.number.greaterThan(decimal("-1.2346"))', { number: -1.2345 }],
    ['context.arguments has number && context.arguments.number == decimal("12.0")', { number: 12 }],
    ['context.arguments has number && context.arguments.number == decimal("0.0")', { number: -0 }],
    ['context.arguments has number && context.arguments.number == decimal("922337203685476.0")', { number: 922_337_203_685_476 }],
    ['context.arguments has flag && !context.arguments.flag', { flag: false }],
    ['context.arguments has text && context.arguments.text like "a*"', { text: 'a"\\\u{1F642}' }],
    ['context.arguments has currency && context.arguments.currency == "EUR"', { currency: 'EUR' }],
    ['context.arguments has tags && context.arguments.tags == ["b", "a"]', { tags: ['a', 'b', 'a'] }],
    ['context.arguments has rates && context.arguments.rates.contains(decimal("0.5"))', { rates: [1, 0.5] }],
    ['context.arguments has to && context.arguments.to.name == "Aoife"', { to: { name: 'Aoife' } }],
    ['!(context.arguments has none)', { none: null }],
    ['!(context.arguments has whole)', { undeclared: 7 }],
  ])('%s', (condition, args) => {
    expect(ask(condition, args)).toBe('allow')
    expect(ask(`!(${condition})`, args)).toBe('deny ')
  })
})

describe('an argument that does not fit is refused, by its name and not its value', () => {
  test.each<[name: string, value: Json, wanted: RegExp]>([
    ['whole', 1.5, /^the argument whole is not a whole number/],
    ['whole', 2 ** 53, /whole number/],
    ['whole', '7', /whole number/],
    ['whole', null, /whole number/],
    ['number', 0.12345, /^the argument number is not a number that policies can compare \(four digits/],
    ['number', 1e-7, /four digits/],
    ['number', 1e21, /four digits/],
    ['number', 922_337_203_685_477, /four digits/],
    ['number', '7', /four digits/],
    ['flag', 1, /^the argument flag is not true or false/],
    ['text', 7, /^the argument text is not a text/],
    ['text', { __extn: { fn: 'ip', arg: '127.0.0.1' } }, /a text/],
    ['tags', 'a', /^the argument tags is not a list/],
    ['tags', ['a', 7], /^the argument tags is not a text/],
    ['rates', [0.12345], /four digits/],
    ['to', 'Aoife', /^the argument to is not an object/],
    ['to', {}, /^the argument to.name is not there/],
    ['to', { name: 7 }, /^the argument to.name is not a text/],
  ])('%s: %j', (name, value, wanted) => {
    const answer = ask('true', { [name]: value })
    expect(answer).toMatch(/^deny /)
    expect(answer.slice(5)).toMatch(wanted)
  })

  test('and one that is required and missing', () => {
    expect(ask('true', {}, 'desk.pay')).toBe('deny the argument whole is not there')
    expect(ask('context.arguments.whole > 0', { whole: 1 }, 'desk.pay')).toBe('allow')
  })
})

test('samples are what policies can look at', () => {
  for (const type of Object.values(schema.arguments)) expect(() => sampleArguments(type)).not.toThrow()
  expect(sampleArguments(schema.arguments['desk.pay'] ?? { kind: 'record', members: {} })).toEqual({ whole: 0 })
})
