import { BLAST_RADII, DATA_CLASSES, MUTABILITIES, NATURES, REVERSIBILITIES, RISK_CLASSES } from '@tidegate/kernel'
import { z } from 'zod'
import { FLOW_FIELDS, pointer } from './flow-fields.ts'

const NAME = /^[a-z][a-z0-9-]{0,31}$/
const OPERATION_NAME = /^[a-z][a-z0-9-]{0,31}(?:\.[a-z][a-z0-9-]{0,31}){0,3}$/
const SECRET_NAME = /^[a-z][a-z0-9-]{0,63}$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what a title must not have.
const ONE_LINE = /^[^\u0000-\u001f\u007f]+$/

/** The most operations that one tool declares. */
export const MAX_OPERATIONS = 200
/** The most records that one call of a `batch` operation names. */
export const MAX_RECORDS = 1000

const callable = z.custom<(...args: never[]) => unknown>((value) => typeof value === 'function', 'must be a function')

/** The fields of a tool, without what its operations say. */
export const TOOL_FIELDS = z.strictObject({
  name: z.string().regex(NAME, 'must be lower case letters, digits and "-", such as desk'),
  title: z.string().max(80).regex(ONE_LINE, 'must be one line of text'),
  operations: z.record(
    z.string().regex(OPERATION_NAME, 'must be lower case words joined by dots, such as refund.create'),
    z.unknown(),
  ),
})

/** The fields of an operation, each for itself. What they mean together is checked afterwards. */
export const OPERATION_FIELDS = z.strictObject({
  title: z.string().max(80).regex(ONE_LINE, 'must be one line of text'),
  description: z.string().min(1).max(2000),
  input: z.instanceof(z.ZodObject, { error: 'must be z.strictObject({...}) from @tidegate/tools' }),
  output: z.instanceof(z.ZodObject, { error: 'must be z.strictObject({...}) from @tidegate/tools' }),
  mutability: z.enum(MUTABILITIES),
  dataClass: z.enum(DATA_CLASSES),
  blastRadius: z.enum(BLAST_RADII),
  risk: z.enum(RISK_CLASSES),
  nature: z
    .array(z.enum(NATURES.filter((nature) => nature !== 'unclassified')))
    .max(NATURES.length)
    .optional(),
  reversibility: z.enum(REVERSIBILITIES).optional(),
  records: z.array(pointer.min(2)).max(20).optional(),
  maxRecords: z.int().min(1).max(MAX_RECORDS).optional(),
  origins: z.record(pointer, z.enum(['workflow', 'system', 'user', 'third-party', 'model'])).optional(),
  flow: FLOW_FIELDS.optional(),
  idempotency: z.enum(['none', 'key']).optional(),
  timeoutMs: z.int().min(1).max(300_000).optional(),
  maxAttempts: z.int().min(1).max(10).optional(),
  settleMs: z.int().min(0).max(3_600_000).optional(),
  secrets: z.array(z.string().regex(SECRET_NAME, 'must be a name such as desk-token')).max(8).optional(),
  acceptsAmbiguity: z.boolean().optional(),
  execute: callable,
  preview: callable.optional(),
  reconcile: callable.optional(),
  verify: callable.optional(),
  compensate: z.strictObject({ operation: z.string(), arguments: callable }).optional(),
})
