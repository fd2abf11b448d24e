import type { Entropy } from '@tidegate/kernel'
import { unreadable } from './error.ts'
import { decrypt, encrypt, latin1, NONCE_BYTES, secretKey } from './payload-cipher.ts'

/** A sealed part on its way to the writer, which encrypts it. It stays in this process. */
export interface Sealed {
  readonly text: string
  /** The key of the stream, one character for each byte: a text crosses between threads at a fraction of the cost of bytes. */
  readonly key: string
  /** Names the key of the stream: the nonce that it was wrapped under, one character for each byte. */
  readonly keyName: string
  /** The key of the stream under the master key, one character for each byte, as long as the store is not known to have it. */
  readonly wrappedKey: string | null
}

/** Finds the key for the sealed part of a record: each stream has one. */
export interface Sealer {
  /** `isFirst`: the record is to be the first of its stream, so that the store cannot have a key yet, or will refuse it. */
  seal(stream: string, text: string, isFirst?: boolean): Sealed
  /** The store has answered for a sealed part: whether it now has it, and so the key that it came under. Once for each. */
  settle(stream: string, sealed: Sealed, stored: boolean): void
  /** The key of a stream is gone. */
  forget(stream: string): void
}

interface StreamKey {
  readonly key: string
  readonly name: string
  readonly wrapped: string
  stored: boolean
  /** Sealed parts that the store has not answered for. */
  underWay: number
}

const KEY_BYTES = 32
/** How many keys are remembered: more than runs are ever in flight, few enough to stay small. */
const REMEMBERED = 20_000

/**
 * Creates a sealer. `findWrappedKey` looks a key up in the store: null when it was erased, undefined for a stream that is not there.
 *
 * Invariants:
 * S1. A key goes along with every record until one is known to be stored, and is forgotten when none was: a record that failed to commit
 *     leaves no key behind that later records would rely on.
 * S2. An answer for one key says nothing about another key of the same stream (after an erasure, or a failure, there is a new one).
 * S3. A key is not replaced while records under it are on their way to the store: one of them may yet bring it there.
 */
export function createSealer(parts: {
  readonly masterKey: Uint8Array
  readonly entropy: Entropy
  readonly findWrappedKey: (stream: string) => Uint8Array | null | undefined
}): Sealer {
  const { entropy } = parts
  const master = secretKey(parts.masterKey)
  const keys = new Map<string, StreamKey>()

  function keyOf(stream: string, isFirst: boolean): StreamKey {
    const known = keys.get(stream)
    if (known !== undefined) return known
    if (keys.size >= REMEMBERED) for (const [name, { stored, underWay }] of keys) if (stored && underWay === 0) keys.delete(name)
    const wrapped = isFirst ? undefined : parts.findWrappedKey(stream)
    const made = wrapped === undefined || wrapped === null ? makeKey() : unwrap(stream, wrapped)
    keys.set(stream, made)
    return made
  }

  function unwrap(stream: string, wrapped: Uint8Array): StreamKey {
    try {
      return { key: latin1(decrypt(master, wrapped)), ...named(wrapped), stored: true, underWay: 0 }
    } catch (cause) {
      throw unreadable(stream, cause)
    }
  }

  function makeKey(): StreamKey {
    const bytes = entropy.bytes(KEY_BYTES)
    return { key: latin1(bytes), ...named(encrypt(master, bytes, entropy)), stored: false, underWay: 0 }
  }

  return {
    seal(stream, text, isFirst = false) {
      const known = keyOf(stream, isFirst)
      known.underWay += 1
      return { text, key: known.key, keyName: known.name, wrappedKey: known.stored ? null : known.wrapped }
    },
    settle(stream, { keyName }, stored) {
      const known = keys.get(stream)
      if (known?.name !== keyName) return // S2
      known.underWay -= 1
      if (stored) known.stored = true
      else if (!known.stored && known.underWay === 0) keys.delete(stream) // S1, S3
    },
    forget: (stream) => void keys.delete(stream),
  }
}

function named(wrapped: Uint8Array): { readonly name: string; readonly wrapped: string } {
  const text = latin1(wrapped)
  return { name: text.slice(0, NONCE_BYTES), wrapped: text }
}
