import {
  type AppendResult,
  createFrontier,
  encodeBase64,
  ENTRY_MAX_BYTES,
  type Entropy,
  type Frontier,
  type Hasher,
  leafHash,
  type LedgerHead,
  restoreFrontier,
  type Signer,
  signCheckpoint,
} from '@tidegate/kernel'
import { encodeEntryText } from './entry-text.ts'
import { eraseStream } from './erase.ts'
import { JournalError, translate } from './error.ts'
import { RESTING } from './schema.ts'
import { createPayloadWriter } from './payload-writer.ts'
import type { Store } from './store.ts'
import { readLeaves, readTile } from './tiles.ts'
import type { Sealed } from './sealer.ts'
import { createStreamIndex } from './stream-index.ts'

/** What a writer is made of. */
export interface WriterParts {
  readonly store: Store
  readonly hasher: Hasher
  readonly entropy: Entropy
  readonly signer: Signer
}

/** Everything the writer keeps in memory; thrown away and read again when a commit fails. */
interface Tip {
  readonly frontier: Frontier
  epoch: number
  atMs: number
  /** The highest number that a stream has. */
  lastStream: number
  head: LedgerHead
}

/** A record as text: what the writer needs of a draft, and nothing that it would have to look into. */
export interface Record {
  readonly stream: string
  readonly expectedSeq: number
  readonly atMs: number
  /** Canonical JSON of the events without their sealed parts. */
  readonly open: string
  /** The sealed parts with the key to encrypt them under, or null when there are none. */
  readonly sealed: Sealed | null
  readonly fence: number | null
  readonly raisesEpoch: boolean
  readonly claim: string | null
  readonly head: {
    readonly run: string
    readonly state: string
    readonly workflow: string
    readonly text: string
  } | null
}

/** What became of a record. */
export type Placement =
  | { readonly kind: 'committed'; readonly index: number; readonly seq: number; readonly atMs: number; readonly epoch: number }
  | Exclude<AppendResult, { kind: 'committed' }>
  | { readonly kind: 'failed'; readonly error: JournalError }

/** Appends records; see {@link createWriter}. */
export interface Writer {
  /** Puts records into one transaction and syncs it. One answer for each; all `failed` when the store fails. */
  write(records: readonly Record[]): readonly Placement[]
  /** Destroys the key and the payloads of a stream. @throws JournalError as {@link eraseStream} does. */
  erase(stream: string): void
  head(): LedgerHead
}

/**
 * The one writer of a journal.
 *
 * Invariants:
 * W1. A record is answered `committed` only after the transaction that holds it, its leaf, the tiles it filled and the checkpoint
 *     over it has been synced (group commit: all records waiting at that moment share one transaction and one signature).
 * W2. The checks of sequence, epoch and claim see every record before them, also those of the same transaction.
 * W3. A transaction that fails leaves nothing, and what was in memory is read again from the file before the next one. If we crash
 *     before the sync, the records are not there and nobody was told that they are.
 * W4. Journal time never goes back, whatever the clock does.
 * W5. A sealed part is stored only under the key that its stream has: whatever is there and not erased can be read.
 */
