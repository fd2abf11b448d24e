import { isObject, type Json, type JsonObject } from '@tidegate/kernel'
import { addCall, addText, addUnkept, listOf, objectOf, type ReplyFacts, tokens } from './facts.ts'
import type { ModelFormat } from './format.ts'

/** The chat completions of OpenAI and of everybody who speaks as they do. */
export const OPENAI: ModelFormat = {
  routes: { 'POST /v1/chat/completions': 'chat', 'GET /v1/models': 'list' },
  target: (basePath, path) => `${basePath}${path.slice('/v1'.length)}`,
  forwarded: ['openai-beta'],
  fixed: {},
  credential: (key) => ['authorization', `Bearer ${key}`],
  prepare(body) {
    if (body.stream !== true) return { body, drops: false }
    const options = isObject(body.stream_options) ? body.stream_options : {}
    if (options.include_usage === true) return { body, drops: false }
    // Without this, a streamed reply says nothing about what it used. What it then says besides is not for the client, who did not ask.
    return { body: { ...body, stream_options: { ...options, include_usage: true } }, drops: true }
  },
  maxTokens: ({ max_completion_tokens: newer, max_tokens: older }) => newer ?? older ?? null,
  readWhole(facts, body) {
    for (const choice of listOf(body.choices)) readChoice(facts, objectOf(objectOf(choice).message), objectOf(choice))
    readUsage(facts, body.usage)
  },
  readEvent(facts, event) {
    for (const choice of listOf(event.choices)) readChoice(facts, objectOf(objectOf(choice).delta), objectOf(choice))
    readUsage(facts, event.usage)
  },
  isDropped: (event) => Array.isArray(event.choices) && event.choices.length === 0 && isObject(event.usage),
  errorOf: (code, message, status) => ({ error: { message, type: typeOf(status), param: null, code } }),
}

function readChoice(facts: ReplyFacts, words: JsonObject, { finish_reason: reason }: JsonObject): void {
  addText(facts, words.content)
  addText(facts, words.refusal)
  addUnkept(facts, words.reasoning_content ?? words.reasoning)
  for (const call of listOf(words.tool_calls)) {
    const { index, function: called } = objectOf(call)
    addCall(facts, index, objectOf(called))
  }
  if (typeof reason === 'string') facts.stopReason = reason.slice(0, 100)
}

function readUsage(facts: ReplyFacts, value: Json | undefined): void {
  const { prompt_tokens: input, completion_tokens: output, prompt_tokens_details: details } = objectOf(value)
  facts.input = tokens(input) ?? facts.input
  facts.output = tokens(output) ?? facts.output
  facts.cached = tokens(objectOf(details).cached_tokens) ?? facts.cached
}

function typeOf(status: number): string {
  if (status === 429) return 'insufficient_quota'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}
