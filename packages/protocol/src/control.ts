import { z } from 'zod'
import { wireCount, wireId, wireLine, wireList, wireMs, wireText, wireWhy } from './text.ts'

/** What a stop covers, as people write it. */
export const stopScopeSchema = z
  .string()
  .max(210)
  .regex(/^(?:global|(?:agent|workflow|tool|run):[\w./:@-]{1,200})$/, 'expected global, agent:X, workflow:X, tool:X or run:X')

/** A stop in force. */
export const stopSchema = z.object({
  id: wireId,
  scope: wireLine,
  mode: z.enum(['hold', 'kill']),
  by: wireLine,
  why: wireText,
  atMs: wireMs,
})
export type WireStop = z.infer<typeof stopSchema>

/** `GET /v1/stops`. */
export const stopListSchema = z.object({ stops: wireList(stopSchema) })

/** `POST /v1/stops`. `hold` keeps runs for a later lift; `kill` ends them. */
export const stopRequestSchema = z.strictObject({
  scope: stopScopeSchema,
  mode: z.enum(['hold', 'kill']).default('hold'),
  why: wireWhy,
})
export type WireStopRequest = z.input<typeof stopRequestSchema>

/** The stop is durable and fenced. `running` had started before it, and their outcome was not known when it was acknowledged. */
export const stopReportSchema = z.object({
  stop: stopSchema,
  epoch: wireCount,
  acknowledgedMs: wireMs,
  running: wireList(z.object({ run: wireId, operation: wireLine, sinceMs: wireMs })),
})
export type WireStopReport = z.infer<typeof stopReportSchema>

/** `POST /v1/stops/lift`: one stop by its id, or all stops over a scope. */
export const liftRequestSchema = z
  .strictObject({ stop: wireId.optional(), scope: stopScopeSchema.optional(), why: wireWhy })
  .refine((lift) => (lift.stop === undefined) !== (lift.scope === undefined), 'name either a stop or a scope')
export type WireLiftRequest = z.input<typeof liftRequestSchema>

export const liftAnswerSchema = z.object({ stops: wireList(stopSchema), epoch: wireCount })
export type WireLiftAnswer = z.infer<typeof liftAnswerSchema>

/** `POST /v1/runs/:id/undo` and `POST /v1/queue/:item/resolve`. */
export const whyRequestSchema = z.strictObject({ why: wireWhy })

/** The run that takes the effects back has been opened. */
export const undoAnswerSchema = z.object({ run: wireId, effects: wireCount })
export type WireUndoAnswer = z.infer<typeof undoAnswerSchema>
