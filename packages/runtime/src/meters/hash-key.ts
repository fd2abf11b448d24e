import { canonicalJson, encodeHex, type HashKey, type Hasher, type Json, encodeUtf8 } from '@tidegate/kernel'

/** So many values are remembered with their keys. */
const REMEMBERED = 8_192
const KEY_BYTES = 8

/**
 * Creates the keyed hash under which arguments are counted: 16 hex digits of SHA-256 over a secret salt and the value.
 *
 * Without the salt nobody can try out values: it must be secret, and stay the same for the life of a journal. Two values share a
 * key with a chance of one in 2^64, and then a count, which is strict.
 */
export function createHashKey(hasher: Hasher, salt: Uint8Array): HashKey {
  const known = new Map<Json, string>()
  return (value) => {
    const remembered = known.get(value)
    if (remembered !== undefined) return remembered
    const bytes = encodeUtf8(canonicalJson(value))
    const input = new Uint8Array(salt.length + bytes.length)
    input.set(salt)
    input.set(bytes, salt.length)
    const key = encodeHex(hasher.sha256(input).subarray(0, KEY_BYTES))
    if (known.size >= REMEMBERED) known.clear()
    if (typeof value !== 'object') known.set(value, key)
    return key
  }
}
