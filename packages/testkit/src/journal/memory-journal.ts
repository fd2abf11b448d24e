import { createHash } from 'node:crypto'
import {
  type AppendResult,
  createFrontier,
  type Draft,
  encodeBase64,
  type Entry,
  type Journal,
  leafHash,
  type LedgerHead,
  type RunHead,
} from '@tidegate/kernel'

/** What a crash leaves behind: everything that was durable, and nothing else. */
export interface Disk {
  readonly entries: Entry[]
  readonly claims: Map<string, string>
  readonly heads: Map<string, RunHead>
  epoch: number
  atMs: number
}

/** What may go wrong with one append. */
export interface AppendFaults {
  /** Asked before each record. `lost`: the append fails and nothing is there; `kept`: it fails, and the record is there. */
  readonly fault: (draft: Draft) => 'none' | 'lost' | 'kept'
}

export function createDisk(): Disk {
  return { entries: [], claims: new Map(), heads: new Map(), epoch: 0, atMs: 0 }
}

const RESTING = new Set(['completed', 'failed', 'stopped', 'undone', 'escalated'])

/**
 * A journal in memory that passes the contract of the port, and fails on demand: as the port says, a failed append is the last one
 * until the disk is opened again. Its ledger head is real, but unsigned.
 */
export function createMemoryJournal(disk: Disk = createDisk(), faults: AppendFaults = { fault: () => 'none' }): Journal {
  const seqs = new Map<string, number>()
  for (const entry of disk.entries) seqs.set(entry.stream, entry.seq)
  let closed = false
  let broken = false

  function place(draft: Draft): AppendResult {
    const claimed = draft.claim === undefined ? undefined : disk.claims.get(draft.claim)
    if (claimed !== undefined) return { kind: 'claimed', stream: claimed }
    const seq = seqs.get(draft.stream) ?? 0
    if (seq !== draft.expectedSeq) return { kind: 'conflict', seq }
    if (draft.fence !== undefined && draft.fence !== disk.epoch) return { kind: 'fenced', epoch: disk.epoch }
    if (draft.raisesEpoch === true) disk.epoch += 1
    disk.atMs = Math.max(disk.atMs, draft.atMs)
    const events = structuredClone(draft.events)
    const entry: Entry = {
      index: disk.entries.length,
      stream: draft.stream,
      seq: seq + 1,
      atMs: disk.atMs,
      epoch: disk.epoch,
      events,
      erased: false,
    }
    disk.entries.push(entry)
    seqs.set(draft.stream, seq + 1)
    if (draft.claim !== undefined) disk.claims.set(draft.claim, draft.stream)
    if (draft.head !== undefined) disk.heads.set(draft.head.run, draft.head)
    return { kind: 'committed', entry }
  }

  const newestFirst = (): RunHead[] => [...disk.heads.values()].reverse()

  return {
    async append(draft) {
      if (closed) throw new Error('The journal is closed.')
      await Promise.resolve() // an append never answers within the same turn
      const fault = broken ? 'lost' : faults.fault(draft)
      broken ||= fault !== 'none' // after a failure nothing is written until the store is opened again
      if (fault === 'lost') throw new StoreFault()
      const result = place(draft)
      if (fault === 'kept') throw new StoreFault()
      return result
    },
    read: async (stream, afterSeq = 0) =>
      structuredClone(disk.entries.filter((entry) => entry.stream === stream && entry.seq > afterSeq)),
    head: () => headOf(disk),
    async runs({ states, workflow, before, limit }) {
      const all = newestFirst().filter(
        (head) => (states === undefined || states.includes(head.state)) && (workflow === undefined || head.workflow === workflow),
      )
      const from = before === undefined ? 0 : all.findIndex((head) => head.run === before) + 1
      return all.slice(from, from + limit)
    },
    openRuns: async () => [...disk.heads.values()].filter((head) => !RESTING.has(head.state)),
    claimed: async (prefix, limit) =>
      [...disk.claims]
        .filter(([claim]) => claim.startsWith(prefix))
        .map(([, stream]) => stream)
        .toSorted()
        .reverse()
        .slice(0, limit),
    async erase(stream) {
      for (const [i, entry] of disk.entries.entries()) {
        if (entry.stream !== stream) continue
        const events = entry.events.map(
          ({ sealed: _, ...open }: { sealed?: unknown; type: string }) => open,
        ) as unknown as Entry['events']
        disk.entries[i] = { ...entry, events, erased: entry.events.some((event) => 'sealed' in event) }
      }
    },
    async close() {
      closed = true
    },
  }
}

/** The store failed. Carries the code of a JournalError, so that the harness treats it as one. */
export class StoreFault extends Error {
  readonly code = 'journal_full'

  constructor() {
    super('The store failed on demand.')
    this.name = 'StoreFault'
  }
}

function headOf(disk: Disk): LedgerHead {
  const hasher = { sha256: (data: string | Uint8Array) => new Uint8Array(createHash('sha256').update(data).digest()) }
  const frontier = createFrontier(hasher)
  for (const entry of disk.entries) frontier.append(leafHash(hasher, JSON.stringify(entry)))
  return { size: disk.entries.length, root: encodeBase64(frontier.root()), epoch: disk.epoch, checkpoint: '' }
}
