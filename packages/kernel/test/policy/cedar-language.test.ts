import {
  CedarDatetime,
  CedarSet,
  type CedarRecord,
  callConstructor,
  compilePolicies,
  createEntities,
  entityUid,
  expressionText,
  KernelError,
  longOf,
  matchPolicies,
} from '@tidegate/kernel'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ANY, asking, both, context, outcomeOf, permitWhen, value } from './cedar-request.ts'

const MAX = 9_223_372_036_854_775_807n
const MIN = -9_223_372_036_854_775_808n
const user = (id: string) => ({ Value: { __entity: { type: 'User', id } } })
const failing = both('+', value(1), value('a'))
const TYPE = 'type: type error: expected'

describe('whole numbers', () => {
  const long = fc.bigInt({ min: MIN, max: MAX })
  const near = fc.constantFrom(0n, 1n, -1n, 2n ** 53n - 1n, 2n ** 53n, -(2n ** 53n), 3_037_000_500n, MAX, MIN)
  const operators = {
    '+': (a: bigint, b: bigint) => a + b,
    '-': (a: bigint, b: bigint) => a - b,
    '*': (a: bigint, b: bigint) => a * b,
  }

  test('are exact over all 64 bits, and fail past them', () => {
    fc.assert(
      fc.property(fc.oneof(long, near), fc.oneof(long, near), fc.constantFrom('+', '-', '*'), (a, b, operator) => {
        const result = operators[operator](a, b)
        const body = both('==', both(operator, context('a'), value(b)), value(longOf(result) ?? 0))
        const outcome = outcomeOf(body, { a })
        if (longOf(result) === undefined) expect(outcome).toMatch(/^overflow: integer overflow while attempting to /)
        else expect(outcome).toBe('yes')
      }),
    )
  })

  test('compare as integers do', () => {
    fc.assert(
      fc.property(fc.oneof(long, near), fc.oneof(long, near), (a, b) => {
        const yes = (holds: boolean) => (holds ? 'yes' : 'no')
        expect(outcomeOf(both('<', context('a'), context('b')), { a, b })).toBe(yes(a < b))
        expect(outcomeOf(both('<=', context('a'), value(b)), { a })).toBe(yes(a <= b))
        expect(outcomeOf(both('>', context('a'), value(b)), { a })).toBe(yes(a > b))
        expect(outcomeOf(both('>=', context('a'), context('b')), { a, b })).toBe(yes(a >= b))
        expect(outcomeOf(both('==', context('a'), value(b)), { a })).toBe(yes(a === b))
      }),
    )
  })

  test.each([
    [{ neg: { arg: value(MIN) } }, 'overflow: integer overflow while attempting to negate the value `-9223372036854775808`'],
    [
      both('-', value(MIN), value(1)),
      'overflow: integer overflow while attempting to subtract the values `-9223372036854775808` and `1`',
    ],
    [
      both('*', value(MAX), value(2)),
      'overflow: integer overflow while attempting to multiply the values `9223372036854775807` and `2`',
    ],
  ])('an overflow in words', (body, words) => expect(outcomeOf(both('==', body, value(1)))).toBe(words))
})

describe('what is not reached does not fail', () => {
  test.each([
    ['and', both('&&', value(false), failing), 'no'],
    ['or', both('||', value(true), failing), 'yes'],
    // biome-ignore lint/suspicious/noThenProperty: it is Cedar's name for the branch
    ['the other branch', { 'if-then-else': { if: value(true), then: value(true), else: failing } }, 'yes'],
    ['a longer chain', both('&&', both('&&', value(true), value(false)), failing), 'no'],
    ['has a.b', { has: { left: { Var: 'context' }, attr: ['a', 'b'] } }, 'no'],
    ['is ... in', { is: { left: user('a'), entity_type: 'Doc', in: failing } }, 'no'],
  ])('%s', (_what, body, outcome) => expect(outcomeOf(body)).toBe(outcome))

  test.each([
    ['and, reached', both('&&', value(true), failing), `${TYPE} long, got string`],
    ['or, reached', both('||', value(false), failing), `${TYPE} long, got string`],
    [
      'a set is evaluated whole',
      { contains: { left: { Set: [value(1), failing] }, right: value(1) } },
      `${TYPE} long, got string`,
    ],
    ['both sides of ==', both('==', value(1), failing), `${TYPE} long, got string`],
    ['the last of a chain must be a boolean too', both('&&', value(true), value(1)), `${TYPE} bool, got long`],
    ['a condition must be a boolean', value(1), `${TYPE} bool, got long`],
  ])('%s', (_what, body, outcome) => expect(outcomeOf(body)).toBe(outcome))
})

