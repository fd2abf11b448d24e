import { hash } from 'node:crypto'
import type { Hasher } from '@tidegate/kernel'

/**
 * SHA-256 of Node's OpenSSL, in one shot. The digest is taken as a string of bytes, which Node makes three times faster than a
 * buffer (measured: 0.35 against 1.2 microseconds).
 */
export const nodeHasher: Hasher = {
  sha256(data) {
    const digest = hash('sha256', data, 'binary')
    const bytes = new Uint8Array(32)
    for (let at = 0; at < 32; at++) bytes[at] = digest.charCodeAt(at)
    return bytes
  },
}
