import type { ModelFailureCode } from '@tidegate/kernel'

/** Why there is no answer, before it is known what the call has cost. */
export interface Failure {
  readonly code: ModelFailureCode
  readonly retry: 'never' | 'safe'
  readonly message: string
  readonly retryAfterMs?: number
}

/** What an endpoint said went wrong. All of it is under the endpoint's control. */
export interface EndpointError {
  /** HTTP status, or a number that the body gives as its code. */
  readonly status: number | undefined
  /** Its codes and types, most telling first. */
  readonly words: readonly string[]
  /** Its sentence, for recognition only: it is never shown, because endpoints quote prompts and keys in it. */
  readonly text: string
}

type Verdict = readonly [code: ModelFailureCode, retry: 'never' | 'safe', message: string]

const TOO_LONG: Verdict = [
  'context_too_long',
  'never',
  'The conversation does not fit into the model. Shorten it or use a larger model.',
]
const FILTERED: Verdict = ['content_filtered', 'never', "The endpoint's content filter suppressed the request or the reply."]
const KEY_REFUSED: Verdict = [
  'unauthorized',
  'never',
  'The endpoint refused the API key. Check the key and what it is allowed to use.',
]
const ACCOUNT: Verdict = [
  'unauthorized',
  'never',
  "The account at the endpoint is not in order. Check its payments and the key's permissions.",
]
const SLOW_DOWN: Verdict = ['rate_limited', 'safe', 'The endpoint asks to slow down.']
const QUOTA: Verdict = ['rate_limited', 'never', 'The quota at the endpoint is used up. Raise it or wait for the next period.']
const NO_MODEL: Verdict = [
  'unavailable',
  'never',
  'The endpoint knows no such model or address. Check the name and the baseUrl of the model.',
]
const BROKEN: Verdict = ['unavailable', 'safe', 'The endpoint reports an error of its own.']
const SLOW: Verdict = ['timeout', 'safe', 'The endpoint gave up waiting.']
const REFUSED: Verdict = ['malformed', 'never', 'The endpoint finds the request malformed.']

/** What endpoints call their troubles, in lower case. OpenAI, Azure, Model Studio and vLLM each have their own words. */
const BY_WORD: Readonly<Record<string, Verdict>> = {
  arrearage: ACCOUNT,
  authentication_error: KEY_REFUSED,
  billing_hard_limit_reached: QUOTA,
  content_filter: FILTERED,
  content_policy_violation: FILTERED,
  context_length_exceeded: TOO_LONG,
  data_inspection_failed: FILTERED,
  datainspectionfailed: FILTERED,
  insufficient_quota: QUOTA,
  internal_error: BROKEN,
  internalerror: BROKEN,
  invalid_api_key: KEY_REFUSED,
  invalidapikey: KEY_REFUSED,
  limit_requests: SLOW_DOWN,
  model_not_found: NO_MODEL,
  modelnotfound: NO_MODEL,
  permission_denied: KEY_REFUSED,
  rate_limit_exceeded: SLOW_DOWN,
  responsibleaipolicyviolation: FILTERED,
  server_error: BROKEN,
  throttling: SLOW_DOWN,
  'throttling.allocationquota': QUOTA,
  'throttling.ratequota': SLOW_DOWN,
}

const BY_STATUS: Readonly<Record<number, Verdict>> = {
  401: KEY_REFUSED,
  402: ACCOUNT,
  403: KEY_REFUSED,
  404: NO_MODEL,
  405: NO_MODEL,
  408: SLOW,
  409: BROKEN,
  410: NO_MODEL,
  413: TOO_LONG,
  425: BROKEN,
  429: SLOW_DOWN,
  504: SLOW,
}

/** How endpoints without a word for it (vLLM, Model Studio) say that the conversation is too long. */
const TOO_LONG_PHRASES = ['context length', 'context window', 'range of input length', 'input is too long', 'prompt is too long']

/**
 * Says what an error of the endpoint means for us. Its word counts before its status, because proxies flatten statuses.
 *
 * What the endpoint says is shown only as far as it looks like a code, so that nothing it quotes comes through.
 */
export function classifyEndpointError(error: EndpointError, secret: string | undefined): Failure {
  const [code, retry, message] = verdictOn(error)
  const shown = error.words.find((word) => isShowable(word, secret))
  const details = [error.status === undefined ? '' : `HTTP ${error.status}`, shown ?? ''].filter((detail) => detail !== '')
  return { code, retry, message: details.length === 0 ? message : `${message} (${details.join(', ')})` }
}

function verdictOn({ status, words, text }: EndpointError): Verdict {
  for (const word of words) {
    const lower = word.toLowerCase()
    const verdict = Object.hasOwn(BY_WORD, lower) ? BY_WORD[lower] : undefined
    if (verdict !== undefined) return verdict
  }
  const isClientError = status === undefined || status === 400 || status === 422
  if (isClientError && TOO_LONG_PHRASES.some((phrase) => text.toLowerCase().includes(phrase))) return TOO_LONG
  if (status === undefined || status >= 500) return BY_STATUS[status ?? 500] ?? BROKEN
  return BY_STATUS[status] ?? REFUSED
}

/** Letters, dots and underscores: a code and not a key, a path, or a sentence. */
function isShowable(word: string, secret: string | undefined): boolean {
  if (!/^[A-Za-z][A-Za-z_.]{2,47}$/.test(word)) return false
  return secret === undefined || !(secret.includes(word) || word.includes(secret))
}

const MAX_TEXT = 4096

/** Finds the error in a body that endpoints build in at least four ways; undefined when there is none. */
export function readEndpointError(body: unknown, status: number | undefined): EndpointError | undefined {
  if (!isRecord(body)) return undefined
  const inner = body.error
  if (typeof inner === 'string') return { status, words: [], text: inner.slice(0, MAX_TEXT) }
  if (isRecord(inner)) return describe(inner, status)
  return body.object === 'error' || (typeof body.message === 'string' && body.choices === undefined)
    ? describe(body, status)
    : undefined
}

function describe(error: Record<string, unknown>, status: number | undefined): EndpointError {
  const words = [error.code, error.type].filter((word) => typeof word === 'string').map((word) => word.slice(0, 64))
  const text = typeof error.message === 'string' ? error.message.slice(0, MAX_TEXT) : ''
  const number = typeof error.code === 'number' && error.code >= 400 && error.code <= 599 ? error.code : undefined
  return { status: status ?? number, words, text }
}

/** True for a plain object from parsed JSON. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
