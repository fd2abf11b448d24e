import type { JournalEvent, LedgerReader, MeterEntry } from '@tidegate/kernel'

/** What of the ledger is read to count again. */
export type LedgerTexts = Pick<LedgerReader, 'head' | 'texts'>

/** The entries of the ledger from one index up to another, without their sealed parts. */
export function* openEntries(ledger: LedgerTexts, from: number, to: number): Iterable<MeterEntry> {
  let index = from
  for (const text of ledger.texts(from, to)) {
    yield openEntry(index, text)
    index += 1
  }
}

/** The index of the first entry that is younger than a moment: journal time never goes back, so it is searched by halves. */
export function indexAfter(ledger: LedgerTexts, atMs: number): number {
  let low = 0
  let high = ledger.head().size
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (timeOf(ledger, middle) > atMs) high = middle
    else low = middle + 1
  }
  return low
}

/** The journal time of an entry; 0 when there is none. */
export function timeOf(ledger: LedgerTexts, index: number): number {
  for (const { atMs } of openEntries(ledger, index, index + 1)) return atMs
  return 0
}

/** Written by the journal itself (docs/spec/ledger.md): each member is what its name says. */
function openEntry(index: number, text: string): MeterEntry {
  const leaf = JSON.parse(text) as { at: number; events: readonly JournalEvent[]; seq: number; stream: string }
  return { index, stream: leaf.stream, seq: leaf.seq, atMs: leaf.at, events: leaf.events }
}
