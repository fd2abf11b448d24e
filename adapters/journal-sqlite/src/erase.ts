import { JournalError, translate } from './error.ts'
import type { Store } from './store.ts'

/**
 * Destroys the key and the payloads of a stream. The key first: without it the payloads are noise, wherever a copy of them lies.
 *
 * The log of the store is emptied too, since it holds what was there before.
 *
 * @throws JournalError when the store fails; then nothing is erased. `journal_locked` when it is erased, but another process reads the
 * file and so keeps the log: it goes with the next erasure, or when the journal is closed.
 */
export function eraseStream(store: Store, name: string): void {
  try {
    store.db.exec('BEGIN IMMEDIATE')
    store.db.prepare('UPDATE streams SET wrapped_key = NULL WHERE name = ?').run(name)
    store.db.prepare('UPDATE entries SET payload = NULL WHERE stream = (SELECT id FROM streams WHERE name = ?)').run(name)
    store.db.exec('COMMIT')
  } catch (error) {
    if (store.db.isTransaction) store.db.exec('ROLLBACK')
    throw translate(error, store.file)
  }
  emptyLog(store)
}

function emptyLog({ db, file }: Store): void {
  try {
    const answer = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()
    if (answer?.busy === 0) return
  } catch (error) {
    throw translate(error, file)
  }
  throw new JournalError(
    'journal_locked',
    `Another process reads the journal ${file}, so its log still holds what was erased. Stop that process; the next erasure empties the log.`,
  )
}
