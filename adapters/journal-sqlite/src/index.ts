export { JOURNAL_ERROR_CODES, JournalError, type JournalErrorCode } from './error.ts'
export {
  openSqliteJournal,
  openThreadedJournal,
  type SqliteJournal,
  type SqliteJournalOptions,
  type ThreadedJournalOptions,
} from './journal.ts'
export type { WriterParts } from './writer.ts'
