import { z } from 'zod'
import { WIRE_LIMITS } from './limits.ts'
import { storySchema } from './story.ts'
import { wireCount, wireId, wireJson, wireLine, wireList, wireMs, wireObject, wireText } from './text.ts'

/** The states in which lists show a run. */
export const RUN_STATES = ['running', 'waiting', 'undoing', 'completed', 'failed', 'stopped', 'undone', 'escalated'] as const
const runState = z.enum(RUN_STATES)

/** One run as a list shows it. */
export const runHeadSchema = z.object({
  run: wireId,
  workflow: wireLine,
  agent: wireLine,
  state: runState,
  failure: wireLine.nullable(),
  summary: wireLine,
  openedAtMs: wireMs,
  updatedAtMs: wireMs,
  wakeAtMs: wireMs.nullable(),
  effects: wireCount,
  openApprovals: wireList(wireId),
  openItems: wireCount,
  /** The run that this one undoes, or null. */
  undoes: wireId.nullable(),
})
export type WireRunHead = z.infer<typeof runHeadSchema>

/** `GET /v1/runs`: newest first. */
export const runListSchema = z.object({ runs: wireList(runHeadSchema, WIRE_LIMITS.runsPerPage) })
export type WireRunList = z.infer<typeof runListSchema>

/** What `GET /v1/runs` may be asked. `state` may stand several times, separated by commas. */
export const runQuerySchema = z.strictObject({
  state: z
    .string()
    .max(WIRE_LIMITS.id)
    .transform((text) => text.split(','))
    .pipe(z.array(runState))
    .optional(),
  workflow: wireId.optional(),
  before: wireId.optional(),
  limit: z.coerce.number().int().min(1).max(WIRE_LIMITS.runsPerPage).default(50),
})

/** One policy that determined a decision. */
const policySchema = z.object({ id: wireLine, reason: wireLine })
/** Who must say yes, and how many of them. */
export const approverSchema = z.object({ role: wireLine, count: wireCount })

/** One action of a run. */
export const runActionSchema = z.object({
  n: wireCount,
  operation: wireLine,
  purpose: z.enum(['act', 'check', 'compensate']),
  effect: z.boolean(),
  state: wireLine,
  goal: wireText,
  justification: wireText,
  arguments: wireJson,
  origins: wireList(wireLine),
  digest: wireLine.nullable(),
  outcome: z.enum(['allow', 'dry_run', 'ask', 'deny']).nullable(),
  policies: wireList(policySchema),
  approvers: wireList(approverSchema),
  approval: wireId.nullable(),
  attempts: wireCount,
  /** When the last attempt started, on the journal's time; 0 when none did. */
  startedAtMs: wireMs,
  output: wireJson,
  findings: wireList(z.object({ path: wireLine, kind: wireLine })),
  failure: wireLine.nullable(),
  message: wireText,
  found: wireLine.nullable(),
  compensates: wireCount.nullable(),
})
export type WireRunAction = z.infer<typeof runActionSchema>

/** `GET /v1/runs/:id`: everything about one run, and its story in words. */
export const runDetailSchema = z.object({
  run: wireId,
  workflow: wireLine,
  workflowVersion: wireLine,
  agent: wireLine,
  actors: wireList(wireLine),
  trigger: z.object({ source: wireLine, event: wireLine }),
  environment: wireLine,
  stage: wireCount,
  state: runState,
  failure: wireLine.nullable(),
  reason: wireText,
  openedAtMs: wireMs,
  updatedAtMs: wireMs,
  /** Basis points. */
  confidence: wireCount,
  spent: z.object({ steps: wireCount, tokens: wireCount, costMicros: wireCount }),
  undoes: wireId.nullable(),
  undoneBy: wireId.nullable(),
  /** The stop that holds the run, or null. */
  heldBy: wireId.nullable(),
  input: wireObject,
  actions: wireList(runActionSchema),
  approvals: wireList(z.object({ id: wireId, action: wireCount, state: wireLine })),
  items: wireList(z.object({ item: wireId, kind: wireLine, title: wireLine, detail: wireText, resolvedBy: wireLine.nullable() })),
  story: storySchema,
})
export type WireRunDetail = z.infer<typeof runDetailSchema>

/** `GET /v1/runs/:id/settled`: answers the head when the run rests or waits, or when the time is up. */
export const settleQuerySchema = z.strictObject({
  timeoutMs: z.coerce.number().int().min(0).max(WIRE_LIMITS.settleMs).default(30_000),
})
