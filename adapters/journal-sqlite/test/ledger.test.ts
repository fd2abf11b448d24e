import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createSigningKey, nodeEntropy, nodeHasher, nodeVerifier, signerOf } from '@tidegate/crypto-node'
import {
  type Draft,
  encodeReceipt,
  exportFiles,
  inclusionProof,
  parseReceipt,
  parseVerifierKey,
  verifyReceipt,
} from '@tidegate/kernel'
import { verifyExport } from '@tidegate/verify'
import { afterAll, describe, expect, test } from 'vitest'
import { openSqliteJournal, type SqliteJournal } from '../src/index.ts'

const root = mkdtempSync(join(tmpdir(), 'tidegate-ledger-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const parts = {
  hasher: nodeHasher,
  entropy: nodeEntropy,
  signer: signerOf('journal.test/log', createSigningKey()),
  masterKey: new Uint8Array(32).fill(7),
}
const SECRET = 'the customer lives at 4 Quay Street'
let count = 0

function note(stream: string, expectedSeq: number): Draft {
  return {
    stream,
    expectedSeq,
    atMs: 1,
    events: [{ type: 'plan.noted', node: 'n', sealed: { value: SECRET, origins: ['user'] } }],
  }
}

/** A journal of so many records in three streams. */
async function filled(records: number): Promise<{ journal: SqliteJournal; file: string }> {
  const file = join(root, `ledger-${count++}.db`)
  const journal = openSqliteJournal({ file, ...parts })
  await Promise.all(Array.from({ length: records }, (_, i) => journal.append(note(`run/r${i % 3}`, Math.floor(i / 3)))))
  return { journal, file }
}

function exportTo(journal: SqliteJournal, directory: string): void {
  const { ledger } = journal
  const { size, checkpoint } = ledger.head()
  const runs = function* () {
    for (const { stream, payloads } of ledger.payloads(size)) yield { runId: stream.slice('run/'.length), payloads }
  }
  for (const { path, bytes } of exportFiles(nodeHasher, {
    entries: ledger.texts(0, size),
    runs: runs(),
    checkpoint,
    verifierKey: ledger.verifierKey,
  })) {
    mkdirSync(join(directory, dirname(path)), { recursive: true })
    writeFileSync(join(directory, path), bytes)
  }
}

describe('the journal as a ledger', () => {
  test('an export verifies offline, with its payloads, across many tiles', async () => {
    const { journal } = await filled(1_000)
    const directory = join(root, 'export-whole')
    exportTo(journal, directory)
    expect(verifyExport(directory)).toMatchObject({ kind: 'verified' })
    await journal.close()
  })

  test('every record has a receipt that verifies under the newest checkpoint', async () => {
    const { journal } = await filled(600)
    const { size, checkpoint } = journal.head()
    const trust = { logKeys: [parseVerifierKey(nodeHasher, journal.ledger.verifierKey)] }
    for (const index of [0, 1, 255, 256, 511, 512, 599]) {
      const [entry = ''] = journal.ledger.texts(index, index + 1)
      const receipt = encodeReceipt({
        entry,
        index,
        proof: inclusionProof(nodeHasher, index, size, journal.ledger.tile),
        checkpoint,
      })
      expect(verifyReceipt({ hasher: nodeHasher, verifier: nodeVerifier }, parseReceipt(receipt), trust).kind).toBe('verified')
      const forged = { ...parseReceipt(receipt), entry: entry.replace('plan', 'plum') }
      expect(verifyReceipt({ hasher: nodeHasher, verifier: nodeVerifier }, forged, trust).kind).toBe('refused')
    }
    await journal.close()
  })

  test('I8: sealed parts stand in no file in the clear', async () => {
    const { journal, file } = await filled(30)
    await journal.close()
    expect(readFileSync(file).includes(SECRET)).toBe(false)
  })

  test('erased content leaves every proof whole, and cannot be read with any key', async () => {
    const { journal } = await filled(300)
    await journal.erase('run/r1')
    const directory = join(root, 'export-erased')
    exportTo(journal, directory)
    expect(verifyExport(directory)).toMatchObject({ kind: 'verified' })
    expect((await journal.read('run/r1')).every((entry) => entry.erased)).toBe(true)
    expect((await journal.read('run/r2')).every((entry) => !entry.erased)).toBe(true)
    await journal.append(note('run/r1', 100))
    expect((await journal.read('run/r1', 100))[0]?.erased).toBe(false)
    await journal.close()
  })

  test.each([
    ['a leaf that was altered', 'UPDATE entries SET leaf = zeroblob(32) WHERE idx = 298'],
    ['a tile that was altered', 'UPDATE tiles SET hashes = zeroblob(8192)'],
    ['a record that was removed at the end', 'DELETE FROM entries WHERE idx = 299'],
    ['a head that was altered', "UPDATE head SET root = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='"],
  ])('%s is found when the journal is opened', async (_, sql) => {
    const { journal, file } = await filled(300)
    await journal.close()
    const db = new DatabaseSync(file)
    db.exec(sql)
    db.close()
    expect(() => openSqliteJournal({ file, ...parts })).toThrow(expect.objectContaining({ code: 'journal_corrupt' }))
  })

  test('a second process is kept out, and another version is not guessed at', async () => {
    const { journal, file } = await filled(3)
    expect(() => openSqliteJournal({ file, ...parts })).toThrow(expect.objectContaining({ code: 'journal_locked' }))
    await journal.close()
    const db = new DatabaseSync(file)
    db.exec('PRAGMA user_version = 99')
    db.close()
    expect(() => openSqliteJournal({ file, ...parts })).toThrow(expect.objectContaining({ code: 'journal_version' }))
  })

  test('a record that is too large, or is not JSON, is refused alone', async () => {
    const { journal } = await filled(3)
    const large: Draft = {
      stream: 'run/big',
      expectedSeq: 0,
      atMs: 1,
      events: [{ type: 'plan.noted', node: 'n'.repeat(70_000), sealed: { value: null, origins: [] } }],
    }
    const odd = {
      stream: 'run/odd',
      expectedSeq: 0,
      atMs: 1,
      events: [{ type: 'plan.noted', node: undefined }],
    } as unknown as Draft
    const results = await Promise.allSettled([journal.append(large), journal.append(odd), journal.append(note('run/r0', 1))])
    expect(results.map((result) => (result.status === 'rejected' ? result.reason.code : result.value.kind))).toEqual([
      'record_too_large',
      'record_invalid',
      'committed',
    ])
    await journal.close()
  })
})
