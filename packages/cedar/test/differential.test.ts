import { CEDAR_FAILURE_KINDS, EXTENSION_FUNCTIONS } from '@tidegate/kernel'
import { describe, expect, test } from 'vitest'
import { type RunReport, runDifferential } from './differential/run.ts'

const PAIRS = 20_000
const SEEDS = [1, 2, 3, 4]
const OPERATORS = [
  ...['==', '!=', '<', '<=', '>', '>=', '+', '-', '*', 'neg', '!', '&&', '||', 'if-then-else', 'in', 'is', 'has', 'like', '.'],
  ...['contains', 'containsAll', 'containsAny', 'isEmpty', 'getTag', 'hasTag', 'Set', 'Record', 'Value', 'Var'],
  ...EXTENSION_FUNCTIONS.keys(),
]

/** The soak (`npm run soak -w @tidegate/cedar`) runs the same for as long as wanted. */
describe(`${PAIRS} random questions are answered as Cedar answers them`, () => {
  const reports: RunReport[] = []

  test.each(SEEDS)(
    'seed %i: decision, determining policies, and the words of every error',
    (seed) => {
      const report = runDifferential({ seed, pairs: PAIRS / SEEDS.length, maxDisagreements: 1 })
      reports.push(report)
      expect(report.disagreements).toEqual([])
      expect(report.allowed).toBeGreaterThan(report.pairs / 20)
    },
    120_000,
  )

  test('every way to fail came up, and every operator', () => {
    const kinds = new Set(reports.flatMap(({ failures }) => [...failures.keys()]))
    const operators = new Set(reports.flatMap((report) => [...report.operators.keys()]))
    // A value that Cedar does not have cannot be put to it: cedar-language.test.ts has these.
    expect([...kinds].toSorted()).toEqual(CEDAR_FAILURE_KINDS.filter((kind) => kind !== 'invalid_value').toSorted())
    expect(OPERATORS.filter((operator) => !operators.has(operator))).toEqual([])
  })
})
