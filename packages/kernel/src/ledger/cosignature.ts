import { encodeUtf8 } from '../canonical/utf8.ts'

/** The bytes of the timestamp before the signature. */
const TIMESTAMP_BYTES = 8

/** What a cosignature/v1 signs: a header, the time, and the whole text of the checkpoint (C2SP tlog-cosignature). */
export function cosignedMessage(checkpointText: string, timestampSeconds: number): Uint8Array {
  return encodeUtf8(`cosignature/v1\ntime ${timestampSeconds}\n${checkpointText}`)
}

/** Puts the time, eight bytes big-endian, before the 64 bytes of the signature. */
export function joinCosignature(timestampSeconds: number, signature: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(TIMESTAMP_BYTES + signature.length)
  let rest = timestampSeconds
  for (let at = TIMESTAMP_BYTES - 1; at >= 0; at--) {
    bytes[at] = rest % 256
    rest = Math.floor(rest / 256)
  }
  bytes.set(signature, TIMESTAMP_BYTES)
  return bytes
}

/** Takes the two apart again; `undefined` when the length is wrong or the time is past the year 285 million. */
export function splitCosignature(bytes: Uint8Array): { timestampSeconds: number; signature: Uint8Array } | undefined {
  if (bytes.length !== TIMESTAMP_BYTES + 64) return undefined
  let timestampSeconds = 0
  for (const byte of bytes.subarray(0, TIMESTAMP_BYTES)) timestampSeconds = timestampSeconds * 256 + byte
  return Number.isSafeInteger(timestampSeconds) ? { timestampSeconds, signature: bytes.slice(TIMESTAMP_BYTES) } : undefined
}
