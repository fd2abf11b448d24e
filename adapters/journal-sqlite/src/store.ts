import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { JournalError, translate } from './error.ts'
import { INDEXES, SCHEMA, SCHEMA_VERSION } from './schema.ts'

/** An open journal file with its prepared statements. */
export interface Store {
  readonly db: DatabaseSync
  readonly file: string
  readonly insertEntry: StatementSync
  readonly insertStream: StatementSync
  readonly findStream: StatementSync
  readonly updateKey: StatementSync
  readonly insertTile: StatementSync
  readonly insertClaim: StatementSync
  readonly findClaim: StatementSync
  readonly putRun: StatementSync
  readonly putHead: StatementSync
  close(): void
}

/**
 * Opens the journal file, or makes it: WAL, synchronous FULL (a commit that answered is on stable storage), and a lock that a
 * killed process cannot leave behind.
 *
 * @throws JournalError `journal_locked`, `journal_version`, `journal_corrupt`, `journal_unwritable`.
 */
export function openStore(file: string): Store {
  const lock = takeLock(`${file}.lock`)
  try {
    const db = new DatabaseSync(file)
    db.exec(
      // Pages of 8 KiB (of a new file): half as many writes to the log, and a fifth less processor time for each record, as with SQLite's 4 KiB.
      'PRAGMA busy_timeout = 2000; PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA cache_size = -32000; PRAGMA wal_autocheckpoint = 2000; PRAGMA temp_store = MEMORY',
    )
    migrate(db, file)
    db.exec(INDEXES)
    return { ...prepare(db), db, file, close: () => closeBoth(db, lock) }
  } catch (error) {
    lock.close()
    throw translate(error, file)
  }
}

/** Another file, held in an exclusive transaction for as long as we live: the operating system lets go of it when we die. */
function takeLock(file: string): DatabaseSync {
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(file)
    lock.exec('PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock?.close()
    throw translate(error, file)
  }
}

function closeBoth(db: DatabaseSync, lock: DatabaseSync): void {
  db.close()
  lock.close()
}

function migrate(db: DatabaseSync, file: string): void {
  const version = db.prepare('PRAGMA user_version').get()?.user_version
  if (version === SCHEMA_VERSION) return
  if (version !== 0) {
    throw new JournalError(
      'journal_version',
      `The journal ${file} is of version ${version}; this Tidegate reads version ${SCHEMA_VERSION}.`,
    )
  }
  db.exec(`BEGIN IMMEDIATE; ${SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`)
}

function prepare(db: DatabaseSync): Omit<Store, 'db' | 'file' | 'close'> {
  return {
    insertEntry: db.prepare('INSERT INTO entries (idx, stream, seq, text, leaf, payload) VALUES (?, ?, ?, ?, ?, ?)'),
    insertStream: db.prepare('INSERT INTO streams (name, id, wrapped_key) VALUES (?, ?, ?)'),
    updateKey: db.prepare('UPDATE streams SET wrapped_key = ? WHERE name = ?'),
    findStream: db.prepare(
      'SELECT s.id, s.wrapped_key, (SELECT max(seq) FROM entries WHERE stream = s.id) AS seq FROM streams s WHERE name = ?',
    ),
    insertTile: db.prepare('INSERT INTO tiles (level, idx, hashes) VALUES (?, ?, ?)'),
    insertClaim: db.prepare('INSERT INTO claims (claim, stream) VALUES (?, ?)'),
    findClaim: db.prepare('SELECT stream FROM claims WHERE claim = ?'),
    putRun: db.prepare(
      'INSERT INTO runs (run, state, workflow, open, head) VALUES (?, ?, ?, ?, ?) ON CONFLICT (run) DO UPDATE SET state = excluded.state, open = excluded.open, head = excluded.head',
    ),
    putHead: db.prepare(
      'INSERT INTO head (id, size, root, epoch, at_ms, checkpoint, last_stream) VALUES (1, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET size = excluded.size, root = excluded.root, epoch = excluded.epoch, at_ms = excluded.at_ms, checkpoint = excluded.checkpoint, last_stream = excluded.last_stream',
    ),
  }
}
