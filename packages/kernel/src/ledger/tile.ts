import { KernelError } from '../error.ts'
import type { Hasher } from '../ports/hasher.ts'
import { HASH_BYTES, nodeHash, requireTreeSize } from './hash.ts'

/** How many hashes a full tile holds, and how many entries a full bundle (C2SP tlog-tiles). */
export const TILE_WIDTH = 256

/** The bits of a tree level that one tile spans. */
export const TILE_HEIGHT = 8

/** Where a tile stands: its tile level (0 = leaf hashes), its index within the level, and how many hashes it has (1 to 256). */
export interface TileCoordinate {
  readonly level: number
  readonly index: number
  readonly width: number
}

/** A tile with its hashes, one after the other, 32 bytes each. */
export interface Tile extends TileCoordinate {
  readonly hashes: Uint8Array
}

/**
 * Reads the hashes of a tile, at least as many as the coordinate's width.
 *
 * A full tile may be returned for a partial one, because the partial tile is its beginning.
 */
export type TileReader = (tile: TileCoordinate) => Uint8Array

/** The path of a tile of hashes, such as `tile/1/x001/x234/067.p/8` (C2SP tlog-tiles, "Merkle Tree"). */
export function tilePath(tile: TileCoordinate): string {
  return `tile/${tile.level}/${indexPath(tile.index, tile.width)}`
}

/** The path of a bundle of entries, such as `tile/entries/x001/067` (C2SP tlog-tiles, "Log entries"). */
export function entriesPath(index: number, width: number = TILE_WIDTH): string {
  return `tile/entries/${indexPath(index, width)}`
}

/** What a path of the tile layout names. */
export type TilePath =
  | { readonly kind: 'hashes'; readonly tile: TileCoordinate }
  | { readonly kind: 'entries'; readonly tile: TileCoordinate }

const PATH = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/)*)([0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/

/** Reads a path of the tile layout; `undefined` unless {@link tilePath} or {@link entriesPath} writes exactly this text. */
export function parseTilePath(path: string): TilePath | undefined {
  if (path.length > 64) return undefined
  const match = PATH.exec(path)
  if (match === null) return undefined
  const [, layer = '', upper = '', last = '', partial] = match
  const index = Number(upper.replaceAll(/[x/]/g, '') + last)
  const width = partial === undefined ? TILE_WIDTH : Number(partial)
  if (!Number.isSafeInteger(index) || width > TILE_WIDTH) return undefined
  if (layer === 'entries') {
    return entriesPath(index, width) === path ? { kind: 'entries', tile: { level: 0, index, width } } : undefined
  }
  const tile = { level: Number(layer), index, width }
  return tile.level <= 63 && tilePath(tile) === path ? { kind: 'hashes', tile } : undefined
}

function indexPath(index: number, width: number): string {
  let path = String(index % 1000).padStart(3, '0')
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    path = `x${String(rest % 1000).padStart(3, '0')}/${path}`
  }
  return width === TILE_WIDTH ? path : `${path}.p/${width}`
}

/** How many hashes the tile at this place has in a tree of this size; 0 when there is no such tile. */
export function tileWidth(size: number, level: number, index: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level)
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH))
}

/** The partial tiles of a tree of this size, lowest level first; a level that ends on a full tile has none. */
export function partialTiles(size: number): TileCoordinate[] {
  requireTreeSize(size)
  const tiles: TileCoordinate[] = []
  for (let level = 0; TILE_WIDTH ** level <= size; level++) {
    const hashes = Math.floor(size / TILE_WIDTH ** level)
    if (hashes % TILE_WIDTH > 0) tiles.push({ level, index: Math.floor(hashes / TILE_WIDTH), width: hashes % TILE_WIDTH })
  }
  return tiles
}

/**
 * The hash over `count` neighbouring hashes from position `start` on: the root of that complete subtree.
 *
 * `count` is a power of two and `start` a multiple of it.
 *
 * @throws KernelError `tile_malformed` when the tile is shorter than that.
 */
export function subtreeRoot(hasher: Hasher, hashes: Uint8Array, start: number, count: number): Uint8Array {
  if (hashes.length < (start + count) * HASH_BYTES) {
    throw new KernelError('tile_malformed', `A tile has ${hashes.length} bytes, too few for hash ${start + count - 1}.`)
  }
  if (count === 1) return hashes.slice(start * HASH_BYTES, (start + 1) * HASH_BYTES)
  const half = count / 2
  return nodeHash(hasher, subtreeRoot(hasher, hashes, start, half), subtreeRoot(hasher, hashes, start + half, half))
}
