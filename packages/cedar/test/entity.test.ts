import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { EntityAnswer, EntityRequest, JsonObject } from '@tidegate/kernel'
import { describe, expect, test } from 'vitest'
import { CedarError, createEntityPolicy } from '../src/index.ts'

const SCHEMA = `
type Place = { city: String, floor?: Long };
entity team;
entity user in [team] = { role?: String, level?: Long, manager?: user, at?: Place, tags?: Set<String>, born?: datetime, limit?: decimal, from?: ipaddr };
entity room enum ["north", "south"];
entity record in [team] = { owner: user, open?: Bool };
action any;
action read, write in [any] appliesTo { principal: user, resource: record, context: { why?: String, now?: datetime, ttl?: duration } };
action enter appliesTo { principal: user, resource: room, context: { door: Long, action?: { slow?: Bool } } };
`
const ENTITIES = JSON.stringify([
  { uid: { type: 'team', id: 'core' } },
  {
    uid: { type: 'user', id: 'mei' },
    attrs: { role: 'lead', level: 3, at: { city: 'Berlin' } },
    parents: [{ type: 'team', id: 'core' }],
  },
  { uid: { type: 'user', id: 'jo' }, attrs: {} },
  { uid: { type: 'record', id: 'r1' }, attrs: { owner: { type: 'user', id: 'mei' }, open: true }, parents: [] },
])

function policyOf(text: string, schema = SCHEMA, entities = ENTITIES) {
  return createEntityPolicy({
    policies: [{ file: 'p.cedar', text }],
    schema: { file: 's.cedarschema', text: schema },
    entities: { file: 'e.json', text: entities },
  })
}

const mei = { type: 'user', id: 'mei' }
const r1 = { type: 'record', id: 'r1' }
const ask = (more: Partial<EntityRequest> = {}): EntityRequest => ({
  subject: mei,
  action: { name: 'read' },
  resource: r1,
  context: {},
  approvals: [],
  ...more,
})
const saysOf = (answer: EntityAnswer): string => (answer.kind === 'unknown' ? answer.code : answer.verdict.kind)

describe('attributes, properties and parents', () => {
  const cases: readonly (readonly [string, Partial<EntityRequest>, string])[] = [
    ['principal.role == "lead"', {}, 'permitted'],
    ['principal.role == "lead"', { subject: { ...mei, properties: { role: 'none' } } }, 'unmatched'],
    ['principal.role == "lead"', { subject: { ...mei, properties: { role: null } } }, 'permitted'],
    ['principal.level >= 3', { subject: { ...mei, properties: { level: 2 } } }, 'unmatched'],
    ['principal in team::"core"', {}, 'permitted'],
    ['principal in team::"core"', { subject: { type: 'user', id: 'jo' } }, 'unmatched'],
    ['resource.owner == principal', {}, 'permitted'],
    ['resource.owner has role && resource.owner.role == "lead"', {}, 'permitted'],
    ['principal.at.city == "Berlin"', {}, 'permitted'],
    [
      'principal.at has floor && principal.at.floor == 2',
      { subject: { ...mei, properties: { at: { city: 'Rome', floor: 2 } } } },
      'permitted',
    ],
    ['principal.tags.contains("a")', { subject: { ...mei, properties: { tags: ['b', 'a'] } } }, 'permitted'],
    ['principal.manager == user::"jo"', { subject: { ...mei, properties: { manager: 'jo' } } }, 'permitted'],
    [
      'principal.manager == user::"jo"',
      { subject: { ...mei, properties: { manager: { type: 'user', id: 'jo' } } } },
      'permitted',
    ],
    [
      'principal.born < datetime("2000-01-01")',
      { subject: { ...mei, properties: { born: '1999-12-31T23:00:00-02:00' } } },
      'unmatched',
    ],
    [
      'principal.born < datetime("2000-01-01")',
      { subject: { ...mei, properties: { born: '1999-12-31T23:00:00Z' } } },
      'permitted',
    ],
    ['principal.limit.lessThan(decimal("2.5"))', { subject: { ...mei, properties: { limit: 2 } } }, 'permitted'],
    ['principal.limit.lessThan(decimal("2.5"))', { subject: { ...mei, properties: { limit: '2.4999' } } }, 'permitted'],
    ['principal.from.isInRange(ip("10.0.0.0/8"))', { subject: { ...mei, properties: { from: '10.1.2.3' } } }, 'permitted'],
    ['context has ttl && context.ttl <= duration("1h")', { context: { ttl: '59m' } }, 'permitted'],
    ['context has why && context.why == "x"', { context: { why: 'x', other: { deep: [1.5] } } }, 'permitted'],
    // What is required and not stored must come with the request.
    ['true', { resource: { type: 'record', id: 'new' } }, 'invalid_properties'],
    ['true', { resource: { type: 'record', id: 'new', properties: { owner: 'mei' } } }, 'permitted'],
  ]
  test.each(cases)('%s with %j: %s', (condition, request, says) => {
    const guarded = condition.startsWith('principal.') && !condition.startsWith('principal in') ? guard(condition) : condition
    expect(
      saysOf(
        policyOf(`@id("p") permit (principal, action == Action::"read", resource) when { ${guarded} };`).evaluate(ask(request)),
      ),
    ).toBe(says)
  })

  /** Optional attributes may be read only where they are there. */
  function guard(condition: string): string {
    const name = /^principal\.(\w+)/.exec(condition)?.[1] ?? ''
    return `principal has ${name} && ${condition}`
  }
})