describe('equality', () => {
  test.each([
    ['1 and true', value(1), value(true), 'no'],
    ['1 and "1"', value(1), value('1'), 'no'],
    ['[] and {}', { Set: [] }, { Record: {} }, 'no'],
    ['[1, 2] and [2, 1, 1]', value([1, 2]), value([2, 1, 1]), 'yes'],
    ['[[1], [2, 3]] and [[3, 2], [1]]', value([[1], [2, 3]]), value([[3, 2], [1]]), 'yes'],
    ['[1] and [true]', value([1]), value([true]), 'no'],
    ['{a: 1, b: [2]} and {b: [2], a: 1}', value({ a: 1, b: [2] }), value({ b: [2], a: 1 }), 'yes'],
    ['{a: 1} and {a: 1, b: 1}', value({ a: 1 }), value({ a: 1, b: 1 }), 'no'],
    ['entities of one id and two types', user('a'), { Value: { __entity: { type: 'Doc', id: 'a' } } }, 'no'],
    ['a set of strings and one of entities', value(['a']), { Set: [user('a')] }, 'no'],
    ['sets of records', { Set: [value({ a: 1 }), value({ a: 2 })] }, { Set: [value({ a: 2 }), value({ a: 1 })] }, 'yes'],
    ['decimal 1.0 and 1', { decimal: [value('1.0')] }, value(1), 'no'],
  ])('%s', (_what, left, right, outcome) => {
    expect(outcomeOf(both('==', left, right))).toBe(outcome)
    expect(outcomeOf(both('==', right, left))).toBe(outcome)
    expect(outcomeOf(both('!=', left, right))).toBe(outcome === 'yes' ? 'no' : 'yes')
  })

  test('a set tells its elements apart by value, whatever they are', () => {
    const json: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
      json: fc.oneof(
        fc.constantFrom('', 's', 'l1;', 'b', 'true', '\u0000'),
        fc.integer(),
        fc.boolean(),
        fc.array(tie('json'), { maxLength: 3 }),
      ),
    })).json
    fc.assert(
      fc.property(json, json, (a, b) => {
        const isSame = outcomeOf(both('==', value(a), value(b)))
        expect(outcomeOf(both('contains', { Set: [value(a), value([])] }, value(b)))).toBe(
          isSame === 'yes' || JSON.stringify(b) === '[]' ? 'yes' : 'no',
        )
        expect(outcomeOf(both('==', { Set: [value(a)] }, { Set: [value(b), value(a)] }))).toBe(isSame)
      }),
    )
  })
})

describe('sets', () => {
  const plain = { roles: ['a', 'b'], mixed: ['a', 1, true], nested: [['a'], { b: 1 }], none: [] }
  test.each([
    ['contains', both('contains', context('roles'), value('b')), 'yes'],
    ['contains, another type', both('contains', context('roles'), value(1)), 'no'],
    ['contains, mixed', both('contains', context('mixed'), value(true)), 'yes'],
    ['contains, a set', both('contains', context('nested'), value(['a'])), 'yes'],
    ['contains, a record', both('contains', context('nested'), value({ b: 1 })), 'yes'],
    ['containsAll', both('containsAll', context('mixed'), value([true, 'a'])), 'yes'],
    ['containsAll of none', both('containsAll', context('none'), value([])), 'yes'],
    ['containsAll, not all', both('containsAll', context('roles'), value(['a', 'c'])), 'no'],
    ['containsAny', both('containsAny', context('roles'), value(['z', 'b'])), 'yes'],
    ['containsAny of none', both('containsAny', context('roles'), value([])), 'no'],
    ['isEmpty', { isEmpty: { arg: context('none') } }, 'yes'],
    ['contains on a record', both('contains', { Var: 'context' }, value(1)), `${TYPE} set, got record`],
    ['containsAll with a string', both('containsAll', context('roles'), value('a')), `${TYPE} set, got string`],
  ])('%s', (_what, body, outcome) => {
    expect(outcomeOf(body, plain)).toBe(outcome)
    const decoded = Object.fromEntries(Object.entries(plain).map(([name, list]) => [name, new CedarSet(list)]))
    expect(outcomeOf(body, decoded)).toBe(outcome)
  })
})

