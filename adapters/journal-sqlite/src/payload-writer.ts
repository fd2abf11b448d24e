import { hash, type KeyObject } from 'node:crypto'
import type { Entropy } from '@tidegate/kernel'
import { encrypt, secretKey } from './payload-cipher.ts'
import type { Sealed } from './sealer.ts'

/** A sealed part as it is stored. */
export interface Payload {
  /** Nonce, tag and ciphertext. */
  readonly bytes: Uint8Array
  /** Hex SHA-256 of the bytes; stands in the leaf. */
  readonly digest: string
}

/** How many keys are kept ready: more than runs write at the same time. */
const READY = 4_096

/** Creates what encrypts sealed parts where they are written, beside the thread that decides. Each part under a nonce of its own. */
export function createPayloadWriter(entropy: Entropy): (sealed: Sealed) => Payload {
  const keys = new Map<string, KeyObject>()

  function keyOf({ key, keyName }: Sealed): KeyObject {
    const ready = keys.get(keyName)
    if (ready !== undefined) return ready
    if (keys.size >= READY) keys.clear()
    const made = secretKey(Buffer.from(key, 'latin1'))
    keys.set(keyName, made)
    return made
  }

  return (sealed) => {
    const bytes = encrypt(keyOf(sealed), sealed.text, entropy)
    return { bytes, digest: hash('sha256', bytes, 'hex') }
  }
}
