import { type Ground, type Page, page } from './database.ts'

export type Calls = ReturnType<typeof createCalls>

/**
 * The desk's own memory of every mutating call it received, so that a doubled effect can be seen from outside.
 *
 * A call is recorded before its work, in a commit of its own, and gets its status in the transaction of the work. A status of
 * `null` is a call whose work never began or was interrupted by a crash, and then rolled back.
 */
export function createCalls({ db, now }: Ground) {
  const add = db.prepare('INSERT INTO calls (at, method, path, reference) VALUES (?, ?, ?, ?)')
  const settle = db.prepare('UPDATE calls SET status = ? WHERE seq = ?')
  const list = db.prepare(
    'SELECT seq, at, method, path, reference, status FROM calls WHERE ?1 IS NULL OR reference = ?1 ORDER BY seq LIMIT ?2',
  )
  return {
    record: (method: string, path: string, reference: string | null): number =>
      Number(add.run(new Date(now()).toISOString(), method, path, reference).lastInsertRowid),
    settle: (seq: number, status: number): void => void settle.run(status, seq),
    list: (reference: string | null, limit: number): Page => page(list, [reference], limit),
  }
}
