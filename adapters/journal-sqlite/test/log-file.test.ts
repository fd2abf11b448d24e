import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, expect, test } from 'vitest'
import { openStore } from '../src/store.ts'

const root = mkdtempSync(join(tmpdir(), 'tidegate-log-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const FULL = 16_000_000

let n = 0
const place = () => join(root, `${n++}.db`)
const claim = (file: string, text: string) => {
  const store = openStore(file, { fillsLog: true })
  store.insertClaim.run(text, 'run/a')
  return store
}
const isThere = (file: string, text: string) => {
  const db = new DatabaseSync(file)
  const row = db.prepare('SELECT stream FROM claims WHERE claim = ?').get(text)
  db.close()
  return row !== undefined
}

test('the write-ahead log has its full size before the first commit, in a new journal and in one that is opened again', () => {
  const file = place()
  for (const text of ['first', 'second']) {
    const store = claim(file, text)
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(FULL)
    store.close()
    expect(existsSync(`${file}-wal`)).toBe(false)
  }
  expect([isThere(file, 'first'), isThere(file, 'second')]).toEqual([true, true])
})

test('a log that a killed process has left is not written over', () => {
  const [file, copy] = [place(), place()]
  const store = claim(file, 'only in the log')
  for (const end of ['', '-wal']) copyFileSync(`${file}${end}`, `${copy}${end}`)
  store.close()
  openStore(copy, { fillsLog: true }).close()
  expect(isThere(copy, 'only in the log')).toBe(true)
})

test('a log whose filling was cut short does no harm', () => {
  const file = place()
  openStore(file).close()
  writeFileSync(`${file}-wal`, Buffer.alloc(1_000_000))
  claim(file, 'x').close()
  expect(isThere(file, 'x')).toBe(true)
})

test('it is as private as the journal', () => {
  const file = place()
  writeFileSync(file, '', { mode: 0o600 })
  const store = openStore(file, { fillsLog: true })
  expect(statSync(`${file}-wal`).mode & 0o777).toBe(0o600)
  expect(readFileSync(`${file}-wal`).length).toBeGreaterThan(FULL)
  store.close()
})
