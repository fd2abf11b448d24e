import { z } from 'zod'
import { wireObject } from './text.ts'

/** What a request of the AuthZEN Authorization API may measure, beyond the size and the depth of any body. */
export const AUTHZEN_LIMITS = {
  /** Characters of a type, or of the name of an action. */
  name: 256,
  /** Characters of an id. */
  id: 2_048,
  /** Evaluations in one request. */
  evaluations: 500,
  /** Results on one page of a search. */
  pageSize: 500,
  /** Characters of a page token. */
  token: 4_096,
  /** Characters of a signed value: a binding token, the state of an approval. */
  signed: 8_192,
  /** Characters of a note or a reason. */
  note: 1_000,
} as const

const name = z.string().min(1).max(AUTHZEN_LIMITS.name)
const id = z.string().min(1).max(AUTHZEN_LIMITS.id)
/** A point in time (RFC 3339). */
const instant = z.iso.datetime({ offset: true }).max(64)

/** A subject or a resource. What is not listed is ignored, here and below, as the specification wants (section "JSON Serialization"). */
const entity = z.object({ type: name, id, properties: wireObject.optional() })
const action = z.object({ name, properties: wireObject.optional() })
/** What is searched for: its id, if there is one, is ignored. */
const searched = z.object({ type: name, properties: wireObject.optional() })

/** `POST /access/v1/evaluation`. */
export const evaluationRequestSchema = z.object({
  subject: entity,
  action,
  resource: entity,
  context: wireObject.optional(),
})
export type WireEvaluationRequest = z.output<typeof evaluationRequestSchema>

/** How the evaluations of one request follow on each other. */
export const EVALUATIONS_SEMANTICS = ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'] as const
export type EvaluationsSemantic = (typeof EVALUATIONS_SEMANTICS)[number]

/**
 * `POST /access/v1/evaluations`. What stands beside `evaluations` are defaults, each replaced as a whole by what an evaluation
 * brings itself. The evaluations are checked one by one later: one that is wrong does not spoil the others.
 */
export const evaluationsRequestSchema = z.object({
  subject: entity.optional(),
  action: action.optional(),
  resource: entity.optional(),
  context: wireObject.optional(),
  evaluations: z.array(wireObject).max(AUTHZEN_LIMITS.evaluations).default([]),
  options: z.object({ evaluations_semantic: z.enum(EVALUATIONS_SEMANTICS).default('execute_all') }).prefault({}),
})
export type WireEvaluationsRequest = z.output<typeof evaluationsRequestSchema>

/** One decision. A denial is an answer like any other. */
export const evaluationAnswerSchema = z.object({ decision: z.boolean(), context: wireObject.optional() })
export type WireEvaluationAnswer = z.output<typeof evaluationAnswerSchema>

/** `token` continues an earlier search; everything else must then be as it was. */
const page = z.object({
  token: z.string().max(AUTHZEN_LIMITS.token).optional(),
  limit: z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
})

/** `POST /access/v1/search/subject`: who may do this? */
export const subjectSearchSchema = z.object({
  subject: searched,
  action,
  resource: entity,
  context: wireObject.optional(),
  page: page.optional(),
})
/** `POST /access/v1/search/resource`: on what may they do this? */
export const resourceSearchSchema = z.object({
  subject: entity,
  action,
  resource: searched,
  context: wireObject.optional(),
  page: page.optional(),
})
/** `POST /access/v1/search/action`: what may they do to this? */
export const actionSearchSchema = z.object({
  subject: entity,
  resource: entity,
  context: wireObject.optional(),
  page: page.optional(),
})
export type WireSubjectSearch = z.output<typeof subjectSearchSchema>
export type WireResourceSearch = z.output<typeof resourceSearchSchema>
export type WireActionSearch = z.output<typeof actionSearchSchema>

const denial = z.object({
  evaluation_id: z.string().min(1).max(AUTHZEN_LIMITS.name).optional(),
  evaluated_at: instant.optional(),
  expires_at: instant,
  reason: z.string().max(AUTHZEN_LIMITS.note).optional(),
  binding_token: z.string().min(1).max(AUTHZEN_LIMITS.signed).optional(),
  template: z.string().max(AUTHZEN_LIMITS.name).optional(),
})

/** `POST /access/v1/requests` (Access Request and Approval Profile): asks for what was denied, as it was denied. */
export const accessRequestSchema = z.object({
  subject: entity,
  action: action.optional(),
  resource: entity.optional(),
  context: wireObject.optional(),
  denial: denial.optional(),
  requested_access: z.object({ requested_until: instant.optional(), emergency: z.boolean().optional() }).optional(),
  client: wireObject.optional(),
  items: z.array(z.unknown()).optional(),
  callback: wireObject.optional(),
})
export type WireAccessRequest = z.output<typeof accessRequestSchema>

/** `POST /access/v1/requests/:id/cancel`. */
export const accessCancelSchema = z
  .object({ reason: z.string().max(AUTHZEN_LIMITS.note).optional(), comment: z.string().max(AUTHZEN_LIMITS.note).optional() })
  .optional()

/** What can become of a request for access. Only `pending` changes. */
export const ACCESS_TASK_STATES = ['pending', 'approved', 'denied', 'expired', 'cancelled', 'failed'] as const