describe('attributes', () => {
  const ann = entityUid('User', 'ann')
  const entities = createEntities([{ uid: ann, attrs: { age: 7, self: ann }, parents: [], tags: { color: 'red' } }])
  const principal = { Var: 'principal' }
  test.each([
    ['of an entity', both('==', { '.': { left: principal, attr: 'age' } }, value(7)), 'yes'],
    [
      'through an entity',
      both('==', { '.': { left: { '.': { left: principal, attr: 'self' } }, attr: 'age' } }, value(7)),
      'yes',
    ],
    [
      'absent',
      { '.': { left: principal, attr: 'x' } },
      'entity_attribute_missing: `User::"ann"` does not have the attribute `x`',
    ],
    ['of nobody', { '.': { left: user('bob'), attr: 'x' } }, 'entity_missing: entity `User::"bob"` does not exist'],
    [
      'of a number',
      { '.': { left: value(1), attr: 'x' } },
      `${TYPE} one of [record, (entity of type \`any_entity_type\`)], got long`,
    ],
    ['has', { has: { left: principal, attr: 'age' } }, 'yes'],
    ['nobody has', { has: { left: user('bob'), attr: 'age' } }, 'no'],
    ['has a.b', { has: { left: principal, attr: ['self', 'age'] } }, 'yes'],
    [
      'has on a number',
      { has: { left: value(1), attr: 'x' } },
      `${TYPE} one of [record, (entity of type \`any_entity_type\`)], got long`,
    ],
    ['a tag', both('==', both('getTag', principal, value('color')), value('red')), 'yes'],
    ['an absent tag', both('getTag', principal, value('x')), 'tag_missing: `User::"ann"` does not have the tag `x`'],
    ['a tag of nobody', both('getTag', user('bob'), value('x')), 'entity_missing: entity `User::"bob"` does not exist'],
    ['has a tag', both('hasTag', principal, value('color')), 'yes'],
    ['nobody has a tag', both('hasTag', user('bob'), value('color')), 'no'],
    ['a tag by number', both('hasTag', principal, value(1)), `${TYPE} string, got long`],
  ])('%s', (_what, body, outcome) => expect(outcomeOf(body, {}, entities)).toBe(outcome))

  test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])('%s is there only when it was given', (attr) => {
    expect(outcomeOf({ has: { left: { Var: 'context' }, attr } })).toBe('no')
    expect(outcomeOf(context(attr))).toBe(`record_attribute_missing: record does not have the attribute \`${attr}\``)
    expect(outcomeOf(both('==', context(attr), value(1)), Object.fromEntries([[attr, 1]]))).toBe('yes')
    expect(outcomeOf(both('hasTag', principal, value(attr)), {}, entities)).toBe('no')
  })
})

describe('values that Cedar does not have fail when they are read, and only then', () => {
  const strange = (thing: unknown): CedarRecord => ({ fine: 1, strange: thing as never })
  test.each([0.5, Number.NaN, 2 ** 60, null, 10n ** 30n, () => 1, Symbol('x')])('%s', (thing) => {
    expect(outcomeOf(both('==', context('strange'), value(1)), strange(thing))).toMatch(/^invalid_value: /)
    expect(outcomeOf(both('==', { Set: [context('strange')] }, value([1])), strange(thing))).toMatch(/^invalid_value: /)
    expect(outcomeOf(both('containsAll', context('strange'), value([1])), strange([1, thing]))).not.toBe('no')
    expect(outcomeOf(both('==', context('strange'), value([1])), strange([thing]))).toMatch(/^invalid_value: /)
    for (const operator of ['<', '<=', '>', '>=', '+', '==', '!=']) {
      expect(outcomeOf(both(operator, context('strange'), value(0)), strange(thing))).toMatch(/^invalid_value: /)
      expect(outcomeOf(both(operator, value(0), context('strange')), strange(thing))).toMatch(/^invalid_value: /)
    }
    expect(outcomeOf(both('&&', context('strange'), value(true)), strange(thing))).toMatch(/^invalid_value: /)
    expect(outcomeOf(both('==', context('fine'), value(1)), strange(thing))).toBe('yes')
  })

  test('undefined is absent', () => {
    expect(outcomeOf({ has: { left: { Var: 'context' }, attr: 'strange' } }, strange(undefined))).toBe('no')
    expect(outcomeOf(context('strange'), strange(undefined))).toMatch(/^record_attribute_missing: /)
    expect(outcomeOf(both('==', { Var: 'context' }, value({ fine: 1 })), strange(undefined))).toBe('yes')
  })

  test('nor are they made: a time must be a whole number of milliseconds', () => {
    expect(() => new CedarDatetime(0.5)).toThrow(KernelError)
    expect(() => callConstructor('datetime', ['yesterday'])).toThrow(KernelError)
  })
})

