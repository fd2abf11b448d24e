import type { Json, JsonObject } from '@tidegate/kernel'
import { z } from 'zod'
import { WIRE_LIMITS } from './limits.ts'

/** An id: visible ASCII without blanks, so that it can stand in a path, a log line and a command. */
export const wireId = z
  .string()
  .min(1)
  .max(WIRE_LIMITS.id)
  .regex(/^[\x21-\x7e]+$/, 'expected visible ASCII characters without blanks')

/** One line for people; may be empty. */
export const wireLine = z.string().max(WIRE_LIMITS.line)

/** A longer text for people or programs; may be empty. */
export const wireText = z.string().max(WIRE_LIMITS.text)

/** Why a person does something: not empty, since the ledger keeps it and somebody will ask. */
export const wireWhy = z.string().trim().min(1, 'say why: the ledger keeps it').max(WIRE_LIMITS.why)

/** Hex SHA-256. */
export const wireDigest = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits')

/** Milliseconds since the Unix epoch, or a duration in milliseconds. */
export const wireMs = z.number().min(0).max(Number.MAX_SAFE_INTEGER)

/** A whole number that counts something. */
export const wireCount = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)

/** Any JSON value. Depth and size are limited by whoever parsed the text; nothing but JSON can come out of that parser. */
export const wireJson = z.custom<Json>((value) => value !== undefined)

/** Any JSON object, under the same promise. */
export const wireObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'expected an object',
)

/** A list with the limit of the wire. */
export function wireList<T extends z.ZodType>(item: T, max: number = WIRE_LIMITS.items) {
  return z.array(item).max(max).readonly()
}