describe('what does not fit is denied, and never dropped', () => {
  const properties: readonly JsonObject[] = [
    { role: 1 },
    { level: 1.5 },
    { level: 9_007_199_254_740_992 },
    { level: '3' },
    { at: 'Berlin' },
    { at: {} },
    { at: { city: 5 } },
    { tags: 'a' },
    { tags: ['a', 1] },
    { manager: { type: 'team', id: 'core' } },
    { born: 'yesterday' },
    { born: '2026-13-01T00:00:00Z' },
    { limit: 0.000_01 },
    { limit: 'much' },
    { from: '300.0.0.1' },
  ]
  test.each(properties.map((each) => [each]))('%j', (given) => {
    const policy = policyOf('@id("p") permit (principal, action, resource);')
    const answer = policy.evaluate(ask({ subject: { ...mei, properties: given } }))
    expect(saysOf(answer)).toBe('invalid_properties')
    const [name = ''] = Object.keys(given)
    expect(answer.kind === 'unknown' ? answer.message : '').toMatch(new RegExp(`^subject\\.properties\\.${name}`))
  })

  test('types, actions and ids that are not declared', () => {
    const policy = policyOf('@id("p") permit (principal, action, resource);')
    const says = (more: Partial<EntityRequest>): string => saysOf(policy.evaluate(ask(more)))
    expect(says({ subject: { type: 'ship', id: 'x' } })).toBe('unknown_subject_type')
    expect(says({ resource: { type: 'ship', id: 'x' } })).toBe('unknown_resource_type')
    expect(says({ action: { name: 'fly' } })).toBe('unknown_action')
    expect(says({ action: { name: 'any' } })).toBe('unknown_action')
    expect(says({ action: { name: 'enter' } })).toBe('action_not_applicable')
    const enter = { action: { name: 'enter' }, context: { door: 1 } }
    expect(says({ ...enter, resource: { type: 'room', id: 'west' } })).toBe('invalid_properties')
    expect(says({ ...enter, resource: { type: 'room', id: 'north' } })).toBe('permitted')
    expect(says({ ...enter, context: {}, resource: { type: 'room', id: 'north' } })).toBe('invalid_properties')
  })
})

test('properties of the action are context.action, and approvals are ours', () => {
  const policy = policyOf(`
@id("slowly") permit (principal, action == Action::"enter", resource) when { context has action && context.action has slow && context.action.slow };
@id("asks") @outcome("ask") @approvers("role:porter") @reason("somebody opens") forbid (principal, action == Action::"enter", resource)
unless { context.approvals.contains("asks") };`)
  const enter = { resource: { type: 'room', id: 'north' }, context: { door: 1 } }
  const slow = { name: 'enter', properties: { slow: true } }
  expect(policy.evaluate(ask({ ...enter, action: slow }))).toMatchObject({
    verdict: { kind: 'forbidden', forbids: [{ id: 'asks', outcome: 'ask', approvers: [{ role: 'porter', count: 1 }] }] },
  })
  expect(saysOf(policy.evaluate(ask({ ...enter, action: slow, approvals: ['asks'] })))).toBe('permitted')
  const claimed = { door: 1, action: { slow: true }, approvals: ['asks'] }
  expect(saysOf(policy.evaluate(ask({ ...enter, action: { name: 'enter' }, context: claimed })))).toBe('unmatched')
  expect(saysOf(policy.evaluate(ask({ ...enter, action: slow, context: claimed })))).toBe('forbidden')
})

