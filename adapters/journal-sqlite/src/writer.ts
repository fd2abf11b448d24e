import {
  type AppendResult,
  createFrontier,
  type Draft,
  encodeHex,
  type Entropy,
  type Entry,
  encodeBase64,
  type Frontier,
  type Hasher,
  leafHash,
  type LedgerHead,
  restoreFrontier,
  type Signer,
  signCheckpoint,
} from '@tidegate/kernel'
import { encodeEntryText, splitSealed } from './entry-text.ts'
import { JournalError, translate } from './error.ts'
import { encrypt } from './payload-cipher.ts'
import { RESTING } from './schema.ts'
import type { Store } from './store.ts'
import { createStreamIndex, type StreamIndex } from './stream-index.ts'

/** What a writer is made of. */
export interface WriterParts {
  readonly store: Store
  readonly hasher: Hasher
  readonly signer: Signer
  readonly entropy: Entropy
  /** 32 bytes; wraps the key of every stream. */
  readonly masterKey: Uint8Array
}

/** Everything the writer keeps in memory; thrown away and read again when a commit fails. */
interface Tip {
  readonly frontier: Frontier
  epoch: number
  atMs: number
  head: LedgerHead
}

interface Waiting {
  readonly draft: Draft
  readonly resolve: (result: AppendResult) => void
  readonly reject: (error: unknown) => void
}

/** How many records one commit takes at most: bounds the pause it makes. */
const BATCH = 1_024

