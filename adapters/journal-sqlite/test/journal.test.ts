import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSigningKey, nodeEntropy, nodeHasher, signerOf } from '@tidegate/crypto-node'
import type { Journal } from '@tidegate/kernel'
import { describeJournalContract } from '@tidegate/testkit'
import { afterAll } from 'vitest'
import { openSqliteJournal, openThreadedJournal } from '../src/index.ts'

const root = mkdtempSync(join(tmpdir(), 'tidegate-journal-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const data = { pem: createSigningKey(), masterKey: Buffer.alloc(32, 7).toString('hex') }
const parts = () => ({
  hasher: nodeHasher,
  entropy: nodeEntropy,
  signer: signerOf('journal.test/log', data.pem),
  masterKey: Buffer.from(data.masterKey, 'hex'),
})
const partsModule = new URL('./writer-parts.ts', import.meta.url)

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

contract('SQLite, written in this thread', async (file) => openSqliteJournal({ file, ...parts() }))
contract('SQLite, written in its own thread', (file) => openThreadedJournal({ file, ...parts(), partsModule, partsData: data }))
