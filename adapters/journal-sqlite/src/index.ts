export { JOURNAL_ERROR_CODES, JournalError, type JournalErrorCode } from './error.ts'
export { openSqliteJournal, type SqliteJournal, type SqliteJournalOptions } from './journal.ts'
