import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { canonicalJson, encodeReceipt, parseVerifierKey } from '@tidegate/kernel'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ExportOptions, type ExportVerdict, main, nodeHasher, verifyExport } from '../src/index.ts'
import {
  checkpointOf,
  log,
  logVkey,
  otherVkey,
  receiptOf,
  sampleEntry,
  witness,
  witnessVkey,
  writeExport,
} from './sample-export.ts'

const SIZE = 600
const entries = Array.from({ length: SIZE }, (_, index) => sampleEntry(index))
const logKeys = [parseVerifierKey(nodeHasher, logVkey)]
const witnessKeys = [parseVerifierKey(nodeHasher, witnessVkey)]
const made: string[] = []
let good = ''

function keep(directory: string): string {
  made.push(directory)
  return directory
}

/** A fresh copy of the good export for a test to damage. */
function copyOfGood(): string {
  const directory = keep(mkdtempSync(join(tmpdir(), 'tidegate-damaged-')))
  cpSync(good, directory, { recursive: true })
  return directory
}

function verifyDamaged(damage: (directory: string) => void, options: ExportOptions = { logKeys }): ExportVerdict {
  const directory = copyOfGood()
  damage(directory)
  return verifyExport(directory, options)
}

beforeAll(() => {
  good = keep(writeExport(entries))
})
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true })
})

describe('an export in which everything fits', () => {
  test('is verified, with its witnesses, its older checkpoint and its payloads', () => {
    const verdict = verifyExport(good, { logKeys, witnessKeys, since: checkpointOf(entries.slice(0, 300)), canonical: true })
    expect(verdict).toMatchObject({
      kind: 'verified',
      origin: log.name,
      size: SIZE,
      keyFrom: 'caller',
      cosigned: [{ name: witness.name, timestampSeconds: 1_763_600_000 }],
      sinceSize: 300,
      payloads: { named: 200, present: 200, erased: 0 },
    })
  })

  test('is verified at every kind of size', () => {
    for (const size of [0, 1, 255, 256, 257, 512]) {
      const directory = keep(writeExport(entries.slice(0, size)))
      expect(verifyExport(directory, { logKeys })).toMatchObject({ kind: 'verified', size })
    }
  })

  test('says when its key is only its own', () => {
    expect(verifyExport(good)).toMatchObject({ kind: 'verified', keyFrom: 'export' })
  })

  test('may have lost payloads, and counts them as erased', () => {
    const verdict = verifyDamaged((directory) => rmSync(join(directory, 'payloads/run-1.jsonl')))
    expect(verdict).toMatchObject({ kind: 'verified', payloads: { named: 200, present: 150, erased: 50 } })
    expect(verifyDamaged((directory) => rmSync(join(directory, 'payloads'), { recursive: true }))).toMatchObject({
      payloads: { present: 0, erased: 200 },
    })
  })
})

/** Every file of an export below a directory. */
function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

function flipBit(path: string, bit: number): void {
  const bytes = readFileSync(path)
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  writeFileSync(path, bytes)
}

describe('one flipped bit is refused', () => {
  test('in every file, at places spread over it', () => {
    const directory = copyOfGood()
    const paths = filesBelow(directory)
    expect(paths.length).toBe(13)
    for (const path of paths) {
      const before = readFileSync(path)
      for (let step = 0; step < 12; step++) {
        const bit = Math.floor(((before.length * 8 - 1) * step) / 11)
        flipBit(path, bit)
        expect(verifyExport(directory, { logKeys, witnessKeys }), `${path}, bit ${bit}`).toMatchObject({ kind: 'refused' })
        writeFileSync(path, before)
      }
    }
    expect(verifyExport(directory, { logKeys, witnessKeys })).toMatchObject({ kind: 'verified' })
  })

  test('and its place is named', () => {
    expect(verifyDamaged((directory) => flipBit(join(directory, 'tile/entries/001'), 8 * 3000))).toMatchObject({
      because: 'tile_mismatch',
      place: 'tile/entries/001, entry 282',
    })
    expect(verifyDamaged((directory) => flipBit(join(directory, 'tile/0/000'), 8 * 32 * 7))).toMatchObject({
      because: 'tile_mismatch',
      place: 'tile/entries/000, entry 7',
    })
    expect(verifyDamaged((directory) => flipBit(join(directory, 'tile/1/000.p/2'), 8 * 33))).toMatchObject({
      because: 'tile_mismatch',
      place: 'tile/1/000.p/2, hash 1',
    })
    expect(verifyDamaged((directory) => flipBit(join(directory, 'payloads/run-0.jsonl'), 8 * 17))).toMatchObject({
      because: 'payload_mismatch',
      place: 'payloads/run-0.jsonl, line 1',
    })
    expect(verifyDamaged((directory) => flipBit(join(directory, 'keys/log.vkey'), 0))).toMatchObject({ place: 'keys/log.vkey' })
  })
})

