import { KernelError } from '../error.ts'
import type { Hasher } from '../ports/hasher.ts'
import { emptyRoot, HASH_BYTES, nodeHash, requireTreeSize } from './hash.ts'
import { subtreeRoot, TILE_HEIGHT, TILE_WIDTH, type Tile, type TileReader, tileWidth } from './tile.ts'

/**
 * The right edge of a growing Merkle tree (RFC 6962): all that is needed to append leaves, to know the root, and to hand out
 * tiles as they fill. It keeps at most 255 hashes per tile level, whatever the size.
 *
 * Invariants:
 * F1. `peaks[k]` is the root of the complete subtree of 2^k leaves that stands for bit k of the size; other slots are stale.
 * F2. `edge[l]` is the partial tile of level l, `floor(size / 256^l) mod 256` hashes of it.
 * F3. A tile is handed out once, by the `append` that completes it, lower levels first.
 */
export interface Frontier {
  /** How many leaves the tree has. */
  readonly size: number
  /**
   * Adds one leaf by its hash, which must not change afterwards, and returns the tiles that this completed: none 255 times of
   * 256. The tiles belong to the caller.
   */
  append(leafHash: Uint8Array): readonly Tile[]
  /** The root over all leaves so far; that of the empty tree when there is none. */
  root(): Uint8Array
  /** The partial tiles of now, lowest level first; copies. */
  partialTiles(): Tile[]
  /** What {@link createFrontier} needs to go on from here; a copy. */
  snapshot(): FrontierSnapshot
}

/** A frontier at rest. `edge[l]` holds the hashes of the partial tile of level l, and may be empty. */
export interface FrontierSnapshot {
  readonly size: number
  readonly edge: readonly Uint8Array[]
}

const NO_TILES: readonly Tile[] = []

/**
 * Creates the frontier of an empty tree, or that of a snapshot.
 *
 * Nothing here is asynchronous or shared: a caller that fails to store what it appended throws the frontier away and restores
 * the last one it stored.
 *
 * @throws KernelError `ledger_range` when the snapshot's edge does not fit its size.
 */
export function createFrontier(hasher: Hasher, snapshot: FrontierSnapshot = { size: 0, edge: [] }): Frontier {
  requireTreeSize(snapshot.size)
  let size = snapshot.size
  const edge = restoreEdge(snapshot)
  const peaks = restorePeaks(hasher, size, edge)

  function append(leafHash: Uint8Array): readonly Tile[] {
    if (leafHash.length !== HASH_BYTES) throw new KernelError('ledger_range', `A leaf hash has ${HASH_BYTES} bytes.`)
    requireTreeSize(size + 1)
    let completed = NO_TILES
    let node = leafHash
    let rest = size
    let level = 0
    for (;;) {
      if (level % TILE_HEIGHT === 0) completed = pushToEdge(edge, level / TILE_HEIGHT, rest, node, completed)
      if (rest % 2 === 0) break
      node = nodeHash(hasher, peaks[level] ?? node, node)
      rest = (rest - 1) / 2
      level += 1
    }
    peaks[level] = node
    size += 1
    return completed
  }

  return {
    get size() {
      return size
    },
    append,
    root: () => rootOfPeaks(hasher, size, peaks),
    partialTiles: () => copyEdge(size, edge),
    snapshot: () => ({ size, edge: edge.map((hashes, level) => hashes.slice(0, edgeWidth(size, level) * HASH_BYTES)) }),
  }
}

/** Where to find what {@link restoreFrontier} needs. */
export interface StoredTree {
  /** The hashes of the last `size mod 256` leaves, one after the other; called only when there are any. */
  readonly lastLeaves: (start: number, end: number) => Uint8Array
  /** A full tile. */
  readonly tile: TileReader
}

/**
 * Creates the frontier of a tree that is stored as full tiles and the hashes of the leaves behind the last full one. Hashes the
 * full tiles below the partial tile of each higher level, at most 255 of them per level.
 *
 * @throws KernelError `tile_malformed` when a tile is too short, `ledger_range` when the leaves do not fit the size.
 */
