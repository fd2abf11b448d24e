import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunHead } from '@tidegate/kernel'
import { afterAll, expect, test } from 'vitest'
import { openSqliteJournal } from '../src/index.ts'
import { HAS_ITEMS } from '../src/schema.ts'
import { note, openGatedJournal, PARTS } from './gated-journal.ts'

const root = mkdtempSync(join(tmpdir(), 'tidegate-lists-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

function headOf(run: string, state: RunHead['state'], openItems: number): RunHead {
  const none = { failure: null, summary: '', wakeAtMs: null, effects: 0, openApprovals: [], undoes: null }
  return { run, workflow: 'w', agent: 'a', state, openedAtMs: 1, updatedAtMs: 1, openItems, ...none }
}

test('what waits for people is found among many runs, newest first, page by page', async () => {
  const journal = openSqliteJournal({ file: join(root, 'lists.db'), ...PARTS })
  await Promise.all(
    Array.from({ length: 200 }, (_, i) => {
      const run = String(i).padStart(4, '0')
      const state = i % 50 === 7 ? 'waiting' : 'failed'
      return journal.append({ ...note(`run/${run}`, 0, 'x'), head: headOf(run, state, i % 60 === 3 ? 2 : 0) })
    }),
  )
  const runs = async (query: Parameters<typeof journal.runs>[0]) => (await journal.runs(query)).map((head) => head.run)
  expect(await runs({ openItems: true, limit: 3 })).toEqual(['0183', '0123', '0063'])
  expect(await runs({ openItems: true, before: '0063', limit: 3 })).toEqual(['0003'])
  expect(await runs({ states: ['waiting'], limit: 2 })).toEqual(['0157', '0107'])
  expect(await runs({ states: ['waiting', 'failed'], limit: 2 })).toEqual(['0199', '0198'])
  const settled = await journal.append({ ...note('run/0183', 1, 'x'), head: headOf('0183', 'failed', 0) })
  expect([settled.kind, await runs({ openItems: true, limit: 1 })]).toEqual(['committed', ['0123']])
  await journal.close()
})

test.each([
  ['open items', `SELECT head FROM runs WHERE 1 = 1 AND ${HAS_ITEMS} ORDER BY run DESC LIMIT 5`, 'runs_items'],
  [
    'waiting runs',
    "SELECT head FROM runs WHERE 1 = 1 AND state IN ('waiting') AND open = 1 ORDER BY run DESC LIMIT 5",
    'runs_open',
  ],
])('%s are read from an index, not from every run there ever was', async (_, sql, index) => {
  const { journal, store } = openGatedJournal(root)
  const plan = store.db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()
  expect(JSON.stringify(plan)).toContain(`USING INDEX ${index}`)
  await journal.close()
})
