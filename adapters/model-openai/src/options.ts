import type { JsonObject } from '@tidegate/kernel'
import { parseBaseUrl } from './base-url.ts'
import { ModelOpenAiError } from './error.ts'
import { isModelPresetName, MODEL_PRESETS, type ModelPreset, type ModelPresetName } from './presets.ts'

/** How to reach a model. Checked as a whole by {@link resolveOptions}; the configuration it comes from is an operator's. */
export interface OpenAiModelOptions {
  readonly preset: ModelPresetName
  /** The model's name at the endpoint, such as `qwen-plus`. */
  readonly name: string
  /** Replaces the preset's address; see {@link parseBaseUrl} for what is accepted. */
  readonly baseUrl?: string
  /**
   * Hands out the credential, once per call, so that a rotated key needs no restart. It is sent as a bearer token and is kept
   * nowhere. Needed by presets with `needsKey`.
   */
  readonly apiKey?: () => Promise<string>
  /** False asks for the reply in one piece; then only the first byte and the whole are bounded in time. True unless told. */
  readonly streaming?: boolean
  /** Connecting (with TLS), until the first byte of the answer, and between two bytes. 10 s, 60 s and 30 s unless told. */
  readonly timeouts?: { readonly connectMs?: number; readonly firstByteMs?: number; readonly idleMs?: number }
  /** Bytes of one answer before it is given up; 8 MiB unless told. */
  readonly maxReplyBytes?: number
  /** Further fields of the request that this endpoint understands, such as `enable_thinking`. Never the fields we write. */
  readonly extraBody?: JsonObject
  /** Wall time, for a `Retry-After` that is a date. `Date.now` unless told. */
  readonly nowMs?: () => number
}

/** The same, complete and checked. */
export interface ResolvedOptions {
  readonly id: string
  readonly preset: ModelPreset
  readonly presetName: ModelPresetName
  readonly name: string
  readonly baseUrl: string
  readonly apiKey: (() => Promise<string>) | undefined
  readonly streaming: boolean
  readonly connectMs: number
  readonly firstByteMs: number
  readonly idleMs: number
  readonly maxReplyBytes: number
  readonly extraBody: JsonObject
  readonly nowMs: () => number
}

const MAX_TIMEOUT_MS = 3_600_000
const MAX_REPLY_BYTES = 67_108_864

/** What this adapter writes itself, and what would change how many answers come back or in which form. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  'function_call',
  'functions',
  'max_completion_tokens',
  'max_tokens',
  'messages',
  'model',
  'n',
  'stream',
  'stream_options',
  'temperature',
  'tool_choice',
  'tools',
])

/**
 * Completes and checks the options, so that a wrong configuration fails at start-up and not in the middle of a run.
 *
 * @throws ModelOpenAiError `model_option` or `model_base_url`
 */
export function resolveOptions(options: OpenAiModelOptions): ResolvedOptions {
  if (!isModelPresetName(options.preset)) throw refuse(`preset is none of: ${Object.keys(MODEL_PRESETS).join(', ')}`)
  if (!/^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}$/.test(options.name)) throw refuse('name is not the name of a model')
  const preset = MODEL_PRESETS[options.preset]
  if (preset.needsKey && options.apiKey === undefined) throw refuse(`preset ${options.preset} needs an apiKey`)
  const extraBody = options.extraBody ?? {}
  const own = Object.keys(extraBody).find((field) => OWN_FIELDS.has(field))
  if (own !== undefined) throw refuse(`extraBody must not set "${own}", which Tidegate writes itself`)
  const { timeouts = {} } = options
  return {
    id: `${options.preset}/${options.name}`,
    preset,
    presetName: options.preset,
    name: options.name,
    baseUrl: parseBaseUrl(options.baseUrl ?? preset.baseUrl),
    apiKey: options.apiKey,
    streaming: options.streaming ?? true,
    connectMs: whole('timeouts.connectMs', timeouts.connectMs ?? 10_000, MAX_TIMEOUT_MS),
    firstByteMs: whole('timeouts.firstByteMs', timeouts.firstByteMs ?? 60_000, MAX_TIMEOUT_MS),
    idleMs: whole('timeouts.idleMs', timeouts.idleMs ?? 30_000, MAX_TIMEOUT_MS),
    maxReplyBytes: whole('maxReplyBytes', options.maxReplyBytes ?? 8_388_608, MAX_REPLY_BYTES),
    extraBody,
    nowMs: options.nowMs ?? Date.now,
  }
}

function whole(name: string, value: number, max: number): number {
  if (!Number.isSafeInteger(value) || value < 1 || value > max) throw refuse(`${name} is not a whole number from 1 to ${max}`)
  return value
}

function refuse(what: string): ModelOpenAiError {
  return new ModelOpenAiError('model_option', `The model cannot be set up: ${what}.`)
}
