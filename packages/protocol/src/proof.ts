import { z } from 'zod'
import { wireCount, wireId, wireLine, wireList, wireMs } from './text.ts'

/** `GET /v1/hosts/:id/canaries`. */
export const canaryQuerySchema = z.strictObject({
  nonce: z.string().regex(/^tidegate-canary-[0-9a-f]{32}$/, 'expected tidegate-canary- and 32 lower-case hex digits'),
  sinceMs: z.coerce.number().int().min(0),
})

const outcome = z.enum(['allow', 'dry_run', 'ask', 'deny'])

/** A call in the ledger in which a canary stands. */
export const canarySightingSchema = z.object({
  run: wireId,
  operation: wireLine,
  atMs: wireMs,
  outcome: outcome.nullable(),
  observes: z.boolean(),
  started: z.boolean(),
})
export type WireCanarySighting = z.infer<typeof canarySightingSchema>
export const canaryListSchema = z.object({ sightings: wireList(canarySightingSchema) })

const layer = z.object({
  name: wireLine,
  state: z.enum(['present', 'missing']),
  required: z.boolean(),
  detail: wireLine,
  get: wireLine.nullable(),
})
const leak = z.object({ name: wireLine, state: z.enum(['held', 'leaked', 'unknown']), detail: wireLine })

/** `GET /v1/doctor`: what only the server can look at. */
export const doctorSchema = z.object({
  /** The sandbox for commands; null when the project has none. */
  sandbox: z.object({ sound: z.boolean(), layers: wireList(layer), leaks: wireList(leak) }).nullable(),
  upstream: wireList(
    z.object({
      server: wireLine,
      state: wireLine,
      transport: wireLine,
      operations: wireCount,
      hidden: wireCount,
      issues: wireList(wireLine),
      detail: wireLine,
    }),
  ),
})
export type WireDoctor = z.infer<typeof doctorSchema>

/** What is to be noticed about a host. `unproven`: it is another than was proved. `silent`: nothing comes from it any more. */
export const hostNoticeSchema = z.object({ kind: z.enum(['unproven', 'silent']), detail: wireLine })
