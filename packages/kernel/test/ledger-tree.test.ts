import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  consistencyProof,
  consistencyTiles,
  createFrontier,
  emptyRoot,
  type Frontier,
  inclusionProof,
  inclusionTiles,
  leafHash,
  restoreFrontier,
  type Tile,
  type TileCoordinate,
  tileWidth,
  verifyConsistency,
  verifyInclusion,
} from '../src/ledger/index.ts'
import type { Hasher } from '../src/ports/hasher.ts'

const hasher: Hasher = { sha256: (data) => new Uint8Array(createHash('sha256').update(data).digest()) }

/** MTH(D[n]) of RFC 6962 section 2.1, word for word: the slow oracle. */
function merkleTreeHash(leaves: readonly string[]): Uint8Array {
  const [only] = leaves
  if (only === undefined) return hasher.sha256('')
  if (leaves.length === 1) return hasher.sha256(Buffer.concat([Buffer.of(0), Buffer.from(only)]))
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return hasher.sha256(Buffer.concat([Buffer.of(1), merkleTreeHash(leaves.slice(0, split)), merkleTreeHash(leaves.slice(split))]))
}

/** A ledger in memory, which keeps full tiles and finds partial ones in its frontier. */
interface Grown {
  readonly frontier: Frontier
  readonly tiles: Map<string, Tile>
  readonly read: (tile: TileCoordinate) => Uint8Array
}

function grow(leaves: readonly string[]): Grown {
  const frontier = createFrontier(hasher)
  const tiles = new Map<string, Tile>()
  for (const leaf of leaves) {
    for (const tile of frontier.append(leafHash(hasher, leaf))) tiles.set(`${tile.level}/${tile.index}`, tile)
  }
  const partial = new Map(frontier.partialTiles().map((tile) => [`${tile.level}/${tile.index}`, tile]))
  const read = ({ level, index }: TileCoordinate): Uint8Array => {
    const tile = tiles.get(`${level}/${index}`) ?? partial.get(`${level}/${index}`)
    if (tile === undefined) throw new Error(`no tile ${level}/${index}`)
    return tile.hashes
  }
  return { frontier, tiles, read }
}

const leavesUpTo = (count: number) => Array.from({ length: count }, (_, at) => `entry ${at}`)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('the frontier', () => {
  test('has the root of RFC 6962 at every size from 0 to 600', () => {
    const leaves = leavesUpTo(600)
    const frontier = createFrontier(hasher)
    expect(hex(frontier.root())).toBe(hex(emptyRoot(hasher)))
    leaves.forEach((leaf, at) => {
      frontier.append(leafHash(hasher, leaf))
      if (at < 70 || at % 51 === 0 || (at > 250 && at < 260))
        expect(hex(frontier.root())).toBe(hex(merkleTreeHash(leaves.slice(0, at + 1))))
    })
    expect(frontier.size).toBe(600)
  })

  test('hands out each tile once, when it is full, lower levels first', () => {
    const frontier = createFrontier(hasher)
    const leaf = leafHash(hasher, 'same')
    const seen: string[] = []
    for (let size = 1; size <= 65_537; size++) {
      for (const tile of frontier.append(leaf)) {
        expect(tile.hashes.length).toBe(8192)
        seen.push(`${size}: ${tile.level}/${tile.index}`)
      }
    }
    expect(seen.length).toBe(257)
    expect(seen.slice(0, 2)).toEqual(['256: 0/0', '512: 0/1'])
    expect(seen.slice(-2)).toEqual(['65536: 0/255', '65536: 1/0'])
    expect(frontier.partialTiles().map(({ level, index, width }) => [level, index, width])).toEqual([
      [0, 256, 1],
      [2, 0, 1],
    ])
  })

  test.each([0, 1, 255, 256, 257, 1000, 65_536, 66_000])('goes on from a snapshot and from stored tiles at size %i', (size) => {
    const leaves = leavesUpTo(size)
    const grown = grow(leaves)
    const hashes = leaves.slice(size - (size % 256)).map((leaf) => leafHash(hasher, leaf))
    const copies = [
      createFrontier(hasher, grown.frontier.snapshot()),
      restoreFrontier(hasher, size, { lastLeaves: () => new Uint8Array(Buffer.concat(hashes)), tile: grown.read }),
    ]
    for (const copy of copies) expect(copy.snapshot()).toEqual(grown.frontier.snapshot())
    for (const more of leavesUpTo(300)) {
      const expected = grown.frontier.append(leafHash(hasher, more))
      for (const copy of copies) expect(copy.append(leafHash(hasher, more))).toEqual(expected)
    }
    for (const copy of copies) expect(hex(copy.root())).toBe(hex(grown.frontier.root()))
  })

  test('refuses an edge that does not fit the size, and a leaf hash of another length', () => {
    expect(() => createFrontier(hasher, { size: 2, edge: [new Uint8Array(32)] })).toThrow(
      expect.objectContaining({ code: 'ledger_range' }),
    )
    expect(() => createFrontier(hasher, { size: 0, edge: [new Uint8Array(32)] })).toThrow(
      expect.objectContaining({ code: 'ledger_range' }),
    )
    expect(() => createFrontier(hasher).append(new Uint8Array(31))).toThrow(expect.objectContaining({ code: 'ledger_range' }))
  })

  test('never changes what it handed out', () => {
    const frontier = createFrontier(hasher)
    frontier.append(leafHash(hasher, 'a'))
    const snapshot = frontier.snapshot()
    const before = hex(snapshot.edge[0] ?? new Uint8Array())
    const root = frontier.root()
    const rootBefore = hex(root)
    root.fill(0)
    expect(hex(frontier.root())).toBe(rootBefore)
    frontier.append(leafHash(hasher, 'b'))
    expect(hex(snapshot.edge[0] ?? new Uint8Array())).toBe(before)
  })
})

