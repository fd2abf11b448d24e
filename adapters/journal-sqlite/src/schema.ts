/** The version of the tables below; a journal of another version is refused, never guessed at. */
export const SCHEMA_VERSION = 1

/**
 * The tables of a journal.
 *
 * `entries` holds the canonical text that was hashed (the leaf), its hash, and beside it the encrypted payload that retention may
 * erase. Runs and streams are kept in the order of their ids, which is that of time: what is written together lies together, and a
 * commit touches few pages. `head` has one row, replaced in every commit. `runs`, and nothing else, is derived and could be rebuilt.
 */
export const SCHEMA = `
CREATE TABLE streams (name TEXT PRIMARY KEY, id INTEGER NOT NULL, wrapped_key BLOB) STRICT, WITHOUT ROWID;
CREATE TABLE entries (idx INTEGER PRIMARY KEY, stream INTEGER NOT NULL, seq INTEGER NOT NULL, text TEXT NOT NULL, leaf BLOB NOT NULL, payload BLOB) STRICT;
CREATE UNIQUE INDEX entries_by_stream ON entries (stream, seq);
CREATE TABLE tiles (level INTEGER NOT NULL, idx INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (level, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE claims (claim TEXT PRIMARY KEY, stream TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE runs (run TEXT PRIMARY KEY, state TEXT NOT NULL, workflow TEXT NOT NULL, open INTEGER NOT NULL, head TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX runs_open ON runs (run) WHERE open = 1;
CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, root TEXT NOT NULL, epoch INTEGER NOT NULL, at_ms INTEGER NOT NULL, checkpoint TEXT NOT NULL, last_stream INTEGER NOT NULL) STRICT;
`

/** Holds for the head of a run with something that waits for a person; word for word the condition of the index below. */
export const HAS_ITEMS = "json_extract(head, '$.openItems') > 0"

/** Indexes that came after the first journals of this version; made when they are missing. */
export const INDEXES = `CREATE INDEX IF NOT EXISTS runs_items ON runs (run) WHERE ${HAS_ITEMS};`

/** States in which a run is at rest: nothing has to wake it after a restart. */
export const RESTING: readonly string[] = ['completed', 'failed', 'stopped', 'undone', 'escalated']
