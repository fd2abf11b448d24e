import type { Hasher } from '../ports/hasher.ts'
import { emptyRoot, HASH_BYTES, isSameHash, nodeHash } from './hash.ts'

/** No proof is longer: one hash for each level of the deepest tree (C2SP tlog-witness allows 63). */
export const PROOF_MAX_HASHES = 63

/** What an inclusion proof claims. */
export interface InclusionClaim {
  readonly index: number
  readonly size: number
  readonly leafHash: Uint8Array
  readonly root: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** Whether the proof shows that the leaf stands at that index of the tree with that root (RFC 9162, section 2.1.3.2). */
export function verifyInclusion(hasher: Hasher, claim: InclusionClaim): boolean {
  const { index, size, proof } = claim
  if (!isSize(size) || !isSize(index) || index >= size || !isProof(proof) || claim.leafHash.length !== HASH_BYTES) return false
  let node = index
  let last = size - 1
  let hash = claim.leafHash
  for (const sibling of proof) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(hasher, sibling, hash)
      while (node % 2 === 0 && node !== 0) {
        node = half(node)
        last = half(last)
      }
    } else {
      hash = nodeHash(hasher, hash, sibling)
    }
    node = half(node)
    last = half(last)
  }
  return last === 0 && isSameHash(hash, claim.root)
}

/** What a consistency proof claims. */
export interface ConsistencyClaim {
  readonly oldSize: number
  readonly oldRoot: Uint8Array
  readonly newSize: number
  readonly newRoot: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/**
 * Whether the proof shows that the new tree begins with the old one (RFC 9162, section 2.1.4.2).
 *
 * An old tree without leaves needs, and may have, no proof; nor may two trees of one size, whose roots must be equal.
 */
export function verifyConsistency(hasher: Hasher, claim: ConsistencyClaim): boolean {
  const { oldSize, newSize, oldRoot, newRoot, proof } = claim
  if (!isSize(oldSize) || !isSize(newSize) || oldSize > newSize || !isProof(proof)) return false
  if (oldSize === newSize) return proof.length === 0 && isSameHash(oldRoot, newRoot)
  if (oldSize === 0) return proof.length === 0 && isSameHash(oldRoot, emptyRoot(hasher))

  const path = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : [...proof]
  let node = oldSize - 1
  let last = newSize - 1
  while (node % 2 === 1) {
    node = half(node)
    last = half(last)
  }
  const first = path[0]
  if (first === undefined) return false
  let oldHash = first
  let newHash = first
  for (const sibling of path.slice(1)) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      oldHash = nodeHash(hasher, sibling, oldHash)
      newHash = nodeHash(hasher, sibling, newHash)
      while (node % 2 === 0 && node !== 0) {
        node = half(node)
        last = half(last)
      }
    } else {
      newHash = nodeHash(hasher, newHash, sibling)
    }
    node = half(node)
    last = half(last)
  }
  return last === 0 && isSameHash(oldHash, oldRoot) && isSameHash(newHash, newRoot)
}

/** Halves a node's number, rounded down: a step towards the root. Numbers may be past 32 bits, so no shift. */
function half(node: number): number {
  return Math.floor(node / 2)
}

function isPowerOfTwo(value: number): boolean {
  let rest = value
  while (rest % 2 === 0) rest /= 2
  return rest === 1
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function isProof(proof: readonly Uint8Array[]): boolean {
  return proof.length <= PROOF_MAX_HASHES && proof.every((hash) => hash.length === HASH_BYTES)
}
