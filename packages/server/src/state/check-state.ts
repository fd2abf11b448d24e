import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ServerError } from '../error.ts'

/** The private keys that a journal cannot go on without. */
const KEYS = ['ledger.key', 'payload.key']

/**
 * Refuses a state directory of which half is gone: to make the other half anew would begin another ledger under the old name, or
 * leave runs that nobody can read. Tokens are made after the journal, so that a first start that crashed is not mistaken for a loss.
 *
 * @throws ServerError `state_unusable`.
 */
export function checkState(directory: string): void {
  const journal = join(directory, 'journal.db')
  const tokens = join(directory, 'tokens')
  if (isFilled(journal)) {
    const gone = KEYS.filter((key) => !existsSync(join(directory, 'keys', key)))
    if (gone.length === 0) return
    throw new ServerError(
      'state_unusable',
      `The journal ${journal} is there, but not its keys/${gone.join(' and keys/')}. Restore what is missing; without it the journal cannot go on.`,
    )
  }
  if (!existsSync(tokens) || readdirSync(tokens).length === 0) return
  throw new ServerError(
    'state_unusable',
    `The journal ${journal} is gone, but ${tokens} was made after it. Restore the last good copy; to begin a new ledger, move ${directory} away.`,
  )
}

function isFilled(file: string): boolean {
  return existsSync(file) && statSync(file).size > 0
}
