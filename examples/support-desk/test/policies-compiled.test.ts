import { readdirSync, readFileSync } from 'node:fs'
import { tool } from '../tools/desk.ts'
import {
  BLAST_RADII,
  DATA_CLASSES,
  FLOW_WORDS,
  type JsonObject,
  MUTABILITIES,
  NATURES,
  NEUTRAL_FACTS,
  ORIGINS,
  type PolicyContext,
  type PolicyRequest,
  type PolicyVerdict,
  RISK_CLASSES,
} from '@tidegate/kernel'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  createCedarEngine,
  createOracleEngine,
  generateSchema,
  NO_ARGUMENTS,
  type PolicyFile,
  sampleArguments,
} from '@tidegate/cedar'

const { operations } = tool({ settings: { baseUrl: 'http://127.0.0.1:7444' } })
const schema = generateSchema(operations, [{ name: 'support-billing', agent: 'support-desk' }], { meters: ['refunds_today'] })

function filesOf(folder: string): readonly PolicyFile[] {
  const url = new URL(folder, import.meta.url)
  const names = readdirSync(url).filter((name) => name.endsWith('.cedar'))
  return names.map((name) => ({ file: name, text: readFileSync(new URL(name, url), 'utf8') }))
}

/** Uses of the language that the other sets have none of: typed arguments, time, meters, decimals, and an overflow. */
const TYPED = `
@id("typed.permit") permit (principal, action in Action::"tool::desk", resource) when { context.hour < 20 };
@id("typed.late") @reason("late at night") forbid (principal, action, resource)
when { context.now.toTime() >= duration("22h") || context.weekday > 5 };
@id("typed.often") @outcome("ask") @approvers("role:operator") @reason("many today") forbid (principal, action, resource)
when { context.meters.refunds_today * 9000000000000000 > 1 } unless { context.approvals.contains("typed.often") };
@id("typed.large") @outcome("dry_run") @reason("a large amount") forbid (principal, action, resource)
when { context.arguments has amountMinor && context.arguments.amountMinor > 2000 && context.user like "user:*" };
@id("typed.lists") @reason("words") forbid (principal, action, resource)
when { context.origins.containsAll(["model", "user"]) && !context.roles.isEmpty() && context.confidences.retrieval < 5000 };
`

const words = <const T extends string>(list: readonly T[]) => fc.uniqueArray(fc.constantFrom(...list), { maxLength: 3 })
const long = fc.oneof(fc.constantFrom(0, 1, 2, 3, 10, 11, 1_024, 1_025), fc.maxSafeInteger())
const confidence = fc.constantFrom(0, 4_999, 5_000, 8_999, 9_000, 9_499, 9_500, 10_000)

const facts: fc.Arbitrary<Partial<PolicyContext>> = fc.record(
  {
    risk: fc.constantFrom(...RISK_CLASSES),
    mutability: fc.constantFrom(...MUTABILITIES),
    dataClass: fc.constantFrom(...DATA_CLASSES),
    blastRadius: fc.constantFrom(...BLAST_RADII),
    nature: words(NATURES),
    reversible: fc.boolean(),
    stage: fc.integer({ min: 0, max: 4 }),
    roles: fc.subarray(['clerk', 'lead']),
    records: long,
    confidence,
    confidences: fc.record({ classification: confidence, retrieval: confidence, extraction: confidence }),
    attempts: fc.integer({ min: 0, max: 4 }),
    time: fc.record({
      nowMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
      hour: fc.integer({ min: 0, max: 23 }),
      weekday: fc.integer({ min: 1, max: 7 }),
    }),
    meters: fc.record({ refunds_today: long }),
    origins: words(ORIGINS),
    flow: fc.record({
      tainted: fc.boolean(),
      sources: fc.subarray(['desk.ticket.read', 'input']),
      egress: fc.constantFrom(...FLOW_WORDS.egress),
      sinks: fc.constantFrom(...FLOW_WORDS.sinks),
      values: fc.constantFrom(...FLOW_WORDS.values),
      amounts: fc.constantFrom(...FLOW_WORDS.amounts),
      text: fc.constantFrom(...FLOW_WORDS.text),
      grant: fc.constantFrom(...FLOW_WORDS.grant),
      readable: fc.boolean(),
      ungrounded: fc.subarray(['/amountMinor', '/reason']),
      declared: fc.boolean(),
    }),
    compensating: fc.boolean(),
    mode: fc.constantFrom('live', 'dry_run'),
    approvals: fc.subarray([
      'high-asks',
      'batch-asks',
      'balanced.high-asks',
      'balanced.destructive-asks',
      'strict.writes-ask',
      'typed.often',
    ]),
  },
  { requiredKeys: [] },
)

const changes: fc.Arbitrary<JsonObject> = fc.record(
  { amountMinor: fc.oneof(long, fc.double({ noNaN: true })), reason: fc.string() },
  { requiredKeys: [] },
)

const request: fc.Arbitrary<PolicyRequest> = fc
  .tuple(fc.constantFrom(...operations), facts, changes, fc.string())
  .map(([operation, asked, args, user]) => {
    const sample = sampleArguments(schema.arguments[operation.id] ?? NO_ARGUMENTS)
    const { id, tool: name, risk, mutability, dataClass, blastRadius, nature } = operation
    const declared = { environment: 'production', risk, mutability, dataClass, blastRadius, nature, reversible: true, stage: 4 }
    const context: PolicyContext = {
      ...NEUTRAL_FACTS,
      ...declared,
      time: { nowMs: 0, hour: 12, weekday: 1 },
      meters: { refunds_today: 0 },
      ...asked,
      arguments: { ...sample, ...args },
    }
    return { agent: 'support-desk', workflow: 'support-billing', operation: id, tool: name, user, client: 'client:web', context }
  })

/** Two evaluators fail in different words; which policy fails is the same. */
function comparable(verdict: PolicyVerdict): unknown {
  return verdict.kind === 'broken' ? { kind: 'broken', policy: /^policy (\S+) failed/.exec(verdict.message)?.[1] } : verdict
}

test.each([
  ['the example', filesOf('../policies/')],
  ['balanced', filesOf('../../../packages/cedar/profiles/balanced/')],
  ['strict', filesOf('../../../packages/cedar/profiles/strict/')],
  ['observe', filesOf('../../../packages/cedar/profiles/observe/')],
  ['typed arguments, time and meters', [{ file: 'typed.cedar', text: TYPED }]],
])('the compiled engine says what Cedar says: %s', (_what, policies) => {
  const [compiled, oracle] = [createCedarEngine({ policies, schema }), createOracleEngine({ policies, schema })]
  expect(compiled.version).toBe(oracle.version)
  const seen = new Set<string>()
  fc.assert(
    fc.property(request, (asked) => {
      const verdict = compiled.evaluate(asked)
      seen.add(verdict.kind)
      expect(comparable(verdict)).toEqual(comparable(oracle.evaluate(asked)))
    }),
    { numRuns: 400 },
  )
  expect([...seen]).toEqual(expect.arrayContaining(['permitted', 'forbidden', 'broken']))
})
