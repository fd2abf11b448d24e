import {
  authorize,
  authorizeNarrowly,
  compilePolicies,
  createEntities,
  type EntityData,
  type EstPolicy,
  entityUid,
  explainPolicies,
  KernelError,
  matchPolicies,
  type PolicySource,
} from '@tidegate/kernel'
import { table } from '@tidegate/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ANY, asking, both, context, permitWhen, value } from './cedar-request.ts'

const fails = both('+', value(1), value('a'))
const BODIES: Readonly<Record<string, unknown>> = { yes: value(true), no: value(false), fails }

/** `permit yes, forbid fails` as policies a, b, ... */
function policies(text: string): readonly PolicySource[] {
  if (text === '') return []
  return text.split(', ').map((each, index) => {
    const [effect, body = ''] = each.split(' ')
    return {
      id: 'abcdef'[index] ?? '',
      policy: { ...permitWhen(BODIES[body]), effect: effect === 'forbid' ? 'forbid' : 'permit' },
    }
  })
}

describe('the two readings differ in one thing: what a policy that fails means', () => {
  test.each(
    table(`
      policies                            | Cedar   | because | errors | Tidegate  | why
      -                                   | deny    | -       | -      | unmatched | silence is deny
      permit yes                          | allow   | a       | -      | permitted | permitted
      permit yes, permit yes              | allow   | a b     | -      | permitted | all permits are reasons
      permit no                           | deny    | -       | -      | unmatched | a permit that does not match
      permit yes, forbid yes              | deny    | b       | -      | forbidden | forbid beats permit
      forbid yes, forbid yes, permit yes  | deny    | a b     | -      | forbidden | all forbids are reasons
      permit fails                        | deny    | -       | a      | broken    | the same outcome, for another reason
      permit yes, permit fails            | allow   | a       | b      | broken    | Cedar skips it
      permit yes, forbid fails            | allow   | a       | b      | broken    | what it may have forbidden goes through in Cedar
      forbid yes, forbid fails            | deny    | a       | b      | broken    | denied either way
    `),
  )('$policies: $why', ({ policies: text = '', Cedar, because, errors, Tidegate }) => {
    const compiled = compilePolicies(policies(text))
    const answer = authorize(compiled, asking())
    expect(answer.decision).toBe(Cedar)
    expect(answer.determining.join(' ')).toBe(because)
    expect(answer.errors.map(({ id }) => id).join(' ')).toBe(errors)
    expect(authorizeNarrowly(compiled, asking()).kind).toBe(Tidegate)
  })

  test('ours never allows what Cedar denies, and allows nothing with an error', () => {
    const policy = fc.record({ effect: fc.constantFrom('permit', 'forbid'), body: fc.constantFrom('yes', 'no', 'fails') })
    fc.assert(
      fc.property(fc.array(policy, { maxLength: 6 }), (drawn) => {
        const compiled = compilePolicies(policies(drawn.map(({ effect, body }) => `${effect} ${body}`).join(', ')))
        const cedar = authorize(compiled, asking())
        const isPermitted = authorizeNarrowly(compiled, asking()).kind === 'permitted'
        expect(isPermitted).toBe(cedar.decision === 'allow' && cedar.errors.length === 0)
      }),
    )
  })

  test('the order of policies says nothing', () => {
    const sources = policies('permit yes, forbid no, permit fails, forbid yes, permit yes')
    fc.assert(
      fc.property(fc.shuffledSubarray([...sources], { minLength: sources.length }), (shuffled) => {
        expect(matchPolicies(compilePolicies(shuffled), asking())).toEqual(matchPolicies(compilePolicies(sources), asking()))
      }),
    )
  })
})

const names = ['a', 'b', 'c', 'd']
const uid = (type: string) => fc.constantFrom(...names, 'nobody names it').map((id) => entityUid(type, id))
const json = ({ type, id }: { readonly type: string; readonly id: string }) => ({ type, id })
const constraint = fc.oneof(
  fc.constant(ANY),
  fc.record({ op: fc.constantFrom('==', 'in'), entity: uid('User').map(json) }),
  fc.constant({ op: 'is', entity_type: 'User' }),
  fc.record({
    op: fc.constant('is'),
    entity_type: fc.constantFrom('User', 'Doc'),
    in: fc.record({ entity: uid('User').map(json) }),
  }),
)
const actionConstraint = fc.oneof(
  fc.constant(ANY),
  fc.record({ op: fc.constantFrom('==', 'in'), entity: uid('Action').map(json) }),
  fc.record({ op: fc.constant('in'), entities: fc.array(uid('Action').map(json), { maxLength: 3 }) }),
)
const policy: fc.Arbitrary<EstPolicy> = fc.record({
  effect: fc.constant('permit' as const),
  principal: constraint,
  action: actionConstraint,
  resource: constraint,
  conditions: fc.constant([]),
})
const parents = fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { maxLength: 5 })

/** Entities of one type; an edge goes from the larger to the smaller, so there is no cycle. */
function entitiesOf(type: string, edges: readonly (readonly [number, number])[]): readonly EntityData[] {
  return names.map((id, child) => ({
    uid: entityUid(type, id),
    attrs: {},
    parents: edges.flatMap(([a, b]) =>
      Math.max(a, b) === child && a !== b ? [entityUid(type, names[Math.min(a, b)] ?? '')] : [],
    ),
  }))
}

