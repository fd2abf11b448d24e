import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkpointOf, logVkey, otherVkey, sampleEntry, writeExport } from '../../packages/verify/test/sample-export.ts'

// The checksum database of Go (golang.org/x/mod/sumdb), as Debian packages it, verifies what we write.
const GO_PATH = '/usr/share/gocode'
const SOURCE = fileURLToPath(new URL('../go-verify', import.meta.url))

const SIZE = 1200
const entries = Array.from({ length: SIZE }, (_, index) => sampleEntry(index))
const made: string[] = []
let program = ''

function temporary(prefix: string): string {
  const directory = mkdtempSync(join(tmpdir(), prefix))
  made.push(directory)
  return directory
}

function exportOf(list: readonly string[], checkpoint?: string): string {
  const directory = writeExport(list, { payloads: false })
  made.push(directory)
  if (checkpoint !== undefined) writeFileSync(join(directory, 'checkpoint'), checkpoint)
  return directory
}

function verifyWithGo(directory: string, options: { readonly key?: string; readonly since?: string } = {}) {
  const argv = ['-dir', directory, '-key', options.key ?? logVkey]
  if (options.since !== undefined) {
    const file = join(temporary('tidegate-since-'), 'checkpoint')
    writeFileSync(file, options.since)
    argv.push('-since', file)
  }
  const { status, stdout, stderr } = spawnSync(program, argv, { encoding: 'utf8' })
  return { status, said: (stdout + stderr).trim() }
}

beforeAll(() => {
  const goIsThere = spawnSync('go', ['version']).status === 0
  if (!goIsThere || !existsSync(`${GO_PATH}/src/golang.org/x/mod/sumdb/tlog`)) {
    throw new Error('This test needs Go and its checksum database: apt-get install golang-go golang-golang-x-mod-dev')
  }
  program = join(temporary('tidegate-go-'), 'go-verify')
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    GO111MODULE: 'off',
    GOPATH: GO_PATH,
    GOPROXY: 'off',
    CGO_ENABLED: '0',
  }
  execFileSync('go', ['build', '-o', program, '.'], {
    cwd: SOURCE,
    env: { ...env, GOCACHE: join(tmpdir(), 'tidegate-go-cache') },
  })
}, 120_000)

afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true })
})

describe('the checksum database of Go', () => {
  test('verifies our checkpoint, tiles, entries, inclusion and consistency', () => {
    const directory = exportOf(entries)
    for (const size of [1, 255, 256, 257, 768, 1199, 1200]) {
      const { status, said } = verifyWithGo(directory, { since: checkpointOf(entries.slice(0, size)) })
      expect([status, said]).toEqual([0, expect.stringContaining('VERIFIED 1200 entries, 1200 inclusion proofs')])
    }
  })

  test.each([0, 1, 2, 255, 256, 257, 513])('verifies a ledger of %i entries', (size) => {
    expect(verifyWithGo(exportOf(entries.slice(0, size)))).toMatchObject({ status: 0 })
  })

  test.each(['checkpoint', 'tile/0/002', 'tile/0/004.p/176', 'tile/1/000.p/4', 'tile/entries/001', 'tile/entries/004.p/176'])(
    'refuses one flipped bit in %s',
    (path) => {
      const directory = exportOf(entries)
      const bytes = readFileSync(join(directory, path))
      bytes[70] = (bytes[70] ?? 0) ^ 4
      writeFileSync(join(directory, path), bytes)
      expect(verifyWithGo(directory)).toMatchObject({ status: 1 })
    },
  )

  test('refuses a removed middle entry', () => {
    const removed = [...entries.toSpliced(500, 1), sampleEntry(SIZE)]
    expect(verifyWithGo(exportOf(removed, checkpointOf(entries)))).toMatchObject({ status: 1 })
  })

  test('refuses a cut tail, and a fork, against an older checkpoint', () => {
    const shorter = exportOf(entries.slice(0, 900))
    expect(verifyWithGo(shorter)).toMatchObject({ status: 0 })
    expect(verifyWithGo(shorter, { since: checkpointOf(entries) })).toMatchObject({ status: 1 })
    expect(verifyWithGo(exportOf(entries.slice(0, 900), checkpointOf(entries)))).toMatchObject({ status: 1 })
    const rewritten = exportOf(entries.with(5, sampleEntry(1)))
    expect(verifyWithGo(rewritten)).toMatchObject({ status: 0 })
    expect(verifyWithGo(rewritten, { since: checkpointOf(entries.slice(0, 900)) })).toMatchObject({ status: 1 })
  })

  test('refuses another key', () => {
    expect(verifyWithGo(exportOf(entries), { key: otherVkey })).toMatchObject({ status: 1 })
  })
})
