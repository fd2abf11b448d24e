import { z } from 'zod'
import { approverSchema } from './runs.ts'
import { wireCount, wireLine, wireList, wireMs } from './text.ts'

const windowSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('sliding'), ms: wireMs }),
  z.object({ kind: z.literal('calendar'), unit: z.enum(['hour', 'day', 'week', 'month']) }),
  z.object({ kind: z.literal('run') }),
  z.object({ kind: z.literal('ever') }),
])

/** One limit on a meter. Values are in the unit of the meter: see {@link meterSchema}. */
const limitSchema = z.object({
  /** The id of the policy that it is. */
  policy: wireLine,
  /** What it binds, as patterns; empty for everything. */
  operations: wireList(wireLine),
  /** It binds while the value is above, or below, this. */
  bound: z.enum(['above', 'below']),
  value: wireCount,
  outcome: z.enum(['deny', 'ask', 'dry_run']),
  approvers: wireList(approverSchema),
  reason: wireLine,
})

/** The count of one key. */
const keySchema = z.object({
  /** `hash`: the key stands for the value of an argument. `none`: counted without one. `rest`: all keys that were too many. */
  kind: z.enum(['all', 'name', 'hash', 'none', 'rest']),
  /** Empty unless `kind` is `name` or `hash`. */
  key: wireLine,
  value: wireCount,
  /** How much of the value is held by actions that are decided and not recorded yet. */
  reserved: wireCount,
  /** The value as a fraction of the next limit that it has not passed, or of the last one; null where there is none to fill. */
  full: z.number().min(0).nullable(),
})
export type WireMeterKey = z.infer<typeof keySchema>

/**
 * A declared meter with its limits and its counts as of now (docs/guide/limits.md). Values count one each, or are the sum of an
 * argument; `cost` is in millionths of the currency, and an anomaly in hundredths of a deviation.
 */
export const meterSchema = z.object({
  name: wireLine,
  of: wireLine,
  /** What it counts, as patterns; empty for everything. */
  operations: wireList(wireLine),
  /** The pointer to the amount; null counts one each. */
  sum: wireLine.nullable(),
  /** A word, or the pointer to the argument whose every value has a count of its own. */
  per: wireLine,
  window: windowSchema,
  /** Whether the value that is held against a limit includes the action under decision. */
  self: z.boolean(),
  anomaly: z.object({ bucketMs: wireMs, baselineMs: wireMs, minimum: wireCount }).nullable(),
  limits: wireList(limitSchema, 8),
  /** How many keys have a value; 0 for the window `run`, which has none outside its runs. */
  keys: wireCount,
  largest: wireList(keySchema, 20),
})
export type WireMeter = z.infer<typeof meterSchema>
export type WireMeterLimit = z.infer<typeof limitSchema>

/** `GET /v1/limits`. */
export const meterListSchema = z.object({ meters: wireList(meterSchema, 100) })
