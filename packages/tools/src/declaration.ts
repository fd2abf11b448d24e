import type {
  BlastRadius,
  ConnectorFailure,
  ConnectorResult,
  DataClass,
  FlowDeclaration,
  Json,
  Mutability,
  Nature,
  Origin,
  Reconciliation,
  Reversibility,
  RiskClass,
} from '@tidegate/kernel'
import type { z } from 'zod'

/** One call, as the functions of an operation get it. */
export interface ToolCall<Arguments = Json> {
  readonly operation: string
  /** In normal form: what was decided on and approved, to the byte. */
  readonly arguments: Arguments
  /** Unlike any other, and the same for each attempt at this action: hand it to the far side, so that `reconcile` can look for it. */
  readonly effectId: string
  /** Present when the operation declares `idempotency: 'key'`: the far side must be given exactly this. */
  readonly idempotencyKey?: string
  /** 1 for the first. */
  readonly attempt: number
  readonly timeoutMs: number
  /** Aborts when the time is up. Whatever is answered more than a moment later is not heard. */
  readonly signal: AbortSignal
  /** Resolves a secret that the operation declares. Put it into a header; never into an answer, an error or a log. */
  readonly secret: (name: string) => Promise<string>
}

/** How to make up for a call that succeeded, by another operation of the same tool. */
export interface CompensationDeclaration<Arguments = Json, Output = Json> {
  /** The name of an operation of the same tool, without the tool: `refund.cancel`. It must declare `verify`. */
  readonly operation: string
  /**
   * The arguments of the call that takes this one back. `nothing`: this call left nothing to take back. `unknown`: nobody can tell
   * how, so a person has to (this is also what an exception means).
   */
  arguments(done: {
    readonly arguments: Arguments
    readonly output: Output
  }): { readonly [name: string]: Json } | 'nothing' | 'unknown'
}

/** Whether an effect is in the world now, and what was seen. */
export interface Verification {
  readonly holds: boolean
  readonly detail: string
}

/**
 * One verb of a tool. Each field feeds a control (docs/guide/tools.md says which); none has a default that widens anything.
 *
 * `execute`, `preview`, `reconcile` and `verify` answer with values; what they throw is a failure whose effect is unknown.
 */
export interface OperationDeclaration<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodObject = z.ZodObject> {
  /** An imperative that a support lead understands: "Refund an invoice". */
  readonly title: string
  readonly description: string
  readonly input: Input
  readonly output: Output
  readonly mutability: Mutability
  readonly dataClass: DataClass
  readonly blastRadius: BlastRadius
  readonly risk: RiskClass
  /**
   * What kind of effect it is: money, a message, a new right. Say `[]` when it is none of them. A write that says nothing is
   * `unclassified`, which policies may ask about; what is destructive is a `deletion` whatever it says.
   */
  readonly nature?: readonly Exclude<Nature, 'unclassified'>[]
  /** Required for writes; a read is always reversible. */
  readonly reversibility?: Reversibility
  /** JSON pointers to the arguments that name the records touched. Required for writes of `single` and `batch`. */
  readonly records?: readonly string[]
  /** The most records one call may name: 1 for `single`, required for `batch`. */
  readonly maxRecords?: number
  /** Who wrote each part of the output, by JSON pointer; `*` matches one segment. What is not listed is `third-party`. */
  readonly origins?: Readonly<Record<string, Origin>>
  /**
   * How data flows through the operation: what each argument is for, who wrote each part of the output and who may read it, and who learns
   * of a call. What is not declared is read strictly: third-party text, a target, seen by anybody. Says who wrote what for `origins` as well,
   * when that is left out.
   */
  readonly flow?: FlowDeclaration
  /** `key`: the far side honours `call.idempotencyKey`. `none` unless told. */
  readonly idempotency?: 'none' | 'key'
  /** 10,000 unless told; at most 300,000. */
  readonly timeoutMs?: number
  /** Attempts in all, 1 to 10: 3 for reads and 1 for writes unless told. */
  readonly maxAttempts?: number
  /** How long a call may take to land after it started: 2,000 for writes and 0 for reads unless told. */
  readonly settleMs?: number
  /** Names of the secrets that the functions may ask for. */
  readonly secrets?: readonly string[]
  /** Owned up to: an unknown outcome of this write goes to a person, because nobody can look it up. */
  readonly acceptsAmbiguity?: boolean

  execute(call: ToolCall<z.output<Input>>): Promise<ConnectorResult>
  preview?(call: ToolCall<z.output<Input>>): Promise<ConnectorResult>
  reconcile?(call: ToolCall<z.output<Input>>): Promise<Reconciliation>
  verify?(call: ToolCall<z.output<Input>>, output: z.output<Output>): Promise<Verification>
  readonly compensate?: CompensationDeclaration<z.output<Input>, z.output<Output>>
}

/** A tool as its author declares it. */
export interface ToolDeclaration {
  /** Lower case letters, digits and `-`: the first part of the id of each operation. */
  readonly name: string
  readonly title: string
  /** By name without the tool: `refund.create` of the tool `desk` is `desk.refund.create`. */
  readonly operations: Readonly<Record<string, OperationDeclaration>>
}

/** Returns the declaration as it is; its only work is to tell the functions what the schemas say. */
export function operation<Input extends z.ZodObject, Output extends z.ZodObject>(
  declaration: OperationDeclaration<Input, Output>,
): OperationDeclaration<Input, Output> {
  return declaration
}

/** The call succeeded. `complete: false` says that the answer was cut short. */
export function done(output: Json, { complete = true }: { readonly complete?: boolean } = {}): ConnectorResult {
  return { kind: 'done', output, complete }
}

/** The call failed. Say `retry: 'safe'` only when it certainly had no effect, `unknown` when it may have had one. */
export function failed(failure: Omit<ConnectorFailure, 'kind'>): ConnectorFailure {
  return { kind: 'failed', ...failure }
}
