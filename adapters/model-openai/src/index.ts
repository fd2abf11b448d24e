export { createOpenAiModel } from './create-openai-model.ts'
export { MODEL_OPENAI_ERROR_CODES, ModelOpenAiError, type ModelOpenAiErrorCode } from './error.ts'
export type { OpenAiModelOptions } from './options.ts'
export { isModelPresetName, MODEL_PRESETS, type ModelPreset, type ModelPresetName } from './presets.ts'
