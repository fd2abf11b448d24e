import { canonicalText } from './words.ts'

/** The longest text that is looked at; what is longer counts as carrying something. */
const MAX_TEXT_LENGTH = 20_000

/**
 * What a free text points to: links, hosts, addresses, account numbers, codes and long numbers, in canonical form. Prose asks; these are
 * what it asks for. Undefined for a text that is too long to look at.
 *
 * `canonical` is the text in canonical form, where that is known. A word counts when it has a dot between letters, an `@`, both letters and digits, or four digits or more (a year and a date excepted).
 */
export function referencesIn(text: string, canonical = canonicalText(text)): readonly string[] | undefined {
  if (text.length > MAX_TEXT_LENGTH) return undefined
  const words = canonical.split(' ')
  const long = [...text.matchAll(/(?<!\d)\d(?:[ -]?\d){6,30}(?!\d)/g)].map(([run]) => run.replace(/[ -]/g, ''))
  return [...words.filter(isReference), ...long.filter((run) => !/^(?:19|20)\d{6}$/.test(run))]
}

function isReference(word: string): boolean {
  if (word.length < 3) return false
  if (word.includes('@') || word.includes('://') || /\p{L}[\p{L}\p{N}-]{0,80}\.\p{L}{2}/u.test(word.slice(0, 300))) return true
  if (/^\d{4}-\d{2}-\d{2}$/.test(word)) return false
  const digits = word.replace(/\D/g, '').length
  if (digits === 0) return false
  if (digits === word.length) return digits >= 4 && !/^(?:19|20)\d\d$/.test(word)
  const letters = word.replace(/[^\p{L}]/gu, '').length
  if (letters === 0) return digits >= 6
  return digits + letters >= 5 && digits >= 2
}
