import {
  createMeterBook,
  encodeHex,
  type Hasher,
  isDumpOf,
  type Journal,
  type Log,
  type Meter,
  type MeterBook,
  type MeterBookParts,
  type MeterDump,
  meterLifeMs,
} from '@tidegate/kernel'
import { indexAfter, type LedgerTexts, openEntries, timeOf } from './read-ledger.ts'

/**
 * Keeps a book between starts, as a text. It only saves time: what is lost is counted again from the ledger.
 *
 * What `load` answers must be what some `save` was given, however old: the store sees to it that nobody else can have written it.
 * Undefined when there is none, or when it cannot be read.
 */
export interface SnapshotStore {
  load(): Promise<string | undefined>
  save(text: string): Promise<void>
}

export interface RebuildParts extends MeterBookParts {
  readonly hasher: Hasher
  readonly journal: Pick<Journal, 'read'>
  readonly ledger: LedgerTexts
  readonly snapshots?: SnapshotStore
  readonly log: Log
}

/** Counts again what the ledger holds: from the newest snapshot, or as far back as any window reaches. */
export async function rebuildBook(parts: RebuildParts): Promise<MeterBook> {
  const { ledger, meters } = parts
  const { size } = ledger.head()
  const dump = await loadDump(parts, size)
  const book = createMeterBook(parts, dump ?? emptyDump(meters, ledger, size))
  for (const entry of openEntries(ledger, book.next, size)) {
    if (book.fold(entry) === 'folded') continue
    const earlier = await parts.journal.read(entry.stream) // of a run that was opened before any window began
    book.adopt(earlier.filter(({ seq }) => seq < entry.seq))
    book.fold(entry)
  }
  return book
}

/** Writes a book down, tied to the ledger that it was counted from. */
export function writeSnapshot(book: MeterBook, parts: Pick<RebuildParts, 'ledger' | 'hasher'>): string {
  const dump = book.dump()
  return JSON.stringify({ anchor: anchorOf(parts, dump.next), dump } satisfies Snapshot)
}

interface Snapshot {
  /** Of the last entry in it: another ledger has another. */
  readonly anchor: string
  readonly dump: MeterDump
}

function anchorOf({ ledger, hasher }: Pick<RebuildParts, 'ledger' | 'hasher'>, next: number): string {
  for (const text of ledger.texts(next - 1, next)) return encodeHex(hasher.sha256(text))
  return ''
}

async function loadDump(parts: RebuildParts, size: number): Promise<MeterDump | undefined> {
  const { snapshots, meters, log } = parts
  const text = await snapshots?.load()
  if (text === undefined) return undefined
  try {
    const { anchor, dump } = JSON.parse(text) as Snapshot // what `save` was given; see SnapshotStore
    if (isDumpOf(dump, meters) && dump.next <= size && anchor === anchorOf(parts, dump.next)) return dump
    log({ level: 'info', message: 'the meters have changed, so they are counted again from the ledger' })
  } catch {
    log({ level: 'warning', message: 'the snapshot of the meters cannot be read, so they are counted again from the ledger' })
  }
  return undefined
}

/** A book that has counted nothing, at the place where the longest window begins. */
function emptyDump(meters: readonly Meter[], ledger: LedgerTexts, size: number): MeterDump | undefined {
  const lifeMs = meterLifeMs(meters)
  if (size === 0 || lifeMs === Number.POSITIVE_INFINITY) return undefined
  const atMs = timeOf(ledger, size - 1)
  return { v: 1, next: lifeMs === 0 ? size : indexAfter(ledger, atMs - lifeMs), atMs: 0, fingerprint: '', cells: [], tracks: [] }
}
