import { KernelError } from '../error.ts'
import type { Hasher } from '../ports/hasher.ts'
import { nodeHash, requireTreeSize } from './hash.ts'
import { subtreeRoot, TILE_WIDTH, type TileCoordinate, type TileReader, tileWidth } from './tile.ts'

/** The leaves from `start` up to, and not including, `end`: a subtree whose hash stands in a proof. */
interface LeafRange {
  readonly start: number
  readonly end: number
}

/**
 * Builds the proof that the leaf at `index` is in the tree of `size` leaves (RFC 6962, section 2.1.1): the sibling hashes from
 * the leaf upwards.
 *
 * @throws KernelError `ledger_range` when there is no such leaf, `tile_malformed` when a tile is too short.
 */
export function inclusionProof(hasher: Hasher, index: number, size: number, read: TileReader): Uint8Array[] {
  return inclusionRanges(index, size).map((range) => rangeHash(hasher, range, size, read))
}

/**
 * Builds the proof that the tree of `newSize` leaves begins with the tree of `oldSize` leaves (RFC 6962, section 2.1.2).
 *
 * Empty when the old tree is empty or the sizes are equal.
 *
 * @throws KernelError `ledger_range` when the old size is the larger one, `tile_malformed` when a tile is too short.
 */
export function consistencyProof(hasher: Hasher, oldSize: number, newSize: number, read: TileReader): Uint8Array[] {
  return consistencyRanges(oldSize, newSize).map((range) => rangeHash(hasher, range, newSize, read))
}

/** The tiles that {@link inclusionProof} will read, for a caller that must load them first. */
export function inclusionTiles(index: number, size: number): TileCoordinate[] {
  return tilesOf(inclusionRanges(index, size), size)
}

/** The tiles that {@link consistencyProof} will read, for a caller that must load them first. */
export function consistencyTiles(oldSize: number, newSize: number): TileCoordinate[] {
  return tilesOf(consistencyRanges(oldSize, newSize), newSize)
}

/** PATH(index, D[size]) of RFC 6962, unrolled from the root down and turned round. */
function inclusionRanges(index: number, size: number): LeafRange[] {
  requireTreeSize(size)
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) {
    throw new KernelError('ledger_range', `There is no entry ${index} in a ledger of ${size}.`)
  }
  const ranges: LeafRange[] = []
  let start = 0
  let end = size
  while (end - start > 1) {
    const middle = start + splitPoint(end - start)
    if (index < middle) {
      ranges.push({ start: middle, end })
      end = middle
    } else {
      ranges.push({ start, end: middle })
      start = middle
    }
  }
  return ranges.reverse()
}

/** SUBPROOF(oldSize, D[newSize], true) of RFC 6962, unrolled from the root down and turned round. */
function consistencyRanges(oldSize: number, newSize: number): LeafRange[] {
  requireTreeSize(oldSize, 'The old size')
  requireTreeSize(newSize, 'The new size')
  if (oldSize > newSize) throw new KernelError('ledger_range', `A ledger of ${newSize} cannot begin with one of ${oldSize}.`)
  if (oldSize === 0 || oldSize === newSize) return []
  const ranges: LeafRange[] = []
  let start = 0
  let end = newSize
  while (oldSize < end) {
    const middle = start + splitPoint(end - start)
    if (oldSize <= middle) {
      ranges.push({ start: middle, end })
      end = middle
    } else {
      ranges.push({ start, end: middle })
      start = middle
    }
  }
  // What is left ends where the old tree ends. The verifier knows its hash only when it is the whole old tree.
  if (start > 0) ranges.push({ start, end })
  return ranges.reverse()
}

/** The largest power of two below a number of leaves (two or more). */
function splitPoint(count: number): number {
  let point = 1
  while (point * 2 < count) point *= 2
  return point
}

/** The complete subtrees that make up a range, left to right; a range in a proof is cut at powers of two, largest first. */
function completeSubtrees(range: LeafRange): LeafRange[] {
  const subtrees: LeafRange[] = []
  let { start } = range
  while (start < range.end) {
    let count = 1
    while (count * 2 <= range.end - start) count *= 2
    subtrees.push({ start, end: start + count })
    start += count
  }
  return subtrees
}

/** The tile whose hashes make up a complete subtree, and where in it they are. */
function locate(subtree: LeafRange, size: number): { tile: TileCoordinate; start: number; count: number } {
  let level = 0
  while (TILE_WIDTH ** (level + 1) <= subtree.end - subtree.start) level += 1
  const span = TILE_WIDTH ** level
  const first = subtree.start / span
  const index = Math.floor(first / TILE_WIDTH)
  const tile = { level, index, width: tileWidth(size, level, index) }
  return { tile, start: first % TILE_WIDTH, count: (subtree.end - subtree.start) / span }
}

function rangeHash(hasher: Hasher, range: LeafRange, size: number, read: TileReader): Uint8Array {
  return completeSubtrees(range)
    .map((subtree) => {
      const { tile, start, count } = locate(subtree, size)
      return subtreeRoot(hasher, read(tile), start, count)
    })
    .reduceRight((right, left) => nodeHash(hasher, left, right))
}

function tilesOf(ranges: readonly LeafRange[], size: number): TileCoordinate[] {
  const tiles = new Map<string, TileCoordinate>()
  for (const subtree of ranges.flatMap(completeSubtrees)) {
    const { tile } = locate(subtree, size)
    tiles.set(`${tile.level}/${tile.index}`, tile)
  }
  return [...tiles.values()]
}
