import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createExporter,
  createFrontier,
  decodeEntryBundle,
  ENTRY_MAX_BYTES,
  encodeEntryBundle,
  encodePayloadLine,
  exportFiles,
  leafHash,
  parsePayloadLine,
  parseTilePath,
  payloadPath,
  signCheckpoint,
  splitEntryBundle,
} from '../src/index.ts'
import { hasher, seededSigner } from './ledger-keys.ts'

const log = seededSigner('example.com/ledger', 1)
const code = (expected: string) => expect.objectContaining({ name: 'KernelError', code: expected })

function checkpointOver(entries: readonly string[]): string {
  const frontier = createFrontier(hasher)
  for (const entry of entries) frontier.append(leafHash(hasher, entry))
  return signCheckpoint(hasher, { origin: log.name, size: frontier.size, root: frontier.root(), extensions: [] }, log)
}

describe('entry bundles', () => {
  test('are lengths, big-endian, and bytes', () => {
    expect(encodeEntryBundle(['a', '', '€'])).toEqual(Uint8Array.of(0, 1, 0x61, 0, 0, 0, 3, 0xe2, 0x82, 0xac))
    expect(encodeEntryBundle(['x'.repeat(258)]).subarray(0, 3)).toEqual(Uint8Array.of(1, 2, 0x78))
  })

  test('law: reading back what was written gives the entries', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { maxLength: 20 }), (entries) => {
        expect(decodeEntryBundle(encodeEntryBundle(entries), entries.length)).toEqual(entries)
      }),
    )
  })

  test('hold entries of 65535 bytes and no more, 256 of them and no more', () => {
    const largest = 'x'.repeat(ENTRY_MAX_BYTES)
    expect(decodeEntryBundle(encodeEntryBundle([largest]), 1)).toEqual([largest])
    expect(() => encodeEntryBundle([`${largest}x`])).toThrow(code('ledger_range'))
    expect(() => encodeEntryBundle(['€'.repeat(21_846)])).toThrow(code('ledger_range'))
    expect(() => encodeEntryBundle(new Array<string>(257).fill('x'))).toThrow(code('ledger_range'))
  })

  test.each([
    ['cut off in a length', [0], 1],
    ['cut off in an entry', [0, 2, 65], 1],
    ['with an entry too few', [0, 1, 65], 2],
    ['with an entry too many', [0, 1, 65, 0, 0], 1],
    ['with nothing', [], 1],
    ['with a tail', [0, 0, 0], 1],
  ])('%s are refused', (_what, bytes, width) => {
    expect(() => splitEntryBundle(Uint8Array.from(bytes), width)).toThrow(code('tile_malformed'))
  })

  test('with bytes that are no UTF-8 are refused as text', () => {
    expect(() => decodeEntryBundle(Uint8Array.of(0, 1, 0xff), 1)).toThrow(code('canonical_syntax'))
  })
})

describe('an export', () => {
  test('has the files of C2SP tlog-tiles, the checkpoint last', () => {
    const entries = Array.from({ length: 513 }, (_, at) => `{"seq":${at}}`)
    const payloads = [{ index: 7, ciphertext: Uint8Array.of(1, 2, 3) }]
    const ledger = { entries, checkpoint: checkpointOver(entries), verifierKey: 'the key', runs: [{ runId: 'run-1', payloads }] }
    const files = [...exportFiles(hasher, ledger)]
    expect(files.map(({ path, bytes }) => [path, bytes.length])).toEqual([
      ['tile/entries/000', 256 * 2 + 10 * 9 + 90 * 10 + 156 * 11 + 0],
      ['tile/0/000', 8192],
      ['tile/entries/001', 256 * 13],
      ['tile/0/001', 8192],
      ['payloads/run-1.jsonl', 32],
      ['tile/entries/002.p/1', 13],
      ['tile/0/002.p/1', 32],
      ['tile/1/000.p/2', 64],
      ['keys/log.vkey', 8],
      ['checkpoint', ledger.checkpoint.length + 2],
    ])
    for (const { path } of files.filter((file) => file.path.startsWith('tile/'))) expect(parseTilePath(path)).toBeDefined()
  })

  test('is not finished under a checkpoint over other entries', () => {
    const head = (entries: readonly string[]) => ({ checkpoint: checkpointOver(entries), verifierKey: 'k' })
    const exporter = createExporter(hasher)
    exporter.add('a')
    for (const other of [[], ['b'], ['a', 'b']]) expect(() => exporter.finish(head(other))).toThrow(code('ledger_range'))
    expect(exporter.finish(head(['a'])).at(-1)?.path).toBe('checkpoint')
    expect(() => createExporter(hasher).finish({ checkpoint: 'none', verifierKey: 'k' })).toThrow(code('note_malformed'))
  })
})

describe('payloads', () => {
  test('law: reading back a line gives the payload', () => {
    fc.assert(
      fc.property(fc.nat(), fc.uint8Array({ maxLength: 100 }), (index, ciphertext) => {
        expect(parsePayloadLine(encodePayloadLine({ index, ciphertext }).slice(0, -1))).toEqual({ index, ciphertext })
      }),
    )
  })

  test.each([
    '',
    '{}',
    '{"ciphertext":"AA==","index":01}',
    '{"ciphertext":"AA==","index":-1}',
    '{"ciphertext":"AA==","index":9007199254740992}',
    '{"ciphertext":"AB==","index":1}',
    '{"ciphertext":"AA","index":1}',
    '{"index":1,"ciphertext":"AA=="}',
    '{"ciphertext":"AA==","index":1} ',
    '{"ciphertext":"AA==","index":1,"index":2}',
  ])('the line %j is refused', (line) => {
    expect(parsePayloadLine(line)).toBeUndefined()
  })

  test.each(['', '.', '..', 'a/b', '../x', '.hidden', 'a\\b', 'a b', 'é', 'x'.repeat(129)])('%j names no file', (runId) => {
    expect(() => payloadPath(runId)).toThrow(code('ledger_range'))
  })
})
