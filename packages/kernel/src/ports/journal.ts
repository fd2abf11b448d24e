import type { ControlEvent } from '../control/event.ts'
import type { RunEvent } from '../run/event.ts'
import type { RunHead } from '../run/head.ts'

/** `run/<id>` or `control`. */
export type StreamId = string

export type JournalEvent = RunEvent | ControlEvent

/** What somebody wants to make durable, as one indivisible record. */
export interface Draft {
  readonly stream: StreamId
  /** The number of records the writer believes the stream has. Anything else is a conflict: somebody was faster. */
  readonly expectedSeq: number
  readonly events: readonly JournalEvent[]
  /** The epoch under which an effect in this record was decided (I1, I7). Refused when the epoch has moved on. */
  readonly fence?: number
  /** True when this record raises the epoch, in the same transaction. */
  readonly raisesEpoch?: boolean
  /** Refuses the record when another run already claimed the same trigger event. */
  readonly claim?: string
  /** How the run looks after this record, for lists; `undefined` leaves the list as it is. */
  readonly head?: RunHead
}

/** One durable record: one leaf of the ledger. */
export interface Entry {
  /** Position in the ledger, from 0. */
  readonly index: number
  readonly stream: StreamId
  /** Position in the stream, from 1. */
  readonly seq: number
  /** Journal time in milliseconds: never smaller than that of the entry before, whatever the clock does. */
  readonly atMs: number
  readonly epoch: number
  /** With the sealed parts, unless retention has erased them. */
  readonly events: readonly JournalEvent[]
}

export type AppendResult =
  | { readonly kind: 'committed'; readonly entry: Entry }
  | { readonly kind: 'conflict'; readonly seq: number }
  | { readonly kind: 'fenced'; readonly epoch: number }
  | { readonly kind: 'claimed'; readonly stream: StreamId }

/** The state of the ledger as of the last commit. */
export interface LedgerHead {
  readonly size: number
  /** Base64 of the Merkle root. */
  readonly root: string
  readonly epoch: number
  /** The signed note (C2SP tlog-checkpoint). */
  readonly checkpoint: string
}

export interface RunQuery {
  readonly states?: readonly string[]
  readonly workflow?: string
  /** Runs opened before this one, newest first. */
  readonly before?: string
  readonly limit: number
}

/**
 * The only store: an append-only journal that is at the same time the audit ledger (I10).
 *
 * `append` answers only once the record is on stable storage. Records of one stream are totally ordered by `seq`; the check of
 * `expectedSeq`, `fence` and `claim` and the write are one transaction. If we crash before the answer, the record is there as a
 * whole or not at all. A storage failure (disk full, read-only) rejects with a JournalError and persists nothing; the writer then
 * refuses all further appends until it is opened again.
 */
export interface Journal {
  append(draft: Draft): Promise<AppendResult>
  /** All records of a stream with `seq` greater than `afterSeq`, in order. */
  read(stream: StreamId, afterSeq?: number): Promise<readonly Entry[]>
  head(): LedgerHead
  /** Run heads, newest first. */
  runs(query: RunQuery): Promise<readonly RunHead[]>
  /** Run heads that are not at rest, oldest first: what a restart has to wake. */
  openRuns(): Promise<readonly RunHead[]>
  close(): Promise<void>
}
