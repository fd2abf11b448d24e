import type { Word, WordPart } from 'unbash'
import { LIMITS } from './limits.ts'

/** A piece of a word before expansion: text that is taken as it stands, or a part that still expands. */
export type Atom = { readonly type: 'Plain'; readonly text: string } | WordPart

type Token = { readonly structure: string } | { readonly atom: Atom }

/**
 * Expands the braces of a word: `{cu,}rl` becomes `curl` and `rl`, as the shell does it before everything else. Null when it
 * makes too many words, or when names of variables would be glued together.
 */
export function expandBraces(word: Word): readonly (readonly Atom[])[] | null {
  if (word.parts === undefined) return [[{ type: 'Plain', text: word.value }]]
  if (gluesNames(word.parts)) return null
  let words: (readonly Atom[])[] = [[]]
  for (const part of word.parts) {
    const choices = part.type === 'BraceExpansion' ? choicesOf(tokensOf(part)) : [[part]]
    if (choices === null || words.length * choices.length > LIMITS.maxBraceWords) return null
    words = words.flatMap((before) => choices.map((choice) => [...before, ...choice]))
  }
  return words
}

/** Braces are expanded before variables: `$v{a,b}` reads `$va` and `$vb`. Nobody writes that by chance. */
function gluesNames(parts: readonly WordPart[]): boolean {
  return parts.some((part, index) => {
    const next = parts[index + 1]
    if (next === undefined) return false
    if (part.type === 'SimpleExpansion' && next.type === 'BraceExpansion') return /^\$\w/.test(part.text)
    return part.type === 'BraceExpansion' && /\$[A-Za-z_]\w*[},]/.test(part.text) && /^[\w{]/.test(next.text)
  })
}

function tokensOf(part: Extract<WordPart, { type: 'BraceExpansion' }>): Token[] {
  if (part.parts === undefined || part.parts.length === 0) return structureOf(part.text)
  const inner = part.parts.flatMap((piece) =>
    piece.type === 'Literal' || piece.type === 'BraceExpansion' ? structureOf(piece.text) : [{ atom: piece }],
  )
  return [{ structure: '{' }, ...inner, { structure: '}' }]
}

function structureOf(source: string): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < source.length; at++) {
    const char = source.charAt(at)
    if (char === '\\') tokens.push({ atom: { type: 'Plain', text: source.charAt(++at) } })
    else if (char === '{' || char === '}' || char === ',') tokens.push({ structure: char })
    else tokens.push({ atom: { type: 'Plain', text: char } })
  }
  return tokens
}

/** What stands between the outer braces, as choices. */
function choicesOf(tokens: readonly Token[]): readonly (readonly Atom[])[] | null {
  const inner = tokens.slice(1, -1)
  const parts: Token[][] = [[]]
  let depth = 0
  for (const token of inner) {
    if ('structure' in token) {
      if (token.structure === ',' && depth === 0) {
        parts.push([])
        continue
      }
      depth += token.structure === '{' ? 1 : token.structure === '}' ? -1 : 0
    }
    parts.at(-1)?.push(token)
  }
  if (parts.length === 1) return rangeOf(inner)
  const all: (readonly Atom[])[] = []
  for (const part of parts) {
    const nested = nestedChoices(part)
    if (nested === null || all.length + nested.length > LIMITS.maxBraceWords) return null
    all.push(...nested)
  }
  return all
}

function nestedChoices(tokens: readonly Token[]): readonly (readonly Atom[])[] | null {
  let words: (readonly Atom[])[] = [[]]
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]
    if (token === undefined) break
    let choices: readonly (readonly Atom[])[] | null
    if ('atom' in token) choices = [[token.atom]]
    else if (token.structure === '{') {
      const end = closing(tokens, at)
      if (end === -1) choices = [[{ type: 'Plain', text: '{' }]]
      else {
        choices = choicesOf(tokens.slice(at, end + 1))
        at = end
      }
    } else choices = [[{ type: 'Plain', text: token.structure }]]
    if (choices === null || words.length * choices.length > LIMITS.maxBraceWords) return null
    const now = choices
    words = words.flatMap((before) => now.map((choice) => [...before, ...choice]))
  }
  return words
}

function closing(tokens: readonly Token[], from: number): number {
  let depth = 0
  for (let at = from; at < tokens.length; at++) {
    const token = tokens[at]
    if (token === undefined || !('structure' in token)) continue
    depth += token.structure === '{' ? 1 : token.structure === '}' ? -1 : 0
    if (depth === 0) return at
  }
  return -1
}

/** `{1..5}` and `{a..e}`, with a step or without. */
function rangeOf(tokens: readonly Token[]): readonly (readonly Atom[])[] | null {
  const source = tokens.map((token) => ('atom' in token && token.atom.type === 'Plain' ? token.atom.text : '\u0001')).join('')
  const match = /^(-?\d{1,9}|[A-Za-z])\.\.(-?\d{1,9}|[A-Za-z])(?:\.\.(-?\d{1,9}))?$/.exec(source)
  if (match === null)
    return nestedChoices([{ atom: { type: 'Plain', text: '{' } }, ...tokens, { atom: { type: 'Plain', text: '}' } }])
  const isNumber = /\d/.test(match[1] ?? '')
  const from = isNumber ? Number(match[1]) : (match[1] ?? '').charCodeAt(0)
  const to = isNumber ? Number(match[2]) : (match[2] ?? '').charCodeAt(0)
  const step = Math.max(1, Math.abs(Number(match[3] ?? 1)))
  const count = Math.floor(Math.abs(to - from) / step) + 1
  if (count > LIMITS.maxBraceWords) return isNumber ? [[{ type: 'Plain', text: String(from) }]] : null
  return Array.from({ length: count }, (_, index) => {
    const value = from + (from <= to ? 1 : -1) * index * step
    return [{ type: 'Plain', text: isNumber ? String(value) : String.fromCharCode(value) }]
  })
}
