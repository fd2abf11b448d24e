import { hash, type KeyObject } from 'node:crypto'
import type { Entropy } from '@tidegate/kernel'
import { decrypt, encrypt, secretKey } from './payload-cipher.ts'

/** A sealed part as it is stored. */
export interface Sealed {
  /** Nonce, tag and ciphertext, one character for each byte: a text crosses between threads at a fraction of the cost of bytes. */
  readonly bytes: string
  /** Hex SHA-256 of the bytes; stands in the leaf. */
  readonly digest: string
  /** The key of the stream under the master key, one character for each byte, as long as the store is not known to have it. */
  readonly wrappedKey: string | null
}

/** Encrypts the sealed parts of records, under a key for each stream. */
export interface Sealer {
  seal(stream: string, text: string): Sealed
  /** The store has answered for a record of the stream: whether it now has the key. */
  settle(stream: string, stored: boolean): void
  /** The key of a stream is gone. */
  forget(stream: string): void
}

interface StreamKey {
  readonly key: KeyObject
  readonly wrapped: string
  stored: boolean
}

const KEY_BYTES = 32
/** How many keys are remembered: more than runs are ever in flight, few enough to stay small. */
const REMEMBERED = 20_000

/**
 * Creates a sealer. `findWrappedKey` looks a key up in the store: null when it was erased, undefined for a stream that is not there.
 *
 * A key goes along with every record until one is known to be stored, and is forgotten when none was: a record that failed to commit
 * leaves no key behind that later records would rely on.
 */
export function createSealer(parts: {
  readonly masterKey: Uint8Array
  readonly entropy: Entropy
  readonly findWrappedKey: (stream: string) => Uint8Array | null | undefined
}): Sealer {
  const { entropy } = parts
  const master = secretKey(parts.masterKey)
  const keys = new Map<string, StreamKey>()

  function keyOf(stream: string): StreamKey {
    const known = keys.get(stream)
    if (known !== undefined) return known
    if (keys.size >= REMEMBERED) for (const [name, { stored }] of keys) if (stored) keys.delete(name)
    const wrapped = parts.findWrappedKey(stream)
    const made = wrapped === undefined || wrapped === null ? makeKey() : { ...unwrap(wrapped), stored: true }
    keys.set(stream, made)
    return made
  }

  function unwrap(wrapped: Uint8Array): Omit<StreamKey, 'stored'> {
    return { key: secretKey(decrypt(master, wrapped)), wrapped: latin1(wrapped) }
  }

  function makeKey(): StreamKey {
    const bytes = entropy.bytes(KEY_BYTES)
    return { key: secretKey(bytes), wrapped: latin1(encrypt(master, bytes, entropy)), stored: false }
  }

  return {
    seal(stream, text) {
      const { key, wrapped, stored } = keyOf(stream)
      const bytes = encrypt(key, text, entropy)
      return { bytes: latin1(bytes), digest: hash('sha256', bytes, 'hex'), wrappedKey: stored ? null : wrapped }
    },
    settle(stream, stored) {
      const known = keys.get(stream)
      if (known === undefined || known.stored) return
      if (stored) known.stored = true
      else keys.delete(stream)
    },
    forget: (stream) => void keys.delete(stream),
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
