import { decodeBase64, encodeBase64 } from '../canonical/base64.ts'
import { encodeHex } from '../canonical/hex.ts'
import { encodeUtf8 } from '../canonical/utf8.ts'
import { KernelError } from '../error.ts'
import type { Hasher } from '../ports/hasher.ts'

/**
 * How a key signs: `ed25519` the note's text as it is (C2SP signed-note), `cosignature/v1` the text with a time in front (C2SP
 * tlog-cosignature). Logs use the first, witnesses the second.
 */
export type SignatureAlgorithm = 'cosignature/v1' | 'ed25519'

/** A public key that somebody chose to trust, under its name. */
export interface VerifierKey {
  readonly name: string
  /** Eight lower-case hex digits, bound to name, algorithm and key. */
  readonly keyId: string
  readonly algorithm: SignatureAlgorithm
  /** The 32 bytes of an Ed25519 public key (RFC 8032). */
  readonly publicKey: Uint8Array
}

/** The signature type identifier bytes of C2SP signed-note. */
const ALGORITHM_BYTES: Readonly<Record<SignatureAlgorithm, number>> = { ed25519: 0x01, 'cosignature/v1': 0x04 }

/** The size of an Ed25519 public key in bytes. */
const PUBLIC_KEY_BYTES = 32

/** Longer names are refused; the specification sets no limit, and a URL without a scheme needs no more. */
const NAME_MAX_LENGTH = 255

/** Whether a text can be the name of a key: not empty, no Unicode space, no `+`, no control character, at most 255 characters. */
export function isKeyName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: signed notes forbid control characters.
  return name.length > 0 && name.length <= NAME_MAX_LENGTH && name.isWellFormed() && !/[\s+\u0000-\u001f\u007f-\u009f]/.test(name)
}

/**
 * Makes a verifier key of its parts and computes its id, the first four bytes of SHA-256(name || 0x0A || algorithm || key).
 *
 * @throws KernelError `note_malformed` for a name that is none or a public key that has not 32 bytes.
 */
export function createVerifierKey(hasher: Hasher, parts: Omit<VerifierKey, 'keyId'>): VerifierKey {
  const { name, algorithm, publicKey } = parts
  if (!isKeyName(name)) throw new KernelError('note_malformed', 'A key name has 1 to 255 characters, no spaces and no plus sign.')
  if (publicKey.length !== PUBLIC_KEY_BYTES) {
    throw new KernelError('note_malformed', `An Ed25519 public key has ${PUBLIC_KEY_BYTES} bytes, not ${publicKey.length}.`)
  }
  const prefix = encodeUtf8(`${name}\n`)
  const identity = new Uint8Array(prefix.length + 1 + PUBLIC_KEY_BYTES)
  identity.set(prefix)
  identity[prefix.length] = ALGORITHM_BYTES[algorithm]
  identity.set(publicKey, prefix.length + 1)
  return { name, algorithm, publicKey, keyId: encodeHex(hasher.sha256(identity).subarray(0, 4)) }
}

/** Writes a key as a vkey, `name+hexid+base64(algorithm || key)` (C2SP signed-note, "Verifier keys"). */
export function encodeVerifierKey(key: VerifierKey): string {
  const material = new Uint8Array(1 + key.publicKey.length)
  material[0] = ALGORITHM_BYTES[key.algorithm]
  material.set(key.publicKey, 1)
  return `${key.name}+${key.keyId}+${encodeBase64(material)}`
}

/**
 * Reads a vkey and checks its id, so that one mistyped character is noticed. White space around it is ignored.
 *
 * @throws KernelError `note_malformed` for anything else, and for an algorithm other than 0x01 and 0x04.
 */
export function parseVerifierKey(hasher: Hasher, text: string): VerifierKey {
  const match = text.length > 1024 ? null : /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text.trim())
  const material = decodeBase64(match?.[3] ?? '=')
  if (match === null || material === undefined) {
    throw new KernelError('note_malformed', 'A verifier key looks like name+0123abcd+base64, all in one line.')
  }
  const algorithm = material[0] === 0x01 ? 'ed25519' : material[0] === 0x04 ? 'cosignature/v1' : undefined
  if (algorithm === undefined) {
    throw new KernelError(
      'note_malformed',
      'The verifier key is for an algorithm other than Ed25519 (0x01) and cosignature/v1 (0x04).',
    )
  }
  const key = createVerifierKey(hasher, { name: match[1] ?? '', algorithm, publicKey: material.slice(1) })
  if (key.keyId !== match[2])
    throw new KernelError('note_malformed', 'The id in the verifier key does not belong to its name and key.')
  return key
}
