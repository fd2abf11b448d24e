/**
 * Signs with one Ed25519 key (RFC 8032). The private half never leaves the adapter.
 *
 * The name is the key's name in signed notes (C2SP signed-note): not empty, without Unicode spaces and without `+`.
 */
export interface Signer {
  readonly name: string
  /** The 32 bytes of the public key. */
  readonly publicKey: Uint8Array
  /** Returns the 64 bytes of a pure Ed25519 signature over exactly these bytes, or throws when the key cannot be used. */
  sign(message: Uint8Array): Uint8Array
}

/**
 * Checks Ed25519 signatures (RFC 8032).
 *
 * Answers false, and does not throw, for a public key or a signature of the wrong length or one that decodes to no point.
 */
export interface SignatureVerifier {
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
}
