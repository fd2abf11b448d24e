import { randomFillSync } from 'node:crypto'
import type { Entropy } from '@tidegate/kernel'

const POOL_BYTES = 8_192
let pool = new Uint8Array(0)
let used = 0

/** Randomness of the operating system, drawn in blocks: a nonce costs nanoseconds, and no byte is handed out twice. */
export const nodeEntropy: Entropy = {
  bytes(count) {
    if (count > POOL_BYTES) return randomFillSync(new Uint8Array(count))
    if (used + count > pool.length) {
      pool = randomFillSync(new Uint8Array(POOL_BYTES))
      used = 0
    }
    const bytes = pool.slice(used, used + count)
    pool.fill(0, used, used + count)
    used += count
    return bytes
  },
}
