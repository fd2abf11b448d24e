import { z } from 'zod'
import { json, operationId } from './schema.ts'
import { confidence, mapOf, name, section, template, text } from '../yaml/section.ts'

const phrases = z.array(text(200)).max(100, 'At most 100 phrases.').default([])
const texts = z.array(template(400)).min(1, 'Name at least one text.').max(20, 'At most 20 texts.')
const question = section({ question: text(2_000), confidence: confidence.prefault(0.92) })
const pick = z.enum(['first', 'last']).default('first')
const fieldName = z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,40}$/u, 'A field has letters and digits, such as "invoiceId".')

const verdict = section({ class: name, confidence })

const rule = section({ any: phrases, all: phrases, none: phrases, class: name, confidence }).refine(
  ({ any, all }) => any.length + all.length > 0,
  'A rule needs words: any, all, or both.',
)

const classifyNode = section({
  classify: texts,
  rules: z.array(rule).min(1, 'Write at least one rule.').max(100, 'At most 100 rules.').optional(),
  otherwise: verdict.optional(),
  model: question.optional(),
  classes: mapOf(name, { max: 50 }),
})

/** ISO 4217. */
const currency = z.enum(Intl.supportedValuesOf('currency'), 'Write the code of a currency, such as EUR or CNY.')
const fieldRule = section({
  money: z.array(currency).min(1, 'Name at least one currency.').optional(),
  identifier: text(20).optional(),
  email: z.literal(true, 'Write email: true.').optional(),
  after: z.array(text(100)).min(1, 'Write at least one phrase.').max(20, 'At most 20 phrases.').optional(),
  before: z.array(text(100)).max(20, 'At most 20 phrases.').optional(),
  type: z.enum(['string', 'integer', 'boolean']).optional(),
  describe: text(500).optional(),
  values: z.array(text(100)).max(50, 'At most 50 values.').optional(),
  pick,
})

const extractNode = section({
  extract: texts,
  fields: z.record(fieldName, fieldRule),
  model: question.optional(),
  next: name,
})

const operationNode = section({
  operation: operationId,
  arguments: json.default({}),
  goal: template(500).min(1, 'Say in a few words what this step is for; people read it in approvals.'),
  justification: template(1_000).default(''),
  confidence: confidence.prefault(1),
  next: name,
  onFailed: name.optional(),
  onInvalid: name.optional(),
})

const number = z.number('Write a number.')
const condition = section({
  if: template(400),
  equals: json.optional(),
  in: z.array(json).min(1, 'Write at least one value.').max(100, 'At most 100 values.').optional(),
  lessThan: number.optional(),
  atMost: number.optional(),
  greaterThan: number.optional(),
  atLeast: number.optional(),
  exists: z.boolean().optional(),
  next: name,
})

const branchNode = section({
  branch: z.array(condition).min(1, 'Write at least one condition.').max(50, 'At most 50 conditions.'),
  otherwise: name,
})

const finishNode = section({ finish: template(500).min(1, 'Say why the work is done.'), escalate: z.boolean().default(false) })
const giveUpNode = section({ giveUp: text(500) })

/** The kinds of node, by the key that tells them apart. */
export const NODE_SCHEMAS = {
  operation: operationNode,
  classify: classifyNode,
  extract: extractNode,
  branch: branchNode,
  finish: finishNode,
  giveUp: giveUpNode,
} as const

export type ClassifyText = z.output<typeof classifyNode>
export type ExtractText = z.output<typeof extractNode>
export type FieldText = z.output<typeof fieldRule>
export type OperationText = z.output<typeof operationNode>
export type ConditionText = z.output<typeof condition>
export type BranchText = z.output<typeof branchNode>
export type FinishText = z.output<typeof finishNode>
export type GiveUpText = z.output<typeof giveUpNode>

/** The tests of a condition, of which it has exactly one. */
export const TESTS = ['equals', 'in', 'lessThan', 'atMost', 'greaterThan', 'atLeast', 'exists'] as const
