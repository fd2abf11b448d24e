import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Checkpoint,
  cosignCheckpoint,
  createFrontier,
  createVerifierKey,
  encodeAddCheckpoint,
  encodeCheckpoint,
  encodeHex,
  encodeNote,
  encodeReceipt,
  encodeSignatureLine,
  encodeVerifierKey,
  inclusionProof,
  leafHash,
  openCheckpoint,
  parseAddCheckpoint,
  parseCheckpoint,
  parseNote,
  parseReceipt,
  parseSignatureLines,
  parseTilePath,
  parseVerifierKey,
  partialTiles,
  signCheckpoint,
  signNote,
  tilePath,
  verifyNote,
  verifyReceipt,
} from '../src/index.ts'
import { hasher, seededSigner, verifier } from './ledger-keys.ts'

interface Vectors {
  readonly verifierKey: { readonly vkey: string; readonly note: string }
  readonly checkpoint: { readonly note: string; readonly origin: string; readonly size: number; readonly rootHex: string }
  readonly tilePaths: readonly { readonly path: string; readonly level: number; readonly index: number; readonly width: number }[]
  readonly badTilePaths: readonly string[]
  readonly treeSizes: readonly { readonly why: string; readonly size: number; readonly partial: readonly (readonly number[])[] }[]
  readonly roots: readonly { readonly size: number; readonly rootHex: string }[]
  readonly cosigned: { readonly logKey: string; readonly witnessKey: string; readonly note: string }
  readonly receipt: { readonly entry: string; readonly index: number; readonly text: string }
}
const vectors = JSON.parse(readFileSync(new URL('../../../vectors/ledger.json', import.meta.url), 'utf8')) as Vectors

const log = seededSigner('example.com/ledger', 1)
const witness = seededSigner('witness.example/w1', 2)
const logKey = createVerifierKey(hasher, { name: log.name, algorithm: 'ed25519', publicKey: log.publicKey })
const witnessKey = createVerifierKey(hasher, { name: witness.name, algorithm: 'cosignature/v1', publicKey: witness.publicKey })
const code = (expected: string) => expect.objectContaining({ name: 'KernelError', code: expected })

function ledgerOf(size: number) {
  const frontier = createFrontier(hasher)
  const full = new Map<string, Uint8Array>()
  for (let at = 0; at < size; at++) {
    for (const tile of frontier.append(leafHash(hasher, `entry ${at}`))) full.set(`${tile.level}/${tile.index}`, tile.hashes)
  }
  for (const tile of frontier.partialTiles()) full.set(`${tile.level}/${tile.index}`, tile.hashes)
  const checkpoint: Checkpoint = { origin: log.name, size, root: frontier.root(), extensions: [] }
  return {
    checkpoint,
    read: ({ level, index }: { level: number; index: number }) => full.get(`${level}/${index}`) ?? new Uint8Array(),
  }
}

function cosignedNote(checkpoint: Checkpoint): string {
  const text = encodeCheckpoint(checkpoint)
  return signCheckpoint(hasher, checkpoint, log) + encodeSignatureLine(cosignCheckpoint(hasher, text, witness, 1_763_600_000))
}

