import type { Draft, Journal } from '@tidegate/kernel'
import { expect, test } from 'vitest'
import { createDisk, createMemoryJournal, describeJournalContract, type Disk } from '../src/index.ts'

const disks = new WeakMap<Journal, Disk>()

function openOn(disk: Disk): Journal {
  const journal = createMemoryJournal(disk)
  disks.set(journal, disk)
  return journal
}

describeJournalContract('memory', {
  open: async () => openOn(createDisk()),
  reopen: async (journal) => {
    await journal.close()
    return openOn(disks.get(journal) ?? createDisk())
  },
})

const draft = (expectedSeq: number): Draft => ({
  stream: 'run/a',
  expectedSeq,
  events: [{ type: 'run.resumed' }],
  atMs: 1,
})

test.each([
  ['lost', 0],
  ['kept', 1],
] as const)(
  'a fault of the kind "%s" leaves %i records, and nothing is written until the disk is opened again',
  async (kind, count) => {
    const disk = createDisk()
    const journal = createMemoryJournal(disk, { fault: () => kind })
    await expect(journal.append(draft(0))).rejects.toMatchObject({ code: 'journal_full' })
    await expect(journal.append(draft(count))).rejects.toMatchObject({ code: 'journal_full' })
    expect(disk.entries).toHaveLength(count)
    expect(await createMemoryJournal(disk).append(draft(count))).toMatchObject({ kind: 'committed', entry: { seq: count + 1 } })
  },
)
