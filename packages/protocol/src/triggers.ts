import { z } from 'zod'
import { wireId, wireObject } from './text.ts'

/** `POST /v1/triggers`. Without `user` the run is on behalf of the caller; another user needs the role `dispatcher`. */
export const triggerRequestSchema = z.strictObject({
  workflow: wireId,
  source: wireId,
  event: wireId,
  input: wireObject,
  user: wireId.optional(),
})
export type WireTriggerRequest = z.infer<typeof triggerRequestSchema>

/** `duplicate`: the event was delivered before, and this is the run it opened then. */
export const triggerAnswerSchema = z.object({ kind: z.enum(['opened', 'duplicate']), run: wireId })
export type WireTriggerAnswer = z.infer<typeof triggerAnswerSchema>
