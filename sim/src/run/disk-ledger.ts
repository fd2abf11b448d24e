import type { Entry } from '@tidegate/kernel'
import type { LedgerTexts } from '@tidegate/runtime'
import type { Disk } from '@tidegate/testkit'

/** Entries never change, and every life reads them again. */
const texts = new WeakMap<Entry, string>()

/** The leaves of the entries on a disk as an adapter writes them, without what is sealed; up to a size, or all. */
export function ledgerOf({ entries, epoch }: Disk, size?: number): LedgerTexts {
  return {
    head: () => ({ size: size ?? entries.length, root: '', epoch, checkpoint: '' }),
    *texts(from, to) {
      for (let index = from; index < to; index++) {
        const entry = entries[index]
        if (entry !== undefined) yield textOf(entry)
      }
    },
  }
}

function textOf(entry: Entry): string {
  const known = texts.get(entry)
  if (known !== undefined) return known
  const { atMs: at, epoch, seq, stream } = entry
  const events = entry.events.map((event) => ({ ...event, sealed: undefined }))
  const text = JSON.stringify({ at, epoch, events, seq, stream, v: 1 })
  texts.set(entry, text)
  return text
}
