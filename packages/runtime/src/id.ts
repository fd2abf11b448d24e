import type { Clock, Entropy } from '@tidegate/kernel'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** A ULID: 48 bits of milliseconds, 80 bits of randomness, in Crockford's base 32. Sorts by time; never reused. */
export function createUlid(clock: Clock, entropy: Entropy): string {
  let time = ''
  for (let rest = clock.nowMs(), i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = (ALPHABET[rest % 32] ?? '0') + time
  let random = ''
  for (const byte of entropy.bytes(16)) random += ALPHABET[byte & 31]
  return time + random
}