describe('the index of scopes', () => {
  test('finds exactly the policies whose scope matches, whoever knows the actions', () => {
    const drawn = fc.record({
      policies: fc.array(policy, { maxLength: 8 }),
      users: parents,
      actions: parents,
      requests: fc.array(fc.tuple(uid('User'), uid('Action'), uid('User')), { minLength: 1, maxLength: 6 }),
      known: fc.boolean(),
    })
    fc.assert(
      fc.property(drawn, ({ policies: list, users, actions, requests, known }) => {
        const actionEntities = entitiesOf('Action', actions)
        const compiled = compilePolicies(
          list.map((each, index) => ({ id: `p${index}`, policy: each })),
          known ? { actions: actionEntities } : {},
        )
        const entities = createEntities([...entitiesOf('User', users), ...(known ? [] : actionEntities)])
        for (const [principal, action, resource] of [...requests, ...requests]) {
          const request = { principal, action, resource, context: {} }
          const explained = explainPolicies(compiled, request, entities)
          const wanted = explained.filter(({ outcome }) => outcome === 'satisfied').map(({ id }) => id)
          expect(matchPolicies(compiled, request, entities).permits).toEqual(wanted)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('what is kept for one store of entities is not used for another', () => {
    const inGroup = { ...permitWhen(value(true)), action: { op: 'in', entity: { type: 'Action', id: 'any' } } }
    const compiled = compilePolicies([{ id: 'p', policy: inGroup }])
    const view = { uid: entityUid('Action', 'view'), attrs: {}, parents: [] }
    const inside = createEntities([{ ...view, parents: [entityUid('Action', 'any')] }])
    const asked = () =>
      [undefined, inside, createEntities([view])].map((entities) => authorize(compiled, asking(), entities).decision)
    expect([...asked(), ...asked()]).toEqual(['deny', 'allow', 'deny', 'deny', 'allow', 'deny'])
  })

  test('nobody who supplies entities moves an action out of its group, or into another', () => {
    const forbidden = {
      ...permitWhen(value(true)),
      effect: 'forbid',
      action: { op: 'in', entity: { type: 'Action', id: 'writes' } },
    } as const
    const writes = { uid: entityUid('Action', 'writes'), attrs: {}, parents: [] }
    const view = { uid: entityUid('Action', 'view'), attrs: {}, parents: [writes.uid] }
    const compiled = compilePolicies([{ id: 'p', policy: forbidden }], { actions: [writes, view] })
    expect(matchPolicies(compiled, asking(), createEntities([{ ...view, parents: [] }])).forbids).toEqual(['p'])
  })
})

describe('entities', () => {
  test.each([
    ['twice', [entity('a'), entity('a')]],
    ['above itself', [entity('a', 'a')]],
    ['in a circle', [entity('a', 'b'), entity('b', 'c'), entity('c', 'a')]],
  ])('%s are refused', (_what, list) => {
    expect(() => createEntities(list)).toThrow(expect.objectContaining({ code: 'cedar_entities' }))
  })

  test('a parent need not be known, and two ways up are no circle', () => {
    const store = createEntities([entity('a', 'b', 'c'), entity('b', 'd'), entity('c', 'd')])
    expect(store.find(entityUid('User', 'a'))?.ancestors.map(({ id }) => id)).toEqual(['b', 'c', 'd'])
    expect(store.find(entityUid('User', 'd'))).toBeUndefined()
  })

  test('a long chain does not exhaust the stack', () => {
    const chain = Array.from({ length: 20_000 }, (_, index) => entity(`e${index}`, `e${index + 1}`))
    expect(createEntities(chain).find(entityUid('User', 'e0'))?.isBelow(entityUid('User', 'e20000'))).toBe(true)
  })

  test('a value outside of the language is refused with them', () => {
    expect(() => createEntities([{ ...entity('a'), attrs: { list: [0.5] } }])).toThrow(KernelError)
  })
})

function entity(id: string, ...above: readonly string[]): EntityData {
  return { uid: entityUid('User', id), attrs: {}, parents: above.map((name) => entityUid('User', name)) }
}

describe('explaining', () => {
  const risky = both('==', context('risk'), value('high'))
  const approved = both('contains', context('approvals'), value('p'))
  const source: PolicySource = {
    id: 'p',
    policy: {
      effect: 'forbid',
      principal: { op: '==', entity: { type: 'User', id: 'ann' } },
      action: ANY,
      resource: { op: 'is', entity_type: 'File' },
      conditions: [
        { kind: 'when', body: both('&&', both('&&', value(true), risky), both('>', context('amount'), value(5))) },
        { kind: 'unless', body: both('||', value(false), approved) },
      ],
    },
  }

  test('names the part of the scope and of each condition that decided', () => {
    const [explained] = explainPolicies(compilePolicies([source]), asking({ risk: 'low', approvals: ['p'] }))
    expect(explained).toEqual({
      id: 'p',
      effect: 'forbid',
      outcome: 'unsatisfied',
      scope: { principal: true, action: true, resource: false },
      clauses: [
        { kind: 'when', outcome: 'does_not_hold', because: 'context.risk == "high"' },
        { kind: 'unless', outcome: 'does_not_hold', because: 'context.approvals.contains("p")' },
      ],
    })
  })

  test('names what failed', () => {
    const compiled = compilePolicies([{ ...source, policy: { ...source.policy, resource: ANY } }])
    const [explained] = explainPolicies(compiled, asking({ risk: 'high', approvals: [] }))
    expect(explained?.outcome).toBe('failed')
    expect(explained?.clauses[0]).toMatchObject({
      outcome: 'failed',
      because: 'context.amount > 5',
      failure: { kind: 'record_attribute_missing' },
    })
    expect(explained?.clauses[1]).toEqual({ kind: 'unless', outcome: 'holds' })
  })
})