export function createWriter(parts: WriterParts): Writer {
  const { store } = parts
  const streams = createStreamIndex(store)
  const payloadOf = createPayloadWriter(parts.entropy)
  let tip = readTip(parts)
  let broken: JournalError | undefined

  function write(records: readonly Record[]): readonly Placement[] {
    if (broken !== undefined) return fail(records, broken)
    try {
      return commit(records)
    } catch (error) {
      return fail(records, recover(error))
    }
  }

  function commit(records: readonly Record[]): readonly Placement[] {
    store.db.exec('BEGIN IMMEDIATE')
    const before = tip.frontier.size
    const results = records.map(place)
    if (tip.frontier.size === before) {
      store.db.exec('ROLLBACK')
      streams.forget()
      return results
    }
    const head = signHead()
    if (streams.lastId !== undefined) tip.lastStream = streams.lastId
    store.putHead.run(head.size, head.root, head.epoch, tip.atMs, head.checkpoint, tip.lastStream)
    store.db.exec('COMMIT')
    tip.head = head
    return results
  }

  /** Puts one record into the open transaction, or says why not. */
  function place(record: Record): Placement {
    const stream = streams.open(record.stream)
    if (record.claim !== null) {
      const claimed = store.findClaim.get(record.claim)
      if (claimed !== undefined) return { kind: 'claimed', stream: String(claimed.stream) }
    }
    if (stream.seq !== record.expectedSeq) return { kind: 'conflict', seq: stream.seq }
    if (record.fence !== null && record.fence !== tip.epoch) return { kind: 'fenced', epoch: tip.epoch }
    const epoch = record.raisesEpoch ? tip.epoch + 1 : tip.epoch
    const atMs = Math.max(tip.atMs, record.atMs)
    const seq = stream.seq + 1
    const { sealed } = record
    if (!streams.fits(stream, sealed)) return { kind: 'failed', error: otherKey(record.stream) }
    const payload = sealed === null ? null : payloadOf(sealed)
    const text = encodeEntryText({ stream: record.stream, seq, atMs, epoch }, record.open, payload?.digest)
    if (text === undefined) return { kind: 'failed', error: tooLarge(record.stream) }
    const index = tip.frontier.size
    const leaf = leafHash(parts.hasher, text)
    streams.store(stream, sealed)
    store.insertEntry.run(index, stream.id, seq, text, leaf, payload?.bytes ?? null)
    if (record.claim !== null) store.insertClaim.run(record.claim, record.stream)
    if (record.head !== null) putRun(record.head)
    for (const tile of tip.frontier.append(leaf)) store.insertTile.run(tile.level, tile.index, tile.hashes)
    stream.seq = seq
    tip.epoch = epoch
    tip.atMs = atMs
    return { kind: 'committed', index, seq, atMs, epoch }
  }

  function putRun(head: NonNullable<Record['head']>): void {
    const open = RESTING.includes(head.state) ? 0 : 1
    store.putRun.run(head.run, head.state, head.workflow, open, head.text)
  }

  function signHead(): LedgerHead {
    const root = tip.frontier.root()
    const size = tip.frontier.size
    const checkpoint = signCheckpoint(parts.hasher, { origin: parts.signer.name, size, root, extensions: [] }, parts.signer)
    return { size, root: encodeBase64(root), epoch: tip.epoch, checkpoint }
  }

  /** W3. A full disk may be cured while we run; a disk that lies may not, so the writer stays shut. */
  function recover(error: unknown): JournalError {
    const failure = translate(error, store.file)
    try {
      if (store.db.isTransaction) store.db.exec('ROLLBACK')
      streams.forget()
      tip = readTip(parts)
      if (failure.code !== 'journal_full') broken = failure
    } catch (cause) {
      broken = translate(cause, store.file)
    }
    return failure
  }

  function erase(stream: string): void {
    try {
      eraseStream(store, stream)
    } finally {
      streams.drop(stream) // W5: what was sealed under the old key comes too late now
    }
  }

  return { write, erase, head: () => tip.head }
}

function fail(records: readonly Record[], error: JournalError): readonly Placement[] {
  return records.map(() => ({ kind: 'failed', error }))
}

function otherKey(stream: string): JournalError {
  return new JournalError('journal_unwritable', `A record of ${stream} came under another key than its stream has. Try it again.`)
}

function tooLarge(stream: string): JournalError {
  return new JournalError(
    'record_too_large',
    `A record of ${stream} is larger than ${ENTRY_MAX_BYTES} bytes without its payload.`,
  )
}

function readTip({ store, hasher, signer }: WriterParts): Tip {
  const row = store.db.prepare('SELECT size, root, epoch, at_ms, checkpoint, last_stream FROM head').get()
  const size = Number(row?.size ?? 0)
  const frontier =
    size === 0
      ? createFrontier(hasher)
      : restoreFrontier(hasher, size, {
          lastLeaves: (start, end) => readLeaves(store.db, start, end),
          tile: (tile) => readTile(store.db, tile.level, tile.index),
        })
  const root = encodeBase64(frontier.root())
  if (row !== undefined && row.root !== root) {
    throw new JournalError(
      'journal_corrupt',
      `The journal ${store.file} does not hash to its own checkpoint. Keep the file, and restore the last good copy.`,
    )
  }
  const epoch = Number(row?.epoch ?? 0)
  const checkpoint = String(
    row?.checkpoint ?? signCheckpoint(hasher, { origin: signer.name, size: 0, root: frontier.root(), extensions: [] }, signer),
  )
  return {
    frontier,
    epoch,
    atMs: Number(row?.at_ms ?? 0),
    lastStream: Number(row?.last_stream ?? 0),
    head: { size, root, epoch, checkpoint },
  }
}
