import {
  canonicalJson,
  type FieldOrigin,
  type FlowInput,
  isObject,
  type Json,
  type Operation,
  type Shape,
} from '@tidegate/kernel'
import { failed, operation, type OperationDeclaration, z } from '@tidegate/tools'

/** One kind of call that Claude Code makes itself, in the words of an operation. */
export interface OwnTool
  extends Pick<
    OperationDeclaration,
    'title' | 'description' | 'mutability' | 'dataClass' | 'blastRadius' | 'risk' | 'nature' | 'reversibility'
  > {
  /** The arguments that mean something to policy. Others are let through as they are, hashed and shown. */
  readonly inputs?: Readonly<Record<string, FlowInput>>
  /** The argument that must be there, and names what is changed. */
  readonly record?: string
  /** Who wrote what comes back. */
  readonly origin: FieldOrigin
  /** Who learns of the call. */
  readonly egress: 'none' | 'internal' | 'external'
}

/** What a declaration may say at most. */
const DECLARED_MS = 300_000
/** The longest that a call of the host's own is waited for before it counts as not reported: a command runs for up to ten minutes. */
const REPORT_MS = 900_000
/** The same for agents and programs of agents. */
const LONG_REPORT_MS = 7_200_000
/** The calls that take as long as others within them. */
const LONG: ReadonlySet<string> = new Set(['claude-code.agent', 'claude-code.workflow'])
/** Files that an agent writes whole are the largest arguments. */
const MAX_ARGUMENT_BYTES = 1_048_576

/**
 * Declares a call that the host makes itself. We neither do it nor look it up nor take it back, and its arguments are those of a program
 * that changes with every release: a new argument must not stop it.
 */
export function declare({ inputs = {}, record, origin, egress, ...own }: OwnTool): OperationDeclaration {
  const any = z.json().optional()
  const named = Object.fromEntries(Object.keys(inputs).map((name) => [name, any] as const))
  const shape = record === undefined ? named : { ...named, [record]: z.string().min(1).max(32_768) }
  return operation({
    timeoutMs: DECLARED_MS,
    ...own,
    // Where a record is named the declaration is closed; `openInput` lets the rest of the arguments through all the same.
    input: record === undefined ? z.object(shape).catchall(z.json()) : z.strictObject(shape),
    output: z.object({}).catchall(z.json()),
    ...(record === undefined ? {} : { records: [`/${record}`] }),
    ...(own.mutability === 'read' ? { maxAttempts: 1 } : { acceptsAmbiguity: true }),
    flow: {
      inputs: Object.fromEntries(Object.entries(inputs).map(([name, input]) => [`/${name}`, input])),
      outputs: { '': { origin, type: 'text' } },
      egress,
    },
    execute: async () =>
      failed({ failure: 'refused', retry: 'never', message: 'Only Claude Code itself makes this call; Tidegate permits it.' }),
  })
}

/** Changes that Claude Code itself can go back on (`/rewind`), though we cannot. */
const REWOUND: ReadonlySet<string> = new Set(['claude-code.write', 'claude-code.edit', 'claude-code.notebook.edit'])

/** An operation that takes arguments as large as files are, and any that its declaration does not name, and may take its time. */
export function openInput(own: Operation): Operation {
  const { jsonSchema } = own.input
  const required = own.records.map((pointer) => pointer.slice(1))
  const input: Shape = { jsonSchema, parse: (value) => parse(value, required) }
  const reversibility = REWOUND.has(own.id) ? 'reversible' : own.reversibility
  return Object.freeze({ ...own, input, reversibility, timeoutMs: LONG.has(own.id) ? LONG_REPORT_MS : REPORT_MS })
}

function parse(value: Json, required: readonly string[]): ReturnType<Shape['parse']> {
  const refuse = (path: string, message: string) => ({ ok: false, issues: [{ path, message }] }) as const
  if (!isObject(value)) return refuse('', 'is not an object')
  for (const name of required) {
    const text = value[name]
    if (typeof text !== 'string' || text === '') return refuse(`/${name}`, 'must be a text')
  }
  try {
    // Canonical JSON refuses what two readers could understand differently; what it wrote is what was read.
    if (canonicalJson(value).length > MAX_ARGUMENT_BYTES) return refuse('', `is larger than ${MAX_ARGUMENT_BYTES} bytes`)
  } catch {
    return refuse('', 'is not plain JSON')
  }
  return { ok: true, value }
}

/** A file or folder. */
export const PATH: FlowInput = { role: 'sink', type: 'path' }
/** An address of the web. */
export const ADDRESS: FlowInput = { role: 'sink', type: 'url' }
/** Whom words go to. */
export const RECIPIENT: FlowInput = { role: 'sink', type: 'recipient' }
/** What is changed or started, by its name. */
export const TARGET: FlowInput = { role: 'sink', type: 'identifier' }
/** Words, commands, code. */
export const WORDS: FlowInput = { role: 'text', type: 'text' }