describe('vectors', () => {
  test('the example of C2SP signed-note verifies, and is written as it was', () => {
    const key = parseVerifierKey(hasher, vectors.verifierKey.vkey)
    expect(encodeVerifierKey(key)).toBe(vectors.verifierKey.vkey)
    const note = parseNote(vectors.verifierKey.note)
    expect(encodeNote(note)).toBe(vectors.verifierKey.note)
    expect(verifyNote(verifier, note, [key])).toEqual({ kind: 'verified', signers: [{ key }] })
    expect(verifyNote(verifier, { ...note, text: note.text.replace('example', 'exemple') }, [key])).toMatchObject({
      because: 'bad_signature',
    })
    expect(verifyNote(verifier, note, [logKey])).toMatchObject({ because: 'no_known_signature' })
  })

  test('the example of C2SP tlog-checkpoint is read', () => {
    const { text } = parseNote(vectors.checkpoint.note)
    const checkpoint = parseCheckpoint(text)
    expect({ ...checkpoint, root: encodeHex(checkpoint.root) }).toEqual({
      origin: vectors.checkpoint.origin,
      size: vectors.checkpoint.size,
      root: vectors.checkpoint.rootHex,
      extensions: [],
    })
    expect(encodeCheckpoint(checkpoint)).toBe(text)
  })

  test.each(vectors.tilePaths)('$path', ({ path, level, index, width }) => {
    expect(tilePath({ level, index, width })).toBe(path)
    expect(parseTilePath(path)).toEqual({ kind: 'hashes', tile: { level, index, width } })
    const entries = path.replace(/^tile\/[0-9]+/, 'tile/entries')
    expect(parseTilePath(entries)).toEqual({ kind: 'entries', tile: { level: 0, index, width } })
  })

  test.each(vectors.badTilePaths)('%s is no path', (path) => {
    expect(parseTilePath(path)).toBeUndefined()
  })

  test.each(vectors.treeSizes)('$why: $size entries', ({ size, partial }) => {
    expect(partialTiles(size).map(({ level, index, width }) => [level, index, width])).toEqual(partial)
  })

  test.each(vectors.roots)('the root of $size entries', ({ size, rootHex }) => {
    expect(encodeHex(ledgerOf(size).checkpoint.root)).toBe(rootHex)
  })

  test('the cosigned checkpoint and the receipt are written, read and verified', () => {
    expect([encodeVerifierKey(logKey), encodeVerifierKey(witnessKey)]).toEqual([
      vectors.cosigned.logKey,
      vectors.cosigned.witnessKey,
    ])
    const { checkpoint, read } = ledgerOf(1000)
    expect(cosignedNote(checkpoint)).toBe(vectors.cosigned.note)
    const trust = { logKeys: [logKey], witnessKeys: [witnessKey] }
    expect(openCheckpoint(verifier, vectors.cosigned.note, trust)).toEqual({
      kind: 'verified',
      checkpoint,
      cosigned: [{ name: witness.name, timestampSeconds: 1_763_600_000 }],
    })
    const { entry, index, text } = vectors.receipt
    const receipt = { entry, index, proof: inclusionProof(hasher, index, 1000, read), checkpoint: vectors.cosigned.note }
    expect(encodeReceipt(receipt)).toBe(text)
    expect(parseReceipt(text)).toEqual(receipt)
    expect(verifyReceipt({ hasher, verifier }, receipt, trust)).toMatchObject({ kind: 'verified' })
  })
})

describe('verifier keys', () => {
  test.each([
    'example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
    'example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
    'example.com/fob+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
    'example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
    'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3Q==',
    'example.com/foo+530d903a',
    'a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
    '',
  ])('refuses %j', (text) => {
    expect(() => parseVerifierKey(hasher, text)).toThrow(code('note_malformed'))
  })

  test.each(['', 'a b', 'a+b', 'a\u00a0b', 'a\u0085b', 'a\u2028', 'a\n', '\ud800', 'x'.repeat(256)])(
    '%j is no key name',
    (name) => {
      expect(() => createVerifierKey(hasher, { ...logKey, name })).toThrow(code('note_malformed'))
    },
  )
})

