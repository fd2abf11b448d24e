import type { LedgerTexts } from '@tidegate/runtime'
import type { Disk } from '@tidegate/testkit'

/** The leaves of the entries on a disk as an adapter writes them, without what is sealed; up to a size, or all. */
export function ledgerOf({ entries, epoch }: Disk, size?: number): LedgerTexts {
  return {
    head: () => ({ size: size ?? entries.length, root: '', epoch, checkpoint: '' }),
    *texts(from, to) {
      for (const entry of entries.slice(from, to)) {
        const events = entry.events.map((event) =>
          Object.fromEntries(Object.entries(event).filter(([name]) => name !== 'sealed')),
        )
        yield JSON.stringify({ at: entry.atMs, epoch: entry.epoch, events, seq: entry.seq, stream: entry.stream, v: 1 })
      }
    },
  }
}
