import { z } from 'zod'
import { wireCount, wireId, wireLine, wireList, wireMs, wireText } from './text.ts'

/** Something that waits for a person. */
export const queueItemSchema = z.object({
  item: wireId,
  kind: wireLine,
  run: wireId,
  workflow: wireLine,
  action: wireCount.nullable(),
  title: wireLine,
  detail: wireText,
  atMs: wireMs,
  resolvedBy: wireLine.nullable(),
})
export type WireQueueItem = z.infer<typeof queueItemSchema>

/** `GET /v1/queue`. */
export const queueListSchema = z.object({ items: wireList(queueItemSchema) })
export const queueQuerySchema = z.strictObject({ all: z.enum(['true', 'false']).default('false') })

/** `POST /v1/queue/:item/resolve`. */
export const resolveAnswerSchema = z.object({ item: wireId, resolved: z.literal(true) })
export type WireResolveAnswer = z.infer<typeof resolveAnswerSchema>
