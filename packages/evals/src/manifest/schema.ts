import {
  BLAST_RADII,
  DATA_CLASSES,
  EGRESSES,
  FIELD_ORIGINS,
  type FlowDeclaration,
  INPUT_ROLES,
  type Json,
  MUTABILITIES,
  NATURES,
  REVERSIBILITIES,
  RISK_CLASSES,
  VALUE_TYPES,
} from '@tidegate/kernel'
import { z } from 'zod'

const pointer = z
  .string()
  .max(500)
  .regex(/^(?:\/[^/]*)*$/, 'is not a JSON pointer: expected "" or "/a/*/b"')
const type = z.enum(VALUE_TYPES)
const readers = z.array(z.string().min(1).max(200)).max(100)
const field = z.strictObject({ origin: z.enum(FIELD_ORIGINS), type, readers: readers.optional(), closed: z.boolean().optional() })

const input = z.strictObject({
  role: z.enum(INPUT_ROLES),
  type,
  default: (z.json() as unknown as z.ZodType<Json>).optional(),
  words: z.record(z.string(), z.array(z.string().max(100)).max(50)).optional(),
})
const output = field.extend({
  spoken: z.literal('part').optional(),
  list: z.literal('lines').optional(),
  keys: field.optional(),
  today: z.boolean().optional(),
})

/** One operation of a manifest: what an author who knows the tool declares about it. */
export const operationSchema = z.strictObject({
  mutability: z.enum(MUTABILITIES),
  reversibility: z.enum(REVERSIBILITIES).default('irreversible'),
  risk: z.enum(RISK_CLASSES).default('low'),
  dataClass: z.enum(DATA_CLASSES).default('internal'),
  blastRadius: z.enum(BLAST_RADII).default('single'),
  egress: z.enum(EGRESSES).default('none'),
  egressVia: z.array(pointer).max(100).default([]),
  nature: z.array(z.enum(NATURES)).max(NATURES.length).default([]),
  inputs: z.record(pointer, input).default({}),
  outputs: z.record(pointer, output).default({}),
})

export type ManifestOperation = z.output<typeof operationSchema>

const suite = z.strictObject({
  suite: z.string().min(1).max(200),
  operations: z.record(z.string().min(1).max(200), operationSchema),
})

/** A manifest of one suite, or of several. */
export const manifestSchema = z.union([
  suite,
  z.strictObject({ suites: z.record(z.string().min(1).max(200), z.strictObject({ operations: suite.shape.operations })) }),
])

/** How data flows through an operation of a manifest, in the terms of the kernel. */
export function flowOf({ inputs, outputs, egress, egressVia }: ManifestOperation): FlowDeclaration {
  // Sound: zod writes an absent member as absent, and its types cannot say so.
  return { inputs, outputs, egress, egressVia } as FlowDeclaration
}
