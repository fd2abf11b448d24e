import { randomBytes } from 'node:crypto'
import {
  type Connector,
  type ConnectorCall,
  type ConnectorFailure,
  type ConnectorResult,
  isObject,
  type JsonObject,
  type CallUsage,
  type Operation,
} from '@tidegate/kernel'
import { ANTHROPIC } from './anthropic.ts'
import { type Resolver, systemResolver } from './dial.ts'
import { ToolsModelError } from './error.ts'
import { noFacts } from './facts.ts'
import type { ModelFormat } from './format.ts'
import { forward, FORWARD_LIMITS, type Forwarded, type ForwardLimits, type ModelSink } from './forward.ts'
import { OPENAI } from './openai.ts'
import { MODEL_OPERATION, MODEL_TOOL, modelOperation } from './operation.ts'
import { parsePlace, type Place } from './place.ts'
import { type ModelRequest, prepare, type Prepared, type Unprepared } from './prepare.ts'
import { type ModelPrice, NO_PRICE, usedBy, type Used } from './usage.ts'

/** The model of one host, as the project declares it. */
export interface HostModel {
  readonly host: string
  readonly format: 'openai' | 'anthropic'
  readonly baseUrl: string
  /** Allows addresses of private networks, and http to them. */
  readonly isPrivate?: boolean
  /** The name of the secret that is the key; none when the provider wants none. */
  readonly secret?: string
  /** The whole of one call. */
  readonly timeoutMs: number
  readonly price?: ModelPrice
}

export interface ModelProxyOptions {
  readonly models: readonly HostModel[]
  readonly limits?: Partial<Omit<ForwardLimits, 'totalMs'>>
  /** How names are looked up; as the machine does unless told. */
  readonly resolve?: Resolver
}

/** A request that waits for its decision. */
export interface OpenedModelCall {
  readonly kind: 'opened'
  readonly operation: string
  readonly arguments: JsonObject
  /** How long it may take, once it is allowed. */
  readonly timeoutMs: number
  /** Forgets it: after this it can not be sent any more. */
  close(): void
}

/** The models of hosts: one operation, and the way of its replies. */
export interface ModelProxy {
  readonly name: string
  readonly operations: readonly Operation[]
  readonly connector: Connector
  /** True for a host whose model is here. */
  serves(host: string): boolean
  /** Takes a request. Nothing is sent before the operation is executed with these arguments, and then once. */
  open(request: ModelRequest & { readonly sink: ModelSink; readonly gone: AbortSignal }): OpenedModelCall | Unprepared
  /** An error of ours in the words of the host's provider. */
  errorOf(host: string, code: string, message: string, status: number): JsonObject
}

const FORMATS: Readonly<Record<HostModel['format'], ModelFormat>> = { openai: OPENAI, anthropic: ANTHROPIC }
const VISIBLE = /^[\x21-\x7e]{1,4096}$/

interface Known extends HostModel {
  readonly place: Place
  readonly speaks: ModelFormat
}

interface Waiting {
  readonly prepared: Prepared
  readonly sink: ModelSink
  readonly gone: AbortSignal
}

/**
 * Creates the proxy of a project.
 *
 * M1. What is sent is what was decided on: the arguments hold the digest of the body, and the body does not leave this module in between.
 * M2. A request is sent at most once, and only for the host that it came from. M3. The provider gets the key of the project and never the
 * token of the host; the host gets neither. M4. A reply goes on as it comes, and what is read of it on its way changes nothing of it.
 *
 * @throws ToolsModelError `proxy_base_url`, `proxy_option` for a host that stands twice.
 */