describe('notes', () => {
  const good = signCheckpoint(hasher, ledgerOf(3).checkpoint, log)

  test.each([
    ['no signature', good.slice(0, good.indexOf('\n\n') + 2)],
    ['no empty line', good.replace('\n\n', '\n')],
    ['no newline at the end', good.slice(0, -1)],
    ['a carriage return', good.replace('\n', '\r\n')],
    ['a tab', good.replace('example', 'exam\tple')],
    ['a lone surrogate', good.replace('example', 'exam\ud800ple')],
    ['another dash', good.replace('\u2014', '-')],
    ['two spaces', good.replace('\u2014 ', '\u2014  ')],
    ['a tail behind the signature', good.replace(/\n$/, ' x\n')],
    ['Base64 with stray bits', good.replace(/.=\n$/, 'B=\n')],
    ['a short signature', good.replace(/ [A-Za-z0-9+/=]+\n$/, ' AAAA\n')],
    ['too many signatures', good + (good.split('\n\n')[1] ?? '').repeat(64)],
    ['too large', `${'x'.repeat(131_072)}\n\n${good.split('\n\n')[1]}`],
  ])('are refused with %s', (_why, text) => {
    expect(() => parseNote(text)).toThrow(code('note_malformed'))
  })

  test('law: one flipped bit in the text or the log\u2019s signature is refused', () => {
    const bytes = Buffer.from(good)
    fc.assert(
      fc.property(fc.nat({ max: bytes.length * 8 - 1 }), (bit) => {
        const damaged = Buffer.from(bytes)
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        let verdict: { readonly kind: string }
        try {
          verdict = openCheckpoint(verifier, damaged.toString('utf8'), { logKeys: [logKey] })
        } catch (error) {
          expect(error).toMatchObject({ name: 'KernelError' })
          return
        }
        expect(verdict.kind).toBe('refused')
      }),
      { numRuns: 1000 },
    )
  })

  test('a key vouches only for the ledger of its name, a witness for none, and a bad known signature spoils all', () => {
    const { checkpoint } = ledgerOf(3)
    const text = encodeCheckpoint({ ...checkpoint, origin: 'example.com/other' })
    const stolen = encodeNote({ text, signatures: [signNote(hasher, text, log)] })
    expect(openCheckpoint(verifier, stolen, { logKeys: [logKey] })).toMatchObject({ because: 'no_known_signature' })
    expect(() => signCheckpoint(hasher, { ...checkpoint, origin: 'example.com/other' }, log)).toThrow(
      code('checkpoint_malformed'),
    )

    const cosignature = cosignCheckpoint(hasher, encodeCheckpoint(checkpoint), witness, 7)
    const unsigned = encodeNote({ text: encodeCheckpoint(checkpoint), signatures: [cosignature] })
    const trust = { logKeys: [logKey], witnessKeys: [witnessKey] }
    expect(openCheckpoint(verifier, unsigned, trust)).toMatchObject({ because: 'no_known_signature' })
    expect(openCheckpoint(verifier, good, trust)).toMatchObject({ because: 'missing_cosignature' })
    expect(openCheckpoint(verifier, good, { ...trust, quorum: 0 })).toMatchObject({ kind: 'verified' })

    const later = { ...cosignature, signature: cosignature.signature.map((byte, at) => (at === 7 ? byte + 1 : byte)) }
    expect(openCheckpoint(verifier, good + encodeSignatureLine(later), trust)).toMatchObject({ because: 'bad_signature' })
    const twice = good + encodeSignatureLine(cosignature).repeat(2)
    expect(openCheckpoint(verifier, twice, trust)).toMatchObject({ kind: 'verified' })
    expect(openCheckpoint(verifier, twice, { ...trust, quorum: 2 })).toMatchObject({ because: 'missing_cosignature' })
  })

  test('law: signature lines read back', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 80 }),
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        (signature, id) => {
          const line = { name: 'w', keyId: encodeHex(id), signature }
          expect(parseSignatureLines(encodeSignatureLine(line))).toEqual([line])
        },
      ),
    )
  })
})

