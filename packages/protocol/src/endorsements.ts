import { z } from 'zod'
import { WIRE_LIMITS } from './limits.ts'
import { wireCount, wireDigest, wireId, wireLine, wireList, wireMs, wireText, wireWhy } from './text.ts'

/** A place in the arguments of an operation. */
const pointer = z.string().max(400).regex(/^\//, 'expected a JSON pointer, such as /recipient')
/** The name of a target. */
const target = z.union([z.string().min(1).max(400), z.number()])
const endorsementState = z.enum(['open', 'endorsed'])

/**
 * `POST /v1/runs/:id/endorsements`: values that may be used for one sink each, for the rest of the run. With `approval`, those of an open question;
 * with `action`, those of an action of the run; with `operation`, values that are given as they are. `digest` is that of the
 * action in which the values were seen.
 */
export const endorseRequestSchema = z.strictObject({
  why: wireWhy,
  approval: wireId.optional(),
  action: wireCount.optional(),
  operation: wireId.optional(),
  digest: wireDigest.optional(),
  values: z
    .array(z.strictObject({ pointer, value: target.optional() }))
    .min(1)
    .max(20)
    .readonly(),
})
export type WireEndorseRequest = z.infer<typeof endorseRequestSchema>

/** The endorsement counts. `open` means that more people have to say so; `reopened`, that the question is decided again. */
export const endorseAnswerSchema = z.object({
  run: wireId,
  values: wireList(z.object({ operation: wireLine, pointer: wireLine, state: endorsementState })),
  reopened: z.boolean(),
})
export type WireEndorseAnswer = z.infer<typeof endorseAnswerSchema>

/** `GET /v1/runs/:id/endorsements`: what was endorsed in a run, by whom and why. */
export const endorsementListSchema = z.object({
  endorsements: wireList(
    z.object({
      operation: wireLine,
      pointer: wireLine,
      value: z.union([z.string().max(WIRE_LIMITS.line), z.number()]),
      state: endorsementState,
      approval: wireId.nullable(),
      policyVersion: wireLine,
      votes: wireList(z.object({ voter: wireLine, why: wireText, atMs: wireMs })),
    }),
  ),
})
export type WireEndorsement = z.infer<typeof endorsementListSchema>['endorsements'][number]
