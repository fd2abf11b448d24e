import { join } from 'node:path'
import {
  ENTRY_BUNDLE_MAX_BYTES,
  encodeHex,
  entriesPath,
  PAYLOAD_LINE_MAX_CHARS,
  type Payload,
  parsePayloadLine,
  splitEntryBundle,
  TILE_WIDTH,
  tileWidth,
} from '@tidegate/kernel'
import { readLines } from './bounded-file.ts'
import { entryPayload } from './entry.ts'
import { isExportPath, payloadFiles, readExportFile } from './export-files.ts'
import { nodeHasher } from './node-crypto.ts'
import { Refusal } from './verdict.ts'

/** How many bundles are kept while payloads are compared; those of one run lie close together. */
const KEPT_BUNDLES = 16

/**
 * Compares every payload in the export with the digest in its entry, and returns how many there are. The entries must have been
 * verified before. Reads payload files line by line.
 *
 * @throws Refusal for a payload that differs, that no entry names, that comes twice, or a line that cannot be read.
 */
export function verifyPayloads(directory: string, size: number): { present: number } {
  const seen = new Uint8Array(Math.ceil(size / 8))
  const digestOf = createDigestReader(directory, size)
  let present = 0
  for (const path of payloadFiles(directory)) {
    if (!isExportPath(path, size))
      throw new Refusal('file_unexpected', path, 'A payload file is named after its run, with .jsonl behind.')
    let number = 0
    for (const line of readLines(join(directory, path), PAYLOAD_LINE_MAX_CHARS)) {
      number += 1
      const place = `${path}, line ${number}`
      const payload = line === undefined ? undefined : parsePayloadLine(line)
      if (payload === undefined)
        throw new Refusal('file_malformed', place, 'The line is not {"ciphertext":"base64","index":number}.')
      refuseWrongPayload(payload, { place, size, seen, digestOf })
      present += 1
    }
  }
  return { present }
}

function refuseWrongPayload(
  { index, ciphertext }: Payload,
  against: { place: string; size: number; seen: Uint8Array; digestOf: (index: number) => string | undefined },
): void {
  const { place, size, seen, digestOf } = against
  if (index >= size) throw new Refusal('payload_mismatch', place, `There is no entry ${index} in a ledger of ${size}.`)
  const bit = 1 << (index % 8)
  const at = Math.floor(index / 8)
  if (((seen[at] ?? 0) & bit) !== 0) throw new Refusal('payload_mismatch', place, `Entry ${index} had a payload before.`)
  seen[at] = (seen[at] ?? 0) | bit
  const digest = digestOf(index)
  if (digest === undefined) throw new Refusal('payload_mismatch', place, `Entry ${index} names no payload.`)
  if (digest !== encodeHex(nodeHasher.sha256(ciphertext))) {
    throw new Refusal('payload_mismatch', place, `The ciphertext does not hash to the payload digest of entry ${index}.`)
  }
}

/** Looks up the payload digests of entries, a bundle at a time, keeping the last few bundles. */
function createDigestReader(directory: string, size: number): (index: number) => string | undefined {
  const kept = new Map<number, (string | undefined)[]>()
  return (index) => {
    const bundle = Math.floor(index / TILE_WIDTH)
    const digests = kept.get(bundle) ?? readDigests(directory, bundle, tileWidth(size, 0, bundle))
    kept.delete(bundle)
    kept.set(bundle, digests)
    const [oldest] = kept.keys()
    if (kept.size > KEPT_BUNDLES && oldest !== undefined) kept.delete(oldest)
    return digests[index % TILE_WIDTH]
  }
}

function readDigests(directory: string, bundle: number, width: number): (string | undefined)[] {
  const bytes = readExportFile(directory, entriesPath(bundle, width), ENTRY_BUNDLE_MAX_BYTES)
  return splitEntryBundle(bytes, width).map((entry) => {
    const payload = entryPayload(Buffer.from(entry.buffer, entry.byteOffset, entry.length))
    return payload.kind === 'named' ? payload.digestHex : undefined
  })
}
