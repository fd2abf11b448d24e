import { RISK_CLASSES } from '@tidegate/kernel'
import fc from 'fast-check'
import type { FactOverrides } from '../src/request/facts.ts'

const atom = fc.oneof(
  fc.constantFrom(...RISK_CLASSES).map((risk) => `context.risk == "${risk}"`),
  fc.constantFrom(...RISK_CLASSES).map((risk) => `context.risk != "${risk}"`),
  fc.tuple(fc.constantFrom('<', '<=', '>', '>=', '==', '!='), fc.nat(4)).map(([op, n]) => `context.attempts ${op} ${n}`),
  fc.tuple(fc.constantFrom('<', '>='), fc.nat(4)).map(([op, n]) => `${n} ${op} context.records`),
  fc
    .constantFrom('contains("user")', 'contains("model")', 'isEmpty()', 'containsAny(["user", "system"])')
    .map((of) => `context.origins.${of}`),
  fc.constantFrom('context.compensating', 'context.attempts + 1 > 2', '["low", "high"].contains(context.risk)'),
)
/** Conditions over a few facts, with some that are not understood. */
export const { condition } = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small' },
    atom,
    tie('condition').map((inner) => `!(${inner})`),
    fc.tuple(tie('condition'), fc.constantFrom('&&', '||'), tie('condition')).map(([a, op, b]) => `(${a} ${op} ${b})`),
  ),
}))

/** What those conditions ask about. */
export const facts: fc.Arbitrary<FactOverrides> = fc.record({
  risk: fc.constantFrom(...RISK_CLASSES),
  attempts: fc.nat(5),
  records: fc.nat(5),
  compensating: fc.boolean(),
  origins: fc.subarray(['user', 'model', 'system'] as const),
})
