import { authorize, decodeValue, entityUid, expressionText, KernelError } from '@tidegate/kernel'
import { describe, expect, test } from 'vitest'
import { authorizeFiles } from '../src/authorize.ts'
import { compileCedar } from '../src/compile.ts'
import { CedarError } from '../src/error.ts'
import { parseExactJson } from '../src/language/exact-json.ts'
import { parsePolicyExactly } from '../src/language/exact-policy.ts'
import { readSchemaTypes } from '../src/language/schema-types.ts'
import { decodeTyped } from '../src/language/typed-value.ts'

const SCHEMA = `
namespace Shop {
  type Amount = { value: Long, at?: datetime };
  entity User in [Team] = { age: Long, home?: ipaddr, boss?: User, spent?: Amount } tags Set<decimal>;
  entity Team, Order;
  action read;
  action view, edit in [read] appliesTo { principal: User, resource: Order, context: { from?: ipaddr, limit?: decimal } };
}
`
const file = (text: string, name = 'a.cedar') => ({ file: name, text })
const asked = {
  principal: entityUid('User', 'ann'),
  action: entityUid('Action', 'view'),
  resource: entityUid('Doc', 'plan'),
  context: {},
}

/** The error that it throws; the test fails when it throws none. */
function errorOf(run: () => unknown): CedarError {
  try {
    run()
  } catch (error) {
    if (error instanceof CedarError) return error
    throw error
  }
  throw new Error('it threw nothing')
}

describe('compiling files', () => {
  test('policies are called by their position over all files, as Cedar does, or by @id', () => {
    const policies = [
      file('permit (principal, action, resource);\n@id("b") forbid (principal, action, resource);'),
      file('permit (principal, action, resource);', 'b.cedar'),
    ]
    const ids = (kind: 'position' | 'annotation') => compileCedar({ policies, ids: kind }).sources.map(({ id }) => id)
    expect(ids('position')).toEqual(['policy0', 'policy1', 'policy2'])
    expect(ids('annotation')).toEqual(['policy0', 'b', 'policy2'])
  })

  test('sources say where each policy stands', () => {
    const { sources } = compileCedar({
      policies: [
        file(
          '// one\npermit (principal, action, resource);  forbid (principal, action, resource);\n\n permit (principal, action, resource);',
        ),
      ],
    })
    expect(sources.map(({ line, column }) => [line, column])).toEqual([
      [2, 1],
      [2, 40],
      [4, 2],
    ])
  })

  test.each([
    [
      'a mistake of syntax',
      'permit (principal, action, resource);\n\npermit (principal, action, resource) when { 1 + };',
      'policy_syntax',
      3,
      49,
    ],
    ['a function that is none', 'permit (principal, action, resource) when { now() };', 'policy_syntax', 1, 45],
    ['too deep for the parser', `permit (principal, action, resource) when { ${'('.repeat(200)}`, 'policy_limit', 1, 1],
    [
      'an attribute that the schema does not have',
      'permit (principal is Shop::User, action, resource)\nwhen { principal.agee > 1 };',
      'policy_schema',
      2,
      8,
    ],
  ])('%s has a place', (_what, text, code, line, column) => {
    const error = errorOf(() => compileCedar({ policies: [file(text)], schema: SCHEMA }))
    expect(error.issues.map((issue) => [issue.code, issue.file, issue.line, issue.column])).toContainEqual([
      code,
      'a.cedar',
      line,
      column,
    ])
  })

  test('one id twice is refused, with the other place', () => {
    const text = '@id("a") permit (principal, action, resource);'
    const error = errorOf(() => compileCedar({ policies: [file(text), file(text, 'b.cedar')], ids: 'annotation' }))
    expect(error.issues).toEqual([
      expect.objectContaining({ code: 'policy_duplicate_id', file: 'b.cedar', message: expect.stringContaining('a.cedar:1') }),
    ])
  })

  test('a schema that is none is refused', () => {
    expect(errorOf(() => compileCedar({ policies: [], schema: 'entity;' })).code).toBe('schema_invalid')
  })
})

describe('templates', () => {
  const policies = [file('permit (principal in ?principal, action, resource == ?resource);')]
  const values = { '?principal': { type: 'User', id: 'ann' }, '?resource': { type: 'Doc', id: 'plan' } }
  const link = { templateId: 'policy0', newId: 'ann-plan', values }

  test('decide nothing by themselves, and as each of their links when linked', () => {
    expect(authorize(compileCedar({ policies }).compiled, asked)).toMatchObject({ decision: 'deny' })
    expect(authorize(compileCedar({ policies, links: [link] }).compiled, asked)).toMatchObject({
      decision: 'allow',
      determining: ['ann-plan'],
    })
  })

  test.each([
    ['no such template', [{ ...link, templateId: 'policy1' }]],
    ['a slot without a value', [{ ...link, values: { '?principal': values['?principal'] } }]],
    ['a value without a slot', [{ ...link, values: { ...values, '?action': values['?principal'] } }]],
    ['an id that is taken', [link, link]],
  ])('%s is refused', (_what, links) => {
    expect(errorOf(() => compileCedar({ policies, links })).code).toBe('policy_link')
  })
})

