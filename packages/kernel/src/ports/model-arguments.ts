import type { JsonObject } from '../canonical/json.ts'
import { parseJson } from '../canonical/parse-json.ts'
import { KernelError, type KernelErrorCode } from '../error.ts'
import { type ArgumentsDefect, MODEL_LIMITS, type ModelCall } from './model.ts'

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
