/** Every code that {@link ModelOpenAiError} carries. A code is API: added, never renamed; docs/errors.md explains each. */
export const MODEL_OPENAI_ERROR_CODES = ['model_base_url', 'model_option'] as const

export type ModelOpenAiErrorCode = (typeof MODEL_OPENAI_ERROR_CODES)[number]

/** Thrown while a model is being set up, by a configuration that must not be used. Calls never throw it: they answer. */
export class ModelOpenAiError extends Error {
  readonly code: ModelOpenAiErrorCode

  constructor(code: ModelOpenAiErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'ModelOpenAiError'
    this.code = code
  }
}
