import { translate } from './error.ts'
import type { Store } from './store.ts'

/**
 * Destroys the key and the payloads of a stream. The key first: without it the payloads are noise, wherever a copy of them lies.
 *
 * @throws JournalError when the store fails; then nothing is erased.
 */
export function eraseStream(store: Store, name: string): void {
  try {
    store.db.exec('BEGIN IMMEDIATE')
    store.db.prepare('UPDATE streams SET wrapped_key = NULL WHERE name = ?').run(name)
    store.db.prepare('UPDATE entries SET payload = NULL WHERE stream = (SELECT id FROM streams WHERE name = ?)').run(name)
    store.db.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)')
  } catch (error) {
    if (store.db.isTransaction) store.db.exec('ROLLBACK')
    throw translate(error, store.file)
  }
}
