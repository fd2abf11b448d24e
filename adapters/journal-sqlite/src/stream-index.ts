import { NONCE_BYTES } from './payload-cipher.ts'
import type { Sealed } from './sealer.ts'
import type { Store } from './store.ts'

/** A stream as the writer knows it. */
export interface Stream {
  readonly name: string
  readonly id: number
  seq: number
  /** False until the row is in the open transaction. */
  stored: boolean
  /** The name of its key; null when it has none, or no longer. */
  keyName: string | null
}

/** Knows the number and the length of each stream. */
export interface StreamIndex {
  /** The stream of this name, new or known. */
  open(name: string): Stream
  /** False when a sealed part comes under another key than its stream has, or brings none to one that has none: nobody could ever read it. */
  fits(stream: Stream, sealed: Sealed | null): boolean
  /** Puts the row of a new stream, or the key of one that has none, into the open transaction. */
  store(stream: Stream, sealed: Sealed | null): void
  /** The highest number given to a stream so far; undefined when none was given since the index was opened. */
  readonly lastId: number | undefined
  /** Drops what is remembered of one stream. */
  drop(name: string): void
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
      if (row !== undefined)
        return remember({ name, id: Number(row.id), seq: Number(row.seq ?? 0), stored: true, keyName: nameOf(row.wrapped_key) })
      lastId ??= Number(store.db.prepare('SELECT last_stream FROM head').get()?.last_stream ?? 0)
      lastId += 1
      return remember({ name, id: lastId, seq: 0, stored: false, keyName: null })
    },
    fits(stream, sealed) {
      if (sealed === null) return true
      return stream.keyName === null ? sealed.wrappedKey !== null : stream.keyName === sealed.keyName
    },
    store(stream, sealed) {
      const wrappedKey = stream.keyName === null ? (sealed?.wrappedKey ?? null) : null
      if (!stream.stored) store.insertStream.run(stream.name, stream.id, bytesOf(wrappedKey))
      else if (wrappedKey !== null) store.updateKey.run(bytesOf(wrappedKey), stream.name)
      stream.stored = true
      if (wrappedKey !== null) stream.keyName = sealed?.keyName ?? null
    },
    drop: (name) => void known.delete(name),
    forget() {
      known = new Map()
      lastId = undefined
    },
  }
}

/** Bytes of what came between threads as a text. */
function bytesOf(latin1: string | null): Uint8Array | null {
  return latin1 === null ? null : Buffer.from(latin1, 'latin1')
}

function nameOf(wrappedKey: unknown): string | null {
  return wrappedKey instanceof Uint8Array ? Buffer.from(wrappedKey.subarray(0, NONCE_BYTES)).toString('latin1') : null
}
