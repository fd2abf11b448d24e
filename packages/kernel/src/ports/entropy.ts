/** Randomness: unpredictable in production, seeded in tests. */
export interface Entropy {
  /** Fresh bytes that the caller owns. */
  bytes(count: number): Uint8Array
}
