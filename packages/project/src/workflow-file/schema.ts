import { ORIGINS, type Json } from '@tidegate/kernel'
import { z } from 'zod'
import { parseDuration } from '../yaml/duration.ts'
import { confidence, count, mapOf, name, section, template, text } from '../yaml/section.ts'

const DAY_MS = 86_400_000

/** Any plain data; texts in it are templates. */
export const json: z.ZodType<Json> = z.json() as z.ZodType<Json>

const owner = text(200)
/** `tool.verb`. */
export const operationId = z
  .string()
  .regex(/^[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+$/u, 'An operation is written as tool.verb, such as "desk.ticket.read".')
  .max(128)

function duration(maxMs: number, example: string) {
  const message = `Write a duration such as ${example} (ms, s, m, h, d), at most ${maxMs / DAY_MS}d.`
  return z.string(message).transform((written, context) => {
    const ms = parseDuration(written)
    if (ms !== undefined && ms <= maxMs) return ms
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })
}

const cost = z
  .number('Write an amount in the currency of the model prices, such as 1.0.')
  .positive('Write an amount above 0.')
  .max(10_000, 'At most 10000.')
  .transform((amount) => Math.ceil(amount * 1_000_000))

const limits = section({
  steps: count(1_000).default(40),
  wall: duration(7 * DAY_MS, '10m').default(600_000),
  tokens: count(10_000_000).default(50_000),
  cost: cost.default(1_000_000),
  repeats: count(20).default(3),
  approval: duration(30 * DAY_MS, '24h').default(DAY_MS),
})

const role = z
  .string()
  .regex(/^(?!role:)[^\s]{1,100}$/u, 'A role is written as people have it, without a prefix, such as "billing-lead".')

/** What people may answer for besides one call. */
const approvals = section({
  plan: z.enum(['each', 'whole'], 'Write "whole" to let one yes cover a plan, or "each" to ask call by call.').default('each'),
  endorsers: z
    .array(section({ role, count: count(20).default(1) }))
    .max(10, 'At most 10 roles.')
    .default([]),
})

const inputField = section({
  type: z.enum(['text', 'number', 'boolean']).default('text'),
  origin: z.enum(ORIGINS).default('user'),
  /** Of a text. */
  maxLength: count(100_000).default(200),
  required: z.boolean().default(true),
})

const inputName = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/u, 'A field has letters and digits, such as "ticketId".')

const agentInstructions = section({
  goal: text(2_000),
  rules: z.array(text(500)).max(30).default([]),
  confidence: confidence.optional(),
  show: z.enum(['all', 'typed'], 'Write "all", or "typed" to keep what strangers wrote from the model.').optional(),
  plan: z.boolean('Write true to have the model make a plan before it reads anything.').optional(),
})

/** The document as people write it. The nodes of the graph are checked one by one, see node-schema.ts. */
export const workflowSchema = section({
  name,
  title: text(120),
  agent: z
    .string()
    .regex(
      /^[a-z][a-z0-9:._-]{0,127}$/u,
      'The name of an agent has small letters, digits, hyphens and dots, such as "support-desk".',
    ),
  owners: section({ model: owner, permissions: owner, workflow: owner, incidents: owner }),
  trigger: section({ source: text(100), event: text(100) }),
  stage: z
    .number('Write a stage from 0 to 4.')
    .int('Write a stage from 0 to 4.')
    .min(0, 'Write a stage from 0 to 4.')
    .max(4, 'Write a stage from 0 to 4.'),
  environment: text(60).optional(),
  planner: z.enum(['graph', 'agent']),
  operations: z
    .array(section({ id: operationId, confine: mapOf(template(400), { max: 20 }).default({}) }))
    .min(1, 'List at least one operation.')
    .max(100, 'At most 100 operations.'),
  limits: limits.prefault({}),
  input: z.record(inputName, inputField).default({}),
  success: section({ operation: operationId, arguments: json.default({}), expect: mapOf(json, { max: 20 }) }),
  onFailure: z.enum(['undo', 'keep']).default('undo'),
  approvals: approvals.optional(),
  instructions: agentInstructions.optional(),
  graph: section({ start: name, nodes: mapOf(z.unknown(), { max: 200 }) }).optional(),
})

/** The checked document. Durations are milliseconds, amounts millionths, confidences basis points. */
export type WorkflowDocument = z.output<typeof workflowSchema>

/** One declared field of the input. */
export type InputField = z.output<typeof inputField>
