import { createHash } from 'node:crypto'
import { isObject, type Json, type JsonObject, type Operation, type Shape } from '@tidegate/kernel'

/** The operation by which hosts ask their models. */
export const MODEL_TOOL = 'model'
export const MODEL_OPERATION = 'model.chat'

/** Raised whenever the meaning of the declarations below changes: it is part of every action digest. */
const VERSION = 1

const text = { type: 'string' } as const
const count = { type: 'integer', minimum: 0 } as const

const ARGUMENTS: Readonly<Record<string, JsonObject>> = {
  host: { ...text, description: 'Whose model it is: the name of the host.' },
  method: { type: 'string', enum: ['GET', 'POST'] },
  path: { ...text, description: 'What is asked for, such as /v1/messages.' },
  query: text,
  model: { ...text, description: 'The model that the host asks for; empty when it names none.' },
  streams: { type: 'boolean' },
  maxTokens: { type: ['integer', 'null'] },
  messages: { ...count, description: 'How many messages the conversation has.' },
  tools: { ...count, description: 'How many tools are offered to the model.' },
  headers: { type: 'object', additionalProperties: text },
  request: { ...text, description: 'The body as it is sent: its beginning and its end where it is too long.' },
  isCut: { type: 'boolean' },
  bytes: { ...count, description: 'Of the whole body.' },
  digest: { ...text, description: 'SHA-256 of the whole body.' },
  stream: { ...text, description: 'Where the reply goes; good for one call.' },
}

const INPUT: Shape = {
  jsonSchema: { type: 'object', properties: ARGUMENTS, required: Object.keys(ARGUMENTS), additionalProperties: false },
  parse(value) {
    const issues = Object.entries(ARGUMENTS).flatMap(([name, schema]) =>
      isObject(value) && fits(value[name], schema) ? [] : [{ path: `/${name}`, message: 'is not what it should be' }],
    )
    if (isObject(value) && Object.keys(value).length > Object.keys(ARGUMENTS).length)
      issues.push({ path: '', message: 'has more than it should' })
    return issues.length === 0 ? { ok: true, value } : { ok: false, issues }
  },
}

function fits(value: Json | undefined, { type }: JsonObject): boolean {
  if (type === 'string') return typeof value === 'string'
  if (type === 'boolean') return typeof value === 'boolean'
  if (type === 'object') return isObject(value) && Object.values(value).every((each) => typeof each === 'string')
  return (value === null && Array.isArray(type)) || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)
}

const OUTPUT: Shape = {
  jsonSchema: {
    type: 'object',
    properties: {
      status: { type: 'integer' },
      ended: { type: 'string', enum: ['itself', 'client', 'upstream', 'time', 'size'] },
      model: text,
      stopReason: { type: ['string', 'null'] },
      usage: {
        type: 'object',
        properties: { input: count, cached: count, output: count, costMicros: count, isEstimate: { type: 'boolean' } },
      },
      toolCalls: count,
      bytes: count,
      text,
      calls: { type: 'array', items: { type: 'object', properties: { name: text, arguments: text } } },
      isCut: { type: 'boolean' },
    },
    required: ['status', 'ended', 'model', 'stopReason', 'usage', 'toolCalls', 'bytes', 'text', 'calls', 'isCut'],
  },
  parse: (value) =>
    isObject(value) ? { ok: true, value } : { ok: false, issues: [{ path: '', message: 'expected an object' }] },
}

/**
 * Declares the operation. It reads: nothing of the world is other afterwards, but for a bill, which is what limits are for.
 *
 * Its `egress` is `none`, although what the agent knows leaves the machine: it goes to the provider that the project itself has chosen for
 * this agent to think with, in every call and whole. A rule about words that leave would say no to all of them or to none. What the agent then
 * wants to do with what it knows is decided call by call, as ever.
 */
export function modelOperation({ timeoutMs, secrets }: Pick<Operation, 'timeoutMs' | 'secrets'>): Operation {
  return {
    id: MODEL_OPERATION,
    tool: MODEL_TOOL,
    title: 'Ask the model of a host',
    description: 'Sends what a host asks its model to the provider that the project names, and the reply back to the host.',
    ...{ input: INPUT, output: OUTPUT, timeoutMs, secrets },
    isPlanner: true,
    mutability: 'read',
    dataClass: 'internal',
    blastRadius: 'single',
    risk: 'low',
    nature: [],
    reversibility: 'irreversible',
    records: [],
    maxRecords: 1,
    origins: { '': 'third-party' },
    flow: {
      inputs: Object.fromEntries(Object.keys(ARGUMENTS).map((name) => [`/${name}`, { role: 'value', type: 'text' } as const])),
      outputs: {
        '/text': { origin: 'third-party', type: 'text' },
        '/calls/*/name': { origin: 'third-party', type: 'text' },
        '/calls/*/arguments': { origin: 'third-party', type: 'text' },
        '/model': { origin: 'third-party', type: 'text' },
        '/stopReason': { origin: 'third-party', type: 'text' },
      },
      egress: 'none',
    },
    idempotency: 'none',
    maxAttempts: 1, // the reply is on its way to the client already, and clients try again by themselves
    settleMs: 0,
    canPreview: false,
    canReconcile: false,
    canVerify: false,
    schemaVersion: createHash('sha256')
      .update(JSON.stringify({ id: MODEL_OPERATION, version: VERSION }))
      .digest('hex'),
  }
}
