import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { DeskProblem } from './problem.ts'

const SCHEMA_VERSION = 1

const SCHEMA = `
CREATE TABLE customers (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, plan TEXT NOT NULL, locale TEXT NOT NULL, currency TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('active', 'closed'))
) STRICT;
CREATE TABLE invoices (
  id TEXT PRIMARY KEY, customer_id TEXT NOT NULL REFERENCES customers (id), number TEXT NOT NULL UNIQUE,
  amount_minor INTEGER NOT NULL CHECK (amount_minor > 0), currency TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('issued', 'paid', 'void')), billing_address TEXT NOT NULL,
  version INTEGER NOT NULL, updated_at TEXT NOT NULL
) STRICT;
CREATE INDEX invoices_of_customer ON invoices (customer_id);
CREATE TABLE tickets (
  id TEXT PRIMARY KEY, customer_id TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL, attachments TEXT NOT NULL,
  severity INTEGER NOT NULL CHECK (severity BETWEEN 1 AND 4),
  state TEXT NOT NULL CHECK (state IN ('open', 'pending', 'answered', 'closed')), event_id TEXT NOT NULL, updated_at TEXT NOT NULL
) STRICT;
CREATE TABLE refunds (
  id TEXT PRIMARY KEY, invoice_id TEXT NOT NULL REFERENCES invoices (id), amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
  reason TEXT NOT NULL, reference TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('active', 'cancelled')),
  created_at TEXT NOT NULL
) STRICT;
CREATE INDEX refunds_of_invoice ON refunds (invoice_id);
CREATE TABLE credits (
  id TEXT PRIMARY KEY, customer_id TEXT NOT NULL REFERENCES customers (id), amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
  reason TEXT NOT NULL, reference TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('active', 'revoked'))
) STRICT;
CREATE TABLE outbox (
  id TEXT PRIMARY KEY, ticket_id TEXT NOT NULL REFERENCES tickets (id), recipient TEXT NOT NULL, subject TEXT NOT NULL,
  body TEXT NOT NULL, reference TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'recalled')),
  queued_at TEXT NOT NULL
) STRICT;
CREATE TABLE outbox_keys (key TEXT PRIMARY KEY, digest TEXT NOT NULL, answer TEXT NOT NULL) STRICT;
CREATE TABLE exports (id TEXT PRIMARY KEY, customer_id TEXT NOT NULL, reference TEXT NOT NULL) STRICT;
CREATE TABLE calls (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, reference TEXT, status INTEGER
) STRICT;
PRAGMA user_version = ${SCHEMA_VERSION};
`

export type Row = Record<string, SQLOutputValue>

/** What one table needs from the rest of the desk. */
export interface Ground {
  readonly db: DatabaseSync
  /** The time now in milliseconds since 1970. */
  readonly now: () => number
}

/** A list that says whether it is all there is. */
export interface Page {
  readonly items: readonly Row[]
  readonly complete: boolean
}

/** Opens the file and creates the tables of an empty one. A commit is on disk when it returns (WAL, synchronous FULL). */
export function openDatabase(file: string): DatabaseSync {
  const db = new DatabaseSync(file)
  db.exec('PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
  const version = db.prepare('PRAGMA user_version').get()?.user_version
  if (version === 0) atomically(db, () => db.exec(SCHEMA))
  else if (version !== SCHEMA_VERSION)
    throw new DeskProblem('options_invalid', `The database has schema ${version}, not ${SCHEMA_VERSION}.`)
  return db
}

/** Runs the work in one transaction: all of it is kept, or, when it throws, nothing. */
export function atomically<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    db.exec('COMMIT')
    return result
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

/** Reads at most `limit` rows. The statement's last parameter is its LIMIT; one row more is asked for, to know what is missing. */
export function page(statement: StatementSync, filters: readonly SQLInputValue[], limit: number): Page {
  const rows = statement.all(...filters, limit + 1)
  return { items: rows.slice(0, limit), complete: rows.length <= limit }
}

/** The only row of a statement that always has one (`INSERT ... RETURNING`, `UPDATE` of a row just read, an aggregate). */
export function only(row: Row | undefined): Row {
  if (row === undefined) throw new DeskProblem('internal_error', 'A row that was just written is gone.')
  return row
}

/** A column the schema declares `INTEGER NOT NULL`. */
export function integerOf(row: Row, column: string): number {
  return Number(row[column])
}

/**
 * SQL for the next id of a table whose rows are never deleted: `rf-1`, `rf-2`, ... Deterministic, so that two equal histories
 * have equal ids.
 */
export function nextId(table: string, prefix: string, offset = 0): string {
  return `(SELECT '${prefix}-' || (coalesce(max(rowid), 0) + ${offset + 1}) FROM ${table})`
}
