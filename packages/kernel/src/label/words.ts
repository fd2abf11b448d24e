/**
 * Canonical text: lower case, words separated by single spaces, `|` where punctuation stood between two words. Two texts that a person
 * would call the same name, address or phrase have the same canonical form, and a phrase never reaches over a punctuation mark that
 * it does not contain itself.
 *
 * `https://`, `http://` and `www.` before an address, `#` and `@` before a name, `'s` after one, and a `/` at the end are not part of it.
 * A full stop between a small and a capital letter ends a sentence, also when the space behind it is missing.
 */
export function canonicalText(text: string): string {
  const words: string[] = []
  for (const chunk of text.split(WHITESPACE)) splitChunk(chunk, words)
  while (words.at(-1) === '|') words.pop()
  let start = 0
  while (words[start] === '|') start++
  return words.slice(start).join(' ')
}

/** A canonical text in which {@link hasPhrase} looks phrases up. */
export function phraseText(texts: readonly string[]): string {
  return texts.map((text) => ` ${canonicalText(text)} `).join(' | ')
}

/** True when the canonical phrase stands in the text, bounded by words. */
export function hasPhrase(text: string, phrase: string): boolean {
  return phrase !== '' && text.includes(` ${phrase} `)
}

const WHITESPACE = /[\s\u00A0]+/
const SCHEME = /^(?:https?:\/\/)?(?:www\.)?(?=.)/
// Punctuation that separates words even without a space around it.
const INNER = /[,;|"“”«»(){}[\]<>=!?…]|:(?!\/|\d)|(?<=\p{Ll}|\d)\.(?=\p{Lu}\p{Ll})|(?<=[\p{L}\p{N}])[’'](?=s\b)/u
const DIGIT_COMMA = /^\d{1,3}(?:,\d{3})+(?:\.\d+)?$/

function splitChunk(chunk: string, words: string[]): void {
  if (chunk === '') return
  const bare = trimEdges(chunk)
  if (bare === '') {
    words.push('|')
    return
  }
  if (!chunk.startsWith(bare)) words.push('|')
  const parts = DIGIT_COMMA.test(bare) ? [bare] : bare.split(INNER)
  parts.forEach((part, i) => {
    if (i > 0) words.push('|')
    const word = trimEdges(part).toLowerCase().replace(SCHEME, '')
    if (word !== '' && word !== 's') words.push(word)
  })
  if (!chunk.endsWith(bare)) words.push('|')
}

/** Takes off what punctuation stands at both ends. Linear. */
function trimEdges(chunk: string): string {
  let start = 0
  let end = chunk.length
  while (start < end && LEADING.has(chunk[start] ?? '')) start++
  while (end > start && TRAILING.has(chunk[end - 1] ?? '')) end--
  return chunk.slice(start, end)
}

const QUOTES = '\'"`´‘’“”«»„*_,;:!?()[]{}<>|…'
const LEADING = new Set([...QUOTES, '#', '@'])
const TRAILING = new Set([...QUOTES, '.', '/', '-', '–', '—'])

/** The words that carry grammar and no content; negations are not among them, since they turn a meaning around. */
const GRAMMAR = new Set(
  `a an the this that these those some any each every all both of to in on at by for from with about into over under after before between
  through during and or but so if then than as because while i me my mine you your yours he him his she her hers it its we us our ours
  they them their theirs who whom whose which what when where how is are was were be been being am do does did has have had will would
  can could shall should may might must there here also just please re via per s t ll ve d m`.split(/\s+/),
)

/** True for a word that any text may contain. */
export function isGrammar(word: string): boolean {
  return word === '|' || GRAMMAR.has(word)
}

/** Words without the ending of a plural or a form of a verb: enough to see that "refunds" is about the "refund" of the task. */
export function stem(word: string): string {
  if (word.length <= 3) return word
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`
  if (word.endsWith('ing') && word.length > 5) return word.slice(0, -3)
  if (word.endsWith('ed') && word.length > 4) return word.slice(0, -2)
  if (word.endsWith('s') && !word.endsWith('ss')) return word.slice(0, -1)
  return word
}

/** What stands in quotation marks in a text, without them. */
export function quotedIn(text: string): readonly string[] {
  return [
    ...text.matchAll(
      /"([^"\n]{1,2000})"|“([^”\n]{1,2000})”|`([^`\n]{1,2000})`|(?<![\p{L}\p{N}])'([^\n]{1,2000}?)'(?![\p{L}\p{N}])/gu,
    ),
  ].flatMap((match) => match.slice(1).find((part) => part !== undefined) ?? [])
}

/** The words of a text without any punctuation between them: how two texts are compared for what one copies from the other. */
export function plainWords(text: string): readonly string[] {
  return wordsOf(canonicalText(text))
}

/** The words of a canonical text. */
export function wordsOf(canonical: string): readonly string[] {
  return canonical.split(' ').filter((word) => word !== '' && word !== '|')
}