describe('in', () => {
  const [ann, team, org] = [entityUid('User', 'ann'), entityUid('Team', 't'), entityUid('Org', 'o')]
  const entities = createEntities([
    { uid: ann, attrs: { teams: [org, entityUid('Team', 'x')] }, parents: [team] },
    { uid: team, attrs: {}, parents: [org] },
  ])
  const named = ({ type, id }: { readonly type: string; readonly id: string }) => value({ __entity: { type, id } })
  const principal = { Var: 'principal' }
  test.each([
    ['itself', named(ann), 'yes'],
    ['its parent', named(team), 'yes'],
    ['above its parent', named(org), 'yes'],
    ['another', user('bob'), 'no'],
    ['a set with what is above', { Set: [user('bob'), named(org)] }, 'yes'],
    ['a set with itself', { Set: [user('bob'), named(ann)] }, 'yes'],
    ['a set of others', { Set: [user('bob'), named({ type: 'Team', id: 'o' })] }, 'no'],
    ['an empty set', { Set: [] }, 'no'],
    ['a set that an entity has', { '.': { left: principal, attr: 'teams' } }, 'yes'],
    ['a list in the context', context('teams'), 'yes'],
  ])('%s', (_what, right, outcome) => {
    expect(outcomeOf(both('in', principal, right), { teams: [entityUid('User', 'bob'), team] }, entities)).toBe(outcome)
  })

  test('what nobody knows is in itself only', () => {
    expect(outcomeOf(both('in', user('bob'), user('bob')), {}, entities)).toBe('yes')
    expect(outcomeOf(both('in', user('bob'), { Set: [named(org)] }), {}, entities)).toBe('no')
  })
})

describe('is', () => {
  const is = (type: string, within?: unknown) => ({
    is: { left: value({ __entity: { type: 'Org::Doc', id: 'a' } }), entity_type: type, in: within },
  })
  test.each([
    ['the type', is('Org::Doc'), 'yes'],
    ['a part of its name', is('Doc'), 'no'],
    ['and in itself', is('Org::Doc', value({ __entity: { type: 'Org::Doc', id: 'a' } })), 'yes'],
    ['and in another', is('Org::Doc', user('a')), 'no'],
    ['of a number', { is: { left: value(1), entity_type: 'Long' } }, `${TYPE} (entity of type \`any_entity_type\`), got long`],
    ['in a number', is('Org::Doc', value(1)), `${TYPE} one of [set, (entity of type \`any_entity_type\`)], got long`],
    [
      'in a set with a number',
      is('Org::Doc', { Set: [user('a'), value(1)] }),
      `${TYPE} (entity of type \`any_entity_type\`), got long`,
    ],
  ])('%s', (_what, body, outcome) => expect(outcomeOf(body)).toBe(outcome))
})

