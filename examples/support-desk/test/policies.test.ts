import { readdirSync, readFileSync } from 'node:fs'
import { createCedarEngine, generateSchema, loadPolicies, NO_ARGUMENTS, type PolicyFile, sampleArguments } from '@tidegate/cedar'
import { NEUTRAL_FACTS, type PolicyContext, type PolicyRequest, resolveVerdict } from '@tidegate/kernel'
import { describe, expect, test } from 'vitest'
import { tool } from '../tools/desk.ts'

const { operations } = tool({ settings: { baseUrl: 'http://127.0.0.1:7444' } })
const workflows = [{ name: 'support-billing', agent: 'support-desk' }]
const schema = generateSchema([...operations, { id: 'shell.run', tool: 'shell' }], workflows)

const folder = new URL('../policies/', import.meta.url)
const files: readonly PolicyFile[] = readdirSync(folder)
  .filter((name) => name.endsWith('.cedar'))
  .map((name) => ({ file: name, text: readFileSync(new URL(name, folder), 'utf8') }))
const policies = loadPolicies(files, schema)

/** A call of a desk operation in a workflow that is fully trusted, with arguments from the books; changed as said. */
function requestOf(verb: string, context: Partial<PolicyContext>): PolicyRequest {
  const operation = operations.find(({ id }) => id === `desk.${verb}`) ?? operations[0]
  if (operation === undefined) throw new Error('the desk declares no operations')
  const declared = operation.id === `desk.${verb}` ? {} : { operation: verb, tool: verb.split('.')[0] ?? '' }
  const { risk, mutability, dataClass, blastRadius, nature, reversibility } = operation
  return {
    agent: 'support-desk',
    workflow: 'support-billing',
    operation: operation.id,
    tool: operation.tool,
    user: 'user:aoife',
    client: 'client:web',
    ...declared,
    context: {
      ...NEUTRAL_FACTS,
      time: { nowMs: 1_793_620_800_000, hour: 12, weekday: 1 },
      environment: 'production',
      risk,
      mutability,
      dataClass,
      blastRadius,
      reversible: mutability === 'read' || reversibility !== 'irreversible',
      nature,
      confidence: 9_700,
      stage: 4,
      origins: ['workflow', 'system', 'user'],
      ...context,
      arguments: { ...sampleArguments(schema.arguments[operation.id] ?? NO_ARGUMENTS), ...context.arguments },
    },
  }
}

const SURE = {}
const UNSURE = { confidence: 8_999 }
const UNDO = { compensating: true }
const FORGED = { origins: ['system', 'third-party'] } as const
const MADE_UP = { origins: ['system', 'model'] } as const
const CRITICAL = { risk: 'critical' } as const

