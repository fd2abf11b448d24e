import { createPublicKey, hash, verify } from 'node:crypto'
import type { Hasher, SignatureVerifier } from '@tidegate/kernel'

/** SHA-256 by Node's OpenSSL. Takes the digest as a string of bytes, which Node makes three times faster than a buffer. */
export const nodeHasher: Hasher = {
  sha256(data) {
    const digest = hash('sha256', data, 'binary')
    const bytes = new Uint8Array(32)
    for (let at = 0; at < 32; at++) bytes[at] = digest.charCodeAt(at)
    return bytes
  },
}

/** The DER of a SubjectPublicKeyInfo for Ed25519 (RFC 8410), up to the 32 bytes of the key. */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

/** Ed25519 by Node's OpenSSL. A key that is no point on the curve verifies nothing. */
export const nodeSignatureVerifier: SignatureVerifier = {
  verify(publicKey, message, signature) {
    if (publicKey.length !== 32 || signature.length !== 64) return false
    const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' })
    return verify(null, message, key, signature)
  },
}
