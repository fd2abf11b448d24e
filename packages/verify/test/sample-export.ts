import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  canonicalJson,
  cosignCheckpoint,
  createFrontier,
  createVerifierKey,
  encodeCheckpoint,
  encodeSignatureLine,
  encodeVerifierKey,
  exportFiles,
  inclusionProof,
  leafHash,
  type Payload,
  type Signer,
  signCheckpoint,
} from '@tidegate/kernel'
import { nodeHasher } from '../src/index.ts'

function seededSigner(name: string, seedByte: number): Signer {
  const seed = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, seedByte)])
  const key = createPrivateKey({ key: seed, format: 'der', type: 'pkcs8' })
  const publicKey = new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(12))
  return { name, publicKey, sign: (message) => new Uint8Array(sign(null, message, key)) }
}

export const log = seededSigner('example.com/ledger', 1)
export const witness = seededSigner('witness.example/w1', 2)
export const logVkey = vkey(log, 'ed25519')
export const witnessVkey = vkey(witness, 'cosignature/v1')
export const otherVkey = vkey(seededSigner(log.name, 3), 'ed25519')

function vkey({ name, publicKey }: Signer, algorithm: 'cosignature/v1' | 'ed25519'): string {
  return encodeVerifierKey(createVerifierKey(nodeHasher, { name, algorithm, publicKey }))
}

/** The ciphertext of every third entry. */
function sampleCiphertext(index: number): Buffer {
  return Buffer.from(`ciphertext ${index} `.repeat(3))
}

/** Entry number `index`; every third one names a payload. */
export function sampleEntry(index: number): string {
  const payload = index % 3 === 0 ? { payload: createHash('sha256').update(sampleCiphertext(index)).digest('hex') } : {}
  return canonicalJson({
    v: 1,
    run: `run-${index % 4}`,
    seq: index,
    at: 1_763_600_000_000 + index,
    epoch: 1,
    kinds: ['effect.started'],
    ...payload,
  })
}

/** A frontier grown over the entries, and the full tiles it let go. */
function grow(entries: readonly string[]) {
  const frontier = createFrontier(nodeHasher)
  const tiles = new Map<string, Uint8Array>()
  for (const entry of entries) {
    for (const tile of frontier.append(leafHash(nodeHasher, entry))) tiles.set(`${tile.level}/${tile.index}`, tile.hashes)
  }
  for (const tile of frontier.partialTiles()) tiles.set(`${tile.level}/${tile.index}`, tile.hashes)
  return {
    frontier,
    read: ({ level, index }: { level: number; index: number }) => tiles.get(`${level}/${index}`) ?? new Uint8Array(),
  }
}

/** The checkpoint over these entries, signed, and cosigned if asked. */
export function checkpointOf(entries: readonly string[], options: { readonly cosigned: boolean } = { cosigned: true }): string {
  const { frontier } = grow(entries)
  const checkpoint = { origin: log.name, size: frontier.size, root: frontier.root(), extensions: [] }
  const note = signCheckpoint(nodeHasher, checkpoint, log)
  if (!options.cosigned) return note
  return note + encodeSignatureLine(cosignCheckpoint(nodeHasher, encodeCheckpoint(checkpoint), witness, 1_763_600_000))
}

/** The receipt parts of one entry. */
export function receiptOf(entries: readonly string[], index: number) {
  const { read, frontier } = grow(entries)
  return {
    entry: entries[index] ?? '',
    index,
    proof: inclusionProof(nodeHasher, index, frontier.size, read),
    checkpoint: checkpointOf(entries),
  }
}

/** Writes an export of these entries into a fresh directory and returns its path; with the sample payloads unless told. */
export function writeExport(entries: readonly string[], options: { checkpoint?: string; payloads?: boolean } = {}): string {
  const { checkpoint = checkpointOf(entries), payloads = true } = options
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-export-'))
  const runs = [0, 1, 2, 3].map((run) => ({ runId: `run-${run}`, payloads: payloads ? payloadsOf(entries.length, run) : [] }))
  for (const file of exportFiles(nodeHasher, { entries, runs, checkpoint, verifierKey: logVkey })) {
    const path = join(directory, file.path)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, file.bytes)
  }
  return directory
}

function* payloadsOf(size: number, run: number): Generator<Payload> {
  for (let index = run; index < size; index += 4) if (index % 3 === 0) yield { index, ciphertext: sampleCiphertext(index) }
}
