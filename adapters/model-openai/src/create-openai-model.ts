import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Model, ModelRequest, ModelResult } from '@tidegate/kernel'
import { type Exchange, openExchange } from './exchange.ts'
import type { Failure } from './failure.ts'
import { type OpenAiModelOptions, type ResolvedOptions, resolveOptions } from './options.ts'
import { type ChatModel, type ChatOptions, composeChat } from './prompt.ts'
import { createReplyReader, type ReplyReader } from './reply.ts'
import { createToolNames, renameCalls } from './tool-names.ts'

/**
 * Creates a model behind any endpoint that speaks OpenAI's chat completions; see {@link Model} for what it promises.
 *
 * The SDK is loaded by the first call, so that a process without a model does not pay for it. Only its lowest layer is used, to
 * write the request and to cut the stream into chunks: it retries nothing, and what it would repair is read before it.
 *
 * @throws ModelOpenAiError when the options cannot be used
 */
export function createOpenAiModel(options: OpenAiModelOptions): Model {
  const resolved = resolveOptions(options)
  const agentOptions = { keepAlive: true, scheduling: 'lifo' } as const
  const agent = resolved.baseUrl.startsWith('https:') ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions)
  const call = async (request: ModelRequest): Promise<ModelResult> => {
    const exchange = openExchange({ ...resolved, agent, totalMs: request.timeoutMs, signal: request.signal })
    try {
      return await converse(resolved, request, exchange)
    } finally {
      exchange.close()
    }
  }
  return { id: resolved.id, call }
}

async function converse(options: ResolvedOptions, request: ModelRequest, exchange: Exchange): Promise<ModelResult> {
  const secret = await Promise.race([readKey(options), exchange.ended])
  if (isFailure(secret)) return createReplyReader({ onText: undefined, secret: undefined }).fail(secret)
  if (secret !== undefined) exchange.hide(secret)
  const reader = createReplyReader({ onText: request.onText, secret })
  const chat = await openChat(options, exchange)
  const names = createToolNames(request.tools.map(({ name }) => name))
  const headers = secret === undefined ? {} : { authorization: `Bearer ${secret}` }
  const listening = listen(
    readChunks(chat, { ...composeChat(request, names), headers }, options.streaming, exchange),
    reader,
    exchange,
  )
  await Promise.race([listening, exchange.ended])
  const failure = exchange.failure()
  return failure === undefined ? renameCalls(reader.finish(), names) : reader.fail(failure)
}

/** Feeds the reader until the reply ends or the exchange fails; then nothing more reaches `onText`. */
async function listen(chunks: AsyncIterable<unknown>, reader: ReplyReader, exchange: Exchange): Promise<void> {
  for await (const chunk of chunks) {
    if (exchange.failure() !== undefined) return
    const failure = reader.take(chunk)
    if (failure !== undefined) return exchange.fail(failure)
  }
}

const MALFORMED: Failure = {
  code: 'malformed',
  retry: 'safe',
  message: 'The endpoint does not answer in the form of chat completions.',
}

/** Yields the chunks as they came, before the SDK interprets them. What the SDK throws is a failure that keeps nothing of it. */
async function* readChunks(
  chat: ChatModel,
  options: ChatOptions,
  streaming: boolean,
  exchange: Exchange,
): AsyncGenerator<unknown> {
  try {
    if (!streaming) {
      yield (await chat.doGenerate(options)).response?.body
      return
    }
    const { stream } = await chat.doStream({ ...options, includeRawChunks: true })
    for await (const part of stream) if (part.type === 'raw') yield part.rawValue
  } catch {
    exchange.fail(MALFORMED)
  }
}

async function openChat(options: ResolvedOptions, exchange: Exchange): Promise<ChatModel> {
  const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible')
  const provider = createOpenAICompatible({
    name: 'tidegate',
    baseURL: options.baseUrl,
    includeUsage: true,
    fetch: exchange.post,
    transformRequestBody: ({ max_tokens: maxTokens, ...body }) => {
      const written = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
      return { ...options.extraBody, ...written, [options.preset.maxTokensField]: maxTokens }
    },
  })
  return provider.chatModel(options.name)
}

/** The credential, nothing where none is needed, or why there is none. The error of whoever keeps it is not passed on. */
async function readKey(options: ResolvedOptions): Promise<string | undefined | Failure> {
  if (options.apiKey === undefined) return undefined
  const refuse = (message: string): Failure => ({ code: 'unauthorized', retry: 'never', message })
  try {
    const key = await options.apiKey()
    if (/^[\x21-\x7e]{1,4096}$/.test(key)) return key
    return refuse('The API key is empty, too long, or holds a space or a line break. Store the key alone.')
  } catch {
    return refuse('The API key could not be read. Check where the configuration says that it is.')
  }
}

function isFailure(value: string | undefined | Failure): value is Failure {
  return typeof value === 'object'
}
