import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Calibration,
  CONFIDENCE_KINDS,
  EMPTY_CALIBRATION,
  type JudgedConfidence,
  recordJudgement,
  summariseCalibration,
} from '../src/policy/calibration.ts'

/** `9000+ 5000-`: a confidence, and whether it turned out right. */
function judged(text: string): readonly JudgedConfidence[] {
  return text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => ({ kind: 'extraction', confidence: Number(word.slice(0, -1)), right: word.endsWith('+') }))
}

function record(judgements: readonly JudgedConfidence[]): Calibration {
  return judgements.reduce(recordJudgement, EMPTY_CALIBRATION)
}

const rows: readonly (readonly [why: string, judgements: string, expected: object | undefined])[] = [
  ['nothing judged', '', undefined],
  [
    'always sure and right',
    '10000+ 10000+',
    { count: 2, accuracy: 1, meanConfidence: 1, brierScore: 0, expectedCalibrationError: 0 },
  ],
  ['always sure and wrong', '10000-', { accuracy: 0, brierScore: 1, expectedCalibrationError: 1 }],
  ['a coin that knows it', '5000+ 5000-', { accuracy: 0.5, brierScore: 0.25, expectedCalibrationError: 0 }],
  [
    '90 % sure and right nine times of ten',
    `${'9000+ '.repeat(9)}9000-`,
    { accuracy: 0.9, brierScore: 0.09, expectedCalibrationError: 0 },
  ],
  [
    'two bins, each off by a tenth',
    '8000+ 8000+ 8000+ 8000+ 8000+ 6000+ 6000- 6000- 6000- 6000-',
    { accuracy: 0.6, expectedCalibrationError: 0.3 },
  ],
  ['errors of two bins do not cancel', '0+ 10000-', { accuracy: 0.5, meanConfidence: 0.5, expectedCalibrationError: 1 }],
  ['errors of one bin do', '9000+ 9900-', { accuracy: 0.5, expectedCalibrationError: 0.445 }],
]
test.each(rows)('%s', (_why, text, expected) => {
  const summary = summariseCalibration(record(judged(text)).extraction)
  if (expected === undefined) expect(summary).toBeUndefined()
  else {
    for (const [name, value] of Object.entries(expected)) {
      expect([name, summary?.[name as keyof typeof summary]]).toEqual([name, expect.closeTo(value as number, 12)])
    }
  }
})

test.each([
  [0, 0],
  [999, 0],
  [1_000, 1],
  [8_999, 8],
  [9_000, 9],
  [10_000, 9],
])('%i falls into bin %i', (confidence, bin) => {
  const { bins } = record([{ kind: 'retrieval', confidence, right: true }]).retrieval
  expect(bins.findIndex(({ count }) => count === 1)).toBe(bin)
})

test.each([-1, 10_001, 0.95, Number.NaN, Number.POSITIVE_INFINITY])('%d is no confidence and is not counted', (confidence) => {
  expect(record([{ kind: 'retrieval', confidence, right: true }])).toBe(EMPTY_CALIBRATION)
})

const judgement: fc.Arbitrary<JudgedConfidence> = fc.record({
  kind: fc.constantFrom(...CONFIDENCE_KINDS),
  confidence: fc.integer({ min: 0, max: 10_000 }),
  right: fc.boolean(),
})

test('the order of judgements has no meaning, and each counts for its own kind', () => {
  fc.assert(
    fc.property(fc.array(judgement), (judgements) => {
      const calibration = record(judgements)
      expect(record(judgements.toReversed())).toEqual(calibration)
      for (const kind of CONFIDENCE_KINDS) {
        expect(summariseCalibration(calibration[kind])?.count ?? 0).toBe(judgements.filter((each) => each.kind === kind).length)
      }
    }),
  )
})

test('the calibration error is never larger than the root of the Brier score', () => {
  fc.assert(
    fc.property(fc.array(judgement, { minLength: 1 }), (judgements) => {
      for (const kind of CONFIDENCE_KINDS) {
        const summary = summariseCalibration(record(judgements)[kind])
        if (summary !== undefined)
          expect(summary.expectedCalibrationError).toBeLessThanOrEqual(Math.sqrt(summary.brierScore) + 1e-9)
      }
    }),
  )
})