/** Appends records; see {@link createWriter}. */
export interface Writer {
  append(draft: Draft): Promise<AppendResult>
  head(): LedgerHead
  /** Waits for the commit in progress and writes nothing more. */
  close(): Promise<void>
  readonly streams: StreamIndex
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
 */
export function createWriter(parts: WriterParts): Writer {
  const { store, entropy } = parts
  const streams = createStreamIndex({ store, entropy, masterKey: parts.masterKey })
  let tip = readTip(parts)
  let queue: Waiting[] = []
  let scheduled = false
  let broken: JournalError | undefined
  let closed = false

  function append(draft: Draft): Promise<AppendResult> {
    if (broken !== undefined) return Promise.reject(broken)
    if (closed) return Promise.reject(new JournalError('journal_closed', 'The journal is closed.'))
    return new Promise((resolve, reject) => {
      queue.push({ draft, resolve, reject })
      if (!scheduled) {
        scheduled = true
        setImmediate(flush)
      }
    })
  }

  function flush(): void {
    scheduled = false
    const batch = queue.length <= BATCH ? queue : queue.slice(0, BATCH)
    queue = queue.length <= BATCH ? [] : queue.slice(BATCH)
    if (batch.length === 0) return
    try {
      const results = commit(batch.map((waiting) => waiting.draft))
      batch.forEach((waiting, i) => {
        const result = results[i]
        if (result instanceof JournalError) waiting.reject(result)
        else if (result !== undefined) waiting.resolve(result)
      })
    } catch (error) {
      const failure = recover(error)
      for (const waiting of batch) waiting.reject(failure)
    }
    if (queue.length > 0 && !scheduled) {
      scheduled = true
      setImmediate(flush)
    }
  }

  function commit(drafts: readonly Draft[]): readonly (AppendResult | JournalError)[] {
    store.db.exec('BEGIN IMMEDIATE')
    const before = tip.frontier.size
    const results = drafts.map((draft) => place(draft))
    if (tip.frontier.size === before) {
      store.db.exec('ROLLBACK')
      streams.forget() // a key made for a record that was then refused went with the transaction
      return results
    }
    const head = signHead()
    store.putHead.run(head.size, head.root, head.epoch, tip.atMs, head.checkpoint)
    store.db.exec('COMMIT')
    tip.head = head
    return results
  }

  /** Puts one record into the open transaction, or says why not. */
  function place(draft: Draft): AppendResult | JournalError {
    const stream = streams.open(draft.stream)
    if (draft.claim !== undefined) {
      const claimed = store.findClaim.get(draft.claim)
      if (claimed !== undefined) return { kind: 'claimed', stream: String(claimed.name) }
    }
    if (stream.seq !== draft.expectedSeq) return { kind: 'conflict', seq: stream.seq }
    if (draft.fence !== undefined && draft.fence !== tip.epoch) return { kind: 'fenced', epoch: tip.epoch }
    const epoch = draft.raisesEpoch === true ? tip.epoch + 1 : tip.epoch
    const atMs = Math.max(tip.atMs, draft.atMs)
    const seq = stream.seq + 1
    const { open, sealed, hasSealed } = splitSealed(draft.events)
    const payload = hasSealed ? encrypt(streams.keyOf(stream), JSON.stringify(sealed), entropy) : null
    const digest = payload === null ? undefined : encodeHex(parts.hasher.sha256(payload))
    let text: string
    try {
      text = encodeEntryText({ stream: draft.stream, seq, atMs, epoch }, open, digest)
    } catch (error) {
      if (error instanceof JournalError) return error
      return new JournalError('record_too_large', `A record of ${draft.stream} cannot be written: ${error instanceof Error ? error.message : 'not JSON'}`, { cause: error })
    }
    const index = tip.frontier.size
    const leaf = leafHash(parts.hasher, text)
    streams.store(stream)
    store.insertEntry.run(index, stream.id, seq, text, leaf, payload)
    if (draft.claim !== undefined) store.insertClaim.run(draft.claim, stream.id)
    if (draft.head !== undefined) putRun(draft.head)
    for (const tile of tip.frontier.append(leaf)) store.insertTile.run(tile.level, tile.index, tile.hashes)
    stream.seq = seq
    tip.epoch = epoch
    tip.atMs = atMs
    const entry: Entry = { index, stream: draft.stream, seq, atMs, epoch, events: draft.events, erased: false }
    return { kind: 'committed', entry }
  }

  function putRun(head: NonNullable<Draft['head']>): void {
    const open = RESTING.includes(head.state) ? 0 : 1
    store.putRun.run(head.run, head.openedAtMs, head.state, head.workflow, open, JSON.stringify(head))
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

  return {
    append,
    head: () => tip.head,
    streams,
    async close() {
      closed = true
      while (queue.length > 0) flush()
    },
  }
}

function readTip({ store, hasher, signer }: WriterParts): Tip {
  const row = store.db.prepare('SELECT size, root, epoch, at_ms, checkpoint FROM head').get()
  const size = Number(row?.size ?? 0)
  const frontier =
    size === 0
      ? createFrontier(hasher)
      : restoreFrontier(hasher, size, {
          lastLeaves: (start, end) => readLeaves(store, start, end),
          tile: (tile) => readTile(store, tile.level, tile.index),
        })
  const root = encodeBase64(frontier.root())
  if (row !== undefined && row.root !== root) {
    throw new JournalError('journal_corrupt', `The journal ${store.file} does not hash to its own checkpoint. Keep the file, and restore the last good copy.`)
  }
  const epoch = Number(row?.epoch ?? 0)
  const checkpoint = String(row?.checkpoint ?? signCheckpoint(hasher, { origin: signer.name, size: 0, root: frontier.root(), extensions: [] }, signer))
  return { frontier, epoch, atMs: Number(row?.at_ms ?? 0), head: { size, root, epoch, checkpoint } }
}

/** The hashes of leaves `start` to `end`, one after the other. */
export function readLeaves(store: Store, start: number, end: number): Uint8Array {
  const rows = store.db.prepare('SELECT leaf FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx').all(start, end)
  return Buffer.concat(rows.map((row) => row.leaf as Uint8Array)) // a BLOB column of a STRICT table
}

export function readTile(store: Store, level: number, index: number): Uint8Array {
  const row = store.findTile.get(level, index)
  if (row === undefined) throw new JournalError('journal_corrupt', `The journal ${store.file} lacks tile ${level}/${index}.`)
  return row.hashes as Uint8Array // a BLOB column of a STRICT table
}