/** What somebody who holds the disk, but not the key, would try. The tiles are recomputed, the old checkpoint is kept. */
function forge(forged: readonly string[], checkpoint: string): string {
  const directory = keep(writeExport(forged))
  writeFileSync(join(directory, 'checkpoint'), checkpoint)
  return directory
}

describe('an attack is refused', () => {
  const now = checkpointOf(entries)

  test('a removed middle entry', () => {
    const removed = entries.toSpliced(300, 1)
    expect(verifyExport(forge([...removed, sampleEntry(SIZE)], now), { logKeys })).toMatchObject({ because: 'root_mismatch' })
    expect(verifyExport(forge(removed, now), { logKeys })).toMatchObject({ because: 'file_missing' })
  })

  test('two entries exchanged', () => {
    const swapped = entries.with(10, entries[11] ?? '').with(11, entries[10] ?? '')
    expect(verifyExport(forge(swapped, now), { logKeys })).toMatchObject({ because: 'root_mismatch' })
  })

  test('a cut tail, under an older checkpoint that was really signed', () => {
    const shorter = entries.slice(0, 500)
    const uncosigned = keep(writeExport(shorter, { checkpoint: checkpointOf(shorter, { cosigned: false }) }))
    expect(verifyExport(uncosigned, { logKeys })).toMatchObject({ kind: 'verified' }) // nothing inside can tell
    expect(verifyExport(uncosigned, { logKeys, since: now })).toMatchObject({ because: 'shortened' })
    expect(verifyExport(uncosigned, { logKeys, witnessKeys })).toMatchObject({ because: 'missing_cosignature' })
    expect(verifyExport(forge(shorter, now), { logKeys })).toMatchObject({ because: 'file_missing' })
  })

  test('a fork by the holder of the key', () => {
    const rewritten = keep(writeExport(entries.with(5, sampleEntry(1))))
    expect(verifyExport(rewritten, { logKeys, since: checkpointOf(entries.slice(0, 400)) })).toMatchObject({ because: 'forked' })
    expect(verifyExport(rewritten, { logKeys, since: now })).toMatchObject({ because: 'forked' })
  })

  test('another ledger, another key', () => {
    const other = parseVerifierKey(nodeHasher, otherVkey)
    expect(verifyExport(good, { logKeys: [other] })).toMatchObject({ because: 'key_mismatch' })
    expect(verifyExport(good, { logKeys: [...logKeys, other] })).toMatchObject({ kind: 'verified' })
    expect(verifyDamaged((directory) => writeFileSync(join(directory, 'keys/log.vkey'), otherVkey), {})).toMatchObject({
      because: 'no_known_signature',
    })
    const since = now.replace(log.name, 'example.com/other')
    expect(verifyExport(good, { logKeys, since })).toMatchObject({ because: 'no_known_signature' })
  })

  test.each<[string, string, (directory: string) => void]>([
    ['a file that no hash covers', 'file_unexpected', (directory) => writeFileSync(join(directory, 'notes.txt'), 'trust me')],
    ['a tile past the end', 'file_unexpected', (directory) => writeFileSync(join(directory, 'tile/0/003'), Buffer.alloc(8192))],
    [
      'a partial tile of another size',
      'file_unexpected',
      (directory) => writeFileSync(join(directory, 'tile/0/002.p/7'), Buffer.alloc(224)),
    ],
    ['a hidden payload file', 'file_unexpected', (directory) => writeFileSync(join(directory, 'payloads/.x.jsonl'), '')],
    ['a tile cut short', 'file_malformed', (directory) => truncateSync(join(directory, 'tile/0/000'), 8191)],
    ['a bundle cut short', 'file_malformed', (directory) => truncateSync(join(directory, 'tile/entries/000'), 999)],
    ['a bundle with a tail', 'file_malformed', (directory) => appendFileSync(join(directory, 'tile/entries/000'), 'x')],
    ['a tile that is gone', 'file_missing', (directory) => rmSync(join(directory, 'tile/1/000.p/2'))],
    ['a checkpoint that is gone', 'file_missing', (directory) => rmSync(join(directory, 'checkpoint'))],
    [
      'a checkpoint that is none',
      'checkpoint_malformed',
      (directory) => writeFileSync(join(directory, 'checkpoint'), 'all is well\n'),
    ],
    ['a checkpoint past its limit', 'file_malformed', (directory) => truncateSync(join(directory, 'checkpoint'), 1_000_000)],
    [
      'a payload for nobody',
      'payload_mismatch',
      (directory) => appendFileSync(join(directory, 'payloads/run-0.jsonl'), '{"ciphertext":"","index":1}\n'),
    ],
    [
      'a payload past the end',
      'payload_mismatch',
      (directory) => appendFileSync(join(directory, 'payloads/run-0.jsonl'), '{"ciphertext":"","index":600}\n'),
    ],
    [
      'a payload that comes twice',
      'payload_mismatch',
      (directory) => cpSync(join(directory, 'payloads/run-0.jsonl'), join(directory, 'payloads/run-9.jsonl')),
    ],
    ['a payload line without end', 'file_malformed', (directory) => truncateSync(join(directory, 'payloads/run-0.jsonl'), 40)],
  ])('%s', (_what, because, damage) => {
    expect(verifyDamaged(damage)).toMatchObject({ kind: 'refused', because })
  })

  test('a symbolic link or a directory in place of a file', () => {
    const linked = (directory: string) => {
      cpSync(join(directory, 'tile/0/000'), join(directory, '..', 'elsewhere'))
      made.push(join(directory, '..', 'elsewhere'))
      rmSync(join(directory, 'tile/0/000'))
      symlinkSync(join(directory, '..', 'elsewhere'), join(directory, 'tile/0/000'))
    }
    expect(verifyDamaged(linked)).toMatchObject({ because: 'file_malformed', place: 'tile/0/000' })
    const folder = (directory: string) => {
      rmSync(join(directory, 'checkpoint'))
      mkdirSync(join(directory, 'checkpoint'))
    }
    expect(verifyDamaged(folder)).toMatchObject({ because: 'file_malformed' })
  })
})

