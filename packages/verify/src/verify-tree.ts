import {
  type Checkpoint,
  createFrontier,
  ENTRY_BUNDLE_MAX_BYTES,
  encodeHex,
  entriesPath,
  type Frontier,
  HASH_BYTES,
  isSameHash,
  KernelError,
  splitEntryBundle,
  TILE_WIDTH,
  type Tile,
  tilePath,
  tileWidth,
} from '@tidegate/kernel'
import { entryPayload, whyNotCanonical } from './entry.ts'
import { readExportFile } from './export-files.ts'
import { nodeHasher } from './node-crypto.ts'
import { Refusal } from './verdict.ts'

/** What the tree of an export is measured against. */
export interface TreeClaim {
  readonly checkpoint: Checkpoint
  /** An older checkpoint of the same ledger, already believed. */
  readonly since?: Checkpoint
  /** Whether every entry must also be canonical JSON. */
  readonly canonical: boolean
}

/**
 * Recomputes the whole tree from the entries and compares every hash of every tile, the root, and the root at the older size.
 *
 * Streams: one bundle and the tree's right edge are in memory. Returns how many entries name a payload.
 *
 * @throws Refusal at the first thing that does not fit.
 */
export function verifyTree(directory: string, claim: TreeClaim): { payloadsNamed: number } {
  const { checkpoint, since } = claim
  const frontier = createFrontier(nodeHasher)
  let payloadsNamed = 0
  refuseFork(frontier, since)
  for (let index = 0; index * TILE_WIDTH < checkpoint.size; index++) {
    const width = tileWidth(checkpoint.size, 0, index)
    const path = entriesPath(index, width)
    const entries = splitBundle(readExportFile(directory, path, ENTRY_BUNDLE_MAX_BYTES), { path, width })
    const leafTile = readTile(directory, { level: 0, index, width })
    for (const [at, entry] of entries.entries()) {
      const place = `${path}, entry ${index * TILE_WIDTH + at}`
      const leaf = hashLeaf(entry)
      if (!isSameHash(leaf, leafTile.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES))) {
        const tile = tilePath({ level: 0, index, width })
        throw new Refusal('tile_mismatch', place, `The entry does not hash to hash ${at} of ${tile}: one of the two was changed.`)
      }
      if (namesPayload(entry, place, claim.canonical)) payloadsNamed += 1
      for (const tile of frontier.append(leaf)) compareTile(directory, tile)
      if (frontier.size === since?.size) refuseFork(frontier, since)
    }
  }
  for (const tile of frontier.partialTiles()) compareTile(directory, tile)
  refuseOtherRoot(frontier, checkpoint)
  return { payloadsNamed }
}

/**
 * Hashes an entry where it lies: the byte before it, the low half of its length, is overwritten with the zero that RFC 6962 puts
 * before a leaf. Sound, because the bundle is our own copy and already cut into entries.
 */
function hashLeaf(entry: Buffer): Uint8Array {
  const prefixed = Buffer.from(entry.buffer, entry.byteOffset - 1, entry.length + 1)
  prefixed[0] = 0
  return nodeHasher.sha256(prefixed)
}

function splitBundle(bundle: Buffer, { path, width }: { path: string; width: number }): Buffer[] {
  try {
    return splitEntryBundle(bundle, width).map((entry) => Buffer.from(entry.buffer, entry.byteOffset, entry.length))
  } catch (error) {
    if (error instanceof KernelError) throw new Refusal('file_malformed', path, error.message)
    throw error
  }
}

function namesPayload(entry: Buffer, place: string, canonical: boolean): boolean {
  const payload = entryPayload(entry)
  const wrong = payload.kind === 'malformed' ? payload.detail : canonical ? whyNotCanonical(entry) : undefined
  if (wrong !== undefined) throw new Refusal('entry_malformed', place, wrong)
  return payload.kind === 'named'
}

function readTile(directory: string, tile: Omit<Tile, 'hashes'>): Buffer {
  const path = tilePath(tile)
  const hashes = readExportFile(directory, path, TILE_WIDTH * HASH_BYTES)
  if (hashes.length === tile.width * HASH_BYTES) return hashes
  throw new Refusal('file_malformed', path, `The tile has ${hashes.length} bytes, not ${tile.width * HASH_BYTES}.`)
}

function compareTile(directory: string, tile: Tile): void {
  if (tile.level === 0) return // compared leaf by leaf as the entries were read
  const stored = readTile(directory, tile)
  for (let at = 0; at < tile.width; at++) {
    const bytes = [at * HASH_BYTES, (at + 1) * HASH_BYTES] as const
    if (isSameHash(stored.subarray(...bytes), tile.hashes.subarray(...bytes))) continue
    throw new Refusal('tile_mismatch', `${tilePath(tile)}, hash ${at}`, 'The hash is not the one over the tile below it.')
  }
}

function refuseFork(frontier: Frontier, since: Checkpoint | undefined): void {
  if (since === undefined || since.size !== frontier.size || isSameHash(frontier.root(), since.root)) return
  const detail = `The first ${since.size} entries are not those of the older checkpoint: history was rewritten.`
  throw new Refusal('forked', 'checkpoint', detail)
}

function refuseOtherRoot(frontier: Frontier, checkpoint: Checkpoint): void {
  if (isSameHash(frontier.root(), checkpoint.root)) return
  const detail = `The entries have the root ${encodeHex(frontier.root())}, the checkpoint says ${encodeHex(checkpoint.root)}.`
  throw new Refusal('root_mismatch', 'checkpoint', detail)
}
