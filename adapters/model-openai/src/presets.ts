/** The name of a known endpoint. */
export type ModelPresetName = 'dashscope' | 'dashscope-intl' | 'openai' | 'vllm' | 'ollama'

/** What is known about an endpoint before anybody configures it. */
export interface ModelPreset {
  /** For people. */
  readonly title: string
  readonly baseUrl: string
  /** The environment variable that its own tools read. Documentation only: this package never reads the environment. */
  readonly keyVariable: string | null
  /** True when a call without a credential cannot succeed. */
  readonly needsKey: boolean
  /** The request field that bounds the reply. OpenAI's newer models refuse the older name; the others know only that one. */
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens'
}

/** The known endpoints. A preset is a starting point: `baseUrl` overrides its address. */
export const MODEL_PRESETS: Readonly<Record<ModelPresetName, ModelPreset>> = {
  dashscope: {
    title: 'Alibaba Cloud Model Studio (mainland China)',
    baseUrl: 'https://dashscope.aliyuncs.com/compatible-mode/v1',
    keyVariable: 'DASHSCOPE_API_KEY',
    needsKey: true,
    maxTokensField: 'max_tokens',
  },
  'dashscope-intl': {
    title: 'Alibaba Cloud Model Studio (international)',
    baseUrl: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
    keyVariable: 'DASHSCOPE_API_KEY',
    needsKey: true,
    maxTokensField: 'max_tokens',
  },
  openai: {
    title: 'OpenAI',
    baseUrl: 'https://api.openai.com/v1',
    keyVariable: 'OPENAI_API_KEY',
    needsKey: true,
    maxTokensField: 'max_completion_tokens',
  },
  vllm: {
    title: 'vLLM on this machine',
    baseUrl: 'http://127.0.0.1:8000/v1',
    keyVariable: 'VLLM_API_KEY',
    needsKey: false,
    maxTokensField: 'max_tokens',
  },
  ollama: {
    title: 'Ollama on this machine',
    baseUrl: 'http://127.0.0.1:11434/v1',
    keyVariable: null,
    needsKey: false,
    maxTokensField: 'max_tokens',
  },
}

/** True for the name of a preset. */
export function isModelPresetName(value: string): value is ModelPresetName {
  return Object.hasOwn(MODEL_PRESETS, value)
}
