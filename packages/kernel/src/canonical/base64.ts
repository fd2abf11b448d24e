const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** The value of each ASCII character of the alphabet; 255 for every other. */
const VALUES: Uint8Array = (() => {
  const values = new Uint8Array(128).fill(255)
  for (let at = 0; at < ALPHABET.length; at++) values[ALPHABET.charCodeAt(at)] = at
  return values
})()

/** Writes bytes as padded standard Base64 (RFC 4648, section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const rest = bytes.length - at
    const bits = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
    text += ALPHABET.charAt(bits >> 18) + ALPHABET.charAt((bits >> 12) & 63)
    text += rest > 1 ? ALPHABET.charAt((bits >> 6) & 63) : '='
    text += rest > 2 ? ALPHABET.charAt(bits & 63) : '='
  }
  return text
}

/**
 * Reads padded standard Base64 (RFC 4648, section 4); `undefined` for anything that {@link encodeBase64} never writes: missing
 * padding, white space, the URL alphabet, stray bits behind the last byte. So one value has one text.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  const digits = text.length - padding
  let bits = 0
  let end = 0
  for (let at = 0; at < digits; at++) {
    const value = VALUES[text.charCodeAt(at)] ?? 255
    if (value === 255) return undefined
    bits = ((bits << 6) | value) & 0xffffff
    const phase = at % 4
    if (phase > 0) bytes[end++] = (bits >> (6 - phase * 2)) & 0xff
  }
  const stray = padding === 2 ? bits & 0xf : padding === 1 ? bits & 0x3 : 0
  return stray === 0 ? bytes : undefined
}
