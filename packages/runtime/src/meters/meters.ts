import type {
  AppendResult,
  Clock,
  Draft,
  Entry,
  Hasher,
  Journal,
  Log,
  Meter,
  MeterBook,
  MeterRequest,
  MeterView,
  Reservation,
} from '@tidegate/kernel'
import { createCalendar } from './calendar.ts'
import { createHashKey } from './hash-key.ts'
import type { LedgerTexts } from './read-ledger.ts'
import { rebuildBook, type SnapshotStore, writeSnapshot } from './rebuild.ts'
import { withoutMeters } from './without-meters.ts'

/** What the meters of one process are made of. */
export interface MetersParts {
  readonly meters: readonly Meter[]
  readonly journal: Journal
  readonly ledger: LedgerTexts
  readonly clock: Clock
  readonly hasher: Hasher
  /** 32 secret bytes, the same for the life of the journal: arguments are counted under a hash with them. */
  readonly salt: Uint8Array
  /** IANA name of the project's time zone. */
  readonly timeZone: string
  readonly snapshots?: SnapshotStore
  readonly log: Log
}

/**
 * Counts what is recorded, and reserves room for what is about to be (docs/spec/limits.md).
 *
 * One process has one, as it has one journal. What is decided between {@link Meters.reserve} and the record of its start holds
 * its room against everybody else; whatever ends without that record releases it.
 */
export interface Meters {
  /** The journal to append to, everywhere: what it commits is counted before whoever appended hears of it. */
  readonly journal: Journal
  /**
   * Tells what policy may know of the meters, as if the action ran, and holds its room until it has started or is released.
   * Synchronous.
   */
  reserve(request: MeterRequest): Reservation
  /** Gives up the room of a run. Does nothing when its start is recorded, or when nobody knows whether it is. */
  release(run: string): void
  /** Tells what every declared meter shows, in the order of their declaration. `nowMs` is the clock. Changes nothing. */
  view(nowMs: number): readonly MeterView[]
  /** Writes down the counts, so that the next start need not count again. Does nothing without a store. */
  save(): Promise<void>
}

/** A snapshot is worth its while after so many entries, and so long after the last one. */
const SNAPSHOT_ENTRIES = 50_000
const SNAPSHOT_PAUSE_MS = 60_000

/**
 * Opens the meters of a project on its journal: counts what the ledger holds, then whatever is appended through {@link
 * Meters.journal}.
 */
export async function openMeters(parts: MetersParts): Promise<Meters> {
  const { meters, journal, clock, hasher, salt, timeZone } = parts
  if (meters.length === 0) return withoutMeters(journal)
  const kernelParts = { meters, calendar: createCalendar(timeZone), hashKey: createHashKey(hasher, salt) }
  const book = await rebuildBook({ ...parts, ...kernelParts })
  const keeper = createKeeper(parts, book)
  return {
    journal: meteredJournal(journal, book, keeper.counted),
    reserve: (request) => book.reserve(request, clock.nowMs()),
    release: book.release,
    view: book.view,
    save: keeper.save,
  }
}

/**
 * A journal whose commits are counted.
 *
 * If we crash between a commit and its count, the count is made again from the ledger. When an append fails, the record may be
 * there all the same: its room stays reserved until the next record of the run shows.
 */
function meteredJournal(journal: Journal, book: MeterBook, counted: () => void): Journal {
  async function append(draft: Draft): Promise<AppendResult> {
    let result: AppendResult
    try {
      result = await journal.append(draft)
    } catch (error) {
      if (draft.events.some(({ type }) => type === 'effect.started')) book.suspend(runOf(draft.stream))
      throw error
    }
    if (result.kind !== 'committed') {
      book.release(runOf(draft.stream))
      return result
    }
    if (book.fold(result.entry) === 'gap') await catchUp(result.entry)
    counted()
    return result
  }

  /** Somebody's record was not counted: its append failed, and it is there. */
  async function catchUp(entry: Entry): Promise<void> {
    const known = book.seqOf(runOf(entry.stream))
    const missing = await journal.read(entry.stream, known)
    if (known === 0) book.adopt(missing.filter(({ seq }) => seq < entry.seq))
    for (const one of missing) book.fold(one)
    book.fold(entry)
  }

  return {
    append,
    read: (stream, afterSeq) => journal.read(stream, afterSeq),
    head: () => journal.head(),
    runs: (query) => journal.runs(query),
    openRuns: () => journal.openRuns(),
    claimed: (prefix, limit) => journal.claimed(prefix, limit),
    erase: (stream) => journal.erase(stream),
    close: () => journal.close(),
  }
}

function runOf(stream: string): string {
  return stream.startsWith('run/') ? stream.slice('run/'.length) : ''
}

/** Writes the book down now and then. */
function createKeeper(parts: MetersParts, book: MeterBook): { counted(): void; save(): Promise<void> } {
  const { snapshots, clock, log } = parts
  let since = 0
  let savedAtMs = clock.monotonicMs()
  let saving: Promise<void> | undefined

  async function saveNow(store: SnapshotStore): Promise<void> {
    since = 0
    savedAtMs = clock.monotonicMs()
    try {
      await store.save(writeSnapshot(book, parts))
    } catch (error) {
      const message = error instanceof Error ? error.message : 'unknown'
      log({ level: 'warning', message: `the meters could not be written down; the next start counts again: ${message}` })
    } finally {
      saving = undefined
    }
  }

  async function save(): Promise<void> {
    await saving
    if (snapshots === undefined || !book.isWhole) return
    saving = saveNow(snapshots)
    await saving
  }

  return {
    save,
    counted() {
      since += 1
      if (since < SNAPSHOT_ENTRIES || saving !== undefined || clock.monotonicMs() - savedAtMs < SNAPSHOT_PAUSE_MS) return
      since = 0
      void save() // reports its own failures
    },
  }
}
