export { deriveSecret } from './derive-secret.ts'
export { JOURNAL_ERROR_CODES, JournalError, type JournalErrorCode } from './error.ts'
export {
  openSqliteJournal,
  openThreadedJournal,
  type SqliteJournal,
  type SqliteJournalOptions,
  type ThreadedJournalOptions,
} from './journal.ts'
export { openSnapshotFile, type SnapshotFile } from './snapshot-file.ts'
export type { WriterParts } from './writer.ts'
