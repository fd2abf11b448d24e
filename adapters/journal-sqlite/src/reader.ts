import { DatabaseSync } from 'node:sqlite'
import type { KeyObject } from 'node:crypto'
import type { Entry, RunHead, RunQuery } from '@tidegate/kernel'
import { decodeEntry } from './entry-text.ts'
import { JournalError, translate, unreadable } from './error.ts'
import { decrypt, secretKey } from './payload-cipher.ts'
import { HAS_ITEMS, RESTING } from './schema.ts'

/** Sorts behind whatever may follow a prefix: texts are compared byte by byte. */
const LAST_CHARACTER = '\u{10ffff}'

/** Reads a journal on a connection of its own; sees every commit that was answered. */
export interface Reader {
  readonly db: DatabaseSync
  read(stream: string, afterSeq: number): readonly Entry[]
  /** The key of a stream as it is stored: null when it was erased or never made, undefined for a stream that is not there. */
  findWrappedKey(stream: string): Uint8Array | null | undefined
  runs(query: RunQuery): readonly RunHead[]
  openRuns(): readonly RunHead[]
  claimed(prefix: string, limit: number): readonly string[]
  close(): void
}

/** Opens a reader on a journal that a writer has open. @throws JournalError. */
export function openReader(file: string, masterKey: Uint8Array): Reader {
  const master = secretKey(masterKey)
  const db = open(file)
  const findStream = db.prepare('SELECT id, wrapped_key FROM streams WHERE name = ?')
  const findClaims = db.prepare('SELECT stream FROM claims WHERE claim >= ? AND claim < ? ORDER BY stream DESC LIMIT ?')
  const readStream = db.prepare('SELECT idx, text, payload FROM entries WHERE stream = ? AND seq > ? ORDER BY seq')

  /** What does not open or cannot be read is not what was written. */
  const opening = <T>(name: string, open: () => T): T => {
    try {
      return open()
    } catch (cause) {
      throw unreadable(name, cause)
    }
  }

  function read(name: string, afterSeq: number): readonly Entry[] {
    const stream = findStream.get(name)
    if (stream === undefined) return []
    const wrapped = stream.wrapped_key as Uint8Array | null // a BLOB column of a STRICT table
    let key: KeyObject | undefined
    return readStream.all(Number(stream.id), afterSeq).map((row) => {
      const payload = row.payload as Uint8Array | null // a BLOB column of a STRICT table
      return opening(name, () => {
        if (payload === null || wrapped === null) return decodeEntry(Number(row.idx), String(row.text), undefined)
        key ??= secretKey(decrypt(master, wrapped))
        return decodeEntry(Number(row.idx), String(row.text), new TextDecoder().decode(decrypt(key, payload)))
      })
    })
  }

  function runs({ states, workflow, openItems, before, limit }: RunQuery): readonly RunHead[] {
    const conditions = ['1 = 1']
    const values: (string | number)[] = []
    if (states !== undefined) {
      conditions.push(`state IN (${states.map(() => '?').join(', ')})`)
      values.push(...states)
      if (!states.some((state) => RESTING.includes(state))) conditions.push('open = 1') // few among many: there is an index
    }
    if (workflow !== undefined) {
      conditions.push('workflow = ?')
      values.push(workflow)
    }
    if (openItems === true) conditions.push(HAS_ITEMS)
    if (before !== undefined) {
      conditions.push('run < ?')
      values.push(before)
    }
    const where = conditions.join(' AND ') // only the fixed texts above; values are bound
    return heads(db.prepare(`SELECT head FROM runs WHERE ${where} ORDER BY run DESC LIMIT ?`).all(...values, limit))
  }

  /** Whatever the store throws becomes an error of the journal: a run that cannot be read is paused, and not ended. */
  const reading = <T>(look: () => T): T => {
    try {
      return look()
    } catch (error) {
      throw db.isOpen ? translate(error, file) : new JournalError('journal_closed', 'The journal is closed.', { cause: error })
    }
  }

  return {
    db,
    findWrappedKey: (name) =>
      reading(() => {
        const row = findStream.get(name)
        return row === undefined ? undefined : (row.wrapped_key as Uint8Array | null) // a BLOB column of a STRICT table
      }),
    read: (name, afterSeq) => reading(() => read(name, afterSeq)),
    runs: (query) => reading(() => runs(query)),
    openRuns: () => reading(() => heads(db.prepare('SELECT head FROM runs WHERE open = 1 ORDER BY run').all())),
    claimed: (prefix, limit) =>
      reading(() => findClaims.all(prefix, `${prefix}${LAST_CHARACTER}`, limit).map(({ stream }) => String(stream))),
    close: () => db.close(),
  }
}

function open(file: string): DatabaseSync {
  try {
    const db = new DatabaseSync(file, { readOnly: true })
    db.exec('PRAGMA busy_timeout = 5000; PRAGMA cache_size = -16000')
    return db
  } catch (error) {
    throw translate(error, file)
  }
}

function heads(rows: readonly { [column: string]: unknown }[]): readonly RunHead[] {
  return rows.map((row) => JSON.parse(String(row.head)) as RunHead) // written by this adapter from a RunHead
}
