import { KernelError } from '../error.ts'

/** The number of UTF-8 bytes of a text. A lone surrogate counts as the three bytes of U+FFFD, as every encoder writes it. */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0x80) continue
    if (unit < 0x800) {
      bytes += 1
      continue
    }
    const pair = unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(at + 1))
    bytes += 2
    if (pair) at += 1
  }
  return bytes
}

/**
 * Encodes a text as UTF-8 (RFC 3629).
 *
 * @throws KernelError `canonical_surrogate` when the text has a lone surrogate, which no UTF-8 can say.
 */
export function encodeUtf8(text: string): Uint8Array {
  if (!text.isWellFormed()) throw new KernelError('canonical_surrogate', 'The text has a lone surrogate and cannot be encoded.')
  const bytes = new Uint8Array(utf8Length(text))
  let end = 0
  for (let at = 0; at < text.length; at++) {
    const point = text.codePointAt(at) ?? 0
    if (point < 0x80) {
      bytes[end++] = point
    } else if (point < 0x800) {
      bytes[end++] = 0xc0 | (point >> 6)
      bytes[end++] = 0x80 | (point & 0x3f)
    } else if (point < 0x10000) {
      bytes[end++] = 0xe0 | (point >> 12)
      bytes[end++] = 0x80 | ((point >> 6) & 0x3f)
      bytes[end++] = 0x80 | (point & 0x3f)
    } else {
      bytes[end++] = 0xf0 | (point >> 18)
      bytes[end++] = 0x80 | ((point >> 12) & 0x3f)
      bytes[end++] = 0x80 | ((point >> 6) & 0x3f)
      bytes[end++] = 0x80 | (point & 0x3f)
      at += 1
    }
  }
  return bytes
}

/**
 * Decodes UTF-8 (RFC 3629) strictly: no overlong form, no surrogate, nothing past U+10FFFF, nothing cut off. A byte order mark
 * is kept as the character it is.
 *
 * @throws KernelError `canonical_syntax` naming the byte where the text stops being UTF-8.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  const pieces: string[] = []
  let units: number[] = []
  let at = 0
  while (at < bytes.length) {
    const lead = bytes[at] ?? 0
    const width = sequenceWidth(lead)
    let point = width === 1 ? lead : lead & (0xff >> (width + 1))
    for (let next = 1; next < width; next++) {
      const unit = bytes[at + next] ?? 0
      if ((unit & 0xc0) !== 0x80) throw notUtf8(at)
      point = (point << 6) | (unit & 0x3f)
    }
    if (width === 0 || point < (SMALLEST[width] ?? 0) || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
      throw notUtf8(at)
    if (point < 0x10000) units.push(point)
    else units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff))
    at += width
    if (units.length > 4096) {
      pieces.push(String.fromCharCode(...units))
      units = []
    }
  }
  pieces.push(String.fromCharCode(...units))
  return pieces.join('')
}

/** The smallest code point that needs a sequence of that many bytes; anything below is an overlong form. */
const SMALLEST = [0, 0, 0x80, 0x800, 0x10000]

/** How many bytes a lead byte announces; 0 for a byte that cannot lead. */
function sequenceWidth(lead: number): number {
  if (lead < 0x80) return 1
  if (lead < 0xc0) return 0
  if (lead < 0xe0) return 2
  if (lead < 0xf0) return 3
  return lead < 0xf8 ? 4 : 0
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000
}

function notUtf8(at: number): KernelError {
  return new KernelError('canonical_syntax', `Byte ${at} is not valid UTF-8.`)
}
