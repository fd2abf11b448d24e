import { type ConnectorFailure, decodeUtf8, isObject, type Json, parseJson } from '@tidegate/kernel'
import type { Exchange, HttpAnswer } from './exchange.ts'
import type { HttpLimits } from './limits.ts'

/** A successful answer, parsed. */
export interface GoodAnswer {
  readonly kind: 'good'
  readonly body: Json
  readonly complete: boolean
}

/** What must be known about a request to judge its answer. */
export interface Asked {
  /** A request that leaves nothing behind (GET): what happened to it does not matter, so it may be sent again. */
  readonly isRead: boolean
  /** `POST /refunds`, for messages: the template, without any value. */
  readonly name: string
  readonly limits: HttpLimits
}

interface StatusRule {
  readonly from: number
  readonly to: number
  readonly failure: ConnectorFailure['failure']
  readonly read: ConnectorFailure['retry']
  readonly write: ConnectorFailure['retry']
  readonly says: string
}

/**
 * What a status means; the first rule that covers it holds. A write is `safe` to repeat only where the status itself says that the
 * far side did nothing (RFC 6585, RFC 8470), and `never` where it says that it will not.
 */
const STATUS_RULES: readonly StatusRule[] = [
  {
    from: 300,
    to: 399,
    failure: 'refused',
    read: 'never',
    write: 'unknown',
    says: 'points elsewhere, and redirects are never followed',
  },
  { from: 408, to: 408, failure: 'unavailable', read: 'safe', write: 'unknown', says: 'waited too long for the request' },
  { from: 425, to: 425, failure: 'unavailable', read: 'safe', write: 'safe', says: 'wants the request later' },
  { from: 429, to: 429, failure: 'unavailable', read: 'safe', write: 'safe', says: 'asks to slow down' },
  { from: 400, to: 499, failure: 'semantic', read: 'never', write: 'never', says: 'will not do it' },
  { from: 500, to: 599, failure: 'unavailable', read: 'safe', write: 'unknown', says: 'failed' },
]

/** Judges what became of a request. */
export function judge(outcome: Exchange, asked: Asked): GoodAnswer | ConnectorFailure {
  if (outcome.kind === 'not_sent') {
    if (outcome.why === 'address') return fail(asked, 'refused', 'never', outcome.message, 'http_address')
    return fail(asked, 'unavailable', 'safe', outcome.message, `http_${outcome.why}`)
  }
  if (outcome.kind === 'broken') return broken(asked, outcome.why)
  const { status, body } = outcome
  if (status < 200 || status > 299) return failureOfStatus(outcome, asked)
  if (body.kind === 'broken') return broken(asked, body.why)
  if (body.kind === 'too_large') return garbage(asked, `it is larger than ${asked.limits.maxResponseBytes} bytes`)
  if (status === 204)
    return body.bytes.length === 0 ? { kind: 'good', body: null, complete: true } : garbage(asked, 'it is 204 with a body')
  const parsed = parseBody(outcome.headers, body.bytes, asked.limits)
  return parsed.ok
    ? { kind: 'good', body: parsed.value, complete: isComplete(outcome, parsed.value) }
    : garbage(asked, parsed.why)
}

function failureOfStatus(answer: HttpAnswer, asked: Asked): ConnectorFailure {
  const { status, headers } = answer
  const rule = STATUS_RULES.find(({ from, to }) => status >= from && status <= to)
  if (rule === undefined) return garbage(asked, `its status ${status} has no meaning here`)
  const retryAfterMs = status === 429 || status === 503 ? parseRetryAfter(headers.get('retry-after'), Date.now()) : undefined
  const code = problemCode(answer, asked.limits) ?? `http_${status}`
  return {
    ...fail(
      asked,
      rule.failure,
      asked.isRead ? rule.read : rule.write,
      `The far side ${rule.says} (${code === `http_${status}` ? status : `${status} ${code}`}).`,
      code,
    ),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
}

/** The stable code of a problem (RFC 9457): its member `code`, or the last word of its `type`. Free text is left where it is. */
function problemCode({ headers, body }: HttpAnswer, limits: HttpLimits): string | undefined {
  if (body.kind !== 'read') return undefined
  const parsed = parseBody(headers, body.bytes, limits)
  if (!parsed.ok || !isObject(parsed.value)) return undefined
  const { code, type } = parsed.value
  const word = typeof type === 'string' ? /[A-Za-z0-9_.-]+$/.exec(type.slice(-200))?.[0] : undefined
  return [code, word].find((text) => typeof text === 'string' && /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(text)) as
    | string
    | undefined
}

type Parsed = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly why: string }

/** Reads a body that the far side controls: JSON in UTF-8, not encoded, within the limits, meaning the same to every reader. */
function parseBody(
  headers: ReadonlyMap<string, string>,
  bytes: Uint8Array,
  { maxResponseBytes: maxBytes, maxDepth }: HttpLimits,
): Parsed {
  const encoding = headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity'
  if (encoding !== 'identity' && encoding !== '') return { ok: false, why: 'it is compressed, although that was not asked for' }
  const type = headers.get('content-type') ?? ''
  const [mime = '', ...parameters] = type.split(';').map((part) => part.trim().toLowerCase())
  if (!/^application\/(?:[a-z0-9.+_-]+\+)?json$/.test(mime)) return { ok: false, why: 'its content type is not JSON' }
  if (parameters.some((part) => part.startsWith('charset=') && !/^charset="?utf-8"?$/.test(part)))
    return { ok: false, why: 'it is not UTF-8' }
  try {
    return { ok: true, value: parseJson(decodeUtf8(bytes), { maxBytes, maxDepth }) }
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : 'it is no JSON' }
  }
}

/** False when the answer itself says that there is more: a member `complete`, a Content-Range, or a Link to the next page. */
function isComplete({ headers }: HttpAnswer, body: Json): boolean {
  if (isObject(body) && body.complete === false) return false
  if (/(?:^|[;,\s])rel\s*=\s*"?(?:[^"]*\s)?next(?:[\s";,]|$)/i.test((headers.get('link') ?? '').slice(0, 4096))) return false
  const range = headers.get('content-range')
  if (range === undefined) return true
  const match = /^[a-z]{1,20} (\d{1,15})-(\d{1,15})\/(\d{1,15})$/i.exec(range.trim())
  return match !== null && Number(match[1]) === 0 && Number(match[2]) + 1 === Number(match[3])
}

/** Seconds, or a date (RFC 9110, 10.2.3); at most a day. */
function parseRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined || text.length > 40) return undefined
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs
  return Number.isFinite(ms) ? Math.min(Math.max(0, Math.round(ms)), 86_400_000) : undefined
}

function broken(asked: Asked, why: string): ConnectorFailure {
  const retry = asked.isRead ? 'safe' : 'unknown'
  if (why === 'cut') return fail(asked, 'unavailable', retry, 'The connection broke after the request had left.', 'http_cut')
  return fail(asked, 'timeout', retry, `No answer in time after the request had left (${why}).`, 'http_timeout')
}

function garbage(asked: Asked, why: string): ConnectorFailure {
  return fail(asked, 'invalid_output', asked.isRead ? 'safe' : 'unknown', `The answer is not usable: ${why}.`, 'http_answer')
}

function fail(
  asked: Asked,
  failure: ConnectorFailure['failure'],
  retry: ConnectorFailure['retry'],
  message: string,
  code: string,
): ConnectorFailure {
  return { kind: 'failed', failure, retry, message: `${asked.name}: ${message}`, code }
}
