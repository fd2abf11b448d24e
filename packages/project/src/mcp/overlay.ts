import type {
  BlastRadius,
  DataClass,
  FlowDeclaration,
  Mutability,
  Nature,
  Origin,
  Reversibility,
  RiskClass,
} from '@tidegate/kernel'

/** A value for a call that follows from another: found in `{arguments, output}` of that other, or fixed. */
export type DerivedValue = { readonly from: string } | { readonly value: string | number | boolean }

/** Another tool that is asked about an effect. */
export interface McpLook {
  readonly tool: string
  readonly arguments: Readonly<Record<string, DerivedValue>>
  readonly at: string
  readonly equals?: string | number | boolean
  readonly absent?: true
}

/** What the owner of a project says about one tool of an MCP server, complete. */
export interface McpClassification {
  readonly id?: string
  readonly title?: string
  readonly description?: string
  readonly mutability: Mutability
  readonly dataClass: DataClass
  readonly blastRadius: BlastRadius
  readonly risk: RiskClass
  readonly nature?: readonly Exclude<Nature, 'unclassified'>[]
  readonly reversibility?: Reversibility
  readonly records?: readonly string[]
  readonly maxRecords?: number
  readonly origins?: Readonly<Record<string, Origin>>
  readonly flow?: FlowDeclaration
  readonly idempotency?: 'none' | 'key'
  readonly timeoutMs?: number
  readonly maxAttempts?: number
  readonly settleMs?: number
  readonly verify?: McpLook
  readonly reconcile?: McpLook
  readonly compensate?: Omit<McpLook, 'at' | 'equals' | 'absent'>
}

/** By the name that the server gives a tool. */
export type McpOverlay = Readonly<Record<string, McpClassification | { readonly hidden: true }>>