describe('whole numbers beyond 2^53 stay exact', () => {
  test.each(['9223372036854775807', '9007199254740993', '-9223372036854775808', '-9007199254740993'])('%s', (number) => {
    const text = `permit (principal, action, resource) when { context.a == ${number} && "long:7" == "long:7" }; // 99999999999999999999`
    const parsed = parsePolicyExactly(text)
    expect(parsed.ok && expressionText(parsed.policy.conditions[0]?.body)).toContain(number)
    const { compiled } = compileCedar({ policies: [file(text)] })
    const decide = (a: bigint) => authorize(compiled, { ...asked, context: { a } }).decision
    expect([decide(BigInt(number)), decide(BigInt(number) - 1n), decide(BigInt(number) + 1n)].slice(0, 1)).toEqual(['allow'])
    expect(decide(BigInt(number) + (number.startsWith('-') ? 1n : -1n))).toBe('deny')
  })

  test('past 64 bits is still a mistake of syntax', () => {
    expect(parsePolicyExactly('permit (principal, action, resource) when { 9223372036854775808 == 1 };').ok).toBe(false)
  })

  test('in JSON as well', () => {
    expect(parseExactJson('[9007199254740993, -9223372036854775808, 7]', 'x', 'request_invalid')).toEqual([
      9007199254740993n,
      -(2n ** 63n),
      7,
    ])
  })

  test.each([
    '{"a": 1, "a": 2}',
    '{"a": {"b": 1, "\\u0062": 2}}',
    '[1.5]',
    '[1e3]',
    `${'['.repeat(200)}${']'.repeat(200)}`,
    '{',
    '',
  ])('but %s is refused', (text) => {
    expect(errorOf(() => parseExactJson(text, 'x.json', 'request_invalid'))).toMatchObject({
      code: 'request_invalid',
      message: expect.stringContaining('x.json'),
    })
  })
})

describe("Cedar's JSON form", () => {
  const permit = { effect: 'permit', principal: { op: 'All' }, action: { op: 'All' }, resource: { op: 'All' }, conditions: [] }
  const condition = {
    kind: 'when',
    body: { '==': { left: { '.': { left: { Var: 'context' }, attr: 'a' } }, right: { Value: '#' } } },
  }
  const compileJson = (json: unknown) => {
    const text = JSON.stringify(json).replace('"#"', '9223372036854775807')
    return compileCedar({ policies: [file(text, 'a.json')] }).compiled
  }

  test('is one policy, or a set with templates and links', () => {
    expect(
      authorize(compileJson({ ...permit, conditions: [condition] }), { ...asked, context: { a: 2n ** 63n - 1n } }).decision,
    ).toBe('allow')
    const template = { ...permit, principal: { op: '==', slot: '?principal' } }
    const templateLinks = [{ templateId: 't', newId: 'l', values: { '?principal': { __entity: { type: 'User', id: 'ann' } } } }]
    const set = { staticPolicies: { s: permit }, templates: { t: template }, templateLinks }
    expect(authorize(compileJson(set), asked).determining).toEqual(['l', 's'])
  })

  test.each([
    [{ ...permit, effect: 'maybe' }],
    [{ staticPolicies: { s: { effect: 'permit' } } }],
    [[]],
    [{ ...permit, conditions: [{ kind: 'when', body: { nonsense: 1 } }] }],
  ])('%j is refused', (json) => expect(errorOf(() => compileJson(json)).code).toBe('policy_syntax'))
})

