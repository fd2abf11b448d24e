import { type Hasher, type LedgerHead, type LedgerReader, subtreeRoot, TILE_WIDTH, type TileCoordinate } from '@tidegate/kernel'
import type { DatabaseSync } from 'node:sqlite'
import { readLeaves, readTile } from './tiles.ts'

/** How many rows are read at a time. */
const PAGE = 1_024

/** Reads the ledger out of the journal's tables. Partial tiles are put together from leaves and from the full tiles below. */
export function createLedgerReader(
  db: DatabaseSync,
  parts: { hasher: Hasher; head: () => LedgerHead; verifierKey: string },
): LedgerReader {
  const textPage = db.prepare('SELECT text FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx')
  const streamPage = db.prepare("SELECT id, name FROM streams WHERE name > ? AND name < 'run0' ORDER BY name LIMIT 256")
  const payloadsOf = db.prepare(
    'SELECT idx, payload FROM entries WHERE stream = ? AND idx < ? AND payload IS NOT NULL ORDER BY seq',
  )
  const rootsOf = (level: number, first: number, count: number): Uint8Array =>
    level === 0
      ? readLeaves(db, first, first + count)
      : Buffer.concat(Array.from({ length: count }, (_, i) => rootOf(level - 1, first + i)))
  const rootOf = (level: number, index: number): Uint8Array =>
    subtreeRoot(parts.hasher, readTile(db, level, index), 0, TILE_WIDTH)

  function tile({ level, index, width }: TileCoordinate): Uint8Array {
    if (width === TILE_WIDTH) return readTile(db, level, index)
    return rootsOf(level, index * TILE_WIDTH, width)
  }

  return {
    head: parts.head,
    verifierKey: parts.verifierKey,
    tile,
    *texts(from, to) {
      for (let at = from; at < to; at += PAGE) {
        for (const row of textPage.all(at, Math.min(to, at + PAGE))) yield String(row.text)
      }
    },
    lastIndex(stream) {
      const row = db
        .prepare('SELECT max(e.idx) AS idx FROM entries e JOIN streams s ON s.id = e.stream WHERE s.name = ?')
        .get(stream)
      return row?.idx === null || row === undefined ? undefined : Number(row.idx)
    },
    *payloads(below) {
      for (let after = 'run/'; ; ) {
        const page = streamPage.all(after)
        if (page.length === 0) return
        for (const { id, name } of page) {
          after = String(name)
          const rows = payloadsOf.all(Number(id), below)
          if (rows.length > 0)
            yield {
              stream: after,
              payloads: rows.map((row) => ({ index: Number(row.idx), ciphertext: row.payload as Uint8Array })),
            }
        }
      }
    },
  }
}
