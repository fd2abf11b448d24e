import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateSchema } from '@tidegate/cedar'
import type { Workflow } from '@tidegate/kernel'
import { describe, expect, onTestFinished, test } from 'vitest'
import { findCases } from '../src/cases/find-cases.ts'
import { readCases } from '../src/cases/read-cases.ts'
import { type CaseReport, runCases } from '../src/cases/run-cases.ts'
import { inputOf, operation } from './operation.ts'

const refund = operation('desk.refund', {
  ...{ mutability: 'write', risk: 'high', reversibility: 'compensable' },
  input: inputOf({ invoiceId: { type: 'string' }, amountMinor: { type: 'integer' }, note: { type: 'string' } }, [
    'invoiceId',
    'amountMinor',
  ]),
})
const operations = [operation('desk.read'), refund]
// Sound: what cases look at of a workflow is there.
const workflows = [{ name: 'billing', agent: 'clerk', environment: 'production', stage: 3 }] as unknown as readonly Workflow[]
const schema = generateSchema(operations, workflows, { meters: ['refunds_per_day'] })

const POLICIES = `
@id("reads") @reason("reads run") permit (principal, action, resource) when { context.risk == "low" };
@id("writes") @reason("writes run") permit (principal, action, resource) when { context.risk == "high" };
@id("large-asks") @outcome("ask") @approvers("role:lead x2") @reason("more than 20.00")
forbid (principal, action == Action::"desk.refund", resource)
when { context.arguments.amountMinor > 2000 } unless { context.approvals.contains("large-asks") };
@id("many") @reason("too many") forbid (principal, action, resource) when { context.meters.refunds_per_day > 3 };
@id("night") @reason("at night") forbid (principal, action, resource) when { context.hour < 6 || context.weekday > 5 };
`

