import type { FlowDeclaration } from '../label/flow.ts'
import type { Origin } from '../label/origin.ts'
import type { BlastRadius, DataClass, Mutability, Nature, Reversibility, RiskClass } from './operation.ts'

/** Arguments of a call that is derived from another: a pointer into `{arguments, output}` of that other, or a fixed text. */
export type DerivedValue = { readonly from: string } | { readonly value: string | number | boolean }

/** Another tool of the same server that is asked about an effect. It must be classified as a read. */
export interface ToolLook {
  readonly tool: string
  readonly arguments: Readonly<Record<string, DerivedValue>>
  /** The effect is there when the output of the look has something at this pointer, or has exactly this there, or has nothing there. */
  readonly at: string
  readonly equals?: string | number | boolean
  readonly absent?: true
}

/** How a call is taken back by another tool of the same server. */
export interface ToolTakeBack {
  readonly tool: string
  readonly arguments: Readonly<Record<string, DerivedValue>>
}

/** What the owner of a project says about one tool of a server. What a server says about itself changes none of it. */
export interface ToolClassification {
  /** The verb of its operation, when the derived one will not do. */
  readonly id?: string
  /** In the owner's words, instead of the server's. */
  readonly title?: string
  readonly description?: string
  readonly mutability: Mutability
  readonly dataClass: DataClass
  readonly blastRadius: BlastRadius
  readonly risk: RiskClass
  /** A write that says nothing is `unclassified`. */
  readonly nature?: readonly Exclude<Nature, 'unclassified'>[]
  readonly reversibility?: Reversibility
  readonly records?: readonly string[]
  readonly maxRecords?: number
  readonly origins?: Readonly<Record<string, Origin>>
  readonly flow?: FlowDeclaration
  /** `key`: the server honours `_meta["dev.tidegate/effect"]`. */
  readonly idempotency?: 'none' | 'key'
  readonly timeoutMs?: number
  readonly maxAttempts?: number
  readonly settleMs?: number
  readonly verify?: ToolLook
  readonly reconcile?: ToolLook
  readonly compensate?: ToolTakeBack
}

/** `hidden`: never an operation, whatever anybody asks for. */
export type OverlayEntry = ToolClassification | { readonly hidden: true }

/** What the owner says about the tools of a server, by the name that the server gives each. A tool without an entry is unclassified. */
export type Overlay = Readonly<Record<string, OverlayEntry>>