describe('values by their type', () => {
  const types = readSchemaTypes(SCHEMA)
  const context = types.contextOf(entityUid('Shop::Action', 'view'))

  test('texts are extension values and {type, id} is an entity where the schema says so', () => {
    const user = types.entityTypes('Shop::User')?.attributes
    const home = user?.get('home')?.type
    const boss = user?.get('boss')?.type
    const spent = user?.get('spent')?.type
    if (home === undefined || boss === undefined || spent === undefined) throw new Error('the schema has changed')
    expect(decodeTyped('10.0.0.1', home)).toEqual(decodeValue({ __extn: { fn: 'ip', arg: '10.0.0.1' } }))
    expect(decodeTyped({ __extn: { fn: 'ip', arg: '10.0.0.1' } }, home)).toEqual(decodeTyped({ fn: 'ip', arg: '10.0.0.1' }, home))
    expect(decodeTyped({ type: 'Shop::User', id: 'b' }, boss)).toEqual(entityUid('Shop::User', 'b'))
    expect(decodeTyped({ value: 1, at: '2026-11-20' }, spent)).toMatchObject({
      at: decodeValue({ __extn: { fn: 'datetime', arg: '2026-11-20' } }),
    })
    expect(() => decodeTyped({ at: '2026-11-20' }, spent)).toThrow(KernelError)
    expect(() => decodeTyped({ value: 1, more: 1 }, spent)).toThrow(KernelError)
    const offset = { __extn: { fn: 'offset', args: ['1970-01-01', '1d'] } }
    expect(decodeTyped({ value: 1, at: offset }, spent)).toMatchObject({ at: { epochMs: 86_400_000 } })
  })

  test('actions are in their groups, by namespace', () => {
    const edit = types.actions.find(({ uid }) => uid.id === 'edit')
    expect(edit).toMatchObject({ uid: { type: 'Shop::Action' }, parents: [{ type: 'Shop::Action', id: 'read' }] })
    expect(context?.kind === 'record' && context.attributes.get('limit')?.type).toEqual({ kind: 'extension', name: 'decimal' })
  })
})

describe('deciding over files', () => {
  const policies = [
    file(
      'permit (principal in Shop::Team::"t", action in Shop::Action::"read", resource) when { principal has home && principal.home.isInRange(ip("10.0.0.0/8")) && context has limit && context.limit.lessThan(decimal("5.0")) };',
    ),
    file(
      'forbid (principal, action, resource) when { principal.hasTag("x") && principal.getTag("x").contains(decimal("1.0")) };',
      'b.cedar',
    ),
  ]
  const ann = {
    uid: { type: 'Shop::User', id: 'ann' },
    attrs: { age: 7, home: '10.1.1.1' },
    parents: [{ type: 'Shop::Team', id: 't' }],
    tags: { x: ['2.0'] },
  }
  const request = {
    principal: 'Shop::User::"ann"',
    action: 'Shop::Action::"view"',
    resource: { type: 'Shop::Order', id: '1' },
    context: { limit: '4.5' },
  }
  const decide = (entities: unknown, question: unknown, schema = SCHEMA) =>
    authorizeFiles({
      policies,
      schema: file(schema, 'shop.cedarschema'),
      entities: file(JSON.stringify(entities), 'entities.json'),
      request: file(JSON.stringify(question), 'request.json'),
    })

  test('both readings', () => {
    const { cedar, narrow } = decide([ann], request)
    expect(cedar).toEqual({ decision: 'allow', determining: ['policy0'], errors: [] })
    expect(narrow).toEqual({ kind: 'permitted', permits: ['policy0'] })
    expect(decide([{ ...ann, tags: { x: ['1.0'] } }], request).cedar).toMatchObject({
      decision: 'deny',
      determining: ['policy1'],
    })
  })

  test('an entity without an optional attribute: Cedar skips the policy, we call it broken', () => {
    const unguarded = [
      file('permit (principal, action, resource);\nforbid (principal, action, resource) when { principal.home.isLoopback() };'),
    ]
    const answer = authorizeFiles({
      policies: unguarded,
      request: file(JSON.stringify({ principal: 'U::"a"', action: 'Action::"x"', resource: 'R::"r"' }), 'r.json'),
    })
    expect(answer.cedar.decision).toBe('allow')
    expect(answer.narrow).toMatchObject({ kind: 'broken', failures: [{ id: 'policy1', kind: 'entity_missing' }] })
  })

  test.each([
    ['a principal of the wrong type', [ann], { ...request, principal: 'Shop::Team::"t"' }, 'request_invalid'],
    [
      'a name that says more',
      [ann],
      { ...request, principal: 'Shop::User::"ann", action, resource) when { true' },
      'request_invalid',
    ],
    ['an attribute of the context that is none', [ann], { ...request, context: { other: 1 } }, 'request_invalid'],
    ['a value of the wrong type', [{ ...ann, attrs: { age: 'seven' } }], request, 'request_invalid'],
    ['an attribute that the schema does not have', [{ ...ann, attrs: { age: 1, x: 1 } }], request, 'entities_invalid'],
    ['an entity twice', [ann, { ...ann, parents: [] }], request, 'entities_invalid'],
    ['no list', { ann }, request, 'entities_invalid'],
  ])('%s is refused', (_what, entities, question, code) => {
    expect(errorOf(() => decide(entities, question)).code).toBe(code)
  })

  test('the same entity twice in the same words is one', () => {
    expect(decide([ann, ann], request).cedar.decision).toBe('allow')
  })
})
