import { createVerifierKey, encodeVerifierKey, type Entry, type Journal, type LedgerReader, type RunHead } from '@tidegate/kernel'
import { decodeEntry } from './entry-text.ts'
import { translate } from './error.ts'
import { createLedgerReader } from './ledger-reader.ts'
import { decrypt } from './payload-cipher.ts'
import { openStore } from './store.ts'
import { createWriter, type WriterParts } from './writer.ts'

export type SqliteJournalOptions = Omit<WriterParts, 'store'> & {
  /** Path of the database file; `<file>.lock` beside it is held while the journal is open. */
  readonly file: string
}

/** A journal on a file, which is at the same time the ledger. */
export interface SqliteJournal extends Journal {
  readonly ledger: LedgerReader
}

/**
 * Opens the journal of one process on one SQLite file (WAL, synchronous FULL, group commit over everything in flight).
 *
 * @throws JournalError `journal_locked` when another process has it, and as {@link openStore} does.
 */
export function openSqliteJournal({ file, ...parts }: SqliteJournalOptions): SqliteJournal {
  const store = openStore(file)
  try {
    const writer = createWriter({ store, ...parts })
    const keyName = { name: parts.signer.name, algorithm: 'ed25519', publicKey: parts.signer.publicKey } as const
    const verifierKey = encodeVerifierKey(createVerifierKey(parts.hasher, keyName))
    const ledger = createLedgerReader(store, { hasher: parts.hasher, head: writer.head, verifierKey })
    return {
      ledger,
      append: writer.append,
      head: writer.head,
      read: async (stream, afterSeq = 0) => read(stream, afterSeq),
      runs: async (query) => listRuns(query),
      openRuns: async () => heads(store.db.prepare('SELECT head FROM runs WHERE open = 1 ORDER BY opened_at, run').all()),
      erase: async (stream) => erase(stream),
      async close() {
        await writer.close()
        store.close()
      },
    }

    function read(name: string, afterSeq: number): readonly Entry[] {
      const stream = writer.streams.find(name)
      if (stream === undefined) return []
      return store.readStream.all(stream.id, afterSeq).map((row) => {
        const payload = row.payload as Uint8Array | null // a BLOB column of a STRICT table
        const sealed = payload === null || stream.wrappedKey === null ? undefined : new TextDecoder().decode(decrypt(writer.streams.keyOf(stream), payload))
        return decodeEntry(Number(row.idx), String(row.text), sealed)
      })
    }

    function listRuns({ states, workflow, before, limit }: Parameters<Journal['runs']>[0]): readonly RunHead[] {
      const conditions = ['1 = 1']
      const values: (string | number)[] = []
      if (states !== undefined) {
        conditions.push(`state IN (${states.map(() => '?').join(', ')})`)
        values.push(...states)
      }
      if (workflow !== undefined) {
        conditions.push('workflow = ?')
        values.push(workflow)
      }
      if (before !== undefined) {
        conditions.push('(opened_at, run) < (SELECT opened_at, run FROM runs WHERE run = ?)')
        values.push(before)
      }
      const where = conditions.join(' AND ') // only the fixed texts above; values are bound
      return heads(store.db.prepare(`SELECT head FROM runs WHERE ${where} ORDER BY opened_at DESC, run DESC LIMIT ?`).all(...values, limit))
    }

    /** Key first: without it the payloads are noise, wherever a copy of them lies. */
    function erase(name: string): void {
      const stream = writer.streams.find(name)
      if (stream === undefined) return
      try {
        store.db.exec('BEGIN IMMEDIATE')
        store.db.prepare('UPDATE streams SET wrapped_key = NULL WHERE id = ?').run(stream.id)
        store.db.prepare('UPDATE entries SET payload = NULL WHERE stream = ?').run(stream.id)
        store.db.exec('COMMIT')
        store.db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      } catch (error) {
        if (store.db.isTransaction) store.db.exec('ROLLBACK')
        throw translate(error, file)
      } finally {
        writer.streams.drop(name)
      }
    }
  } catch (error) {
    store.close()
    throw translate(error, file)
  }
}

function heads(rows: readonly Record<string, unknown>[]): readonly RunHead[] {
  return rows.map((row) => JSON.parse(String(row.head)) as RunHead) // written by this adapter from a RunHead
}
