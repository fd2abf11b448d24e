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

/**
 * Declares a call that the host makes itself. We neither do it nor look it up nor take it back, and its arguments are those of a program
 * that changes with every release: a new argument must not stop it, so that all are let through, hashed and shown.
 */
export function declare({ inputs = {}, records = [], origin, egress, ...own }: OwnTool): OperationDeclaration {
  const any = z.json().optional()
  const shape = Object.fromEntries([
    ...Object.keys(inputs).map((name) => [name, any] as const),
    ...records.map((name) => [name, z.string().min(1).max(32_768)] as const),
  ])
  return operation({
    timeoutMs: REPORT_MS,
    ...own,
    // A record must be named exactly: there, what is not known is not let through, and the call is one that nobody has classified.
    input: records.length === 0 ? z.object(shape).catchall(z.json()) : z.strictObject(shape),
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
