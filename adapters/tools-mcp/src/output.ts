import { createHash } from 'node:crypto'
import { canonicalJson, isObject, type Json, type JsonObject, type Shape, utf8Length } from '@tidegate/kernel'
import { MAX_BLOCKS, MAX_INLINE_BYTES, OUTPUT_LIMITS } from './limits.ts'
import { copyPlain } from './plain.ts'
import { createCheck, type CheckValue } from './schema/check-value.ts'

/** Kinds of parts that an answer has. */
const KINDS = ['text', 'image', 'audio', 'resource', 'resource_link', 'other']

const text = (maxLength: number): JsonObject => ({ type: 'string', maxLength })
const BLOCK: JsonObject = {
  type: 'object',
  required: ['kind'],
  additionalProperties: false,
  properties: {
    kind: { type: 'string', enum: KINDS },
    text: { type: 'string' },
    mimeType: text(256),
    uri: text(4_096),
    name: text(512),
    description: text(4_096),
    sizeBytes: { type: 'integer', minimum: 0 },
    sha256: text(64),
    data: { type: 'string' },
  },
}

/** How much of a text block is left when an answer is too large; less is not worth keeping. */
const LEAST_CUT = 64

/**
 * The shape of every output: `content`, the parts of the answer in order, and `structured` when the server sent data. What the server declares
 * about its data is part of the shape.
 */
export function outputShape(structured: JsonObject | undefined): Shape {
  const jsonSchema: JsonObject = {
    type: 'object',
    required: ['content'],
    additionalProperties: false,
    properties: { content: { type: 'array', maxItems: MAX_BLOCKS, items: BLOCK }, structured: structured ?? {} },
  }
  const envelope = createCheck({
    ...jsonSchema,
    properties: { content: { type: 'array', maxItems: MAX_BLOCKS, items: BLOCK }, structured: {} },
  })
  let data: CheckValue | undefined // references in a schema lead from its own root, so it is checked by itself
  return {
    jsonSchema,
    parse(value) {
      const plain = copyPlain(value, { maxBytes: OUTPUT_LIMITS.maxBytes, maxDepth: OUTPUT_LIMITS.maxDepth + 4 })
      if (!plain.ok) return { ok: false, issues: [plain.issue] }
      const issues = [...envelope(plain.value)]
      if (structured !== undefined && isObject(plain.value) && plain.value.structured !== undefined) {
        data ??= createCheck(structured)
        issues.push(...data(plain.value.structured).map((issue) => ({ ...issue, path: `/structured${issue.path}` })))
      }
      return issues.length === 0 ? { ok: true, value: plain.value } : { ok: false, issues }
    },
  }
}

/** The parts of an answer that are looked at. Whoever answers controls all of it. */
export interface Answer {
  readonly content: readonly unknown[]
  readonly structured: unknown
}

/** An output within limits. `complete: false` says that something was left out or cut. */
export interface Bounded {
  readonly output: JsonObject
  readonly complete: boolean
}

/**
 * Makes the output of an answer. Data the server sent goes first and whole or not at all; a text block that only repeats it is left out; texts
 * share what room is left; of binary parts that are not small there remain size and digest.
 */
export function boundAnswer({ content, structured }: Answer): Bounded {
  const data = structured === undefined ? undefined : copyPlain(structured, OUTPUT_LIMITS)
  let complete = data?.ok !== false
  let room = OUTPUT_LIMITS.maxBytes - 4_096 - (data?.ok === true ? utf8Length(JSON.stringify(data.value)) : 0)
  const blocks: JsonObject[] = []
  for (const given of content) {
    const block = blockOf(given)
    if (data?.ok === true && typeof block.text === 'string' && block.kind === 'text' && repeats(block.text, data.value)) continue
    const size = utf8Length(JSON.stringify(block)) + 64
    if (blocks.length >= MAX_BLOCKS) complete = false
    else if (size <= room) {
      blocks.push(block)
      room -= size
    } else {
      complete = false
      if (typeof block.text === 'string' && room > LEAST_CUT * 8) blocks.push({ ...block, text: cutText(block.text, room - 512) })
      room = 0
    }
  }
  return { output: { content: blocks, ...(data?.ok === true ? { structured: data.value } : {}) }, complete }
}

/** Servers of both eras send their data once more as text, or the one text in it. */
function repeats(said: string, data: Json): boolean {
  if (isObject(data) && Object.keys(data).length === 1 && Object.values(data)[0] === said) return true
  try {
    const parsed = copyPlain(JSON.parse(said), OUTPUT_LIMITS)
    return parsed.ok && canonicalJson(parsed.value) === canonicalJson(data)
  } catch {
    return false
  }
}

/** The longest beginning whose JSON fits into so many bytes, whatever its characters are. */
function cutText(whole: string, bytes: number): string {
  let kept = whole.slice(0, Math.max(0, bytes))
  while (kept !== '' && utf8Length(JSON.stringify(kept)) > bytes) kept = kept.slice(0, Math.floor(kept.length * 0.8))
  return kept.toWellFormed()
}

function blockOf(given: unknown): JsonObject {
  if (typeof given !== 'object' || given === null || !('type' in given)) return { kind: 'other' }
  const part: { readonly [key: string]: unknown } = { ...given }
  switch (part.type) {
    case 'text':
      return { kind: 'text', text: textOf(part.text) }
    case 'image':
    case 'audio':
      return { kind: part.type, ...line('mimeType', part.mimeType, 256), ...binary(part.data) }
    case 'resource':
      return { kind: 'resource', ...resourceOf(part.resource) }
    case 'resource_link':
      return {
        kind: 'resource_link',
        ...line('uri', part.uri, 4_096),
        ...line('name', part.name, 512),
        ...line('description', part.description, 4_096),
        ...line('mimeType', part.mimeType, 256),
      }
    default:
      return { kind: 'other' }
  }
}

function resourceOf(given: unknown): JsonObject {
  if (typeof given !== 'object' || given === null) return {}
  const { uri, mimeType, text: said, blob }: { readonly [key: string]: unknown } = { ...given }
  return {
    ...line('uri', uri, 4_096),
    ...line('mimeType', mimeType, 256),
    ...(typeof said === 'string' ? { text: textOf(said) } : typeof blob === 'string' ? binary(blob) : {}),
  }
}

function textOf(given: unknown): string {
  return typeof given === 'string' ? given.toWellFormed() : ''
}

function line(key: string, given: unknown, max: number): JsonObject {
  return typeof given === 'string' ? { [key]: given.slice(0, max).toWellFormed() } : {}
}

/** Base64 as size and digest of what it encodes, and as it is when that is small. */
function binary(given: unknown): JsonObject {
  if (typeof given !== 'string') return {}
  const bytes = Buffer.from(given, 'base64')
  const digest = createHash('sha256').update(bytes).digest('hex')
  return {
    sizeBytes: bytes.length,
    sha256: digest,
    ...(bytes.length <= MAX_INLINE_BYTES ? { data: bytes.toString('base64') } : {}),
  }
}
