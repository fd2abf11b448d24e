import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readOrCreatePrivate, writeAtomically } from '../src/state/private-file.ts'

const root = mkdtempSync(join(tmpdir(), 'tidegate-private-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

test('a private file is made once, below directories that are not there yet, and for its owner alone', () => {
  const file = join(root, 'a/b/keys/payload.key')
  expect(readOrCreatePrivate(file, () => 'first')).toBe('first')
  expect(readOrCreatePrivate(file, () => 'second')).toBe('first')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readdirSync(join(root, 'a/b/keys'))).toEqual(['payload.key']) // no draft is left behind
})

test('a file is replaced as a whole, also by a relative path', () => {
  const file = relative(process.cwd(), join(root, 'c/server.json'))
  writeAtomically(file, 'one')
  writeAtomically(file, 'two')
  expect(readFileSync(join(root, 'c/server.json'), 'utf8')).toBe('two')
})