describe('proofs', () => {
  test('every inclusion proof up to 40 leaves verifies, and for no other index, size or leaf', () => {
    const leaves = leavesUpTo(40)
    for (let size = 1; size <= 40; size++) {
      const { frontier, read } = grow(leaves.slice(0, size))
      for (let index = 0; index < size; index++) {
        const proof = inclusionProof(hasher, index, size, read)
        const claim = { index, size, proof, root: frontier.root(), leafHash: leafHash(hasher, `entry ${index}`) }
        expect(verifyInclusion(hasher, claim)).toBe(true)
        expect(verifyInclusion(hasher, { ...claim, index: index + 1 })).toBe(false)
        expect(verifyInclusion(hasher, { ...claim, leafHash: leafHash(hasher, 'other') })).toBe(false)
        expect(verifyInclusion(hasher, { ...claim, proof: [...proof, frontier.root()] })).toBe(false)
        if (proof.length > 0) expect(verifyInclusion(hasher, { ...claim, proof: proof.slice(1) })).toBe(false)
      }
    }
  })

  test('every consistency proof up to 40 leaves verifies, and for no other old root', () => {
    const leaves = leavesUpTo(40)
    const roots = Array.from({ length: 41 }, (_, size) => merkleTreeHash(leaves.slice(0, size)))
    const root = (size: number) => roots[size] ?? new Uint8Array(32)
    for (let newSize = 0; newSize <= 40; newSize++) {
      const { read } = grow(leaves.slice(0, newSize))
      for (let oldSize = 0; oldSize <= newSize; oldSize++) {
        const proof = consistencyProof(hasher, oldSize, newSize, read)
        const claim = { oldSize, newSize, oldRoot: root(oldSize), newRoot: root(newSize), proof }
        expect(verifyConsistency(hasher, claim)).toBe(true)
        expect(verifyConsistency(hasher, { ...claim, oldRoot: merkleTreeHash(['forged']) })).toBe(false)
        expect(verifyConsistency(hasher, { ...claim, proof: [...proof, root(1)] })).toBe(false)
        if (proof.length > 0) expect(verifyConsistency(hasher, { ...claim, proof: proof.slice(0, -1) })).toBe(false)
      }
    }
  })

  test('law: across tiles of several levels, proofs read only the tiles they announce, and verify', () => {
    const { frontier, read } = grow(leavesUpTo(66_500))
    const root = frontier.root()
    const size = frontier.size
    fc.assert(
      fc.property(fc.nat({ max: size - 1 }), fc.integer({ min: 1, max: size }), (index, oldSize) => {
        const announced = new Set(
          [...inclusionTiles(index, size), ...consistencyTiles(oldSize, size)].map((tile) => JSON.stringify(tile)),
        )
        const watched = (tile: TileCoordinate) => {
          expect(announced.has(JSON.stringify(tile))).toBe(true)
          expect(tile.width).toBe(tileWidth(size, tile.level, tile.index))
          return read(tile)
        }
        const proof = inclusionProof(hasher, index, size, watched)
        expect(verifyInclusion(hasher, { index, size, root, proof, leafHash: leafHash(hasher, `entry ${index}`) })).toBe(true)
        const old = restoreFrontier(hasher, oldSize, {
          tile: read,
          lastLeaves: (start, end) => read({ level: 0, index: Math.floor(start / 256), width: 256 }).slice(0, (end - start) * 32),
        })
        const consistency = consistencyProof(hasher, oldSize, size, watched)
        const claim = { oldSize, oldRoot: old.root(), newSize: size, newRoot: root, proof: consistency }
        expect(verifyConsistency(hasher, claim)).toBe(true)
      }),
      { numRuns: 12 },
    )
  })

  test('law: one flipped bit in any hash of a proof refuses it', () => {
    const leaves = leavesUpTo(300)
    const { frontier, read } = grow(leaves)
    const proof = inclusionProof(hasher, 77, 300, read)
    const claim = { index: 77, size: 300, root: frontier.root(), leafHash: leafHash(hasher, 'entry 77') }
    fc.assert(
      fc.property(fc.nat({ max: proof.length - 1 }), fc.nat({ max: 255 }), (at, bit) => {
        const broken = proof.map((hash) => hash.slice())
        const hash = broken[at] ?? new Uint8Array(32)
        hash[bit >> 3] = (hash[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(verifyInclusion(hasher, { ...claim, proof: broken })).toBe(false)
      }),
    )
  })

  test('an inner node never passes for a leaf', () => {
    const { frontier } = grow(leavesUpTo(2))
    const root = frontier.root()
    expect(verifyInclusion(hasher, { index: 0, size: 2, leafHash: root, root, proof: [] })).toBe(false)
    expect(verifyInclusion(hasher, { index: 0, size: 1, leafHash: root, root, proof: [] })).toBe(true)
  })

  test('refuse what is out of range', () => {
    const { read } = grow(leavesUpTo(3))
    for (const [index, size] of [
      [3, 3],
      [-1, 3],
      [0.5, 3],
      [0, 0],
      [0, 2 ** 53],
    ] as const) {
      expect(() => inclusionProof(hasher, index, size, read)).toThrow(expect.objectContaining({ code: 'ledger_range' }))
    }
    expect(() => consistencyProof(hasher, 4, 3, read)).toThrow(expect.objectContaining({ code: 'ledger_range' }))
    expect(() => inclusionProof(hasher, 0, 3, () => new Uint8Array(32))).toThrow(
      expect.objectContaining({ code: 'tile_malformed' }),
    )
  })
})
