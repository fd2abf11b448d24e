import { EGRESSES, FIELD_ORIGINS, INPUT_ROLES, VALUE_TYPES } from '@tidegate/kernel'
import { z } from 'zod'

const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/

/** A JSON pointer in which `*` may stand for one segment. */
export const pointer = z.string().max(500).regex(POINTER, 'must be a JSON pointer such as /invoiceId')

/** The most arguments, and the most parts of an output, that one declaration speaks of. */
const MAX_PLACES = 200

const input = z.strictObject({
  role: z.enum(INPUT_ROLES),
  type: z.enum(VALUE_TYPES),
  default: z.json().optional(),
  words: z.record(z.string().max(100), z.array(z.string().min(1).max(60)).max(50)).optional(),
})

const readers = z.array(z.string().min(1).max(254)).min(1).max(50)
const keys = z.strictObject({
  origin: z.enum(FIELD_ORIGINS),
  type: z.enum(VALUE_TYPES),
  readers: readers.optional(),
  closed: z.boolean().optional(),
})
const output = keys.extend({ list: z.literal('lines').optional(), keys: keys.optional(), today: z.boolean().optional() })

const places = <Value extends z.ZodType>(value: Value) =>
  z
    .record(pointer, value)
    .refine((table) => Object.keys(table).length <= MAX_PLACES, `must not speak of more than ${MAX_PLACES} places`)

/** The fields of a flow declaration, each for itself. */
export const FLOW_FIELDS = z.strictObject({
  inputs: places(input),
  outputs: places(output),
  egress: z.enum(EGRESSES),
  egressVia: z.array(pointer.min(2)).max(20).optional(),
})

/** The names that may stand at each level of a flow declaration, for suggestions. */
export const FLOW_NAMES = {
  flow: Object.keys(FLOW_FIELDS.shape),
  inputs: Object.keys(input.shape),
  outputs: Object.keys(output.shape),
} as const