export function restoreFrontier(hasher: Hasher, size: number, stored: StoredTree): Frontier {
  requireTreeSize(size)
  const edge: Uint8Array[] = []
  for (let level = 0; TILE_WIDTH ** level <= size; level++) {
    const width = edgeWidth(size, level)
    const first = Math.floor(size / TILE_WIDTH ** level) - width
    if (level === 0) {
      edge.push(width === 0 ? new Uint8Array(0) : stored.lastLeaves(first, size))
      continue
    }
    const hashes = new Uint8Array(width * HASH_BYTES)
    for (let at = 0; at < width; at++) {
      const below = stored.tile({ level: level - 1, index: first + at, width: TILE_WIDTH })
      hashes.set(subtreeRoot(hasher, below, 0, TILE_WIDTH), at * HASH_BYTES)
    }
    edge.push(hashes)
  }
  return createFrontier(hasher, { size, edge })
}

/** Puts the node number `position` of its level into the level's partial tile, and takes the tile out when it is full (F2, F3). */
function pushToEdge(
  edge: Uint8Array[],
  level: number,
  position: number,
  node: Uint8Array,
  completed: readonly Tile[],
): readonly Tile[] {
  const at = position % TILE_WIDTH
  let hashes = edge[level]
  if (hashes === undefined || at === 0) {
    hashes = new Uint8Array(TILE_WIDTH * HASH_BYTES)
    edge[level] = hashes
  }
  hashes.set(node, at * HASH_BYTES)
  if (at < TILE_WIDTH - 1) return completed
  edge[level] = new Uint8Array(0)
  return [...completed, { level, index: (position - at) / TILE_WIDTH, width: TILE_WIDTH, hashes }]
}

function rootOfPeaks(hasher: Hasher, size: number, peaks: readonly (Uint8Array | undefined)[]): Uint8Array {
  let root: Uint8Array | undefined
  for (let level = 0, rest = size; rest > 0; level++, rest = Math.floor(rest / 2)) {
    const peak = peaks[level]
    if (rest % 2 === 0 || peak === undefined) continue
    root = root === undefined ? peak : nodeHash(hasher, peak, root)
  }
  return root === undefined ? emptyRoot(hasher) : root.slice()
}

function restoreEdge(snapshot: FrontierSnapshot): Uint8Array[] {
  const { size } = snapshot
  const edge: Uint8Array[] = []
  for (let level = 0; level < snapshot.edge.length || TILE_WIDTH ** level <= size; level++) {
    const stored = snapshot.edge[level] ?? new Uint8Array(0)
    const width = edgeWidth(size, level)
    if (stored.length !== width * HASH_BYTES) {
      throw new KernelError('ledger_range', `The snapshot's edge of level ${level} must have ${width} hashes for size ${size}.`)
    }
    const hashes = new Uint8Array(width === 0 ? 0 : TILE_WIDTH * HASH_BYTES)
    hashes.set(stored)
    edge.push(hashes)
  }
  return edge
}

/** The peaks follow from the edge (F1): bits 8l to 8l+7 of the size are covered by the tile of level l. */
function restorePeaks(hasher: Hasher, size: number, edge: readonly Uint8Array[]): (Uint8Array | undefined)[] {
  const peaks: (Uint8Array | undefined)[] = []
  edge.forEach((hashes, level) => {
    const width = edgeWidth(size, level)
    let start = 0
    for (let bit = TILE_HEIGHT - 1; bit >= 0; bit--) {
      const count = 2 ** bit
      if ((width & count) === 0) continue
      peaks[level * TILE_HEIGHT + bit] = subtreeRoot(hasher, hashes, start, count)
      start += count
    }
  })
  return peaks
}

function edgeWidth(size: number, level: number): number {
  return Math.floor(size / TILE_WIDTH ** level) % TILE_WIDTH
}

function copyEdge(size: number, edge: readonly Uint8Array[]): Tile[] {
  return edge.flatMap((hashes, level) => {
    const index = Math.floor(size / TILE_WIDTH ** (level + 1))
    const width = tileWidth(size, level, index)
    return width === 0 ? [] : [{ level, index, width, hashes: hashes.slice(0, width * HASH_BYTES) }]
  })
}
