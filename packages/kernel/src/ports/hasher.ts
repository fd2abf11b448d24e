/**
 * Hashes with SHA-256 (FIPS 180-4). The kernel has no platform, so whoever calls it brings the hash function.
 *
 * A string is hashed as its UTF-8 bytes. The result is always 32 fresh bytes that the caller owns.
 */
export interface Hasher {
  sha256(data: string | Uint8Array): Uint8Array
}