export function createModelProxy({ models, limits, resolve = systemResolver }: ModelProxyOptions): ModelProxy {
  const known = new Map<string, Known>()
  for (const model of models) {
    const { host, format, baseUrl, isPrivate = false } = model
    if (known.has(host)) throw new ToolsModelError('proxy_option', `The host ${host} has two models. Remove one.`)
    known.set(host, { ...model, place: parsePlace(host, baseUrl, { isPrivate }), speaks: FORMATS[format] })
  }
  const waiting = new Map<string, Waiting>()

  async function execute(call: ConnectorCall): Promise<ConnectorResult> {
    const args = isObject(call.arguments) ? call.arguments : {}
    const taken = typeof args.stream === 'string' ? waiting.get(args.stream) : undefined
    if (taken === undefined || typeof args.stream !== 'string') return refused('nobody waits for this reply')
    waiting.delete(args.stream) // M2
    const { prepared, sink, gone } = taken
    const model = known.get(prepared.host)
    if (
      model === undefined ||
      args.host !== prepared.host ||
      args.digest !== prepared.digest ||
      args.path !== prepared.arguments.path
    )
      return refused('the request is not the one that was decided on') // M1, M2
    const key = await keyOf(model, call)
    if (key !== undefined && typeof key !== 'string') return key
    const { place, speaks: format, timeoutMs } = model
    const within = { ...FORWARD_LIMITS, ...limits, totalMs: Math.min(timeoutMs, call.timeoutMs) }
    const outcome = await forward(prepared, { place, format, key, sink, gone, limits: within, resolve })
    return resultOf(outcome, prepared, model, key)
  }

  return {
    name: MODEL_TOOL,
    operations: [
      modelOperation({
        timeoutMs: Math.max(1_000, ...models.map(({ timeoutMs }) => timeoutMs)),
        secrets: models.flatMap(({ secret }) => (secret === undefined ? [] : [secret])),
      }),
    ],
    connector: {
      execute,
      preview: async () => refused('a question to a model has no preview'),
      reconcile: async () => ({ kind: 'unknown', message: 'a provider cannot be asked what it was asked' }),
      verify: async () => ({ holds: false, detail: 'a reply leaves nothing that could be looked at' }),
    },
    serves: (host) => known.has(host),
    open({ sink, gone, ...request }) {
      const model = known.get(request.host)
      if (model === undefined) return { kind: 'unprepared', why: 'path', message: 'The project names no model for this host.' }
      const prepared = prepare(request, model.speaks, model.place.basePath)
      if ('kind' in prepared) return prepared
      const stream = randomBytes(16).toString('hex')
      waiting.set(stream, { prepared, sink, gone })
      return {
        kind: 'opened',
        operation: MODEL_OPERATION,
        arguments: { ...prepared.arguments, stream },
        timeoutMs: model.timeoutMs,
        close: () => void waiting.delete(stream),
      }
    },
    errorOf: (host, code, message, status) => (known.get(host)?.speaks ?? OPENAI).errorOf(code, message, status),
  }
}

/** The key of the provider (M3), or why it cannot be had. */
async function keyOf({ secret }: Known, call: ConnectorCall): Promise<string | undefined | ConnectorFailure> {
  if (secret === undefined) return undefined
  const key = await call.secret(secret).catch(() => undefined)
  return key !== undefined && VISIBLE.test(key) ? key : refused(`the key "${secret}" cannot be had, or cannot stand in a header`)
}

function resultOf(
  outcome: Forwarded,
  prepared: Prepared,
  { place, price = NO_PRICE }: Known,
  key: string | undefined,
): ConnectorResult {
  const about = { model: prepared.model, requestBytes: prepared.bytes?.length ?? 0, price }
  const isChat = prepared.purpose === 'chat'
  switch (outcome.kind) {
    case 'not_sent':
      return failed(outcome.isLate ? 'timeout' : 'unavailable', outcome.message, 'model_not_reached')
    case 'redirected':
      return failed(
        'semantic',
        `${place.origin} points elsewhere (${outcome.status}), which is never followed.`,
        'model_redirected',
      )
    case 'silent': {
      const failure = outcome.ended === 'time' ? 'timeout' : 'unavailable'
      // The provider has the question, and may well charge for it.
      const used = isChat ? { usage: usageOf(usedBy(noFacts(), { ...about, isWhole: false })) } : {}
      return { ...failed(failure, SILENCE[outcome.ended], `model_${outcome.ended}`), ...used }
    }
    case 'answered': {
      const { status, ended, facts, bytes } = outcome
      const isWhole = ended === 'itself'
      const counts = isChat && status < 300
      const used = usedBy(facts, { ...about, isWhole })
      const hidden = (text: string): string => (key === undefined ? text : text.replaceAll(key, '[key]')).toWellFormed()
      const output = {
        ...{ status, ended, bytes, stopReason: facts.stopReason, model: prepared.model },
        usage: counts ? usageOutput(used) : NOTHING,
        toolCalls: facts.calls.size,
        text: hidden(facts.text),
        calls: [...facts.calls.values()].map(({ name, arguments: given }) => ({ name: hidden(name), arguments: hidden(given) })),
        isCut: facts.isCut,
      }
      return { kind: 'done', output, complete: isWhole && !facts.isCut, ...(counts ? { usage: usageOf(used) } : {}) }
    }
  }
}

const SILENCE = {
  client: 'The client left before the reply began.',
  upstream: 'The connection broke before the reply began.',
  time: 'The provider did not answer in time.',
} as const

const NOTHING = { input: 0, cached: 0, output: 0, costMicros: 0, isEstimate: false } as const

function usageOf({ model, inputTokens, outputTokens, costMicros }: Used): CallUsage {
  return { model, inputTokens, outputTokens, costMicros }
}

function usageOutput({
  inputTokens: input,
  outputTokens: output,
  cachedTokens: cached,
  costMicros,
  isEstimate,
}: Used): JsonObject {
  return { input, cached, output, costMicros, isEstimate }
}

function refused(message: string): ConnectorFailure {
  return failed('refused', message, 'model_refused')
}

function failed(failure: ConnectorFailure['failure'], message: string, code: string): ConnectorFailure {
  return { kind: 'failed', failure, retry: 'never', message, code }
}
