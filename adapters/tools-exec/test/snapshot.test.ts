import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSnapshots, DEFAULT_SNAPSHOT_LIMITS, SnapshotError, type Snapshots } from '../src/snapshot.ts'

let root: string
let workspace: string
let snapshots: Snapshots

function open(limits: Partial<typeof DEFAULT_SNAPSHOT_LIMITS> = {}): Snapshots {
  return createSnapshots({ workspace, directory: join(root, 'states'), limits: { ...DEFAULT_SNAPSHOT_LIMITS, ...limits } })
}

const at = (path: string): string => join(workspace, path)

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tidegate-snapshot-'))
  workspace = join(root, 'ws')
  mkdirSync(at('src'), { recursive: true })
  writeFileSync(at('README.md'), 'hello')
  writeFileSync(at('src/a.ts'), 'a')
  writeFileSync(at('run.sh'), '#!/bin/sh')
  chmodSync(at('run.sh'), 0o755)
  symlinkSync('README.md', at('link'))
  snapshots = open()
})
afterEach(async () => {
  await snapshots.close()
  rmSync(root, { recursive: true, force: true })
})

test('the same workspace is the same state, and what changed is named', async () => {
  const before = await snapshots.take()
  expect(await snapshots.take()).toBe(before)
  writeFileSync(at('src/a.ts'), 'b')
  writeFileSync(at('new.txt'), 'new')
  rmSync(at('README.md'))
  chmodSync(at('run.sh'), 0o644)
  const after = await snapshots.take()
  expect(await snapshots.diff(before, after)).toEqual([
    { path: 'README.md', kind: 'removed' },
    { path: 'new.txt', kind: 'added' },
    { path: 'run.sh', kind: 'changed' },
    { path: 'src/a.ts', kind: 'changed' },
  ])
})

test('everything that a command did is put back: contents, modes, links, folders', async () => {
  const before = await snapshots.take()
  writeFileSync(at('src/a.ts'), 'b')
  mkdirSync(at('made/deep'), { recursive: true })
  writeFileSync(at('made/deep/x'), 'x')
  rmSync(at('link'))
  symlinkSync('src', at('link'))
  rmSync(at('run.sh'))
  rmSync(at('README.md'))
  mkdirSync(at('README.md'))
  const after = await snapshots.take()
  expect(await snapshots.restore(before, after)).toMatchObject({ conflicts: [] })
  expect(await snapshots.take()).toBe(await snapshots.take())
  expect(await snapshots.diff(before, await snapshots.take())).toEqual([])
  expect(readFileSync(at('README.md'), 'utf8')).toBe('hello')
  expect(readlinkSync(at('link'))).toBe('README.md')
  expect(statSync(at('run.sh')).mode & 0o777).toBe(0o755)
  expect(existsSync(at('made'))).toBe(false)
})

test('what somebody went on working with is left alone, and named', async () => {
  const before = await snapshots.take()
  writeFileSync(at('src/a.ts'), 'by the command')
  writeFileSync(at('README.md'), 'by the command')
  mkdirSync(at('made'))
  const after = await snapshots.take()
  writeFileSync(at('README.md'), 'by a person')
  writeFileSync(at('made/mine'), 'mine')
  expect(await snapshots.restore(before, after)).toMatchObject({
    conflicts: ['made', 'README.md'].toSorted((a, b) => (a < b ? -1 : 1)).toReversed(),
  })
  expect(readFileSync(at('README.md'), 'utf8')).toBe('by a person')
  expect(readFileSync(at('src/a.ts'), 'utf8')).toBe('a')
  expect(readFileSync(at('made/mine'), 'utf8')).toBe('mine')
})

test('a change is not put back through a link', async () => {
  const outside = join(root, 'outside')
  mkdirSync(outside)
  writeFileSync(join(outside, 'a.ts'), 'outside')
  const before = await snapshots.take()
  writeFileSync(at('src/a.ts'), 'b')
  const after = await snapshots.take()
  rmSync(at('src'), { recursive: true })
  symlinkSync(outside, at('src'))
  const answer = await snapshots.restore(before, after)
  expect(answer.conflicts.length).toBeGreaterThan(0)
  expect(readFileSync(join(outside, 'a.ts'), 'utf8')).toBe('outside')
})

test('a touched file with the same size is seen', async () => {
  const before = await snapshots.take()
  const { mtime, atime } = lstatSync(at('README.md'))
  writeFileSync(at('README.md'), 'HELLO')
  const { utimesSync } = await import('node:fs')
  utimesSync(at('README.md'), atime, mtime) // as somebody would who wants to hide it
  expect(await snapshots.diff(before, await snapshots.take())).toEqual([{ path: 'README.md', kind: 'changed' }])
})

test('what is excluded is neither kept nor counted', async () => {
  mkdirSync(at('node_modules'))
  const before = await snapshots.take()
  writeFileSync(at('node_modules/x'), 'x')
  expect(await snapshots.take()).toBe(before)
})

test('a workspace that is too large is refused in words', async () => {
  const small = open({ files: 3 })
  await expect(small.take()).rejects.toThrow(/more than 3 files/)
  await expect(small.take()).rejects.toBeInstanceOf(SnapshotError)
  await small.close()
})

test('a state that is not kept any more is an error and breaks nothing', async () => {
  const now = await snapshots.take()
  await expect(snapshots.restore('0'.repeat(64), now)).rejects.toMatchObject({ code: 'failed' })
  await expect(snapshots.diff('../../x', now)).rejects.toThrow('not the name of a state')
  expect(await snapshots.take()).toBe(now)
})
