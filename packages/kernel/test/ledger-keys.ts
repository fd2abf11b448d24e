import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import type { Hasher, SignatureVerifier, Signer } from '../src/index.ts'

export const hasher: Hasher = { sha256: (data) => new Uint8Array(createHash('sha256').update(data).digest()) }

const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

/** A key whose seed is 32 times one byte, so that vectors never change. */
export function seededSigner(name: string, seedByte: number): Signer {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, Buffer.alloc(32, seedByte)]), format: 'der', type: 'pkcs8' })
  const publicKey = new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length))
  return { name, publicKey, sign: (message) => new Uint8Array(sign(null, message, key)) }
}

export const verifier: SignatureVerifier = {
  verify(publicKey, message, signature) {
    if (publicKey.length !== 32) return false
    const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' })
    return verify(null, message, key, signature)
  },
}
