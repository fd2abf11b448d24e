import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import type { SignatureVerifier, Signer } from '@tidegate/kernel'

/** DER prefix of an Ed25519 SubjectPublicKeyInfo (RFC 8410); the 32 bytes of the key follow. */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

/** Makes a new Ed25519 private key, as PKCS #8 PEM. */
export function createSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/**
 * Signs with a private key in PKCS #8 PEM.
 *
 * @throws when the text is no Ed25519 private key.
 */
export function signerOf(name: string, pem: string): Signer {
  const key = createPrivateKey(pem)
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('The signing key is not an Ed25519 key.')
  const publicKey = rawPublicKey(createPublicKey(key))
  return { name, publicKey, sign: (message) => sign(null, message, key) }
}

/** Ed25519 signatures as Node's OpenSSL checks them. */
export const nodeVerifier: SignatureVerifier = {
  verify(publicKey, message, signature) {
    if (publicKey.length !== 32 || signature.length !== 64) return false
    try {
      const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' })
      return verify(null, message, key, signature)
    } catch {
      // The port promises an answer: bytes that decode to no point verify nothing.
      return false
    }
  },
}

function rawPublicKey(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }).subarray(SPKI_PREFIX.length))
}
