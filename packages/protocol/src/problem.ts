import { z } from 'zod'
import { wireId, wireLine, wireList } from './text.ts'

/** The media type of an error (RFC 9457). */
export const PROBLEM_TYPE = 'application/problem+json'

/**
 * Why the gateway did not do what it was asked (RFC 9457). Programs branch on `code`, people read `detail`.
 *
 * `incident` is set for a defect: the server's log has the rest under the same id, and the answer has nothing of it.
 */
export const problemSchema = z.object({
  type: wireLine,
  title: wireLine,
  status: z.number().int().min(400).max(599),
  detail: wireLine,
  code: wireId,
  incident: wireId.optional(),
  issues: wireList(z.object({ path: wireLine, message: wireLine }), 1_000).optional(),
})

export type Problem = z.infer<typeof problemSchema>
