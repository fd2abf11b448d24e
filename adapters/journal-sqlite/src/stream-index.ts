import type { KeyObject } from 'node:crypto'
import type { Entropy } from '@tidegate/kernel'
import { decrypt, encrypt, secretKey } from './payload-cipher.ts'
import type { Store } from './store.ts'

/** A stream as the writer knows it. */
export interface Stream {
  readonly name: string
  readonly id: number
  seq: number
  /** False until the row is in the open transaction. */
  stored: boolean
  key: KeyObject | undefined
  wrappedKey: Uint8Array | null
}

export interface StreamIndex {
  /** The stream of this name, new or known. */
  open(name: string): Stream
  find(name: string): Stream | undefined
  /** The key of a stream; made when there is none yet. */
  keyOf(stream: Stream): KeyObject
  /** Puts the row of a new stream into the open transaction. */
  store(stream: Stream): void
  /** Drops everything remembered. */
  forget(): void
  drop(name: string): void
}

const KEY_BYTES = 32
/** How many streams are remembered: more than runs are ever in flight, few enough to stay small. */
const REMEMBERED = 20_000

/** Knows the id, length and key of each stream, without asking the file again for those that are in use. */
export function createStreamIndex(parts: { store: Store; entropy: Entropy; masterKey: Uint8Array }): StreamIndex {
  const { store, entropy } = parts
  const masterKey = secretKey(parts.masterKey)
  let known = new Map<string, Stream>()
  let nextId = 0

  function find(name: string): Stream | undefined {
    const remembered = known.get(name)
    if (remembered !== undefined) return remembered
    const row = store.findStream.get(name)
    if (row === undefined) return undefined
    const wrappedKey = row.wrapped_key as Uint8Array | null // a BLOB column of a STRICT table
    return remember({ name, id: Number(row.id), seq: Number(row.seq ?? 0), stored: true, key: undefined, wrappedKey })
  }

  function remember(stream: Stream): Stream {
    if (known.size >= REMEMBERED) for (const name of [...known.keys()].slice(0, REMEMBERED / 4)) known.delete(name)
    known.set(stream.name, stream)
    return stream
  }

  return {
    find,
    open(name) {
      const found = find(name)
      if (found !== undefined) return found
      if (nextId === 0) nextId = Number(store.db.prepare('SELECT coalesce(max(id), 0) AS id FROM streams').get()?.id ?? 0) + 1
      return remember({ name, id: nextId++, seq: 0, stored: false, key: undefined, wrappedKey: null })
    },
    keyOf(stream) {
      if (stream.key !== undefined) return stream.key
      if (stream.wrappedKey !== null) {
        stream.key = secretKey(decrypt(masterKey, stream.wrappedKey))
        return stream.key
      }
      const bytes = entropy.bytes(KEY_BYTES)
      stream.key = secretKey(bytes)
      stream.wrappedKey = encrypt(masterKey, bytes, entropy)
      if (stream.stored) store.db.prepare('UPDATE streams SET wrapped_key = ? WHERE id = ?').run(stream.wrappedKey, stream.id)
      return stream.key
    },
    store(stream) {
      if (stream.stored) return
      store.insertStream.run(stream.id, stream.name, stream.wrappedKey)
      stream.stored = true
    },
    forget() {
      known = new Map()
      nextId = 0
    },
    drop: (name) => void known.delete(name),
  }
}
