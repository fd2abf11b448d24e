import { createHash } from 'node:crypto'
import {
  type Connector,
  type ConnectorResult,
  isObject,
  type Json,
  type Operation,
  parseJson,
  type Shape,
} from '@tidegate/kernel'
import type { ScriptResult } from './run-script.ts'
import { createScriptThread } from './script-thread.ts'

/** What scripts are held to. */
export interface JavaScriptOptions {
  /** `javascript` unless told. */
  readonly tool?: string
  readonly timeoutMs: number
  readonly memoryBytes: number
}

/** A tool that computes, with what has to be closed at the end. */
export interface JavaScriptTool {
  readonly name: string
  readonly operations: readonly Operation[]
  readonly connector: Connector
  close(): Promise<void>
}

const VERSION = 1
const MAX_CODE = 65_536
const MAX_OUTPUT = 262_144
const MAX_DEPTH = 32

/** A tool with one operation, `javascript.run`: small pieces of JavaScript that compute something from what they are given, and reach nothing. */
export function createJavaScript({ tool = 'javascript', timeoutMs, memoryBytes }: JavaScriptOptions): JavaScriptTool {
  const thread = createScriptThread()
  const none: ConnectorResult = { kind: 'failed', failure: 'refused', retry: 'never', message: 'a computation has no preview' }
  return {
    name: tool,
    operations: [operationOf(tool, timeoutMs)],
    connector: {
      async execute({ arguments: args }) {
        const { code = '', input = null } = isObject(args) ? args : {}
        const request = { code: String(code), input: JSON.stringify(input), timeoutMs, memoryBytes, outputBytes: MAX_OUTPUT }
        return answerOf(await thread.run(request))
      },
      preview: async () => none,
      reconcile: async () => ({ kind: 'absent' }),
      verify: async () => ({ holds: true, detail: 'a computation leaves nothing behind' }),
    },
    close: () => thread.close(),
  }
}

function answerOf(result: ScriptResult): ConnectorResult {
  if (result.kind === 'returned') {
    try {
      const limits = { maxBytes: MAX_OUTPUT, maxDepth: MAX_DEPTH }
      return { kind: 'done', output: { result: parseJson(result.value, limits) }, complete: true }
    } catch {
      return failed('the result is not plain JSON, or nests too deeply')
    }
  }
  if (result.kind === 'threw') return failed(result.message)
  const why = {
    time: 'it took too long',
    memory: 'it used too much memory',
    output: `its result has more than ${MAX_OUTPUT} bytes`,
  }
  return failed(`the script was stopped: ${why[result.because]}`)
}

function failed(message: string): ConnectorResult {
  return { kind: 'failed', failure: 'semantic', retry: 'never', message }
}

const INPUT: Shape = {
  jsonSchema: {
    type: 'object',
    properties: {
      code: {
        type: 'string',
        maxLength: MAX_CODE,
        description: 'The body of a JavaScript function of `input`. Return the result.',
      },
      input: { description: 'Any JSON; `input` in the code.' },
    },
    required: ['code'],
    additionalProperties: false,
  },
  parse(value) {
    if (!isObject(value)) return { ok: false, issues: [{ path: '', message: 'expected an object' }] }
    const { code, input = null, ...others } = value
    if (typeof code !== 'string' || code === '' || code.length > MAX_CODE)
      return { ok: false, issues: [{ path: '/code', message: `expected a text of 1 to ${MAX_CODE} characters` }] }
    const [strange] = Object.keys(others)
    if (strange !== undefined) return { ok: false, issues: [{ path: `/${strange.slice(0, 60)}`, message: 'is not known' }] }
    const normal: Json = { code, input }
    return { ok: true, value: normal }
  },
}

function operationOf(tool: string, timeoutMs: number): Operation {
  return {
    id: `${tool}.run`,
    tool,
    title: 'Compute something in JavaScript',
    description:
      'Runs a small piece of JavaScript on the given input and answers what it returns. It has no network, no files and no clock that matters.',
    input: INPUT,
    output: {
      jsonSchema: { type: 'object', properties: { result: {} }, required: ['result'] },
      parse: (value) => ({ ok: true, value }),
    },
    mutability: 'read',
    dataClass: 'internal',
    blastRadius: 'single',
    risk: 'low',
    nature: [],
    reversibility: 'reversible',
    records: [],
    maxRecords: 1,
    // What comes out was written by whoever wrote what went in.
    origins: { '': 'third-party' },
    flow: {
      inputs: { '/code': { role: 'value', type: 'text' }, '/input': { role: 'value', type: 'text' } },
      outputs: { '/result': { origin: 'arguments', type: 'text' } },
      egress: 'none',
    },
    idempotency: 'key',
    timeoutMs: timeoutMs + 5_000,
    maxAttempts: 1,
    settleMs: 0,
    secrets: [],
    canPreview: false,
    canReconcile: false,
    canVerify: false,
    schemaVersion: createHash('sha256')
      .update(JSON.stringify({ tool, version: VERSION }))
      .digest('hex'),
  }
}
