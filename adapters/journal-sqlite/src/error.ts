/** Every code that {@link JournalError} carries. */
export const JOURNAL_ERROR_CODES = [
  'journal_closed',
  'journal_corrupt',
  'journal_full',
  'journal_locked',
  'journal_unwritable',
  'journal_version',
  'record_invalid',
  'record_too_large',
] as const

export type JournalErrorCode = (typeof JOURNAL_ERROR_CODES)[number]

/** Thrown when the store itself fails. Nothing of the record that was being appended is there. */
export class JournalError extends Error {
  readonly code: JournalErrorCode

  constructor(code: JournalErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'JournalError'
    this.code = code
  }
}

/** Translates what SQLite throws. Never passes on the text of a statement or a value. */
export function translate(error: unknown, file: string): JournalError {
  if (error instanceof JournalError) return error
  const primary = sqliteCode(error) & 0xff
  if (primary === 13)
    return new JournalError(
      'journal_full',
      `There is no room left for the journal ${file}. Free some space; nothing that was acknowledged is lost.`,
      { cause: error },
    )
  if (primary === 8 || primary === 14 || primary === 10) {
    return new JournalError(
      'journal_unwritable',
      `The journal ${file} cannot be written (read-only, or the disk fails). Make it writable and start again; nothing that was acknowledged is lost.`,
      { cause: error },
    )
  }
  if (primary === 11 || primary === 26)
    return new JournalError('journal_corrupt', `The journal ${file} is damaged. Keep the file, and restore the last good copy.`, {
      cause: error,
    })
  if (primary === 5 || primary === 6)
    return new JournalError('journal_locked', `Another process holds the journal ${file}. Stop that one first.`, { cause: error })
  return new JournalError(
    'journal_unwritable',
    `The journal ${file} failed: ${error instanceof Error ? error.message : 'unknown error'}`,
    { cause: error },
  )
}

/** What is stored of a stream is not what was written: its key or a payload does not open under the key that it should. */
export function unreadable(stream: string, cause: unknown): JournalError {
  return new JournalError(
    'journal_corrupt',
    `What is sealed in ${stream} does not open. Is the payload key the right one? Keep the journal, and restore the last good copy.`,
    { cause },
  )
}

function sqliteCode(error: unknown): number {
  const code = typeof error === 'object' && error !== null && 'errcode' in error ? error.errcode : 0
  return typeof code === 'number' ? code : 0
}
