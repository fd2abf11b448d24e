import { z } from 'zod'
import { wireCount, wireLine } from './text.ts'

/** One bin of confidences: a tenth of the scale. */
const binSchema = z.object({ count: wireCount, right: wireCount, meanConfidence: z.number().min(0).max(1).nullable() })

/** What became of one kind of confidence. The figures are fractions from 0 to 1; null when nothing was judged. */
export const calibrationKindSchema = z.object({
  kind: wireLine,
  count: wireCount,
  accuracy: z.number().nullable(),
  meanConfidence: z.number().nullable(),
  brierScore: z.number().nullable(),
  expectedCalibrationError: z.number().nullable(),
  bins: z.array(binSchema).max(10),
})
export type WireCalibrationKind = z.infer<typeof calibrationKindSchema>

/** `GET /v1/calibration`. */
export const calibrationSchema = z.object({ runs: wireCount, kinds: z.array(calibrationKindSchema).max(8) })
export type WireCalibration = z.infer<typeof calibrationSchema>
export const calibrationQuerySchema = z.strictObject({ workflow: wireLine.optional() })
