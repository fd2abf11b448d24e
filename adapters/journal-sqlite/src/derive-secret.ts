import { hkdfSync } from 'node:crypto'

/**
 * Derives 32 secret bytes for one purpose from a master key (HKDF-SHA-256, RFC 5869): who has them learns nothing about the key,
 * or about another purpose.
 */
export function deriveSecret(masterKey: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', masterKey, '', `tidegate/${purpose}`, 32))
}