describe('entries', () => {
  test('must name their payload as a digest', () => {
    const directory = keep(writeExport([canonicalJson({ payload: 'no digest' })], { payloads: false }))
    expect(verifyExport(directory, { logKeys })).toMatchObject({
      because: 'entry_malformed',
      place: 'tile/entries/000.p/1, entry 0',
    })
  })

  test('are compared with the canonical form only when asked', () => {
    for (const entry of ['{"b":1,"a":2}', '{"a": 1}', 'not JSON', '{"a":1,"a":1}']) {
      const directory = keep(writeExport([entry], { payloads: false }))
      expect(verifyExport(directory, { logKeys })).toMatchObject({ kind: 'verified' })
      expect(verifyExport(directory, { logKeys, canonical: true })).toMatchObject({ because: 'entry_malformed' })
    }
  })
})

describe('tidegate-verify', () => {
  function run(...argv: string[]): { status: number; out: string; err: string } {
    let out = ''
    let err = ''
    const status = main(argv, { out: (text) => (out += text), err: (text) => (err += text) })
    return { status, out, err }
  }

  function fileOf(name: string, text: string): string {
    const path = join(keep(mkdtempSync(join(tmpdir(), 'tidegate-verify-'))), name)
    writeFileSync(path, text)
    return path
  }

  test('verifies an export', () => {
    const since = fileOf('older', checkpointOf(entries.slice(0, 10)))
    const keyFile = fileOf('log.vkey', `${logVkey}\n`)
    const { status, out } = run('export', good, '--key-file', keyFile, '--witness', witnessVkey, '--since', since)
    expect(status).toBe(0)
    expect(out).toContain(`VERIFIED ${log.name}: 600 entries`)
    expect(out).toContain('continues the older checkpoint of 10 entries')
    expect(JSON.parse(run('export', good, '--json').out)).toMatchObject({ kind: 'verified', size: 600, keyFrom: 'export' })
  })

  test('refuses with exit code 1 and names the place', () => {
    const directory = copyOfGood()
    flipBit(join(directory, 'tile/entries/000'), 8 * 100)
    const { status, out } = run('export', directory, '--key', logVkey)
    expect(status).toBe(1)
    expect(out).toMatch(/^REFUSED \(tile_mismatch\)\n {2}at tile\/entries\/000, entry [0-9]\n/)
    expect(run('export', join(directory, 'nowhere'), '--key', logVkey).status).toBe(1)
  })

  test('verifies a receipt', () => {
    const text = encodeReceipt(receiptOf(entries, 123))
    const file = fileOf('123.tlog-proof', text)
    const { status, out } = run('receipt', file, '--key', logVkey, '--witness', witnessVkey)
    expect([status, out.split('\n')[0]]).toEqual([0, `VERIFIED entry 123 of 600 in ${log.name}`])
    expect(JSON.parse(run('receipt', file, '--key', logVkey, '--json').out)).toMatchObject({ index: 123, entry: entries[123] })
    expect(run('receipt', file, '--key', otherVkey).status).toBe(1)
    expect(run('receipt', fileOf('other', text.replace('index 123', 'index 124')), '--key', logVkey)).toMatchObject({ status: 1 })
    expect(run('receipt', fileOf('empty', ''), '--key', logVkey).out).toContain('receipt_malformed')
    expect(run('receipt', join(good, 'nowhere'), '--key', logVkey).status).toBe(1)
  })

  test('prints nothing that could move the cursor', () => {
    const hostile = '{"a":"\u001b[2J\u202e\u009b"}'
    const { out } = run('receipt', fileOf('hostile', encodeReceipt(receiptOf([hostile], 0))), '--key', logVkey)
    expect(out).toContain('\\u001b[2J\\u202e\\u009b')
    expect(out).toMatch(/^[\n\x20-\x7e]+$/)
  })

  test.each<[string, string[]]>([
    ['verify_usage', []],
    ['verify_usage', ['export']],
    ['verify_usage', ['import', '.']],
    ['verify_usage', ['export', '.', '.']],
    ['verify_usage', ['export', '.', '--nonsense']],
    ['verify_usage', ['receipt', 'file']],
    ['verify_usage', ['receipt', 'file', '--key', logVkey, '--canonical']],
    ['verify_usage', ['export', '.', '--quorum', '1']],
    ['verify_usage', ['export', '.', '--witness', witnessVkey, '--quorum', '0']],
    ['verify_key_unusable', ['export', '.', '--key', 'nonsense']],
    ['verify_key_unusable', ['export', '.', '--key', witnessVkey]],
    ['verify_key_unusable', ['export', '.', '--witness', logVkey]],
    ['verify_key_unusable', ['export', '.', '--key-file', '/nonexistent/key']],
    ['verify_since_unusable', ['export', '.', '--since', '/nonexistent/checkpoint']],
  ])('says %s to %j and exits with 2', (code, argv) => {
    const { status, err, out } = run(...argv)
    expect([status, out]).toEqual([2, ''])
    expect(err).toContain(`(${code})`)
  })

  test('runs as a program on whichever Node is there', () => {
    const program = fileURLToPath(new URL('../bin/tidegate-verify.js', import.meta.url))
    expect(execFileSync(process.execPath, [program, '--help'], { encoding: 'utf8' })).toContain('Usage:')
    expect(execFileSync('node', [program, 'export', good, '--key', logVkey], { encoding: 'utf8' })).toContain('VERIFIED')
  })
})
