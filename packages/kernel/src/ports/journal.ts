import type { ControlEvent } from '../control/event.ts'
import type { SessionHeard } from '../control/session-event.ts'
import type { TileReader } from '../ledger/tile.ts'
import type { RunEvent } from '../run/event.ts'
import type { RunHead } from '../run/head.ts'

/** `run/<id>`, `session/<id>` or `control`. */
export type StreamId = string

export type JournalEvent = RunEvent | ControlEvent | SessionHeard

/** What somebody wants to make durable, as one indivisible record. */
export interface Draft {
  readonly stream: StreamId
  /** The number of records the writer believes the stream has. Anything else is a conflict: somebody was faster. */
  readonly expectedSeq: number
  readonly events: readonly JournalEvent[]
  /** The writer's time. The journal takes it, or the time of the record before when that is later. */
  readonly atMs: number
  /** The epoch under which an effect in this record was decided (I1, I7). Refused when the epoch has moved on. */
  readonly fence?: number
  /** True when this record raises the epoch, in the same transaction. */
  readonly raisesEpoch?: boolean
  /** Refuses the record when another run already claimed the same trigger event. */
  readonly claim?: string
  /** How the run looks after this record, for lists; `undefined` leaves the list as it is. */
  readonly head?: RunHead
  /** True when nobody waits for this record: it may be kept back some milliseconds, to share its commit with one that somebody waits for. */
  readonly canWait?: boolean
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
  readonly events: readonly JournalEvent[]
  /** True when retention has erased the sealed parts: such a record is provable, but can no longer be folded. */
  readonly erased: boolean
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
  /** Only runs for which something waits for a person. A journal may answer others too; it saves reading all of them. */
  readonly openItems?: true
  /** Runs opened before this one, newest first. */
  readonly before?: string
  readonly limit: number
}

/**
 * The only store: an append-only journal that is at the same time the audit ledger (I10).
 *
 * `append` answers only once the record is on stable storage. Records of one stream are totally ordered by `seq`; the check of
 * `expectedSeq`, `fence` and `claim` and the write are one transaction. If we crash before the answer, the record is there as a
 * whole or not at all. A storage failure rejects with a JournalError and persists nothing:
 * a full disk refuses what does not fit, and goes on when there is room; after any other failure the writer refuses all further appends
 * until it is opened again.
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
  /** The streams of runs that claimed an event whose claim begins with a text, newest first. */
  claimed(prefix: string, limit: number): Promise<readonly StreamId[]>
  /** Destroys the key and the sealed parts of a stream for good. The leaves, and every proof over them, stay. */
  erase(stream: StreamId): Promise<void>
  close(): Promise<void>
}

/** Reads the ledger as what it is: a Merkle tree over texts. What it answers is as of one commit. */
export interface LedgerReader {
  head(): LedgerHead
  /** The C2SP verifier key of the ledger as text. */
  readonly verifierKey: string
  /** The texts that were hashed, from one index up to and not including another. */
  texts(from: number, to: number): Iterable<string>
  tile: TileReader
  /** Index of the last record of a stream, or undefined. */
  lastIndex(stream: StreamId): number | undefined
  /** The encrypted payloads, stream by stream, of records below an index. */
  payloads(below: number): Iterable<{
    readonly stream: StreamId
    readonly payloads: Iterable<{ readonly index: number; readonly ciphertext: Uint8Array }>
  }>
}
