import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import {
  consistencyProof,
  createFrontier,
  createVerifierKey,
  encodeAddCheckpoint,
  encodeVerifierKey,
  leafHash,
  type Signer,
  signCheckpoint,
  type TileCoordinate,
  type VerifierKey,
} from '@tidegate/kernel'
import { nodeHasher } from '../src/node-crypto.ts'

export function seededSigner(name: string, seedByte: number): Signer {
  const seed = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, seedByte)])
  const key = createPrivateKey({ key: seed, format: 'der', type: 'pkcs8' })
  const publicKey = new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(12))
  return { name, publicKey, sign: (message) => new Uint8Array(sign(null, message, key)) }
}

/** A ledger that can be shown at any size up to 300, and what it would ask of a witness. */
export interface SampleLog {
  readonly key: VerifierKey
  readonly vkey: string
  checkpoint(size: number): string
  proof(oldSize: number, size: number): Uint8Array[]
  body(oldSize: number, size: number): string
}

/** A ledger whose entries are `<story> 0`, `<story> 1`, ...; two stories under one key are a fork. */
export function sampleLog(signer: Signer, story: string): SampleLog {
  const frontier = createFrontier(nodeHasher)
  const roots = [frontier.root()]
  const tiles = new Map<string, Uint8Array>()
  for (let at = 0; at < 300; at++) {
    for (const tile of frontier.append(leafHash(nodeHasher, `${story} ${at}`)))
      tiles.set(`${tile.level}/${tile.index}`, tile.hashes)
    roots.push(frontier.root())
  }
  for (const tile of frontier.partialTiles()) tiles.set(`${tile.level}/${tile.index}`, tile.hashes)
  const read = ({ level, index }: TileCoordinate) => tiles.get(`${level}/${index}`) ?? new Uint8Array()
  const key = createVerifierKey(nodeHasher, { name: signer.name, algorithm: 'ed25519', publicKey: signer.publicKey })
  const checkpoint = (size: number) =>
    signCheckpoint(nodeHasher, { origin: signer.name, size, root: roots[size] ?? new Uint8Array(32), extensions: [] }, signer)
  const proof = (oldSize: number, size: number) => (oldSize > size ? [] : consistencyProof(nodeHasher, oldSize, size, read))
  const body = (oldSize: number, size: number) =>
    encodeAddCheckpoint({ oldSize, proof: proof(oldSize, size), checkpoint: checkpoint(size) })
  return { key, vkey: encodeVerifierKey(key), checkpoint, proof, body }
}
