import { decodeBase64, encodeBase64 } from '../canonical/base64.ts'
import { HASH_BYTES } from './hash.ts'
import { PROOF_MAX_HASHES } from './verify-proof.ts'

/** Writes the hashes of a proof, one line of Base64 each. */
export function encodeProofLines(proof: readonly Uint8Array[]): string {
  return proof.map((hash) => `${encodeBase64(hash)}\n`).join('')
}

/** Reads the hashes of a proof; `undefined` when a line is no hash or there are more than 63. */
export function parseProofLines(lines: readonly string[]): Uint8Array[] | undefined {
  if (lines.length > PROOF_MAX_HASHES) return undefined
  const proof = lines.map((line) => decodeBase64(line))
  return proof.every((hash): hash is Uint8Array => hash?.length === HASH_BYTES) ? proof : undefined
}

/** Reads a decimal from 0 to 2^53 - 1 without leading zeroes; `undefined` for anything else. */
export function parseDecimal(text: string): number | undefined {
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(text)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : undefined
}
