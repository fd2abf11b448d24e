import type { Entry } from '@tidegate/kernel'
import type { Disk } from '@tidegate/testkit'
import type { LedgerTexts } from '../../src/meters/index.ts'

/** The leaves of a journal in memory as an adapter writes them, without what is sealed; up to a size, or all. */
export function ledgerOf(disk: Disk, size?: number): LedgerTexts {
  return {
    head: () => ({ size: size ?? disk.entries.length, root: '', epoch: disk.epoch, checkpoint: '' }),
    *texts(from, to) {
      for (const entry of disk.entries.slice(from, to)) yield leafOf(entry)
    },
  }
}

function leafOf({ atMs, epoch, events, seq, stream }: Entry): string {
  const open = events.map((event) => Object.fromEntries(Object.entries(event).filter(([name]) => name !== 'sealed')))
  return JSON.stringify({ at: atMs, epoch, events: open, seq, stream, v: 1 })
}
