import {
  BLAST_RADII,
  DATA_CLASSES,
  EGRESSES,
  FIELD_ORIGINS,
  INPUT_ROLES,
  MUTABILITIES,
  NATURES,
  ORIGINS,
  REVERSIBILITIES,
  RISK_CLASSES,
  VALUE_TYPES,
} from '@tidegate/kernel'
import { z } from 'zod'
import { mapOf, section } from '../yaml/section.ts'
import { durationUpTo } from './server-schema.ts'

const MAX_TOOLS = 2_000
const MAX_PLACES = 200

const pointer = z
  .string()
  .max(500)
  .regex(/^(?:\/(?:[^~/]|~[01])*)*$/u, 'Expected a JSON pointer such as /path.')
const argument = pointer.min(2, 'Expected a JSON pointer to an argument, such as /path.')
const readers = z.array(z.string().min(1).max(254)).min(1).max(50)

const flowKeys = section({
  origin: z.enum(FIELD_ORIGINS),
  type: z.enum(VALUE_TYPES),
  readers: readers.optional(),
  closed: z.boolean().optional(),
})

const flow = section({
  inputs: mapOf(
    section({
      role: z.enum(INPUT_ROLES),
      type: z.enum(VALUE_TYPES),
      default: z.json().optional(),
      words: z.record(z.string().max(100), z.array(z.string().min(1).max(60)).max(50)).optional(),
    }),
    { max: MAX_PLACES },
  ),
  outputs: mapOf(
    section({
      origin: z.enum(FIELD_ORIGINS),
      type: z.enum(VALUE_TYPES),
      readers: readers.optional(),
      closed: z.boolean().optional(),
      spoken: z.literal('part').optional(),
      list: z.literal('lines').optional(),
      keys: flowKeys.optional(),
      today: z.boolean().optional(),
    }),
    { max: MAX_PLACES },
  ),
  egress: z.enum(EGRESSES),
  egressVia: z.array(argument).max(20).optional(),
})

const toolName = z.string().min(1).max(128)
const plain = z.union([z.string().max(1_000), z.number(), z.boolean()], { error: 'Expected a text, a number, true or false.' })
const derived = z.union(
  [
    section({
      from: z
        .string()
        .max(500)
        .regex(/^\/(?:arguments|output)(?:\/(?:[^~/]|~[01])*)+$/u),
    }),
    section({ value: plain }),
  ],
  { error: 'Expected {from: /arguments/NAME}, {from: /output/...} or {value: text}.' },
)
const derivedArguments = mapOf(derived, { max: 50 }).default({})
const look = section({
  tool: toolName,
  arguments: derivedArguments,
  at: argument,
  equals: plain.optional(),
  absent: z.literal(true).optional(),
})

const nature = z.array(z.enum(NATURES.filter((each) => each !== 'unclassified'))).max(NATURES.length)
const maxAttempts = z.int().min(1).max(10)
const ofEffects = {
  mutability: z.enum(MUTABILITIES).optional(),
  dataClass: z.enum(DATA_CLASSES).optional(),
  blastRadius: z.enum(BLAST_RADII).optional(),
  risk: z.enum(RISK_CLASSES).optional(),
  timeout: durationUpTo(300_000, '5m').optional(),
  settle: durationUpTo(3_600_000, '60m').optional(),
}

const tool = section({
  hidden: z.literal(true, 'Write "hidden: true", or leave it out.').optional(),
  id: z
    .string()
    .max(120)
    .regex(/^[a-z0-9][a-z0-9-]{0,63}(?:\.[a-z0-9][a-z0-9-]{0,63}){0,3}$/u, 'Expected a verb such as file.read.')
    .optional(),
  title: z
    .string()
    .min(1)
    .max(80)
    .regex(/^[^\p{Cc}]+$/u, 'Expected one line of text.')
    .optional(),
  description: z.string().min(1).max(1_500).optional(),
  ...ofEffects,
  nature: nature.optional(),
  reversibility: z.enum(REVERSIBILITIES).optional(),
  records: z.array(argument).max(20).optional(),
  maxRecords: z.int().min(1).max(1_000).optional(),
  origins: z.record(pointer, z.enum(ORIGINS)).optional(),
  flow: flow.optional(),
  idempotency: z.enum(['none', 'key']).optional(),
  maxAttempts: maxAttempts.optional(),
  verify: look.optional(),
  reconcile: look.optional(),
  compensate: section({ tool: toolName, arguments: derivedArguments }).optional(),
})

/** An overlay: what the tools of one MCP server do, in the words of the owner of the project. */
export const overlaySchema = section({
  /** For the tools below that do not say it themselves. Of a tool that is not named below, nothing is known whatever stands here. */
  defaults: section(ofEffects).default({}),
  tools: mapOf(tool, { max: MAX_TOOLS })
    .nullish()
    .transform((tools) => tools ?? {}), // of a draft, all are commented out
})

export type OverlayDocument = z.output<typeof overlaySchema>
export type ToolDocument = OverlayDocument['tools'][string]