describe('like', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'a', 'b', '*', '\u{1F600}'), maxLength: 5 })
  const part = fc.oneof(fc.constant('Wildcard'), fc.record({ Literal: text }))
  const matches = (rest: string, pattern: readonly (string | { Literal: string })[]): boolean => {
    const [first, ...others] = pattern
    if (first === undefined) return rest === ''
    if (typeof first !== 'string') return rest.startsWith(first.Literal) && matches(rest.slice(first.Literal.length), others)
    return Array.from({ length: rest.length + 1 }, (_, skip) => rest.slice(skip)).some((tail) => matches(tail, others))
  }

  test('is what trying everything finds', () => {
    fc.assert(
      fc.property(text, fc.array(part, { maxLength: 6 }), (left, pattern) => {
        expect(outcomeOf({ like: { left: context('text'), pattern } }, { text: left })).toBe(
          matches(left, pattern) ? 'yes' : 'no',
        )
      }),
    )
  })

  test.each([
    ['ab', ['Wildcard', { Literal: 'ab' }, 'Wildcard', { Literal: 'b' }], 'no', 'a letter counts once'],
    ['abb', ['Wildcard', { Literal: 'ab' }, 'Wildcard', { Literal: 'b' }], 'yes', 'there are two'],
    ['a', [{ Literal: 'a' }, 'Wildcard', { Literal: 'a' }], 'no', 'nor both ends'],
    ['', [], 'yes', 'nothing is nothing'],
    ['*', [{ Literal: '*' }], 'yes', 'a star that is none'],
    ['a', [{ Literal: '*' }], 'no', 'a star that is none'],
  ])('%j like %j is %s: %s', (text, pattern, outcome) =>
    expect(outcomeOf({ like: { left: value(text), pattern } })).toBe(outcome),
  )

  test('takes texts only, and a long one in no time', () => {
    expect(outcomeOf({ like: { left: value(1), pattern: ['Wildcard'] } })).toBe(`${TYPE} string, got long`)
    const pattern = Array.from({ length: 200 }, () => ['Wildcard', { Literal: 'ab' }]).flat()
    expect(outcomeOf({ like: { left: context('text'), pattern } }, { text: 'a'.repeat(100_000) })).toBe('no')
  })
})

describe('what is no policy does not compile', () => {
  const deep = (levels: number): unknown => (levels === 0 ? value(true) : { '!': { arg: deep(levels - 1) } })
  test.each([
    ['an unknown operator', permitWhen({ '^': { left: value(1), right: value(1) } })],
    ['two operators at once', permitWhen({ ...value(1), Var: 'context' })],
    ['an unknown variable', permitWhen({ Var: 'environment' })],
    ['a number that was rounded', permitWhen(value(2 ** 63))],
    ['a fraction', permitWhen(value(0.5))],
    ['null', permitWhen(value(null))],
    ['a missing side', permitWhen({ '==': { left: value(1) } })],
    ['too deep', permitWhen(deep(1_000))],
    ['an unlinked slot', { ...permitWhen(value(true)), principal: { op: '==', slot: '?principal' } }],
    ['an unknown constraint', { ...permitWhen(value(true)), principal: { op: '<' } }],
    ['an action that must be a type', { ...permitWhen(value(true)), action: { op: 'is', entity_type: 'Action' } }],
  ])('%s', (_what, policy) => {
    expect(() => compilePolicies([{ id: 'p', policy }])).toThrow(expect.objectContaining({ code: 'cedar_policy' }))
  })

  test('two policies with one id', () => {
    const policy = { effect: 'permit', principal: ANY, action: ANY, resource: ANY, conditions: [] } as const
    expect(() =>
      compilePolicies([
        { id: 'p', policy },
        { id: 'p', policy },
      ]),
    ).toThrow(KernelError)
  })

  test('but a long chain does, which costs no depth', () => {
    const chain = Array.from({ length: 5_000 }).reduce<unknown>((left) => both('&&', left, value(true)), context('flag'))
    expect(outcomeOf(chain, { flag: true })).toBe('yes')
  })
})

test('what two conditions read alike is not taken for each other', () => {
  const reads = [
    context('a'),
    context('b'),
    context('a', 'b'),
    context('b', 'a'),
    { '.': { left: { Var: 'principal' }, attr: 'a' } },
  ]
  const body = { Set: reads.map((read, index) => both('==', read, value(index))) }
  const entities = createEntities([{ uid: entityUid('User', 'ann'), attrs: { a: 4 }, parents: [] }])
  const policies = reads.map((read, index) => ({ id: `p${index}`, policy: permitWhen(both('==', read, value(index))) }))
  const deep = { a: { b: 2 }, b: { a: 3 } }
  expect(outcomeOf(both('contains', body, value(true)), deep, entities)).toBe('yes')
  expect(matchPolicies(compilePolicies(policies), asking(deep), entities).permits).toEqual(['p2', 'p3', 'p4'])
  expect(matchPolicies(compilePolicies(policies), asking({ a: 0, b: 1 }), entities).permits).toEqual(['p0', 'p1', 'p4'])
})

test('expressions are printed with brackets where they matter', () => {
  const body = both('&&', both('==', both('+', context('a b'), value(1)), value(-2)), {
    '!': { arg: { has: { left: { Var: 'context' }, attr: ['x', 'y'] } } },
  })
  expect(expressionText(body)).toBe('((context["a b"] + 1) == (-2)) && (!(context has x.y))')
})
