import type { DatabaseSync } from 'node:sqlite'
import { JournalError } from './error.ts'

/** The hashes of leaves `start` to `end`, one after the other. @throws JournalError `journal_corrupt` when some are not there. */
export function readLeaves(db: DatabaseSync, start: number, end: number): Uint8Array {
  const rows = db.prepare('SELECT leaf FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx').all(start, end)
  if (rows.length !== end - start) {
    throw new JournalError(
      'journal_corrupt',
      `The journal lacks entries between ${start} and ${end}. Keep the file, and restore the last good copy.`,
    )
  }
  return Buffer.concat(rows.map((row) => row.leaf as Uint8Array)) // a BLOB column of a STRICT table
}

/** A full tile. @throws JournalError `journal_corrupt` when it is not there. */
export function readTile(db: DatabaseSync, level: number, index: number): Uint8Array {
  const row = db.prepare('SELECT hashes FROM tiles WHERE level = ? AND idx = ?').get(level, index)
  if (row === undefined)
    throw new JournalError(
      'journal_corrupt',
      `The journal lacks tile ${level}/${index}. Keep the file, and restore the last good copy.`,
    )
  return row.hashes as Uint8Array // a BLOB column of a STRICT table
}
