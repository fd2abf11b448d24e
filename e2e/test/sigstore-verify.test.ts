import { createPublicKey } from 'node:crypto'
import { encodeHex, parseNote, parseReceipt, parseVerifierKey, type Receipt, encodeReceipt } from '@tidegate/kernel'
import { verifyTLogInclusion } from '@sigstore/verify/dist/tlog/index.js'
import { describe, expect, test } from 'vitest'
import { nodeHasher } from '@tidegate/verify'
import { logVkey, otherVkey, receiptOf, sampleEntry } from '../../packages/verify/test/sample-export.ts'

// Sigstore's own verifier checks the receipts that we write: the signed note, the checkpoint, the leaf hash and the RFC 6962
// inclusion proof. Its public door, `Verifier`, wants a Sigstore bundle around them, which a receipt is not; so this goes through
// the module below it, at a pinned version.

const entries = Array.from({ length: 700 }, (_, index) => sampleEntry(index))

type Entry = Parameters<typeof verifyTLogInclusion>[0]
type Authority = Parameters<typeof verifyTLogInclusion>[1][number]

function authorityOf(vkey: string): Authority {
  const key = parseVerifierKey(nodeHasher, vkey)
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key.publicKey])
  return {
    logID: Buffer.from(key.keyId, 'hex'),
    baseURL: `https://${key.name}`,
    publicKey: createPublicKey({ key: spki, format: 'der', type: 'spki' }),
    validFor: { start: new Date(0), end: new Date(8e15) },
  }
}

/** The receipt in the words of Sigstore's protobuf. */
function entryOf(receipt: Receipt, logId: Buffer): Entry {
  const entry: Partial<Entry> = {
    logIndex: String(receipt.index),
    logId: { keyId: logId },
    canonicalizedBody: Buffer.from(receipt.entry),
    inclusionProof: {
      logIndex: String(receipt.index),
      rootHash: Buffer.alloc(32),
      treeSize: '0',
      hashes: receipt.proof.map((hash) => Buffer.from(hash)),
      checkpoint: { envelope: receipt.checkpoint },
    },
  }
  return entry as Entry // sound: the inclusion check reads no other member
}

function verifyWithSigstore(receipt: Receipt, vkey = logVkey): void {
  const authority = authorityOf(vkey)
  verifyTLogInclusion(entryOf(receipt, authority.logID), [authority])
}

describe('Sigstore', () => {
  test.each([0, 1, 255, 256, 511, 512, 698, 699])('verifies our receipt of entry %i', (index) => {
    const receipt = parseReceipt(encodeReceipt(receiptOf(entries, index)))
    expect(() => verifyWithSigstore(receipt)).not.toThrow()
  })

  test.each<[string, (receipt: Receipt) => Receipt]>([
    ['another entry', (receipt) => ({ ...receipt, entry: sampleEntry(301) })],
    ['another index', (receipt) => ({ ...receipt, index: 301 })],
    ['a damaged proof', (receipt) => ({ ...receipt, proof: receipt.proof.map((hash) => hash.map((byte) => byte ^ 1)) })],
    ['a shorter proof', (receipt) => ({ ...receipt, proof: receipt.proof.slice(1) })],
    [
      'another size in the checkpoint',
      (receipt) => ({ ...receipt, checkpoint: receipt.checkpoint.replace('\n700\n', '\n701\n') }),
    ],
  ])('refuses a receipt with %s', (_what, damage) => {
    expect(() => verifyWithSigstore(damage(receiptOf(entries, 300)))).toThrow(
      expect.objectContaining({ code: 'TLOG_INCLUSION_PROOF_ERROR' }),
    )
  })

  test('refuses a receipt under another key, even one that borrows the key id', () => {
    const receipt = receiptOf(entries, 300)
    expect(() => verifyWithSigstore(receipt, otherVkey)).toThrow(expect.objectContaining({ code: 'TLOG_INCLUSION_PROOF_ERROR' }))
    const borrowed = { ...authorityOf(otherVkey), logID: authorityOf(logVkey).logID }
    expect(parseNote(receipt.checkpoint).signatures[0]?.keyId).toBe(encodeHex(borrowed.logID))
    expect(() => verifyTLogInclusion(entryOf(receipt, borrowed.logID), [borrowed])).toThrow(
      expect.objectContaining({ code: 'TLOG_INCLUSION_PROOF_ERROR' }),
    )
  })
})