describe('checkpoints', () => {
  const root = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I='

  test.each([
    `o\n1\n${root}`,
    `\n1\n${root}\n`,
    `o\n01\n${root}\n`,
    `o\n-1\n${root}\n`,
    `o\n1e3\n${root}\n`,
    `o\n9007199254740992\n${root}\n`,
    `o\n99999999999999999999\n${root}\n`,
    'o\n1\nAAAA\n',
    'o\n1\n\n',
    `o\n1\n${root}\n\n`,
    `o\n1\n${root}\n\nextension\n`,
    'o\n1\n',
    '',
  ])('%j is refused', (text) => {
    expect(() => parseCheckpoint(text)).toThrow(code('checkpoint_malformed'))
  })

  test('law: reading back what was written gives the checkpoint', () => {
    const line = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => /^\P{Cc}+$/u.test(text))
    const size = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
    fc.assert(
      fc.property(
        line,
        size,
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.array(line, { maxLength: 3 }),
        (origin, count, hash, extensions) => {
          const checkpoint = { origin, size: count, root: hash, extensions }
          expect(parseCheckpoint(encodeCheckpoint(checkpoint))).toEqual(checkpoint)
        },
      ),
    )
  })

  test.each([{ origin: '' }, { origin: 'two\nlines' }, { extensions: [''] }, { root: new Uint8Array(31) }])(
    'what cannot be read is never written: %j',
    (change) => {
      expect(() => encodeCheckpoint({ ...ledgerOf(1).checkpoint, ...change })).toThrow(code('checkpoint_malformed'))
    },
  )
})

describe('receipts and requests', () => {
  const { text } = vectors.receipt
  const trust = { logKeys: [logKey], witnessKeys: [witnessKey] }

  test.each([
    ['another version', text.replace('@v1', '@v2')],
    ['no entry', text.replace(/extra .*\n/, '')],
    ['no index', text.replace(/index .*\n/, '')],
    ['an index with a leading zero', text.replace('index 777', 'index 0777')],
    ['a short hash', text.replace(/\n[^\n]{44}\n\n/, '\nAAAA\n\n')],
    ['64 hashes', text.replace(/(\n[^\n]{44})\n\n/, (_all, hash: string) => `${hash.repeat(64)}\n\n`)],
    ['no empty line', text.replaceAll('\n\n', '\n')],
    ['an entry that is not UTF-8', text.replace(/extra .*\n/, 'extra //8=\n')],
    ['too large', text + 'x'.repeat(300_000)],
  ])('a receipt with %s is refused', (_why, damaged) => {
    expect(() => parseReceipt(damaged)).toThrow(code('receipt_malformed'))
  })

  test('a receipt of another entry, index or ledger proves nothing', () => {
    const receipt = parseReceipt(text)
    const verdict = (change: object) => verifyReceipt({ hasher, verifier }, { ...receipt, ...change }, trust)
    expect(verdict({ entry: 'entry 778' })).toMatchObject({ because: 'not_included' })
    expect(verdict({ index: 778 })).toMatchObject({ because: 'not_included' })
    expect(verdict({ index: 5000 })).toMatchObject({ because: 'not_included' })
    expect(verdict({ proof: receipt.proof.slice(1) })).toMatchObject({ because: 'not_included' })
    expect(verdict({ checkpoint: signCheckpoint(hasher, ledgerOf(999).checkpoint, log) })).toMatchObject({
      because: 'missing_cosignature',
    })
    expect(verdict({ checkpoint: cosignedNote(ledgerOf(999).checkpoint) })).toMatchObject({ because: 'not_included' })
  })

  test('a request to a witness reads back, and a damaged one is refused', () => {
    const request = { oldSize: 12, proof: [new Uint8Array(32).fill(7), new Uint8Array(32)], checkpoint: vectors.cosigned.note }
    const body = encodeAddCheckpoint(request)
    expect(parseAddCheckpoint(body)).toEqual(request)
    const none = { ...request, oldSize: 0, proof: [] }
    expect(parseAddCheckpoint(encodeAddCheckpoint(none))).toEqual(none)
    for (const damaged of [
      body.replace('old 12', 'old 012'),
      body.replace('old ', ''),
      body.replace('BwcH', 'Bw'),
      body.replaceAll('\n\n', '\n'),
      body.padEnd(140_000, 'x'),
    ]) {
      expect(() => parseAddCheckpoint(damaged)).toThrow(code('checkpoint_malformed'))
    }
  })
})