type Row = readonly [verb: string, context: Partial<PolicyContext>, outcome: string]
const rows: readonly Row[] = [
  ['ticket.read', SURE, 'allow low-runs'],
  ['customer.read', SURE, 'allow low-runs'],
  ['invoice.list', SURE, 'allow low-runs'],
  ['invoice.read', SURE, 'allow low-runs'],
  ['ticket.set-state', SURE, 'allow low-runs'],
  ['reply.send', SURE, 'allow low-runs'],
  ['reply.send', { origins: ['model', 'third-party'] }, 'allow low-runs'],
  ['credit.grant', { arguments: { amountMinor: 2_000 } }, 'allow low-runs'],
  ['invoice.correct-address', SURE, 'allow medium-logged'],
  ['refund.small', { arguments: { amountMinor: 2_000 } }, 'allow medium-logged'],
  ['refund.create', { arguments: { amountMinor: 90_000 } }, 'ask high-asks'],
  ['refund.create', { approvals: ['high-asks'] }, 'allow high-supervised'],
  ['refund.create', { approvals: ['batch-asks'] }, 'ask high-asks'],
  ['refund.create', CRITICAL, 'deny critical-blocked'],
  ['refund.cancel', { ...CRITICAL, ...UNDO }, 'deny critical-blocked'],
  ['ticket.read', CRITICAL, 'deny critical-blocked'],

  ['ticket.read', UNSURE, 'allow low-runs'],
  ['reply.send', UNSURE, 'dry_run unsure-tries-out'],
  ['reply.send', { confidence: 9_000 }, 'allow low-runs'],
  ['reply.send', { ...UNSURE, mode: 'dry_run' }, 'allow low-runs'],
  ['refund.create', UNSURE, 'ask high-asks unsure-tries-out'],
  ['refund.create', { ...UNSURE, approvals: ['high-asks', 'unsure-tries-out'] }, 'allow high-supervised'],
  ['reply.send', { attempts: 2 }, 'allow low-runs'],
  ['reply.send', { attempts: 3 }, 'ask third-failure-asks'],
  ['reply.send', { attempts: 3, approvals: ['third-failure-asks'] }, 'allow low-runs'],

  ['ticket.read', { stage: 0 }, 'allow low-runs'],
  ['reply.send', { stage: 0 }, 'dry_run stage-shadow'],
  ['reply.send', { stage: 0, mode: 'dry_run' }, 'allow low-runs'],
  ['refund.create', { stage: 0, approvals: ['high-asks'] }, 'dry_run stage-shadow'],
  ['ticket.read', { stage: 1 }, 'allow low-runs'],
  ['reply.send', { stage: 1 }, 'deny stage-read-only'],
  ['reply.send', { stage: 2 }, 'allow low-runs'],
  ['invoice.correct-address', { stage: 2 }, 'deny stage-low-risk-writes'],
  ['refund.create', { stage: 2, approvals: ['high-asks'] }, 'deny stage-low-risk-writes'],
  ['invoice.read', { stage: 2, risk: 'medium' }, 'allow medium-logged'],
  ['invoice.correct-address', { stage: 3 }, 'allow medium-logged'],

  ['invoice.export', SURE, 'ask high-asks irreversible-asks regulated-asks'],
  ['invoice.export', { approvals: ['high-asks', 'irreversible-asks'] }, 'ask regulated-asks'],
  ['invoice.export', { approvals: ['high-asks', 'irreversible-asks', 'regulated-asks'] }, 'allow high-supervised'],
  ['customer.read', { dataClass: 'regulated' }, 'ask regulated-asks'],
  ['customer.read', { dataClass: 'secret' }, 'ask regulated-asks'],
  ['ticket.close-many', SURE, 'ask batch-asks high-asks irreversible-asks'],
  ['ticket.close-many', { approvals: ['batch-asks', 'high-asks', 'irreversible-asks'] }, 'allow high-supervised'],
  ['ticket.set-state', { blastRadius: 'batch' }, 'ask batch-asks'],
  ['ticket.set-state', { reversible: false }, 'ask irreversible-asks'],
  ['ticket.read', { reversible: false }, 'allow low-runs'],

  ['refund.create', FORGED, 'deny money-on-third-party-text high-asks'],
  ['refund.create', { ...FORGED, approvals: ['high-asks', 'money-on-third-party-text'] }, 'deny money-on-third-party-text'],
  ['refund.small', FORGED, 'deny money-on-third-party-text'],
  ['credit.grant', FORGED, 'deny money-on-third-party-text'],
  ['credit.grant', { ...FORGED, ...UNDO }, 'deny money-on-third-party-text'],
  ['refund.small', MADE_UP, 'deny money-on-made-up-arguments'],
  ['credit.grant', MADE_UP, 'deny money-on-made-up-arguments'],
  ['refund.small', { arguments: { amountMinor: 2_001 } }, 'deny small-money-stays-small'],
  ['credit.grant', { arguments: { amountMinor: 2_001 } }, 'deny small-money-stays-small'],
  ['refund.small', { arguments: { amountMinor: '2000' } }, 'deny tidegate:policy-error'],

  ['refund.cancel', UNDO, 'allow compensation-runs'],
  ['refund.cancel', { ...UNDO, ...UNSURE, attempts: 3, stage: 1, origins: ['system', 'third-party'] }, 'allow compensation-runs'],
  ['refund.cancel', { ...UNDO, stage: 0 }, 'allow compensation-runs'],
  ['refund.cancel', { ...UNDO, stage: 2 }, 'allow compensation-runs'],
  ['invoice.correct-address', { ...UNDO, risk: 'high', dataClass: 'regulated', blastRadius: 'batch' }, 'allow compensation-runs'],
  ['refund.cancel', SURE, 'ask irreversible-asks'],

  ['shell.run', SURE, 'deny tidegate:default-deny'],
  ['shell.run', { ...UNDO }, 'deny tidegate:default-deny'],
  ['shell.run', { risk: 'high' }, 'deny tidegate:default-deny'],
  ['desk.burn', SURE, 'deny tidegate:policy-error'],
]

