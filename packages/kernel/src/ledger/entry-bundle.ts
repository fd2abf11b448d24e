import { decodeUtf8, encodeUtf8 } from '../canonical/utf8.ts'
import { KernelError } from '../error.ts'
import { TILE_WIDTH } from './tile.ts'

/** The largest entry in UTF-8 bytes: its length must fit the two bytes before it (C2SP tlog-tiles, "Log entries"). */
export const ENTRY_MAX_BYTES = 65_535

/** The largest bundle that {@link encodeEntryBundle} can write, in bytes. */
export const ENTRY_BUNDLE_MAX_BYTES = TILE_WIDTH * (ENTRY_MAX_BYTES + 2)

/**
 * Writes up to 256 entries as a bundle: each as its length in UTF-8 bytes (two bytes, big-endian) and those bytes.
 *
 * @throws KernelError `ledger_range` for an entry over {@link ENTRY_MAX_BYTES} or for more than 256 entries.
 */
export function encodeEntryBundle(entries: readonly string[]): Uint8Array {
  if (entries.length > TILE_WIDTH) throw new KernelError('ledger_range', `A bundle holds at most ${TILE_WIDTH} entries.`)
  const encoded = entries.map((entry) => encodeUtf8(entry))
  const bundle = new Uint8Array(encoded.reduce((sum, entry) => sum + 2 + entry.length, 0))
  let at = 0
  for (const entry of encoded) {
    if (entry.length > ENTRY_MAX_BYTES) {
      throw new KernelError('ledger_range', `An entry has ${entry.length} bytes; the largest has ${ENTRY_MAX_BYTES}.`)
    }
    bundle[at] = entry.length >> 8
    bundle[at + 1] = entry.length & 0xff
    bundle.set(entry, at + 2)
    at += 2 + entry.length
  }
  return bundle
}

/**
 * Cuts a bundle into the bytes of its entries, as views into it, exactly `width` of them.
 *
 * @throws KernelError `tile_malformed` when the bundle is cut off, has bytes left over, or holds another number of entries.
 */
export function splitEntryBundle(bundle: Uint8Array, width: number): Uint8Array[] {
  const entries: Uint8Array[] = []
  let at = 0
  while (at < bundle.length && entries.length < width) {
    const length = ((bundle[at] ?? 0) << 8) | (bundle[at + 1] ?? 0)
    const end = at + 2 + length
    if (at + 1 >= bundle.length || end > bundle.length) {
      throw new KernelError('tile_malformed', `The bundle is cut off in its entry ${entries.length}.`)
    }
    entries.push(bundle.subarray(at + 2, end))
    at = end
  }
  if (entries.length < width) throw new KernelError('tile_malformed', `The bundle holds ${entries.length} entries, not ${width}.`)
  if (at < bundle.length)
    throw new KernelError('tile_malformed', `The bundle has ${bundle.length - at} bytes behind entry ${width - 1}.`)
  return entries
}

/**
 * Reads a bundle back into its texts, exactly `width` of them.
 *
 * @throws KernelError `tile_malformed` as {@link splitEntryBundle} does, `canonical_syntax` for an entry that is not UTF-8.
 */
export function decodeEntryBundle(bundle: Uint8Array, width: number): string[] {
  return splitEntryBundle(bundle, width).map((entry) => decodeUtf8(entry))
}
