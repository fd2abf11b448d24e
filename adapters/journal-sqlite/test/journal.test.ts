import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSigningKey } from '@tidegate/crypto-node'
import { createWriterParts } from '@tidegate/crypto-node/writer-parts'
import type { Journal } from '@tidegate/kernel'
import { describeJournalContract } from '@tidegate/testkit'
import { afterAll } from 'vitest'
import { openSqliteJournal, openThreadedJournal } from '../src/index.ts'

const root = mkdtempSync(join(tmpdir(), 'tidegate-journal-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const keys = { origin: 'journal.test/log', pem: createSigningKey(), masterKey: new Uint8Array(32).fill(7) }
const partsModule = new URL('../../crypto-node/src/writer-parts.ts', import.meta.url)

let count = 0
const files = new WeakMap<Journal, string>()

function contract(name: string, open: (file: string) => Promise<Journal>): void {
  const remember = async (file: string): Promise<Journal> => {
    const journal = await open(file)
    files.set(journal, file)
    return journal
  }
  describeJournalContract(name, {
    open: () => remember(join(root, `journal-${count++}.db`)),
    async reopen(journal) {
      await journal.close()
      return remember(files.get(journal) ?? '')
    },
  })
}

contract('SQLite, written in this thread', async (file) => openSqliteJournal({ file, ...createWriterParts(keys) }))
contract('SQLite, written in its own thread', (file) =>
  openThreadedJournal({ file, ...createWriterParts(keys), partsModule, partsData: keys }),
)
