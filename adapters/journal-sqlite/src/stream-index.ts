import type { Store } from './store.ts'

/** A stream as the writer knows it. */
export interface Stream {
  readonly name: string
  readonly id: number
  seq: number
  /** False until the row is in the open transaction. */
  stored: boolean
}

/** Knows the number and the length of each stream. */
export interface StreamIndex {
  /** The stream of this name, new or known. */
  open(name: string): Stream
  /** False when a record comes under another key than its stream has: it could never be read again. */
  fits(stream: Stream, wrappedKey: Uint8Array | null): boolean
  /** Puts the row of a new stream, or the key of one that has none, into the open transaction. */
  store(stream: Stream, wrappedKey: Uint8Array | null): void
  /** The highest number given to a stream so far; undefined when none was given since the index was opened. */
  readonly lastId: number | undefined
  /** Drops everything remembered. */
  forget(): void
}

/** How many streams are remembered: more than runs are ever in flight, few enough to stay small. */
const REMEMBERED = 20_000

/** Creates the index over an open store; does not ask the file again for streams that are in use. */
export function createStreamIndex(store: Store): StreamIndex {
  let known = new Map<string, Stream>()
  let lastId: number | undefined

  function remember(stream: Stream): Stream {
    if (known.size >= REMEMBERED) for (const name of [...known.keys()].slice(0, REMEMBERED / 4)) known.delete(name)
    known.set(stream.name, stream)
    return stream
  }

  return {
    get lastId() {
      return lastId
    },
    open(name) {
      const remembered = known.get(name)
      if (remembered !== undefined) return remembered
      const row = store.findStream.get(name)
      if (row !== undefined) return remember({ name, id: Number(row.id), seq: Number(row.seq ?? 0), stored: true })
      lastId ??= Number(store.db.prepare('SELECT last_stream FROM head').get()?.last_stream ?? 0)
      lastId += 1
      return remember({ name, id: lastId, seq: 0, stored: false })
    },
    fits(stream, wrappedKey) {
      if (!stream.stored || wrappedKey === null) return true
      const kept = store.findKey.get(stream.name)?.wrapped_key ?? null
      return kept === null || Buffer.compare(kept as Uint8Array, wrappedKey) === 0 // a BLOB column of a STRICT table
    },
    store(stream, wrappedKey) {
      if (!stream.stored) store.insertStream.run(stream.name, stream.id, wrappedKey)
      else if (wrappedKey !== null) store.updateKey.run(wrappedKey, stream.name)
      stream.stored = true
    },
    forget() {
      known = new Map()
      lastId = undefined
    },
  }
}
