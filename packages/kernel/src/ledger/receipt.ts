import { decodeBase64, encodeBase64 } from '../canonical/base64.ts'
import { decodeUtf8, encodeUtf8 } from '../canonical/utf8.ts'
import { KernelError } from '../error.ts'
import type { Hasher } from '../ports/hasher.ts'
import type { SignatureVerifier } from '../ports/signer.ts'
import { type Checkpoint, type CheckpointRefusal, type CheckpointTrust, type Cosigned, openCheckpoint } from './checkpoint.ts'
import { ENTRY_MAX_BYTES } from './entry-bundle.ts'
import { leafHash } from './hash.ts'
import { NOTE_MAX_BYTES } from './note.ts'
import { encodeProofLines, parseDecimal, parseProofLines } from './proof-lines.ts'
import { verifyInclusion } from './verify-proof.ts'

/**
 * Proof that an entry is in the ledger, complete and verifiable offline: the entry, its place, the hashes up to the root, and a
 * checkpoint that signs the root.
 */
export interface Receipt {
  /** The entry as it was hashed. */
  readonly entry: string
  readonly index: number
  readonly proof: readonly Uint8Array[]
  /** The signed note, as published. */
  readonly checkpoint: string
}

/** The largest receipt that is read, in bytes. */
export const RECEIPT_MAX_BYTES = 4096 + Math.ceil(ENTRY_MAX_BYTES / 3) * 4 + NOTE_MAX_BYTES

const HEADER = 'c2sp.org/tlog-proof@v1'

/** Writes a receipt as a C2SP tlog-proof; the entry travels in its `extra` line. */
export function encodeReceipt(receipt: Receipt): string {
  const extra = encodeBase64(encodeUtf8(receipt.entry))
  return `${HEADER}\nextra ${extra}\nindex ${receipt.index}\n${encodeProofLines(receipt.proof)}\n${receipt.checkpoint}`
}

/**
 * Reads a receipt. It is controlled by whoever hands it over; nothing is verified here.
 *
 * @throws KernelError `receipt_malformed`.
 */
export function parseReceipt(text: string): Receipt {
  if (text.length > RECEIPT_MAX_BYTES) throw malformed(`it is larger than ${RECEIPT_MAX_BYTES} bytes`)
  const split = text.indexOf('\n\n')
  if (split < 0) throw malformed('no empty line stands before the checkpoint')
  const [header, extra = '', position = '', ...lines] = text.slice(0, split).split('\n')
  if (header !== HEADER) throw malformed(`the first line is not ${HEADER}`)
  const entry = extra.startsWith('extra ') ? decodeBase64(extra.slice(6)) : undefined
  if (entry === undefined || entry.length > ENTRY_MAX_BYTES) throw malformed('the second line does not hold the entry in Base64')
  const index = position.startsWith('index ') ? parseDecimal(position.slice(6)) : undefined
  if (index === undefined) throw malformed('the third line is not "index" and a number')
  const proof = parseProofLines(lines)
  if (proof === undefined) throw malformed('the proof is not at most 63 lines of one hash each')
  return { entry: decodeEntry(entry), index, proof, checkpoint: text.slice(split + 2) }
}

/** What became of a receipt. */
export type ReceiptVerdict =
  | { readonly kind: 'verified'; readonly checkpoint: Checkpoint; readonly cosigned: readonly Cosigned[] }
  | { readonly kind: 'refused'; readonly because: CheckpointRefusal | 'not_included'; readonly detail: string }

/** What {@link verifyReceipt} computes with. */
export interface Verification {
  readonly hasher: Hasher
  readonly verifier: SignatureVerifier
}

/**
 * Decides whether a receipt proves its entry: the checkpoint is to be believed ({@link openCheckpoint}) and its root includes the
 * entry at that index.
 *
 * @throws KernelError `note_malformed` or `checkpoint_malformed` when the checkpoint cannot be read.
 */
export function verifyReceipt({ hasher, verifier }: Verification, receipt: Receipt, trust: CheckpointTrust): ReceiptVerdict {
  const verdict = openCheckpoint(verifier, receipt.checkpoint, trust)
  if (verdict.kind === 'refused') return verdict
  const { size, root } = verdict.checkpoint
  const { index, proof, entry } = receipt
  if (verifyInclusion(hasher, { index, size, root, proof, leafHash: leafHash(hasher, entry) })) return verdict
  const detail = `The proof does not lead from the entry, as number ${index} of ${size}, to the root of the checkpoint.`
  return { kind: 'refused', because: 'not_included', detail }
}

function decodeEntry(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes)
  } catch (cause) {
    throw new KernelError('receipt_malformed', 'The receipt is refused: its entry is not UTF-8.', { cause })
  }
}

function malformed(what: string): KernelError {
  return new KernelError('receipt_malformed', `The receipt is refused: ${what}.`)
}
