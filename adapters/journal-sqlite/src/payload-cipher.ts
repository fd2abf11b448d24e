import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import type { Entropy } from '@tidegate/kernel'

/** The first bytes of whatever {@link encrypt} wrote; no two have the same. */
export const NONCE_BYTES = 12
const TAG_BYTES = 16
const CIPHER = 'aes-256-gcm'

/** A key in the form that OpenSSL takes without converting it at every call: measured 3.6 against 19 microseconds. */
export function secretKey(bytes: Uint8Array): KeyObject {
  return createSecretKey(bytes)
}

/**
 * Encrypts with AES-256-GCM (NIST SP 800-38D) under a fresh random nonce: nonce, tag, ciphertext.
 *
 * A nonce is never derived from a position: a record that failed to commit and is written again at the same place has another one.
 */
export function encrypt(key: KeyObject, plain: string | Uint8Array, entropy: Entropy): Uint8Array {
  const nonce = entropy.bytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, key, nonce)
  const body = typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain)
  cipher.final()
  const sealed = Buffer.allocUnsafe(NONCE_BYTES + TAG_BYTES + body.length)
  sealed.set(nonce)
  sealed.set(cipher.getAuthTag(), NONCE_BYTES)
  sealed.set(body, NONCE_BYTES + TAG_BYTES)
  return sealed
}

/** Decrypts what {@link encrypt} wrote; throws when it was altered or belongs to another key. */
export function decrypt(key: KeyObject, sealed: Uint8Array): Uint8Array {
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES))
  decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
  const body = decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES))
  return Buffer.concat([body, decipher.final()])
}

/** Bytes as a text with one character for each. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
