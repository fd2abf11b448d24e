import type { FieldOrigin, FlowInput } from '@tidegate/kernel'
import { failed, operation, type OperationDeclaration, z } from '@tidegate/tools'

/** One kind of call that OpenClaw makes itself, in the words of an operation. Nothing here has a default that widens anything. */
export interface OwnTool
  extends Pick<
    OperationDeclaration,
    'title' | 'description' | 'mutability' | 'dataClass' | 'blastRadius' | 'risk' | 'nature' | 'reversibility' | 'timeoutMs'
  > {
  /** The arguments that mean something to policy; others are let through as they are, and read strictly. */
  readonly inputs?: Readonly<Record<string, FlowInput>>
  /** Arguments that must be there, and name what is changed. */
  readonly records?: readonly string[]
  /** Who wrote what comes back. */
  readonly origin: FieldOrigin
  /** Who learns of the call. */
  readonly egress: 'none' | 'internal' | 'external'
}

/** The longest that a call of the host's own is waited for before it counts as not reported. */
const REPORT_MS = 300_000

/** Under this name stand the arguments that are not declared. */
export const MORE = '_more'

/**
 * Declares a call that the host makes itself. We neither do it nor look it up nor take it back, and its arguments are those of a program
 * that changes with every release: a new argument must not stop it. Policies speak of those that are declared, each with its type; all
 * others stand in one structure, hashed and shown, and read strictly.
 */
export function declare({ inputs = {}, records = [], origin, egress, ...own }: OwnTool): OperationDeclaration {
  const shape = Object.fromEntries([
    ...Object.entries(inputs).map(
      ([name, input]) => [name, STRUCTURED.has(input) ? z.json().optional() : ofType(input)] as const,
    ),
    ...records.map((name) => [name, z.string().min(1).max(32_768)] as const),
  ])
  return operation({
    timeoutMs: REPORT_MS,
    ...own,
    input: z.strictObject({ ...shape, [MORE]: z.record(z.string(), z.json()).optional() }),
    output: z.object({}).catchall(z.json()),
    ...(records.length === 0 ? {} : { records: records.map((name) => `/${name}`) }),
    ...(own.mutability === 'read' ? { maxAttempts: 1 } : { acceptsAmbiguity: true }),
    flow: {
      inputs: Object.fromEntries(Object.entries(inputs).map(([name, input]) => [`/${name}`, input])),
      outputs: { '': { origin, type: 'text' } },
      egress,
    },
    execute: async () =>
      failed({ failure: 'refused', retry: 'never', message: 'Only OpenClaw itself makes this call; Tidegate permits it.' }),
  })
}

/** Policies can compare what is a text or a flag; what is neither, where one is expected, is a call that nobody has classified. */
function ofType({ type }: FlowInput) {
  if (type === 'flag') return z.boolean().optional()
  return type === 'number' ? z.number().optional() : z.string().max(65_536).optional()
}

/** A file or folder that is changed. */
export const PATH: FlowInput = { role: 'sink', type: 'path' }
/** An address of the web. */
export const URL_: FlowInput = { role: 'sink', type: 'url' }
/** Whom words go to. */
export const RECIPIENT: FlowInput = { role: 'sink', type: 'recipient' }
/** What is changed or started, by its name. */
export const TARGET: FlowInput = { role: 'sink', type: 'identifier' }
/** Words, commands, code. */
export const WORDS: FlowInput = { role: 'text', type: 'text' }
/** Words in a structure: edits, keys, the fields of a job. */
export const DATA: FlowInput = { role: 'text', type: 'text' }
/** Several files, or several people. */
export const PATHS: FlowInput = { role: 'sink', type: 'path' }
export const RECIPIENTS: FlowInput = { role: 'sink', type: 'recipient' }

const STRUCTURED: ReadonlySet<FlowInput> = new Set([DATA, PATHS, RECIPIENTS])

/** Settings of a call that select nothing. */
export const FLAG: FlowInput = { role: 'value', type: 'flag' }
export const NUMBER: FlowInput = { role: 'value', type: 'number' }
export const OPTION: FlowInput = { role: 'value', type: 'enum' }
