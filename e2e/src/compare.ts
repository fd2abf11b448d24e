import { DatabaseSync } from 'node:sqlite'
import type { WireQueueItem, WireRunDetail } from '@tidegate/protocol'

/** What the desk's own database says against what the ledger says, effect by effect. */
export interface Comparison {
  /** Effects that the ledger says happened. */
  readonly effects: number
  /** The ledger says it happened, and the desk does not have it. */
  readonly lost: readonly string[]
  /** The desk has it more than once. */
  readonly doubled: readonly string[]
  /** The desk has it, and the ledger says that it did not happen, or knows nothing of it. */
  readonly unrecorded: readonly string[]
  /** The ledger says it was taken back and it stands, or the other way round. */
  readonly misstated: readonly string[]
  /** Nobody knows, and nobody was told. */
  readonly ambiguousOpen: readonly string[]
  /** Nobody can know, and it waits for a person. */
  readonly queued: number
}

/** Holds the runs of a ledger against the file of the desk, read without the desk's help. */
export function compareWithDesk(deskFile: string, runs: readonly WireRunDetail[], queue: readonly WireQueueItem[]): Comparison {
  const counts = countEffects(deskFile)
  const asked = new Set(
    queue.filter(({ kind }) => kind === 'ambiguous' || kind === 'doubled').map(({ run, action }) => `${run}.${action}`),
  )
  const lost: string[] = []
  const doubled: string[] = []
  const unrecorded: string[] = []
  const ambiguousOpen: string[] = []
  const known = new Set<string>()
  let effects = 0
  let queued = 0
  for (const { run, actions } of runs) {
    for (const { n, effect, state, operation } of actions) {
      const id = `${run}.${n}`
      const count = counts.get(id) ?? 0
      known.add(id)
      const name = `${id} ${operation} ${state}`
      if (count > 1) doubled.push(`${name} x${count}`)
      if (!effect) {
        if (count > 0) unrecorded.push(name)
      } else if (state === 'done' || state === 'undone') {
        effects += 1
        if (count === 0) lost.push(name)
      } else if (asked.has(id)) queued += 1
      else if (state === 'started' || state === 'ambiguous') ambiguousOpen.push(name)
      else if (count > 0) unrecorded.push(name)
    }
  }
  for (const id of counts.keys()) if (!known.has(id)) unrecorded.push(`${id}, of which the ledger knows nothing`)
  return { effects, lost, doubled, unrecorded, misstated: misstatedIn(deskFile, runs), ambiguousOpen, queued }
}

/** What has a state of its own in the desk: it stands, unless the ledger says that it was taken back. */
function misstatedIn(file: string, runs: readonly WireRunDetail[]): readonly string[] {
  const standing = standingIn(file)
  const touchedAgain = new Set(runs.map(({ undoes }) => undoes))
  return runs
    .filter(({ run, failure }) => failure !== 'rollback_failure' && !touchedAgain.has(run))
    .flatMap(({ run, actions }) => actions.map(({ n, operation, state }) => ({ id: `${run}.${n}`, operation, state })))
    .filter(({ id, state }) => {
      const stands = standing.get(id)
      return (state === 'done' && stands === false) || (state === 'undone' && stands === true)
    })
    .map(({ id, operation, state }) => `${id} ${operation} ${state}`)
}

function standingIn(file: string): ReadonlyMap<string, boolean> {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    const rows = ['refunds', 'credits', 'outbox'].map((table) => `SELECT reference, state FROM ${table}`)
    const all = db.prepare(rows.join(' UNION ALL ')).all()
    return new Map(
      all.map(({ reference, state }) => [String(reference), !['cancelled', 'revoked', 'recalled'].includes(String(state))]),
    )
  } finally {
    db.close()
  }
}

/**
 * How often each effect is in the desk, by the reference that it came with. What leaves a row is counted by its rows; what only
 * changes one, by the calls that the desk says succeeded.
 */
function countEffects(file: string): ReadonlyMap<string, number> {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    const rows = ['refunds', 'credits', 'outbox', 'exports'].map((table) => `SELECT reference FROM ${table}`)
    const creating = "path NOT IN ('/refunds', '/credits', '/outbox', '/exports')"
    const calls = `SELECT reference FROM calls WHERE reference IS NOT NULL AND status BETWEEN 200 AND 299 AND ${creating}`
    const counted = db
      .prepare(`SELECT reference, count(*) AS n FROM (${[...rows, calls].join(' UNION ALL ')}) GROUP BY reference`)
      .all()
    return new Map(counted.map(({ reference, n }) => [String(reference), Number(n)]))
  } finally {
    db.close()
  }
}
