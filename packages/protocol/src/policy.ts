import { z } from 'zod'
import { WIRE_LIMITS } from './limits.ts'
import { approverSchema } from './runs.ts'
import { wireCount, wireId, wireJson, wireLine, wireList, wireMs, wireText, wireWhy } from './text.ts'

/** Files of one set of policies. */
const MAX_FILES = 200
const outcome = z.enum(['allow', 'dry_run', 'ask', 'deny'])

/** A file of policies as text; `layer` says where it comes from. What is built in cannot be sent. */
export const policyTextSchema = z.strictObject({
  file: z.string().min(1).max(300),
  layer: z.enum(['profile', 'project', 'limits']).default('project'),
  text: z.string().max(WIRE_LIMITS.text),
})
export type WirePolicyText = z.input<typeof policyTextSchema>

/** Which past decisions are decided again: the newest, so many of them, of runs opened since then. */
export const backtestRangeSchema = z.strictObject({
  last: z.number().int().min(1).max(1_000_000).default(10_000),
  sinceMs: wireMs.optional(),
})

/** `POST /v1/policy/plan`: what would these policies change? Null for no backtest. */
export const policyPlanRequestSchema = z.strictObject({
  files: z.array(policyTextSchema).min(1).max(MAX_FILES).readonly(),
  backtest: backtestRangeSchema.nullable().default({ last: 10_000 }),
})
export type WirePolicyPlanRequest = z.input<typeof policyPlanRequestSchema>

/** `POST /v1/policy/apply`: proposes these policies. */
export const policyApplyRequestSchema = policyPlanRequestSchema.extend({ why: wireWhy })
export type WirePolicyApplyRequest = z.input<typeof policyApplyRequestSchema>

/** A version as people name it: its first hex digits, six at least. */
export const policyVersionNameSchema = z.string().regex(/^[0-9a-f]{6,64}$/, 'expected 6 to 64 lower-case hex digits')

/** `POST /v1/policy/rollback`: proposes to go back to a version; to the one before when none is named. */
export const policyRollbackRequestSchema = z.strictObject({ version: policyVersionNameSchema.optional(), why: wireWhy })
export type WirePolicyRollbackRequest = z.input<typeof policyRollbackRequestSchema>

/** A change was proposed: the run decides, asks whoever must be asked, and brings it about. */
export const changeAnswerSchema = z.object({ run: wireId, version: wireLine })
export type WireChangeAnswer = z.infer<typeof changeAnswerSchema>

/** One policy by what it means. */
export const describedPolicySchema = z.object({
  id: wireLine,
  effect: z.enum(['permit', 'forbid']),
  outcome,
  approvers: wireList(approverSchema),
  reason: wireLine,
  scope: wireText,
  condition: wireText,
  file: wireLine,
  line: wireCount,
})

/** How one set of policies differs from another, by id. */
export const policyDiffSchema = z.object({
  added: wireList(describedPolicySchema),
  removed: wireList(describedPolicySchema),
  changed: wireList(
    z.object({
      id: wireLine,
      before: describedPolicySchema,
      after: describedPolicySchema,
      changes: wireList(
        z.object({
          aspect: z.enum(['effect', 'outcome', 'scope', 'condition', 'approvers', 'reason']),
          before: wireText,
          after: wireText,
        }),
      ),
    }),
  ),
  unchanged: wireCount,
})
export type WirePolicyDiff = z.infer<typeof policyDiffSchema>

