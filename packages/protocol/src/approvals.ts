import { z } from 'zod'
import { approverSchema } from './runs.ts'
import { wireCount, wireDigest, wireId, wireJson, wireLine, wireList, wireMs, wireText, wireWhy } from './text.ts'

/** What can become of a question put to people. */
export const APPROVAL_STATES = ['open', 'granted', 'refused', 'lapsed', 'voided', 'consumed'] as const
const approvalState = z.enum(APPROVAL_STATES)

/** A question put to people, with what they need in order to answer it. */
export const approvalSchema = z.object({
  id: wireId,
  run: wireId,
  action: wireCount,
  state: approvalState,
  /** The action that is asked, and nothing else, is what a yes allows. */
  digest: wireDigest,
  previewDigest: wireDigest.nullable(),
  policyVersion: wireLine,
  policies: wireList(wireLine),
  approvers: wireList(approverSchema),
  requesters: wireList(wireLine),
  openedAtMs: wireMs,
  deadlineMs: wireMs,
  votes: wireList(
    z.object({
      voter: wireLine,
      vote: z.enum(['approve', 'refuse']),
      why: wireText,
      atMs: wireMs,
      /** The yes is to the whole plan, and not to the one action alone. */
      plan: z.boolean(),
    }),
  ),
  workflow: wireLine,
  operation: wireLine,
  title: wireLine,
  goal: wireText,
  justification: wireText,
  arguments: wireJson,
  preview: wireJson,
  reasons: wireList(wireLine),
  risk: wireLine,
  reversibility: wireLine,
  /** The rest of the run's plan, when a yes may cover it as well: a vote that names this digest is a yes to all of it. */
  plan: z
    .object({
      digest: wireDigest,
      isApproved: z.boolean(),
      calls: wireList(
        z.object({
          operation: wireLine,
          title: wireLine,
          risk: wireLine,
          reversibility: wireLine,
          digest: wireDigest,
          policies: wireList(wireLine),
          arguments: wireJson,
          preview: wireJson,
          /** The action that started under it, or null. */
          usedBy: wireCount.nullable(),
        }),
      ),
    })
    .nullable(),
})
export type WireApproval = z.infer<typeof approvalSchema>

/** `GET /v1/approvals`. */
export const approvalListSchema = z.object({ approvals: wireList(approvalSchema) })
export const approvalQuerySchema = z.strictObject({ state: z.enum(['open', 'all']).default('open') })

/** `POST /v1/approvals/:id/votes`: the digest is that of the action, or of the whole plan, that the voter was shown. */
export const voteRequestSchema = z.strictObject({ vote: z.enum(['approve', 'refuse']), why: wireWhy, digest: wireDigest })
export type WireVoteRequest = z.infer<typeof voteRequestSchema>

/** The vote counts. `state` is what became of the question with it. */
export const voteAnswerSchema = z.object({ state: approvalState, run: wireId })
export type WireVoteAnswer = z.infer<typeof voteAnswerSchema>
