import type { Json, JsonObject } from '@tidegate/kernel'
import { addCall, addText, addUnkept, listOf, objectOf, type ReplyFacts, tokens } from './facts.ts'
import type { ModelFormat } from './format.ts'

const VERSION = '2023-06-01'

/** The messages of Anthropic. */
export const ANTHROPIC: ModelFormat = {
  routes: { 'POST /v1/messages': 'chat', 'POST /v1/messages/count_tokens': 'count', 'GET /v1/models': 'list' },
  target: (basePath, path) => (basePath.endsWith('/v1') ? `${basePath}${path.slice('/v1'.length)}` : `${basePath}${path}`),
  forwarded: ['anthropic-beta', 'anthropic-version'],
  fixed: { 'anthropic-version': VERSION },
  credential: (key) => ['x-api-key', key],
  prepare: (body) => ({ body, drops: false }),
  maxTokens: ({ max_tokens: most }) => most ?? null,
  readWhole(facts, body) {
    for (const [at, block] of listOf(body.content).entries()) readBlock(facts, at, objectOf(block))
    readStop(facts, body.stop_reason)
    readUsage(facts, body.usage)
  },
  readEvent(facts, event) {
    const { type, index, delta, message, content_block: block } = event
    if (type === 'message_start') readInput(facts, objectOf(message).usage)
    if (type === 'content_block_start') readBlock(facts, index, objectOf(block))
    if (type === 'content_block_delta') {
      const { text, partial_json: more, thinking } = objectOf(delta)
      addText(facts, text)
      addUnkept(facts, thinking)
      if (typeof more === 'string') addCall(facts, index, { arguments: more })
    }
    if (type !== 'message_delta') return
    readStop(facts, objectOf(delta).stop_reason)
    readUsage(facts, event.usage)
  },
  isDropped: () => false,
  errorOf: (_code, message, status) => ({ type: 'error', error: { type: typeOf(status), message } }),
}

function readBlock(facts: ReplyFacts, at: unknown, { type, text, thinking, name, input }: JsonObject): void {
  if (type === 'text') addText(facts, text)
  if (type === 'thinking') addUnkept(facts, thinking)
  if (type !== 'tool_use') return
  const isGiven = typeof input === 'object' && input !== null && Object.keys(input).length > 0
  addCall(facts, at, { name, arguments: isGiven ? JSON.stringify(input) : '' })
}

function readStop(facts: ReplyFacts, reason: Json | undefined): void {
  if (typeof reason === 'string') facts.stopReason = reason.slice(0, 100)
}

/** What is said last holds: the counts of a stream are totals. */
function readUsage(facts: ReplyFacts, value: Json | undefined): void {
  readInput(facts, value)
  facts.output = tokens(objectOf(value).output_tokens) ?? facts.output
}

/** All that was read, from a cache and for it too. The count of output at the start of a stream says nothing yet. */
function readInput(facts: ReplyFacts, value: Json | undefined): void {
  const usage = objectOf(value)
  const fresh = tokens(usage.input_tokens)
  if (fresh !== undefined) {
    const cached = tokens(usage.cache_read_input_tokens) ?? 0
    facts.cached = Math.max(facts.cached, cached)
    facts.input = Math.max(facts.input ?? 0, fresh + cached + (tokens(usage.cache_creation_input_tokens) ?? 0))
  }
}

const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
}

function typeOf(status: number): string {
  return TYPES[status] ?? 'api_error'
}