test('lists what there is', () => {
  const policy = policyOf('@id("p") permit (principal, action, resource);')
  expect([policy.entities('user'), policy.entities('room'), policy.entities('__proto__')]).toEqual([['jo', 'mei'], [], []])
  expect([policy.actions('user', 'record'), policy.actions('user', 'room'), policy.actions('team', 'room')]).toEqual([
    ['read', 'write'],
    ['enter'],
    [],
  ])
  expect([policy.contextMembers('read'), policy.contextMembers('enter'), policy.contextMembers('any')]).toEqual([
    ['now', 'ttl', 'why'],
    ['door'],
    [],
  ])
})

test('the version follows policies, schema and entities', () => {
  const permit = '@id("p") permit (principal, action, resource);'
  const versions = [
    policyOf(permit),
    policyOf(permit.replace('"p"', '"q"')),
    policyOf(permit, SCHEMA.replace('Long }', 'Bool }')),
    policyOf(permit, SCHEMA, '[]'),
  ].map(({ version }) => version)
  expect(new Set(versions).size).toBe(4)
  expect(policyOf(permit).version).toBe(versions[0])
})

describe('refused when it is loaded', () => {
  const permit = '@id("p") permit (principal, action, resource);'
  const entity = (more: object): string => JSON.stringify([{ uid: { type: 'user', id: 'x' }, ...more }])
  const cases: readonly (readonly [string, string, string, string])[] = [
    ['schema_invalid', permit, 'entity user', '[]'],
    ['schema_invalid', permit, ['namespace', 'Acme { entity user; }'].join(' '), '[]'],
    [
      'schema_invalid',
      permit,
      'entity user; action a appliesTo { principal: user, resource: user, context: { approvals: Bool } };',
      '[]',
    ],
    ['policy_schema', '@id("p") permit (principal, action, resource) when { principal.nose == 1 };', SCHEMA, '[]'],
    [
      'policy_approval',
      '@id("p") @outcome("ask") @approvers("role:x") @reason("r") forbid (principal, action, resource);',
      SCHEMA,
      '[]',
    ],
    ['entities_invalid', permit, SCHEMA, '{}'],
    ['entities_invalid', permit, SCHEMA, '[{"uid":{"type":"user","id":"x"}},{"uid":{"type":"user","id":"x"}}]'],
    ['entities_invalid', permit, SCHEMA, entity({ uid: { type: 'ship', id: 'x' } })],
    ['entities_invalid', permit, SCHEMA, entity({ attrs: { nose: 1 } })],
    ['entities_invalid', permit, SCHEMA, entity({ attrs: { level: 'high' } })],
    ['entities_invalid', permit, SCHEMA, entity({ attributes: {} })],
    ['entities_invalid', permit, SCHEMA, entity({ parents: [{ type: 'ship', id: 'x' }] })],
    ['entities_invalid', permit, SCHEMA, entity({ parents: [{ type: 'user', id: 'x' }] })],
    ['entities_invalid', permit, SCHEMA, '[{"uid":{"type":"record","id":"r"}}]'],
    ['entities_invalid', permit, SCHEMA, '[{"uid":{"type":"room","id":"west"}}]'],
  ]
  test.each(cases)('%s: %s %s %s', (code, policy, schema, entities) => {
    const load = (): unknown => policyOf(policy, schema, entities)
    expect(load).toThrow(CedarError)
    expect(load).toThrow(expect.objectContaining({ code }))
  })
})

test('schema and policies of the guide load', () => {
  const guide = readFileSync(fileURLToPath(new URL('../../../docs/guide/authzen.md', import.meta.url)), 'utf8')
  const block = (kind: string): string => new RegExp(`\`\`\`${kind}\n([^\`]+)\`\`\``).exec(guide)?.[1] ?? ''
  const policy = policyOf(block('cedar'), block('cedarschema'), '[]')
  expect(policy.actions('user', 'record')).toEqual(['delete', 'read', 'share', 'write'])
})
