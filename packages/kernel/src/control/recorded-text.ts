import { encodeHex } from '../canonical/hex.ts'
import type { Hasher } from '../ports/hasher.ts'
import type { TextRecorded } from './change-event.ts'

/** UTF-16 units of one part: with every one of them escaped or three bytes long it still fits into a leaf of the ledger. */
export const TEXT_PART_UNITS = 10_000

/** Hex SHA-256 over a text as UTF-8: what `sha256sum` says of the file. */
export function textDigest(hasher: Hasher, text: string): string {
  return encodeHex(hasher.sha256(text))
}

/** Cuts a text into the events that record it; no cut falls between the two halves of a character. */
export function textEvents(hasher: Hasher, text: string): readonly TextRecorded[] {
  const cuts: string[] = []
  for (let at = 0; at < text.length || cuts.length === 0; ) {
    const last = text.charCodeAt(at + TEXT_PART_UNITS - 1)
    const splits = last >= 0xd800 && last <= 0xdbff
    const end = at + TEXT_PART_UNITS - (splits ? 1 : 0)
    cuts.push(text.slice(at, end))
    at = end
  }
  const digest = textDigest(hasher, text)
  return cuts.map((cut, part) => ({ type: 'text.recorded', digest, part, parts: cuts.length, text: cut }))
}

/** Collects recorded texts. Texts of which parts are missing (a crash came in between) are not there. */
export interface RecordedTexts {
  add(event: TextRecorded): void
  /** The text under a digest. */
  get(digest: string): string | undefined
}

/** Creates an empty collection. A text whose parts do not hash to its digest is not there either: nobody may explain by a wrong text. */
export function createRecordedTexts(hasher: Hasher): RecordedTexts {
  const whole = new Map<string, string>()
  const open = new Map<string, string[]>()
  return {
    add({ digest, part, parts, text }) {
      if (whole.has(digest)) return
      const cuts = part === 0 ? [] : (open.get(digest) ?? [])
      cuts[part] = text
      open.set(digest, cuts)
      if (part !== parts - 1) return
      open.delete(digest)
      const joined = cuts.join('')
      if (textDigest(hasher, joined) === digest) whole.set(digest, joined)
    },
    get: (digest) => whole.get(digest),
  }
}
