/** A part of program text: a name, a text in quotes, a number, a pattern, or one character that is none of these. */
export interface Token {
  readonly kind: 'word' | 'string' | 'number' | 'pattern' | 'mark'
  readonly text: string
  /** For a string: it goes on from a value that stands in front of it, as the second half of `${a}/b`. */
  readonly continues?: boolean
}

/** Controls, marks that turn the direction of text, and characters that nobody sees. */
const INVISIBLE = /(?![\t\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|\u034f|\u115f|\u1160|\u3164|\uffa0/u

/** Escapes that only say what could not be typed. Those with a number could spell anything, so a text with one is not read. */
const PLAIN_ESCAPE = /^[\\'"`nrtbfv0ade$ .*+?()[\]{}^|/swDSWB#&,:;=<>!%@~\n-]$/

/** What a reader of a language gives its lexer: how comments and strings begin there. */
export interface Grammar {
  /** The length of a comment at this place; 0 when there is none. */
  readonly comment: (source: string, at: number) => number
  /** Reads a string at this place; null when there is none. `refused` when it cannot be read. */
  readonly string: (source: string, at: number, tokens: Token[]) => number | 'refused' | null
}

/** Cuts program text into tokens. Null when any of it could be read in two ways: then nobody has read it. */
export function tokensOf(source: string, grammar: Grammar): readonly Token[] | null {
  if (INVISIBLE.test(source)) return null
  const tokens: Token[] = []
  let at = 0
  while (at < source.length) {
    const char = source.charAt(at)
    const comment = grammar.comment(source, at)
    if (comment > 0) {
      at += comment
      continue
    }
    const end = grammar.string(source, at, tokens)
    if (end === 'refused') return null
    if (end !== null) {
      at = end
      continue
    }
    const word = /[A-Za-z_$][\w$]*/y
    word.lastIndex = at
    const found =
      word.exec(source)?.[0] ??
      /^(?:0[xXbBoO][\da-fA-F_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?)(?:[nj](?!\w))?/.exec(source.slice(at, at + 64))?.[0]
    if (found !== undefined) {
      tokens.push({ kind: /^\d/.test(found) ? 'number' : 'word', text: found })
      at += found.length
      continue
    }
    // Letters of other alphabets are names too, and some are taken for the letters that they look like.
    if (char === '\\' && source.charAt(at + 1) === '\n') at++
    else if (char === '\\' || char > '\u007e') return null
    else if (!/\s/.test(char)) tokens.push({ kind: 'mark', text: char })
    else if (char === '\n') tokens.push({ kind: 'mark', text: '\n' })
    at++
  }
  return tokens
}

/** Reads up to a closing quote. Null when there is none, or when an escape could spell anything. */
export function quoted(
  source: string,
  from: number,
  { close, isRaw, mayBreak }: { readonly close: string; readonly isRaw: boolean; readonly mayBreak: boolean },
): { readonly text: string; readonly end: number } | null {
  let text = ''
  for (let at = from; at < source.length; at++) {
    const char = source.charAt(at)
    if (source.startsWith(close, at)) return { text, end: at + close.length }
    if (char === '\n' && !mayBreak) return null
    if (char !== '\\') {
      text += char
      continue
    }
    const next = source.charAt(++at)
    if (isRaw) text += `\\${next}`
    else if (!PLAIN_ESCAPE.test(next) || (next === '0' && /\d/.test(source.charAt(at + 1)))) return null
    else if (next === '\n') continue
    else text += /[nrtbfv0]/.test(next) ? ' ' : next
  }
  return null
}

/** Neighbouring texts as one: `'a' + 'b'`, and `'a' 'b'` where the language joins them. */
export function joinedStrings(tokens: readonly Token[], isJoinedBySpace: boolean): readonly Token[] {
  const out: Token[] = []
  for (const token of tokens) {
    const last = out.at(-1)
    const before = out.at(-2)
    if (token.kind === 'string' && last?.text === '+' && before?.kind === 'string') {
      out.splice(-2, 2, { ...before, text: before.text + token.text })
    } else if (token.kind === 'string' && isJoinedBySpace && last?.kind === 'string') {
      out[out.length - 1] = { ...last, text: last.text + token.text }
    } else if (token.kind === 'string' && last?.text === '+') out.push({ ...token, continues: true })
    else out.push(token)
  }
  return out
}
