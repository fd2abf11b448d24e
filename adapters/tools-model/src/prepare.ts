import { createHash } from 'node:crypto'
import { isObject, type JsonObject } from '@tidegate/kernel'
import { listOf } from './facts.ts'
import type { ModelFormat, Purpose } from './format.ts'

/** What a client asked, as it came. The client controls all of it but `host`. */
export interface ModelRequest {
  /** The name of the host whose token came with it. */
  readonly host: string
  readonly method: string
  /** `/v1/messages`, without the query. */
  readonly path: string
  /** Without the question mark; empty for none. */
  readonly query: string
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array | undefined
}

/** A request that can be decided on and sent: exactly these bytes (I2). */
export interface Prepared {
  readonly host: string
  readonly purpose: Purpose
  readonly method: 'GET' | 'POST'
  /** Path and query at the provider. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Uint8Array | undefined
  /** The model that it asks for, as a name that may stand in the ledger. */
  readonly model: string
  readonly drops: boolean
  readonly digest: string
  /** What is decided on, without the place of the reply. */
  readonly arguments: JsonObject
}

/** Why a request is none of ours. */
export interface Unprepared {
  readonly kind: 'unprepared'
  readonly why: 'path' | 'body'
  readonly message: string
}

/** So much of a request is recorded, in characters; of a longer one the beginning and, since the newest words stand there, more of the end. */
const MAX_RECORDED = 262_144
const RECORDED_HEAD = 32_768
const QUERY = /^[A-Za-z0-9_=&.,%-]{0,500}$/
const HEADER_VALUE = /^[\x20-\x7e]{1,4096}$/
const MODEL_NAME = /^[A-Za-z0-9][\w.:/@+-]{0,99}$/

/** Checks a request and writes it anew: what is decided on, recorded and sent is what we have read, never what was written. */
export function prepare(request: ModelRequest, format: ModelFormat, basePath: string): Prepared | Unprepared {
  const { host, method, path, query, headers } = request
  const purpose = Object.hasOwn(format.routes, `${method} ${path}`) ? format.routes[`${method} ${path}`] : undefined
  if (purpose === undefined || (method !== 'GET' && method !== 'POST')) {
    const known = Object.keys(format.routes).join(', ')
    return { kind: 'unprepared', why: 'path', message: `Here are ${known}, and nothing else. Is the format of the model right?` }
  }
  if (!QUERY.test(query)) return { kind: 'unprepared', why: 'body', message: 'The query is not one that is passed on.' }
  const read = method === 'GET' ? {} : bodyOf(request.body)
  if (read === undefined) return { kind: 'unprepared', why: 'body', message: 'The body is not a JSON object in UTF-8.' }
  const { body, drops } = format.prepare(read)
  const text = method === 'GET' ? '' : writeJson(body)
  if (text === undefined) return { kind: 'unprepared', why: 'body', message: 'The body nests too deep.' }
  const bytes = method === 'GET' ? undefined : Buffer.from(text)
  const digest = createHash('sha256').update(text).digest('hex')
  const model = typeof body.model === 'string' && MODEL_NAME.test(body.model) ? body.model : 'unknown'
  const forwarded = headersOf(headers, format)
  const most = format.maxTokens(body)
  const recorded = recordedOf(text)
  return {
    ...{ host, purpose, method, headers: forwarded, bytes, model, drops, digest },
    target: `${format.target(basePath, path)}${query === '' ? '' : `?${query}`}`,
    arguments: {
      ...{ host, method, path, query, digest, headers: forwarded },
      model: typeof body.model === 'string' ? clip(body.model, 200) : '',
      streams: body.stream === true,
      maxTokens: typeof most === 'number' && Number.isSafeInteger(most) && most >= 0 ? most : null,
      messages: listOf(body.messages).length,
      tools: listOf(body.tools).length,
      request: recorded,
      isCut: recorded.length < text.length,
      bytes: bytes?.length ?? 0,
    },
  }
}

function bodyOf(bytes: Uint8Array | undefined): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return isObject(value as JsonObject) ? (value as JsonObject) : undefined // sound: it comes from JSON.parse
  } catch {
    return undefined
  }
}

/** Undefined for what nests too deep to be written. */
function writeJson(body: JsonObject): string | undefined {
  try {
    return JSON.stringify(body)
  } catch {
    return undefined
  }
}

function recordedOf(text: string): string {
  if (text.length <= MAX_RECORDED) return text
  const left = ` ...${text.length - MAX_RECORDED} characters are left out here... `
  return `${text.slice(0, RECORDED_HEAD).toWellFormed()}${left}${text.slice(text.length - MAX_RECORDED + RECORDED_HEAD + left.length).toWellFormed()}`
}

function clip(text: string, length: number): string {
  return text.slice(0, length).toWellFormed()
}

function headersOf(headers: ModelRequest['headers'], { forwarded, fixed }: ModelFormat): Readonly<Record<string, string>> {
  const given = forwarded.flatMap((name) => {
    const value = headers[name]
    return value !== undefined && HEADER_VALUE.test(value) ? [[name, value] as const] : []
  })
  return { ...fixed, ...Object.fromEntries(given) }
}
