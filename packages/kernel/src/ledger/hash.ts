import { KernelError } from '../error.ts'
import type { Hasher } from '../ports/hasher.ts'

/** The size of every hash in the ledger, in bytes. */
export const HASH_BYTES = 32

/** The largest number of entries a ledger can have: the largest integer that a double holds exactly. */
export const MAX_TREE_SIZE = Number.MAX_SAFE_INTEGER

/** The hash of a leaf, SHA-256(0x00 || UTF-8 of the entry) (RFC 6962, section 2.1). */
export function leafHash(hasher: Hasher, entryText: string): Uint8Array {
  return hasher.sha256(`\u0000${entryText}`)
}

/** The hash of an inner node, SHA-256(0x01 || left || right) (RFC 6962, section 2.1). */
export function nodeHash(hasher: Hasher, left: Uint8Array, right: Uint8Array): Uint8Array {
  node.set(left, 1)
  node.set(right, 1 + HASH_BYTES)
  return hasher.sha256(node)
}

/** One for all inner nodes, overwritten by each: V8 keeps what is larger than 64 bytes outside its heap, each with a trip to the allocator. */
const node = new Uint8Array(1 + 2 * HASH_BYTES)
node[0] = 1

/** The root of the tree without leaves: the hash of nothing (RFC 6962, section 2.1). */
export function emptyRoot(hasher: Hasher): Uint8Array {
  return hasher.sha256('')
}

/** Whether two hashes are equal. Hashes of the ledger are public, so this takes no constant time. */
export function isSameHash(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false
  for (let at = 0; at < left.length; at++) if (left[at] !== right[at]) return false
  return true
}

/**
 * Checks that a number can be a tree size.
 *
 * @throws KernelError `ledger_range`.
 */
export function requireTreeSize(size: number, what = 'The tree size'): void {
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new KernelError('ledger_range', `${what} must be a whole number from 0 to 2^53 - 1.`)
  }
}
