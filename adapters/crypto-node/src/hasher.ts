import { hash } from 'node:crypto'
import type { Hasher } from '@tidegate/kernel'

/** SHA-256 of Node's OpenSSL, in one shot: no stream, no copy of the input. */
export const nodeHasher: Hasher = {
  sha256: (data) => hash('sha256', data, 'buffer'),
}
