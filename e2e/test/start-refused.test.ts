import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Client } from '@tidegate/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refusalOf } from '../src/refusal.ts'
import { setStage, type Stage } from '../src/stage.ts'
import { customerOf, stockTickets } from '../src/stock.ts'
import { ticketOf } from '../src/ticket.ts'

let stage: Stage
let good = ''

/** What the store holds, by name and content. */
function contents(directory: string): ReadonlyMap<string, string> {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(directory, name)).isFile(),
  )
  return new Map(files.toSorted().map((name) => [name, readFileSync(join(directory, name), 'latin1')]))
}

/** The store as the first server left it. */
function restore(): void {
  rmSync(stage.store, { recursive: true, force: true })
  cpSync(good, stage.store, { recursive: true, mode: 0 })
}

async function trigger(client: Client, n: number): Promise<string> {
  const [ticketId = ''] = stockTickets(stage.deskFile, [ticketOf('smallRefund', customerOf(n))])
  return (await client.trigger({ workflow: 'support-billing', source: 'desk', event: `e-${ticketId}`, input: { ticketId } })).run
}

beforeAll(async () => {
  stage = await setStage({ customers: 40 })
  const server = await stage.start()
  const operator = stage.client('operator')
  const runs = await Promise.all([2, 6, 10].map((n) => trigger(operator, n)))
  for (const run of runs) expect(await operator.settled(run, 10_000)).toMatchObject({ state: 'completed' })
  expect(await server.stop()).toMatchObject({ code: 0 })
  good = join(stage.directory, 'good')
  cpSync(stage.store, good, { recursive: true, mode: 0 })
})
afterAll(() => stage.close())

describe('a server refuses to start, says why, and destroys nothing', () => {
  const damaged: readonly { readonly what: string; readonly damage: (file: string) => void; readonly says: RegExp }[] = [
    {
      what: 'a journal that is no database',
      damage: (file) => writeFileSync(file, 'something else'.repeat(1_000)),
      says: /journal_corrupt: .*is damaged\. Keep the file, and restore the last good copy/,
    },
    {
      what: 'a journal whose pages were overwritten',
      damage: scribble,
      says: /journal_corrupt: .*Keep the file, and restore the last good copy/,
    },
    {
      what: 'a journal whose head was altered',
      damage: (file) => change(file, "UPDATE head SET root = 'AAAA'"),
      says: /journal_corrupt: .*does not hash to its own checkpoint/,
    },
    {
      what: 'a journal that lacks its last entry',
      damage: (file) => change(file, 'DELETE FROM entries WHERE idx = (SELECT max(idx) FROM entries)'),
      says: /journal_corrupt: /,
    },
    {
      what: 'a journal of another version',
      damage: (file) => change(file, 'PRAGMA user_version = 99'),
      says: /journal_version: .*is of version 99; this Tidegate reads version 1/,
    },
    {
      what: 'a journal that is gone',
      damage: (file) => rmSync(file),
      says: /state_unusable: The journal .* is gone, .*Restore the last good copy/,
    },
    {
      what: 'a journal that is empty',
      damage: (file) => writeFileSync(file, ''),
      says: /state_unusable: The journal .* is gone/,
    },
    {
      what: 'a key that is gone',
      damage: (file) => rmSync(join(file, '..', 'keys', 'payload.key')),
      says: /state_unusable: .*but not its keys\/payload\.key\. Restore what is missing/,
    },
    {
      what: 'a key that is none',
      damage: (file) => writeFileSync(join(file, '..', 'keys', 'ledger.key'), 'no key', { mode: 0o600 }),
      says: /state_unusable: .*ledger\.key is not an Ed25519 key/,
    },
  ]

  function scribble(file: string): void {
    const bytes = readFileSync(file)
    writeFileSync(file, bytes.fill(0xa5, 4_096, bytes.length - 4_096))
  }

  function change(file: string, sql: string): void {
    const db = new DatabaseSync(file)
    db.exec(`${sql}; PRAGMA wal_checkpoint(TRUNCATE)`)
    db.close()
  }

  test.each(damaged)('$what', async ({ damage, says }) => {
    restore()
    damage(join(stage.store, 'journal.db'))
    const before = contents(stage.store)
    const { code, stderr } = await refusalOf(stage)
    expect([code, stderr.trim()]).toEqual([1, expect.stringMatching(says)])
    const after = contents(stage.store)
    for (const [name, text] of before) if (!/-(?:wal|shm)$/.test(name)) expect(after.get(name) === text, name).toBe(true)
  })

  test('a journal that another server holds, which goes on', async () => {
    restore()
    const first = await stage.start()
    const { code, stderr } = await refusalOf(stage)
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/journal_locked: Another process holds the journal .*Stop that one first/),
    ])
    expect(await stage.client('operator').ledgerVerify()).toMatchObject({ verified: true })
    await first.stop()
  })

  test('a store that cannot be made', async () => {
    rmSync(stage.store, { recursive: true, force: true })
    writeFileSync(stage.store, 'a file')
    const { code, stderr } = await refusalOf(stage)
    expect([code, stderr]).toEqual([1, expect.stringMatching(/state_unusable: /)])
    expect(readFileSync(stage.store, 'utf8')).toBe('a file')
  })
})
