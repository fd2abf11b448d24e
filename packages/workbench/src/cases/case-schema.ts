import {
  BLAST_RADII,
  DATA_CLASSES,
  FLOW_WORDS,
  type Json,
  MUTABILITIES,
  NATURES,
  NO_FLOW,
  ORIGINS,
  RISK_CLASSES,
} from '@tidegate/kernel'
import { section } from '@tidegate/project'
import { z } from 'zod'

const TEXT = z.string().max(1_000)
const TEXTS = z.array(TEXT).max(100)
const COUNT = z.int().min(0).max(Number.MAX_SAFE_INTEGER)
const BASIS_POINTS = z.int('Write basis points: 9000 is 90 %.').min(0).max(10_000, 'Write basis points: 9000 is 90 %.')
const OUTCOMES = ['allow', 'dry_run', 'ask', 'deny'] as const

/** Facts of the flow, as the neutral ones have them: what is a flag there is a flag here. */
const FLOW = section(
  Object.fromEntries(
    Object.entries(NO_FLOW).map(([name, neutral]: readonly [string, unknown]) => [name, flowFact(name, neutral)]),
  ),
)

function flowFact(name: string, neutral: unknown): z.ZodType {
  const words: readonly string[] | undefined = (FLOW_WORDS as Readonly<Record<string, readonly string[]>>)[name]
  if (typeof neutral === 'boolean') return z.boolean().optional()
  if (Array.isArray(neutral)) return TEXTS.optional()
  return (words === undefined ? TEXT : z.enum(words as [string, ...string[]])).optional()
}

const INSTANT = z.iso.datetime({ offset: true, error: 'Write a time with its zone, such as 2026-11-02T12:00:00Z.' })

/** The facts of a case, under the names under which policies see them. Every one is optional. */
const CONTEXT = section({
  environment: TEXT.optional(),
  risk: z.enum(RISK_CLASSES).optional(),
  mutability: z.enum(MUTABILITIES).optional(),
  dataClass: z.enum(DATA_CLASSES).optional(),
  blastRadius: z.enum(BLAST_RADII).optional(),
  nature: z.array(z.enum(NATURES)).optional(),
  reversible: z.boolean().optional(),
  stage: z.int().min(0).max(4).optional(),
  actors: TEXTS.optional(),
  roles: TEXTS.optional(),
  records: COUNT.optional(),
  confidence: BASIS_POINTS.optional(),
  confidences: section({
    classification: BASIS_POINTS.optional(),
    retrieval: BASIS_POINTS.optional(),
    extraction: BASIS_POINTS.optional(),
  }).optional(),
  attempts: COUNT.optional(),
  now: INSTANT.optional(),
  hour: z.int().min(0).max(23).optional(),
  weekday: z.int().min(1).max(7).optional(),
  meters: z.record(z.string(), COUNT).optional(),
  origins: z.array(z.enum(ORIGINS)).optional(),
  flow: FLOW.optional(),
  compensating: z.boolean().optional(),
  mode: z.enum(['live', 'dry_run']).optional(),
  approvals: TEXTS.optional(),
})

const ARGUMENTS = z.record(z.string(), z.json() as z.ZodType<Json>)

const SITUATION = {
  workflow: TEXT.optional(),
  operation: TEXT.optional(),
  user: TEXT.optional(),
  client: TEXT.optional(),
  arguments: ARGUMENTS.optional(),
  context: CONTEXT.optional(),
}

const EXPECT = section({
  outcome: z.enum(OUTCOMES),
  /** Exactly the determining policies, in any order. */
  policies: TEXTS.optional(),
  /** Exactly the approvers, as policies write them, in any order. */
  approvers: TEXTS.optional(),
})

/** A file of cases. Unknown keys are refused. */
export const caseFileSchema = section({
  defaults: section(SITUATION).default({}),
  cases: z
    .array(section({ name: z.string().min(1, 'Say what the case is about.').max(300), ...SITUATION, expect: EXPECT }))
    .min(1, 'Write at least one case.')
    .max(2_000),
})

/** One file of cases, checked for its form. */
export type CaseDocument = z.output<typeof caseFileSchema>

/** What a case or the defaults of its file say about the action. */
export type SituationText = CaseDocument['defaults']

/** The facts of a case as it writes them. */
export type ContextText = NonNullable<SituationText['context']>