function directory(): string {
  const root = mkdtempSync(join(tmpdir(), 'tidegate-cases-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  return root
}

function run(text: string, timeZone = 'UTC'): CaseReport {
  const root = directory()
  writeFileSync(join(root, 'a.test.yaml'), text)
  const policyFiles = [{ file: 'a.cedar', text: POLICIES, layer: 'project' as const }]
  return runCases([readCases(root, 'a.test.yaml')], { operations, workflows, schema, policyFiles, timeZone, cover: ['project'] })
}

const one = (situation: string, expectation: string): string => `cases: [{ name: x, ${situation}, expect: { ${expectation} } }]`

describe('outcomes', () => {
  test.each([
    ['what is not said is declared or neutral', 'operation: desk.read', 'outcome: allow, policies: [reads]'],
    ['arguments that are not said are plain', 'operation: desk.refund', 'outcome: allow, policies: [writes]'],
    ['the bound', 'operation: desk.refund, arguments: { amountMinor: 2000 }', 'outcome: allow'],
    ['above it', 'operation: desk.refund, arguments: { amountMinor: 2001 }', 'outcome: ask, approvers: [role:lead x2]'],
    [
      'an approval',
      'operation: desk.refund, arguments: { amountMinor: 2001 }, context: { approvals: [large-asks] }',
      'outcome: allow',
    ],
    [
      'a declared fact, overridden',
      'operation: desk.read, context: { risk: critical }',
      'outcome: deny, policies: [tidegate:default-deny]',
    ],
    ['a meter', 'operation: desk.read, context: { meters: { refunds_per_day: 4 } }', 'outcome: deny, policies: [many]'],
    ['an hour', 'operation: desk.read, context: { hour: 5 }', 'outcome: deny, policies: [night]'],
    ['a time', 'operation: desk.read, context: { now: "2026-11-02T05:30:00Z" }', 'outcome: deny, policies: [night]'],
    ['a day', 'operation: desk.read, context: { now: "2026-11-07T12:00:00Z" }', 'outcome: deny, policies: [night]'],
    [
      'an argument of another type',
      'operation: desk.refund, arguments: { amountMinor: x }',
      'outcome: deny, policies: [tidegate:policy-error]',
    ],
  ])('%s', (_why, situation, expectation) => {
    const { cases } = run(one(situation, expectation))
    expect(cases.map(({ passed, differences }) => [passed, ...differences])).toEqual([[true]])
  })

  test('times are read in the time zone of the project', () => {
    const text = one('operation: desk.read, context: { now: "2026-11-02T05:30:00Z" }', 'outcome: allow')
    expect([run(text).failed, run(text, 'Europe/Berlin').failed]).toEqual([1, 0])
  })

  test('the defaults of the file hold where a case says nothing', () => {
    const text = `defaults: { operation: desk.refund, arguments: { amountMinor: 9999 }, context: { hour: 3 } }
cases:
  - { name: a, context: { hour: 12 }, expect: { outcome: ask } }
  - { name: b, expect: { outcome: deny } }
  - { name: "another operation has other arguments", operation: desk.read, context: { hour: 12 }, expect: { outcome: allow } }
`
    expect(run(text)).toMatchObject({ passed: 3, failed: 0 })
  })
})

test('a failed case says what is different, and where it stands', () => {
  const text = `cases:
  - name: fine
    operation: desk.read
    expect: { outcome: allow }
  - name: wrong
    operation: desk.refund
    arguments: { amountMinor: 5000 }
    expect: { outcome: deny, policies: [large-asks, night], approvers: [role:lead] }
`
  const { cases, failed } = run(text)
  expect(failed).toBe(1)
  expect(cases[1]).toMatchObject({
    line: 5,
    outcome: 'ask',
    policies: ['large-asks'],
    reasons: ['more than 20.00'],
    differences: [
      'expected deny, decided ask',
      'policies: expected night, which is not there',
      'approvers: expected role:lead, which is not there',
      'approvers: role:lead x2 was not expected',
    ],
  })
})

test('policies that determine nothing in any case are named', () => {
  const { policies, uncovered } = run(one('operation: desk.read', 'outcome: allow'))
  expect(policies).toBe(5)
  expect(uncovered).toMatchObject([{ id: 'writes', line: 3 }, { id: 'large-asks', line: 4 }, { id: 'many' }, { id: 'night' }])
})

describe('what is refused', () => {
  test.each([
    ['an unknown fact', one('operation: desk.read, context: { confidense: 1 }', 'outcome: allow'), 'Did you mean "confidence"'],
    [
      'an unknown fact of the flow',
      one('operation: desk.read, context: { flow: { taintd: true } }', 'outcome: allow'),
      'Did you mean "tainted"',
    ],
    ['a word that is none', one('operation: desk.read, context: { risk: hihg }', 'outcome: allow'), 'Did you mean "high"'],
    ['a number out of range', one('operation: desk.read, context: { confidence: 90000 }', 'outcome: allow'), '9000 is 90 %'],
    ['an outcome that is none', one('operation: desk.read', 'outcome: alow'), 'Did you mean "allow"'],
    ['no expectation', 'cases: [{ name: x, operation: desk.read }]', '"expect" is missing'],
    [
      'an unknown operation',
      one('operation: desk.raed', 'outcome: allow'),
      'cases[0].operation: No tool declares "desk.raed". Did you mean "desk.read"',
    ],
    ['an unknown workflow', one('workflow: biling, operation: desk.read', 'outcome: allow'), 'Did you mean "billing"'],
    [
      'an unknown argument',
      one('operation: desk.refund, arguments: { amount: 1 }', 'outcome: allow'),
      'desk.refund has no argument "amount"',
    ],
    [
      'an unknown meter',
      one('operation: desk.read, context: { meters: { refunds: 1 } }', 'outcome: allow'),
      'no meter "refunds"',
    ],
    [
      'a time without a zone',
      one('operation: desk.read, context: { now: "2026-11-02T05:30:00" }', 'outcome: allow'),
      'a time with its zone',
    ],
    ['no case', 'cases: []', 'at least one case'],
    ['no YAML', 'cases: [', 'a.test.yaml:'],
  ])('%s', (_why, text, message) => {
    expect(() => run(text)).toThrow(
      expect.objectContaining({ code: 'cases_invalid', message: expect.stringContaining(message) as string }),
    )
  })

  test('files that are not there', () => {
    const root = directory()
    expect(() => readCases(root, 'none.test.yaml')).toThrow(expect.objectContaining({ code: 'cases_missing' }))
    mkdirSync(join(root, 'policies'))
    const files = [{ file: 'policies/a.cedar', text: POLICIES, layer: 'project' as const }]
    expect(() => findCases(root, files)).toThrow(expect.objectContaining({ code: 'cases_missing' }))
    writeFileSync(join(root, 'policies', 'z.test.yaml'), '')
    expect(findCases(root, files)).toEqual([join(root, 'policies', 'z.test.yaml')])
  })
})
