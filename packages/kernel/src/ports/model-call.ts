import type { JsonObject } from '../canonical/json.ts'
import { parseJson } from '../canonical/parse-json.ts'
import { KernelError, type KernelErrorCode } from '../error.ts'

/** What every reply is held to. What exceeds it is `cut_off` (text), `too_large` (arguments) or `malformed` (everything else). */
export const MODEL_LIMITS = {
  /** Tool calls in one reply. */
  callsPerReply: 32,
  /** UTF-16 units of text, or of a refusal, in one reply. */
  textLength: 262_144,
  /** UTF-16 units of the arguments of one call. */
  argumentsLength: 65_536,
  /** How deep arguments may nest. The object itself is depth 1. */
  argumentsDepth: 32,
  /** UTF-16 units of a call id. */
  callIdLength: 128,
  /** UTF-16 units of a tool name. Names match `[A-Za-z0-9_.-]+`. */
  nameLength: 128,
  /** UTF-16 units of the model id that the endpoint reports. */
  reportedModelLength: 200,
} as const

/** One proposed call: either its arguments are one JSON object, or `malformed` says why they are not. */
export type ModelCall = ReadableCall | MalformedCall

interface NamedCall {
  /** Chosen by the model; unique within the reply only. */
  readonly callId: string
  readonly name: string
  /** The arguments exactly as they came; for `too_large` their beginning, for `not_unicode` with U+FFFD for the broken units. */
  readonly argumentsText: string
}

export interface ReadableCall extends NamedCall {
  readonly arguments: JsonObject
  readonly malformed?: never
}

export interface MalformedCall extends NamedCall {
  readonly arguments: null
  readonly malformed: ArgumentsDefect
}

/** Why arguments could not be read. `forbidden_key` is `__proto__` and its kin; `not_unicode` is an unpaired surrogate. */
export const ARGUMENTS_DEFECTS = [
  'empty',
  'not_json',
  'not_object',
  'duplicate_key',
  'forbidden_key',
  'not_unicode',
  'number_range',
  'too_deep',
  'too_large',
] as const

export type ArgumentsDefect = (typeof ARGUMENTS_DEFECTS)[number]

/** What the strict reader complains about, in the words of the port. What is not listed is `not_json`. */
const DEFECTS: { readonly [code in KernelErrorCode]?: ArgumentsDefect } = {
  canonical_depth: 'too_deep',
  canonical_duplicate_key: 'duplicate_key',
  canonical_forbidden_key: 'forbidden_key',
  canonical_number: 'number_range',
  canonical_surrogate: 'not_unicode',
}

/**
 * Makes a proposed call out of what a model said, and says what is wrong with its arguments instead of repairing them.
 *
 * The text is controlled by the model. Adapters and fakes all go through here, so that no two of them read the same text
 * differently. Text past {@link MODEL_LIMITS} is cut and reported as `too_large`; the caller need not keep more than one unit
 * beyond the limit.
 */
export function readModelCall(callId: string, name: string, argumentsText: string): ModelCall {
  const malformed = (defect: ArgumentsDefect): ModelCall => ({ callId, name, argumentsText, arguments: null, malformed: defect })
  const limit = MODEL_LIMITS.argumentsLength
  if (argumentsText.length > limit) {
    return { callId, name, argumentsText: argumentsText.slice(0, limit).toWellFormed(), arguments: null, malformed: 'too_large' }
  }
  if (argumentsText.trim() === '') return malformed('empty')
  if (!argumentsText.isWellFormed()) {
    return { callId, name, argumentsText: argumentsText.toWellFormed(), arguments: null, malformed: 'not_unicode' }
  }
  try {
    const value = parseJson(argumentsText, { maxBytes: limit * 3, maxDepth: MODEL_LIMITS.argumentsDepth })
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return malformed('not_object')
    // Sound: what is neither null, nor a scalar, nor an array is an object.
    return { callId, name, argumentsText, arguments: value as JsonObject }
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    return malformed(DEFECTS[error.code] ?? 'not_json')
  }
}
