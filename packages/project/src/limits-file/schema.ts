import { AMOUNT_MAX, CALENDAR_UNITS, METER_SCOPES, METER_SOURCES, type MeterScope, type MeterWindow } from '@tidegate/kernel'
import { z } from 'zod'
import { parseDuration } from '../yaml/duration.ts'
import { count, section, text } from '../yaml/section.ts'

const SECOND_MS = 1_000
const YEAR_MS = 366 * 86_400_000

const WINDOW_HELP = `Write how far back it counts: a duration from 1s to 366d, ${CALENDAR_UNITS.join(', ')}, run or ever.`

/** `1d` (sliding), `day` (calendar), `run` or `ever`. */
export const meterWindow = z.string(WINDOW_HELP).transform((written, context): MeterWindow => {
  const unit = CALENDAR_UNITS.find((name) => name === written)
  if (unit !== undefined) return { kind: 'calendar', unit }
  if (written === 'run' || written === 'ever') return { kind: written }
  const ms = parseDuration(written)
  if (ms !== undefined && ms >= SECOND_MS && ms <= YEAR_MS) return { kind: 'sliding', ms }
  context.addIssue({ code: 'custom', message: WINDOW_HELP })
  return z.NEVER
})

/** A duration between two others, in milliseconds. */
function duration(minMs: number, maxMs: number, message: string) {
  return z.string(message).transform((written, context) => {
    const ms = parseDuration(written)
    if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })
}

const SCOPE_HELP = `Write ${METER_SCOPES.join(', ')} or a JSON pointer into the arguments, such as /customerId.`
const POINTER = /^(?:\/(?:[^~/]|~[01])+){1,8}$/u

const pointer = z
  .string('Write a JSON pointer into the arguments, such as /amountMinor.')
  .regex(POINTER, 'Write a JSON pointer into the arguments, such as /amountMinor.')
  .max(200)

const scope = z.string(SCOPE_HELP).transform((written, context): MeterScope => {
  const word = METER_SCOPES.find((name) => name === written)
  if (word !== undefined) return word
  if (POINTER.test(written) && written.length <= 200) return written as `/${string}` // sound: the pattern begins with a slash
  context.addIssue({ code: 'custom', message: SCOPE_HELP })
  return z.NEVER
})

const PATTERN_HELP = 'Write an operation, such as "desk.refund.create", or all that begin so: "desk.refund.*".'

/** An operation, or `tool.*`; whether it exists is checked later. */
export const patterns = z
  .array(
    z
      .string(PATTERN_HELP)
      .regex(/^[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*(?:\.\*)?$/u, PATTERN_HELP)
      .max(128),
  )
  .max(100, 'At most 100 operations.')

const somePatterns = patterns.min(1, 'List at least one operation.')

const amount = z
  .number('Write a number.')
  .min(0, 'Write a number from 0.')
  .max(AMOUNT_MAX - 1, `At most ${AMOUNT_MAX - 1}.`)

const reason = text(300).regex(/^[^\p{Cc}]*$/u, 'Write one line.')

/** What happens when a limit is passed. */
const consequence = {
  // biome-ignore lint/suspicious/noThenProperty: the word people write; a document is never awaited
  then: z.enum(['deny', 'ask', 'dry_run']).default('deny'),
  approvers: z.array(text(100)).max(8, 'At most 8 roles.').optional(),
  reason: reason.optional(),
}

const name = z.string().max(50, 'At most 50 characters.')

/** A count or sum, with at most one limit written in short, or a list of them. */
export const meterSchema = section({
  name,
  of: z.enum(METER_SOURCES).default('effects'),
  operations: patterns.default([]),
  sum: pointer.optional(),
  per: scope.default('agent'),
  window: meterWindow,
  limit: amount.optional(),
  limits: z
    .array(section({ above: amount, operations: patterns.optional(), ...consequence }))
    .max(4, 'At most 4 limits on one meter.')
    .optional(),
  ...consequence,
})

/** What may never follow. */
export const neverSchema = section({
  name,
  never: section({
    operations: somePatterns,
    after: somePatterns,
    within: meterWindow.default({ kind: 'run' }),
    per: scope.default('agent'),
  }),
  ...consequence,
})

/** What must have come before. */
export const formerlySchema = section({
  name,
  formerly: section({
    operations: somePatterns,
    needs: somePatterns,
    least: count(1_000).default(1),
    within: meterWindow.default({ kind: 'run' }),
    per: scope.default('agent'),
  }),
  ...consequence,
})

const DAY_MS = 86_400_000

/** More than is usual. */
export const anomalySchema = section({
  name,
  anomaly: section({
    of: z.enum(METER_SOURCES).default('effects'),
    operations: patterns.default([]),
    sum: pointer.optional(),
    per: scope.default('agent'),
    bucket: duration(60_000, 7 * DAY_MS, 'Write how long one bucket is: from 1m to 7d, such as 1h.').default(3_600_000),
    baseline: duration(60_000, YEAR_MS, 'Write how far back the baseline reaches, such as 14d.').default(14 * DAY_MS),
    deviations: z
      .number('Write a number from 1 to 1000, such as 4.')
      .min(1, 'Write a number from 1 to 1000, such as 4.')
      .max(1_000, 'Write a number from 1 to 1000, such as 4.')
      .default(4),
    minimum: count(1_000_000_000).default(1),
  }),
  ...consequence,
})

export type MeterDocument = z.output<typeof meterSchema>
export type NeverDocument = z.output<typeof neverSchema>
export type FormerlyDocument = z.output<typeof formerlySchema>
export type AnomalyDocument = z.output<typeof anomalySchema>
