import { CONFIDENCE_KINDS, summariseCalibration } from '@tidegate/kernel'
import type { WireCalibration } from '@tidegate/protocol'
import type { CalibrationView } from '@tidegate/runtime'

/** What became of confidences, with the figures worked out. */
export function renderCalibration({ runs, calibration }: CalibrationView): WireCalibration {
  const kinds = CONFIDENCE_KINDS.map((kind) => {
    const record = calibration[kind]
    const summary = summariseCalibration(record)
    const bins = record.bins.map(({ count, right, confidenceSum }) => ({
      count,
      right,
      meanConfidence: count === 0 ? null : confidenceSum / (count * 10_000),
    }))
    return {
      kind,
      count: summary?.count ?? 0,
      accuracy: summary?.accuracy ?? null,
      meanConfidence: summary?.meanConfidence ?? null,
      brierScore: summary?.brierScore ?? null,
      expectedCalibrationError: summary?.expectedCalibrationError ?? null,
      bins,
    }
  })
  return { runs, kinds }
}
