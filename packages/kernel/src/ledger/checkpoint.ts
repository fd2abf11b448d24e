import { decodeBase64, encodeBase64 } from '../canonical/base64.ts'
import { KernelError } from '../error.ts'
import type { Hasher } from '../ports/hasher.ts'
import type { SignatureVerifier, Signer } from '../ports/signer.ts'
import { cosignedMessage, joinCosignature } from './cosignature.ts'
import { HASH_BYTES, requireTreeSize } from './hash.ts'
import { encodeNote, type NoteSignature, parseNote, signNote, verifyNote } from './note.ts'
import { parseDecimal } from './proof-lines.ts'
import { createVerifierKey, type VerifierKey } from './verifier-key.ts'

/** The head of a ledger (C2SP tlog-checkpoint): which ledger, how long, and the root over all its entries. */
export interface Checkpoint {
  /** The name of the ledger, unique and for ever; it is also the name of the key that signs. */
  readonly origin: string
  readonly size: number
  /** 32 bytes. */
  readonly root: Uint8Array
  /** Further lines, signed and opaque; we write none. */
  readonly extensions: readonly string[]
}

/**
 * Writes the text of a checkpoint, which is what gets signed.
 *
 * @throws KernelError `checkpoint_malformed` for an origin or extension that is empty or has more than one line, `ledger_range`
 * for a size that is none.
 */
export function encodeCheckpoint(checkpoint: Checkpoint): string {
  requireTreeSize(checkpoint.size)
  if (checkpoint.root.length !== HASH_BYTES) throw malformed(`the root has ${checkpoint.root.length} bytes, not ${HASH_BYTES}`)
  const lines = [checkpoint.origin, String(checkpoint.size), encodeBase64(checkpoint.root), ...checkpoint.extensions]
  // biome-ignore lint/suspicious/noControlCharactersInRegex: signed notes forbid control characters.
  if (lines.some((line) => line === '' || /[\u0000-\u001f]/.test(line) || !line.isWellFormed())) {
    throw malformed('the origin and each extension must be one line of text')
  }
  return `${lines.join('\n')}\n`
}

/**
 * Reads the text of a checkpoint. It is controlled by whoever published it; verify its signature first, or use
 * {@link openCheckpoint}.
 *
 * @throws KernelError `checkpoint_malformed`.
 */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n')
  if (lines.pop() !== '') throw malformed('its last line has no newline')
  const [origin = '', size = '', root = '', ...extensions] = lines
  if (origin === '' || extensions.includes('')) throw malformed('a line is empty')
  const count = parseDecimal(size)
  if (count === undefined) throw malformed('the second line is no tree size')
  const hash = decodeBase64(root === '' ? '=' : root)
  if (hash?.length !== HASH_BYTES) throw malformed('the third line is no hash of 32 bytes in Base64')
  return { origin, size: count, root: hash, extensions }
}

/** Signs a checkpoint with the ledger's key and writes it as a note. The signer's name must be the origin. */
export function signCheckpoint(hasher: Hasher, checkpoint: Checkpoint, signer: Signer): string {
  if (signer.name !== checkpoint.origin) {
    throw new KernelError('checkpoint_malformed', `The key ${signer.name} cannot sign for the ledger ${checkpoint.origin}.`)
  }
  const text = encodeCheckpoint(checkpoint)
  return encodeNote({ text, signatures: [signNote(hasher, text, signer)] })
}

/** Signs the text of a checkpoint as a witness does (cosignature/v1), at a time in seconds since 1970. */
export function cosignCheckpoint(hasher: Hasher, text: string, signer: Signer, timestampSeconds: number): NoteSignature {
  const { name, keyId } = createVerifierKey(hasher, {
    name: signer.name,
    algorithm: 'cosignature/v1',
    publicKey: signer.publicKey,
  })
  const signature = joinCosignature(timestampSeconds, signer.sign(cosignedMessage(text, timestampSeconds)))
  return { name, keyId, signature }
}

/** Which keys a verifier trusts. */
export interface CheckpointTrust {
  /** The keys of ledgers. A key vouches only for the ledger that bears its name; two keys of one name are a rotation. */
  readonly logKeys: readonly VerifierKey[]
  /** The keys of witnesses; none unless told. */
  readonly witnessKeys?: readonly VerifierKey[]
  /** How many different witnesses must have cosigned: all of them unless told. */
  readonly quorum?: number
}

/** A witness that has seen the checkpoint, and when. */
export interface Cosigned {
  readonly name: string
  readonly timestampSeconds: number
}

/** Why a checkpoint is not to be believed. */
export type CheckpointRefusal = 'bad_signature' | 'missing_cosignature' | 'no_known_signature'

/** What became of a signed checkpoint. */
export type CheckpointVerdict =
  | { readonly kind: 'verified'; readonly checkpoint: Checkpoint; readonly cosigned: readonly Cosigned[] }
  | { readonly kind: 'refused'; readonly because: CheckpointRefusal; readonly detail: string }

/**
 * Reads a signed checkpoint and decides whether to believe it: signed by a trusted key that bears the ledger's name, no bad
 * signature by any trusted key, and cosigned by enough witnesses.
 *
 * @throws KernelError `note_malformed` or `checkpoint_malformed` when it cannot be read at all.
 */
export function openCheckpoint(verifier: SignatureVerifier, noteText: string, trust: CheckpointTrust): CheckpointVerdict {
  const note = parseNote(noteText)
  const checkpoint = parseCheckpoint(note.text)
  const witnessKeys = trust.witnessKeys ?? []
  const logKeys = trust.logKeys.filter((key) => key.name === checkpoint.origin && key.algorithm === 'ed25519')
  const verdict = verifyNote(verifier, note, [...logKeys, ...witnessKeys])
  if (verdict.kind === 'refused' && verdict.because === 'bad_signature') return verdict
  const signers = verdict.kind === 'verified' ? verdict.signers : []
  if (!signers.some(({ key }) => logKeys.includes(key))) {
    const detail = `No trusted key has signed this checkpoint for the ledger ${checkpoint.origin}.`
    return { kind: 'refused', because: 'no_known_signature', detail }
  }
  const cosigned = signers.flatMap(({ key, timestampSeconds }) =>
    timestampSeconds === undefined ? [] : [{ name: key.name, timestampSeconds, publicKey: key }],
  )
  const quorum = trust.quorum ?? new Set(witnessKeys.map(identityOf)).size
  const count = new Set(cosigned.map(({ publicKey }) => identityOf(publicKey))).size
  if (count < quorum) {
    return {
      kind: 'refused',
      because: 'missing_cosignature',
      detail: `${count} of the trusted witnesses cosigned; ${quorum} must.`,
    }
  }
  return { kind: 'verified', checkpoint, cosigned: cosigned.map(({ name, timestampSeconds }) => ({ name, timestampSeconds })) }
}

/** One witness counts once, however many names its key is given. */
function identityOf(key: VerifierKey): string {
  return encodeBase64(key.publicKey)
}

function malformed(what: string): KernelError {
  return new KernelError('checkpoint_malformed', `The checkpoint is refused: ${what}.`)
}