function outcomesOf(texts: readonly string[]): readonly string[] {
  const engine = createCedarEngine({ policies: [{ file: 'desk.cedar', text: texts.join('\n') }], schema })
  return rows.map(([verb, context]) => {
    const decision = resolveVerdict(engine.evaluate(requestOf(verb, context)), engine.version)
    return `${decision.outcome} ${decision.policies.map((policy) => policy.id).join(' ')}`
  })
}

/** A permit is the only thing between an action and a denial: asking and trying out do not replace it. */
function outcomeWithout(verb: string, context: Partial<PolicyContext>, id: string): string {
  const text = policies.flatMap((policy) => (policy.id === id ? [] : [policy.text])).join('\n')
  const engine = createCedarEngine({ policies: [{ file: 'desk.cedar', text }], schema })
  return resolveVerdict(engine.evaluate(requestOf(verb, context)), engine.version).outcome
}

const intact = outcomesOf(policies.map((policy) => policy.text))

test.each(rows.map((row, index) => [...row, index] as const))('%s %o: %s', (_verb, _context, outcome, index) => {
  expect(intact[index]).toBe(outcome)
})

describe('every policy is needed', () => {
  test.each(policies)('a row changes without $id', ({ id, effect }) => {
    const changed = outcomesOf(policies.filter((policy) => policy.id !== id).map((policy) => policy.text))
    const red = rows.filter((_, index) => changed[index] !== intact[index])
    expect(red).not.toEqual([])
    if (effect === 'forbid') expect(red.every(([, , outcome]) => outcome.split(' ').includes(id))).toBe(true)
    else expect(red.every(([verb, context]) => outcomeWithout(verb, context, id) === 'deny')).toBe(true)
  })

  test.each(policies.filter(({ effect, id }) => effect === 'forbid' && id !== 'critical-blocked').map((policy) => policy.id))(
    'more is let through without %s',
    (id) => {
      const changed = outcomesOf(policies.filter((policy) => policy.id !== id).map((policy) => policy.text))
      const severity = (outcome = '') => ['allow', 'dry_run', 'ask', 'deny'].indexOf(outcome.split(' ')[0] ?? '')
      expect(rows.some((_, index) => severity(changed[index]) < severity(intact[index]))).toBe(true)
    },
  )
})

test('critical actions are denied twice: by name, and because nothing permits them', () => {
  const changed = outcomesOf(policies.filter((policy) => policy.id !== 'critical-blocked').map((policy) => policy.text))
  const undo = rows.findIndex(([, context]) => context.risk === 'critical' && context.compensating === true)
  const critical = rows.flatMap(([, context], index) => (context.risk === 'critical' && index !== undo ? [changed[index]] : []))
  expect(critical.length).toBeGreaterThan(0)
  expect(new Set(critical)).toEqual(new Set(['deny tidegate:default-deny']))
  expect(changed[undo]).toBe('allow compensation-runs')
})

test('every exception is needed: a policy with a clause taken out decides a row otherwise', () => {
  const clauses = policies.flatMap((policy) =>
    [
      'context.compensating || ',
      ' || context.mode == "dry_run"',
      ' || !context.approvals.isEmpty()',
      'context.mutability != "read" && ',
      ' && context.mutability != "read"',
    ]
      .filter((clause) => policy.text.includes(clause))
      .map((clause) => ({ id: policy.id, clause })),
  )
  expect(clauses.length).toBeGreaterThan(8)
  const unneeded = clauses.filter(({ id, clause }) => {
    const texts = policies.map((policy) => (policy.id === id ? policy.text.replace(clause, '') : policy.text))
    return outcomesOf(texts).every((outcome, index) => outcome === intact[index])
  })
  expect(unneeded).toEqual([])
})

test('every policy has a reason in words, and the people it asks are ones the desk has', () => {
  const roles = new Set(policies.flatMap((policy) => policy.approvers.map((rule) => rule.role)))
  expect(roles).toEqual(new Set(['billing-lead', 'privacy']))
  expect(policies.filter((policy) => policy.reason.split(' ').length < 4)).toEqual([])
})
