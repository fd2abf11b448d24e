import type { Confidences } from './decision.ts'

/** What a planner can be sure of. */
export type ConfidenceKind = keyof Confidences

export const CONFIDENCE_KINDS = ['classification', 'retrieval', 'extraction'] as const satisfies readonly ConfidenceKind[]

/** Bins of equal width: 0 to below 10 %, ..., 90 % to 100 %. */
export const CALIBRATION_BINS = 10

const FULL = 10_000

/** One confidence, and what a person or a success check said about it afterwards. */
export interface JudgedConfidence {
  readonly kind: ConfidenceKind
  /** 0 to 10,000 basis points, as the planner gave it. */
  readonly confidence: number
  readonly right: boolean
}

/** What was judged of the confidences in one bin: sums, so that two records can be added up in any order. */
export interface CalibrationBin {
  readonly count: number
  readonly right: number
  /** Of the confidences, in basis points. */
  readonly confidenceSum: number
}

/** What was judged of one kind. Whole numbers only: the same judgements give the same record everywhere. */
export interface CalibrationRecord {
  readonly bins: readonly CalibrationBin[]
  /** Of the distances between confidence and outcome, in basis points squared. */
  readonly squaredErrorSum: number
}

export type Calibration = Readonly<Record<ConfidenceKind, CalibrationRecord>>

const EMPTY_BIN: CalibrationBin = { count: 0, right: 0, confidenceSum: 0 }
const EMPTY_RECORD: CalibrationRecord = { bins: Array.from({ length: CALIBRATION_BINS }, () => EMPTY_BIN), squaredErrorSum: 0 }

/** Nothing was judged yet. */
export const EMPTY_CALIBRATION: Calibration = {
  classification: EMPTY_RECORD,
  retrieval: EMPTY_RECORD,
  extraction: EMPTY_RECORD,
}

/**
 * Adds one judgement. The order of judgements has no meaning.
 *
 * A confidence that is not a whole number of basis points from 0 to 10,000 is not counted: it comes from a planner, which may say anything.
 */
export function recordJudgement(calibration: Calibration, { kind, confidence, right }: JudgedConfidence): Calibration {
  if (!Number.isInteger(confidence) || confidence < 0 || confidence > FULL) return calibration
  const { bins, squaredErrorSum } = calibration[kind]
  const at = Math.min(CALIBRATION_BINS - 1, Math.floor((confidence * CALIBRATION_BINS) / FULL))
  const miss = (right ? FULL : 0) - confidence
  const record = {
    bins: bins.map((bin, i) => (i === at ? added(bin, confidence, right) : bin)),
    squaredErrorSum: squaredErrorSum + miss * miss,
  }
  return { ...calibration, [kind]: record }
}

function added({ count, right, confidenceSum }: CalibrationBin, confidence: number, isRight: boolean): CalibrationBin {
  return { count: count + 1, right: right + (isRight ? 1 : 0), confidenceSum: confidenceSum + confidence }
}

/** How far a planner's confidence can be believed. All but `count` are fractions from 0 to 1. */
export interface CalibrationSummary {
  readonly count: number
  /** Share that was right. */
  readonly accuracy: number
  readonly meanConfidence: number
  /** Mean squared distance between confidence and outcome: 0 is perfect, 0.25 is a coin. */
  readonly brierScore: number
  /** Mean distance between confidence and accuracy over the bins, each weighted by its count: 0 is perfectly calibrated. */
  readonly expectedCalibrationError: number
}

/** Sums up what was judged of one kind; undefined when nothing was. */
export function summariseCalibration({ bins, squaredErrorSum }: CalibrationRecord): CalibrationSummary | undefined {
  const count = sumOf(bins, (bin) => bin.count)
  if (count === 0) return undefined
  const gaps = sumOf(bins, (bin) => Math.abs(bin.confidenceSum - bin.right * FULL))
  return {
    count,
    accuracy: sumOf(bins, (bin) => bin.right) / count,
    meanConfidence: sumOf(bins, (bin) => bin.confidenceSum) / (count * FULL),
    brierScore: squaredErrorSum / (count * FULL * FULL),
    expectedCalibrationError: gaps / (count * FULL),
  }
}

function sumOf(bins: readonly CalibrationBin[], of: (bin: CalibrationBin) => number): number {
  return bins.reduce((sum, bin) => sum + of(bin), 0)
}