/** What the past would have looked like. */
export const backtestSchema = z.object({
  version: wireLine,
  /** Decisions that were decided again, how many come out otherwise, and how many of those let more through. */
  decided: wireCount,
  changed: wireCount,
  loosened: wireCount,
  undecidable: z.object({ erased: wireCount, unrecorded: wireCount, undeclared: wireCount }),
  groups: wireList(
    z.object({
      from: outcome,
      to: outcome,
      operation: wireLine,
      policies: wireList(wireLine),
      were: wireList(wireLine),
      otherApprovers: z.boolean(),
      count: wireCount,
      examples: wireList(z.object({ run: wireId, action: wireCount, atMs: wireMs })),
    }),
  ),
  groupsLeftOut: wireCount,
  /** False when there was more to look at than was allowed. */
  complete: z.boolean(),
  runs: wireCount,
  durationMs: wireMs,
})
export type WireBacktest = z.infer<typeof backtestSchema>

/** What a set of policies would change. */
export const policyPlanSchema = z.object({
  from: wireLine,
  to: wireLine,
  same: z.boolean(),
  files: wireList(z.object({ file: wireLine, change: z.enum(['added', 'removed', 'changed']) })),
  diff: policyDiffSchema,
  backtest: backtestSchema.nullable(),
  approvers: wireList(approverSchema),
})
export type WirePolicyPlan = z.infer<typeof policyPlanSchema>

/** A version that is or was in force. */
export const policyVersionSchema = z.object({
  version: wireLine,
  inForce: z.boolean(),
  atMs: wireMs,
  /** Index of its record in the ledger. */
  index: wireCount,
  cause: z.enum(['first_start', 'start', 'schema', 'change']),
  by: wireLine,
  reviewers: wireList(wireLine),
  why: wireText,
  run: wireId.nullable(),
  previous: wireLine.nullable(),
  files: wireCount,
})
export type WirePolicyVersion = z.infer<typeof policyVersionSchema>

/** `GET /v1/policy/versions`: newest first. */
export const policyVersionListSchema = z.object({ versions: wireList(policyVersionSchema) })

/** `GET /v1/policy/version`: the texts of one version; of the one in force when none is named. */
export const policyVersionQuerySchema = z.strictObject({ version: policyVersionNameSchema.optional() })
export const policyTextsSchema = policyVersionSchema.extend({
  texts: wireList(z.object({ file: wireLine, layer: wireLine, text: wireText })),
})
export type WirePolicyTexts = z.infer<typeof policyTextsSchema>

/** `GET /v1/policy/explain`: the decisions of a run, each decided again with the policies of its day. */
export const policyExplainQuerySchema = z.strictObject({
  run: wireId,
  action: z.coerce.number().int().min(0).max(100_000).optional(),
})

const explainedOutcome = z.object({
  outcome,
  policies: wireList(z.object({ id: wireLine, reason: wireLine })),
  approvers: wireList(approverSchema),
})

export const policyExplanationSchema = z.object({
  run: wireId,
  decisions: wireList(
    z.object({
      action: wireCount,
      operation: wireLine,
      atMs: wireMs,
      version: wireLine,
      recorded: explainedOutcome,
      /** `agrees`: it comes out as it was recorded; `guard`: no policy was asked. */
      verdict: z.enum(['agrees', 'differs', 'guard', 'unknown_version', 'unrecorded']),
      recomputed: explainedOutcome.nullable(),
      rules: wireList(describedPolicySchema.extend({ text: wireText })),
      hints: wireList(wireText),
    }),
  ),
})
export type WirePolicyExplanation = z.infer<typeof policyExplanationSchema>

/** `GET /v1/changes/tools`: operations that are denied until somebody accepts them as they are declared now. */
export const toolChangeListSchema = z.object({
  changes: wireList(
    z.object({
      operation: wireLine,
      version: wireLine,
      accepted: wireLine.nullable(),
      before: wireJson,
      after: wireJson,
    }),
  ),
})
export type WireToolChange = z.infer<typeof toolChangeListSchema>['changes'][number]

/** `POST /v1/changes/tools`: proposes to accept an operation as it is declared now. */
export const toolAcceptRequestSchema = z.strictObject({ operation: wireId, why: wireWhy })
export type WireToolAcceptRequest = z.input<typeof toolAcceptRequestSchema>
