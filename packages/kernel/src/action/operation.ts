import type { Json, JsonObject } from '../canonical/json.ts'
import type { FlowDeclaration } from '../label/flow.ts'
import type { Origin } from '../label/origin.ts'

export const MUTABILITIES = ['read', 'write', 'destructive'] as const
export const DATA_CLASSES = ['public', 'internal', 'customer', 'regulated', 'secret'] as const
export const BLAST_RADII = ['single', 'batch', 'cross-system', 'admin'] as const
export const RISK_CLASSES = ['low', 'medium', 'high', 'critical'] as const
export const NATURES = [
  'financial',
  'message',
  'customer-visible',
  'sharing',
  'deletion',
  'credential',
  'schedule',
  'skill',
  'code',
  'egress',
  'unclassified',
] as const
export const REVERSIBILITIES = ['reversible', 'compensable', 'irreversible'] as const

/** What an operation does to the world: nothing, a change, or a loss. */
export type Mutability = (typeof MUTABILITIES)[number]
/** The most sensitive class of data that an operation reads or writes. */
export type DataClass = (typeof DATA_CLASSES)[number]
/** How far one call reaches. */
export type BlastRadius = (typeof BLAST_RADII)[number]
/** What a wrong call costs, as its owner declares it. The planner's own claim is recorded and never believed. */
export type RiskClass = (typeof RISK_CLASSES)[number]
/**
 * What kind of effect a call has, beyond what it does to records: policies treat money, messages and new rights apart.
 *
 * `unclassified` says that the owner of a write has not said; an owner who has looked and found nothing special declares no nature.
 */
export type Nature = (typeof NATURES)[number]
/** `reversible`: the same system can put it back; `compensable`: another action makes up for it; `irreversible`: neither. */
export type Reversibility = (typeof REVERSIBILITIES)[number]

/** `tool.verb`, such as `desk.refund.create`: the tool is everything before the first dot. */
export type OperationId = string

/**
 * Checks a value that came from outside and returns it in normal form.
 *
 * Only the returned value is hashed, decided on and executed, never the input: a validator that drops a `__proto__` key drops it
 * from the digest too.
 */
export interface Shape {
  parse(value: Json): ShapeResult
  /** JSON Schema (draft 2020-12) of what {@link parse} accepts, for models and for people. */
  readonly jsonSchema: JsonObject
}

export type ShapeResult =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly issues: readonly ShapeIssue[] }

/** One reason why a value was refused; `path` is a JSON pointer (RFC 6901). */
export interface ShapeIssue {
  readonly path: string
  readonly message: string
}

/** How to make up for a call that succeeded. `null` when this call needs nothing undone. */
export type Compensation = (done: { readonly arguments: Json; readonly output: Json }) => CompensationCall | null

export interface CompensationCall {
  readonly operation: OperationId
  readonly arguments: Json
}

/** One verb of a tool, as its owner declares it. The planner chooses among these and can invent none. */
export interface Operation {
  readonly id: OperationId
  readonly tool: string
  /** What it does in words a support lead understands, as an imperative: "Refund an invoice". */
  readonly title: string
  readonly description: string
  readonly input: Shape
  readonly output: Shape
  readonly mutability: Mutability
  readonly dataClass: DataClass
  readonly blastRadius: BlastRadius
  readonly risk: RiskClass
  readonly nature: readonly Nature[]
  /** How data flows through it; the stricter reading of its schemas where it says nothing. */
  readonly flow?: FlowDeclaration
  readonly reversibility: Reversibility
  /** Arguments (JSON pointers) that name the records touched. For `single` each must hold exactly one plain identifier. */
  readonly records: readonly string[]
  /** The most records one call may name; 1 for `single`. */
  readonly maxRecords: number
  /** Who wrote each part of the output: JSON pointer (`*` matches one segment) to origin. Unlisted parts are `third-party`. */
  readonly origins: Readonly<Record<string, Origin>>
  /** `key`: the far side honours an idempotency key, so that an unknown outcome may be tried again under the same key. */
  readonly idempotency: 'none' | 'key'
  readonly timeoutMs: number
  /** Attempts in all, the first included; only failures that certainly had no effect are tried again. */
  readonly maxAttempts: number
  /** How long after its start a call may still land at the far side; a look-up is believed only afterwards. */
  readonly settleMs: number
  /** Names of secrets the connector may ask for. The model sees neither the names nor the values. */
  readonly secrets: readonly string[]
  readonly canPreview: boolean
  readonly canReconcile: boolean
  readonly canVerify: boolean
  readonly compensation?: Compensation
  /**
   * Which operation a call really is when its arguments tell more than its name; null for this one. Hosts name the wide operation, and their
   * calls are decided on as the narrow one. Same arguments, same answer.
   */
  readonly narrow?: (args: Json) => OperationId | null
  /** The wide operation that hosts name instead of this one: it is not offered by itself. */
  readonly facetOf?: OperationId
  /**
   * It asks the model that an agent plans with: its answer is the agent's own words. These neither taint a conversation nor vouch for an
   * argument (I9), and such a call needs no ticket: no hook sees it.
   */
  readonly isPlanner?: true
  /** Hex SHA-256 of the declaration; part of every action digest (I2). */
  readonly schemaVersion: string
}
