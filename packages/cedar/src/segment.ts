import type { CedarErrorCode } from './error.ts'

/** One policy as it stands in its file. */
interface Segment {
  /** Where it starts in the file, in UTF-16 code units. */
  readonly start: number
  /** From the first annotation (or the effect) to the semicolon. */
  readonly text: string
}

/** Why a file was refused before Cedar saw it; `at` is a UTF-16 offset into the file. */
interface Refusal {
  readonly code: CedarErrorCode
  readonly at: number
  readonly message: string
}

export type Segmented =
  | { readonly ok: true; readonly segments: readonly Segment[] }
  | { readonly ok: false; readonly refusal: Refusal }

/** Bytes of one file, and code units of one policy. */
export const MAX_FILE_BYTES = 256 * 1024
export const MAX_POLICY_LENGTH = 10_000
/**
 * Nesting and operators of one policy. Cedar's parser recurses once per bracket and per operator; 128 nested brackets or 512
 * operators overflow the stack inside its WebAssembly instance, which is unusable from then on.
 */
export const MAX_NESTING = 32
export const MAX_OPERATORS = 128

/** Strings, comments, brackets, operators and the words that nest; what is between them does not matter here. */
const TOKEN = /"(?:[^"\\]|\\[\s\S])*"?|\/\/[^\n]*|[([{]|[)\]}]|;|&&|\|\||[=!<>]=|[-+*.!<>]|\b(?:if|in|has|like|is)\b|[^\s]/g
const OPERATOR = /^(?:&&|\|\||[=!<>]=|[-+*.!<>]|if|in|has|like|is)$/
/** Control characters, and those that make text read in another order than it is parsed ("Trojan Source"). */
const UNSEEN = /[^\P{Cc}\t\n\r]|[\u202A-\u202E\u2066-\u2069\uFEFF]/u

/**
 * Splits the text of a file into its policies, so that each is parsed by itself and its errors have a place.
 *
 * The text is written by whoever may write policies; the limits protect the parser from a mistake as much as from malice. Cedar has
 * no block comments and one form of string, so a semicolon outside of both ends a policy; were a cut ever wrong, the piece would not
 * parse.
 */
export function splitPolicies(text: string): Segmented {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES)
    return refuse('policy_limit', 0, `a policy file may have ${MAX_FILE_BYTES} bytes at most`)
  const unseen = UNSEEN.exec(text)
  if (unseen !== null) {
    const point = (unseen[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
    return refuse('policy_syntax', unseen.index, `the invisible character U+${point} is not allowed in a policy file`)
  }
  const segments: Segment[] = []
  let current = fresh()
  for (const match of text.matchAll(TOKEN)) {
    const token = match[0]
    if (token.startsWith('//')) continue
    if (current.start < 0) current.start = match.index
    count(current, token)
    const end = match.index + token.length
    const refusal = tooMuch(current, end)
    if (refusal !== undefined) return { ok: false, refusal }
    if (token !== ';') continue
    segments.push({ start: current.start, text: text.slice(current.start, end) })
    current = fresh()
  }
  if (current.start >= 0) segments.push({ start: current.start, text: text.slice(current.start).trimEnd() })
  return { ok: true, segments }
}

interface Counts {
  start: number
  nesting: number
  operators: number
}

function fresh(): Counts {
  return { start: -1, nesting: 0, operators: 0 }
}

function count(current: Counts, token: string): void {
  if (/^[([{]$/.test(token)) current.nesting += 1
  else if (/^[)\]}]$/.test(token)) current.nesting -= 1
  else if (OPERATOR.test(token)) current.operators += 1
}

function tooMuch(current: Counts, end: number): Refusal | undefined {
  const limit = (message: string): Refusal => ({ code: 'policy_limit', at: current.start, message })
  if (end - current.start > MAX_POLICY_LENGTH) return limit(`a policy may have ${MAX_POLICY_LENGTH} characters at most: split it`)
  if (current.nesting > MAX_NESTING) return limit(`a policy may nest ${MAX_NESTING} brackets at most`)
  if (current.operators > MAX_OPERATORS) return limit(`a policy may have ${MAX_OPERATORS} operators at most: split it`)
  return undefined
}

function refuse(code: CedarErrorCode, at: number, message: string): Segmented {
  return { ok: false, refusal: { code, at, message } }
}
