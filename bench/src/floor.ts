import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parseLoad } from './child-arguments.ts'
import { effect, intentEntry, resultEntry } from './entry.ts'
import { drive } from './load.ts'
import type { Measurement } from './report-line.ts'

/**
 * The floor below every engine on `node:sqlite`: two raw inserts per action, WAL, synchronous FULL, one commit for all entries
 * that are waiting when the event loop comes round. No hashing, no policy, no fold. What ours costs above this is ours.
 */
interface GroupCommit {
  /** Resolves when the entry is on the disk. */
  append(entry: string): Promise<void>
  close(): void
}

/** Opens an empty group-committing log in `directory`. */
function openGroupCommit(directory: string): GroupCommit {
  const database = new DatabaseSync(join(directory, 'floor.db'))
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE entry (id INTEGER PRIMARY KEY, body TEXT NOT NULL)',
  )
  const insert = database.prepare('INSERT INTO entry (body) VALUES (?)')
  let waiting: { entry: string; resolve: () => void; reject: (cause: unknown) => void }[] = []
  const commit = (): void => {
    const batch = waiting
    waiting = []
    try {
      database.exec('BEGIN IMMEDIATE')
      for (const { entry } of batch) insert.run(entry)
      database.exec('COMMIT')
    } catch (cause) {
      if (database.isTransaction) database.exec('ROLLBACK')
      for (const { reject } of batch) reject(cause)
      return
    }
    for (const { resolve } of batch) resolve()
  }
  return {
    append: (entry) =>
      new Promise((resolve, reject) => {
        if (waiting.push({ entry, resolve, reject }) === 1) setImmediate(commit)
      }),
    close: () => database.close(),
  }
}

async function measureFloor(): Promise<Measurement> {
  const load = parseLoad(process.argv.slice(2))
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-floor-'))
  const log = openGroupCommit(directory)
  try {
    const window = await drive(load, async (runId, actions, finished) => {
      for (let action = 0; action < actions; action += 1) {
        const startedMs = performance.now()
        await log.append(intentEntry(runId, action))
        await effect()
        await log.append(resultEntry(runId, action))
        finished(performance.now() - startedMs)
      }
    })
    const version = `node ${process.versions.node}, SQLite ${process.versions.sqlite ?? 'unknown'}`
    const notes = 'raw inserts, WAL, synchronous=FULL, group commit on setImmediate'
    return { name: 'floor', version, inFlight: load.inFlight, ...window, durable: 'fsync', notes }
  } finally {
    log.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

console.log(JSON.stringify(await measureFloor()))
