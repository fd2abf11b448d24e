import { decodeBase64, encodeBase64 } from '../canonical/base64.ts'
import { decodeHex, encodeHex } from '../canonical/hex.ts'
import { encodeUtf8, utf8Length } from '../canonical/utf8.ts'
import { KernelError } from '../error.ts'
import type { Hasher } from '../ports/hasher.ts'
import type { SignatureVerifier, Signer } from '../ports/signer.ts'
import { cosignedMessage, splitCosignature } from './cosignature.ts'
import { createVerifierKey, isKeyName, type VerifierKey } from './verifier-key.ts'

/** The largest note that is read, in bytes of UTF-8; room for 16 signatures of the largest known kind. */
export const NOTE_MAX_BYTES = 131_072

/** The most signature lines that are read; C2SP signed-note asks for at least 16. */
export const NOTE_MAX_SIGNATURES = 64

/** A signed note (C2SP signed-note): a text, and who says to have signed it. */
export interface SignedNote {
  /** What is signed: ends with a newline, and does not include the empty line behind it. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** One signature line. Nothing in it is verified. */
export interface NoteSignature {
  readonly name: string
  /** Eight lower-case hex digits. */
  readonly keyId: string
  /** The bytes behind the key id; what they mean depends on the key's algorithm. */
  readonly signature: Uint8Array
}

/** A key whose signature was good; with the time it vouches for, in seconds since 1970, when it is a cosignature. */
export interface NoteSigner {
  readonly key: VerifierKey
  readonly timestampSeconds?: number
}

/** What became of a note's signatures. */
export type NoteVerdict =
  | { readonly kind: 'verified'; readonly signers: readonly NoteSigner[] }
  | { readonly kind: 'refused'; readonly because: 'bad_signature' | 'no_known_signature'; readonly detail: string }

/**
 * Reads a note. It is controlled by whoever published it; no signature is checked here.
 *
 * @throws KernelError `note_malformed` when it breaks the format or its limits.
 */
export function parseNote(text: string): SignedNote {
  if (text.length > NOTE_MAX_BYTES || utf8Length(text) > NOTE_MAX_BYTES)
    throw malformed(`it is larger than ${NOTE_MAX_BYTES} bytes`)
  if (!text.isWellFormed()) throw malformed('it has a lone surrogate')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: signed notes forbid them, the newline excepted.
  if (/[\u0000-\u0009\u000b-\u001f]/.test(text)) throw malformed('it has a control character')
  const split = text.lastIndexOf('\n\n')
  if (split < 0) throw malformed('no empty line stands before the signatures')
  const signatures = parseSignatureLines(text.slice(split + 2))
  return { text: text.slice(0, split + 1), signatures }
}

/**
 * Reads signature lines, one or more, as they stand at the end of a note and in the answer of a witness.
 *
 * @throws KernelError `note_malformed`.
 */
export function parseSignatureLines(text: string): NoteSignature[] {
  if (!text.endsWith('\n')) throw malformed('the last signature line has no newline')
  const lines = text.slice(0, -1).split('\n')
  if (lines.length > NOTE_MAX_SIGNATURES) throw malformed(`it has more than ${NOTE_MAX_SIGNATURES} signatures`)
  return lines.map(parseSignatureLine)
}

function parseSignatureLine(line: string): NoteSignature {
  const [dash, name, encoded, ...rest] = line.split(' ')
  const bytes = decodeBase64(encoded ?? '=')
  if (dash !== '\u2014' || name === undefined || !isKeyName(name) || rest.length > 0) {
    throw malformed('a signature line is not "\u2014 name base64"')
  }
  if (bytes === undefined || bytes.length < 5) throw malformed(`the signature of ${name} is not Base64 of five bytes or more`)
  return { name, keyId: encodeHex(bytes.subarray(0, 4)), signature: bytes.slice(4) }
}

/** Writes one signature line, with its newline. */
export function encodeSignatureLine(signature: NoteSignature): string {
  const bytes = new Uint8Array(4 + signature.signature.length)
  bytes.set(decodeHex(signature.keyId) ?? [])
  bytes.set(signature.signature, 4)
  return `\u2014 ${signature.name} ${encodeBase64(bytes)}\n`
}

/** Writes a note: its text, an empty line, its signatures. */
export function encodeNote(note: SignedNote): string {
  return `${note.text}\n${note.signatures.map(encodeSignatureLine).join('')}`
}

/** Signs a text as a log does, with plain Ed25519. */
export function signNote(hasher: Hasher, text: string, signer: Signer): NoteSignature {
  const { name, keyId } = createVerifierKey(hasher, { name: signer.name, algorithm: 'ed25519', publicKey: signer.publicKey })
  return { name, keyId, signature: signer.sign(encodeUtf8(text)) }
}

/**
 * Checks the signatures of a note against the keys that the caller trusts, and says whose were good.
 *
 * Signatures of unknown keys are ignored, as the specification demands. A signature that names a known key and fails refuses the
 * whole note, and so does a note that no known key signed.
 */
export function verifyNote(verifier: SignatureVerifier, note: SignedNote, keys: readonly VerifierKey[]): NoteVerdict {
  const signers: NoteSigner[] = []
  for (const claimed of note.signatures) {
    for (const key of keys) {
      if (key.name !== claimed.name || key.keyId !== claimed.keyId) continue
      const signer = verifySignature(verifier, note.text, claimed, key)
      if (signer === undefined) {
        return {
          kind: 'refused',
          because: 'bad_signature',
          detail: `The signature of ${key.name} (${key.keyId}) does not fit the note.`,
        }
      }
      signers.push(signer)
    }
  }
  if (signers.length > 0) return { kind: 'verified', signers }
  return { kind: 'refused', because: 'no_known_signature', detail: 'None of the keys given has signed the note.' }
}

function verifySignature(
  verifier: SignatureVerifier,
  text: string,
  claimed: NoteSignature,
  key: VerifierKey,
): NoteSigner | undefined {
  if (key.algorithm === 'ed25519') {
    return verifier.verify(key.publicKey, encodeUtf8(text), claimed.signature) ? { key } : undefined
  }
  const parts = splitCosignature(claimed.signature)
  if (parts === undefined) return undefined
  const { timestampSeconds, signature } = parts
  return verifier.verify(key.publicKey, cosignedMessage(text, timestampSeconds), signature)
    ? { key, timestampSeconds }
    : undefined
}

function malformed(what: string): KernelError {
  return new KernelError('note_malformed', `The signed note is refused: ${what}.`)
}
