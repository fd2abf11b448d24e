/** A text as phrases are looked for in it: compatibility forms and case folded (ß is ss), white space collapsed. */
export function foldText(text: string): string {
  return text.normalize('NFKC').toUpperCase().toLowerCase().replaceAll(/\s+/gu, ' ').trim()
}

/**
 * True when a folded text holds a folded phrase as whole words: "refund" is not in "refundable". Scripts that are written without
 * spaces have no such borders, so there a phrase counts wherever it stands.
 */
export function containsPhrase(text: string, phrase: string): boolean {
  if (phrase === '') return false
  for (let at = text.indexOf(phrase); at !== -1; at = text.indexOf(phrase, at + 1)) {
    if (isBorder(text, at) && isBorder(text, at + phrase.length)) return true
  }
  return false
}

const LETTER = /^[\p{L}\p{N}\p{M}]$/u
const UNSPACED = /^[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Bopo}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]$/u

/** True when no word goes on across this place of the text. */
export function isBorder(text: string, at: number): boolean {
  const before = characterBefore(text, at)
  const after = characterAt(text, at)
  return !isWordLetter(before) || !isWordLetter(after)
}

function isWordLetter(character: string): boolean {
  return LETTER.test(character) && !UNSPACED.test(character)
}

function characterAt(text: string, at: number): string {
  const point = text.codePointAt(at)
  return point === undefined ? '' : String.fromCodePoint(point)
}

function characterBefore(text: string, at: number): string {
  if (at <= 0) return ''
  const unit = text.charCodeAt(at - 1)
  const isLowHalf = unit >= 0xdc00 && unit <= 0xdfff
  return characterAt(text, isLowHalf && at > 1 ? at - 2 : at - 1)
}
