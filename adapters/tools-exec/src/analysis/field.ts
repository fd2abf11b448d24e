/**
 * Where an unknown piece of a word comes from, from harmless to hostile: a short token (a number, a hash, a date), names of files
 * below the current folder, the environment that we set up, the end of a pipe, outside content, or text that was decoded or built.
 */
export type Origin = 'token' | 'pipe' | 'environment' | 'names' | 'content' | 'derived'

const ORIGINS: readonly Origin[] = ['token', 'pipe', 'environment', 'names', 'content', 'derived']

export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'glob'; readonly text: string }
  /** `splits`: stands outside of quotes, so it may become several words, or none. */
  | {
      readonly kind: 'unknown'
      readonly origin: Origin
      readonly splits: boolean
      /** What comes out of the end of this pipe, for `sh <(...)`. */
      readonly carries?: Value
    }

/** One word of a command after expansion. */
export type Field = readonly Piece[]

/** What a variable or an output may be: one of these texts, each in pieces. */
export type Value = readonly Field[]

const MAX_ALTERNATIVES = 8

export const EMPTY: Value = [[]]

export function text(value: string): Field {
  return value === '' ? [] : [{ kind: 'text', text: value }]
}

export function unknown(origin: Origin, { splits = false }: { readonly splits?: boolean } = {}): Field {
  return [{ kind: 'unknown', origin, splits }]
}

/** The text of a field when all of it is known; null otherwise. */
export function textOf(field: Field): string | null {
  let all = ''
  for (const piece of field) {
    if (piece.kind !== 'text') return null
    all += piece.text
  }
  return all
}

/** The text with `*` for what is not known. For people and for keys, never for decisions. */
export function patternOf(field: Field): string {
  return field.map((piece) => (piece.kind === 'unknown' ? '*' : piece.text)).join('')
}

/** The known text that a field begins with. */
export function prefixOf(field: Field): string {
  let all = ''
  for (const piece of field) {
    if (piece.kind !== 'text') break
    all += piece.text
  }
  return all
}

/** The worst origin among the unknown pieces; null when there is none. */
export function originOf(field: Field): Origin | null {
  let worst = -1
  for (const piece of field) if (piece.kind === 'unknown') worst = Math.max(worst, ORIGINS.indexOf(piece.origin))
  return ORIGINS[worst] ?? null
}

export function worstOf(origins: Iterable<Origin>): Origin {
  let worst = 0
  for (const origin of origins) worst = Math.max(worst, ORIGINS.indexOf(origin))
  return ORIGINS[worst] ?? 'derived'
}

/** Drops the first `count` characters of known text; null when they are not all known. */
export function dropText(field: Field, count: number): Field | null {
  const rest: Piece[] = []
  let left = count
  for (const piece of field) {
    if (left === 0) rest.push(piece)
    else if (piece.kind !== 'text') return null
    else if (piece.text.length > left) {
      rest.push({ kind: 'text', text: piece.text.slice(left) })
      left = 0
    } else left -= piece.text.length
  }
  return left === 0 ? rest : null
}

/** A value that may be either; becomes unknown when there are too many alternatives. */
export function joinValues(left: Value, right: Value): Value {
  if (left === right) return left
  const all = new Map<string, Field>()
  for (const field of [...left, ...right]) all.set(keyOf(field), field)
  return all.size <= MAX_ALTERNATIVES ? [...all.values()] : widen([...all.values()])
}

/** The value that includes these and everything like them. */
export function widen(fields: readonly Field[]): Value {
  const origins = fields.map((field) => originOf(field)).filter((origin) => origin !== null)
  return [unknown(worstOf(['content', ...origins]))]
}

export function sameValue(left: Value, right: Value): boolean {
  return left.length === right.length && left.every((field, index) => keyOf(field) === keyOf(right[index] ?? []))
}

function keyOf(field: Field): string {
  return field.map((piece) => (piece.kind === 'unknown' ? `\u0001${piece.origin}` : `\u0002${piece.kind}${piece.text}`)).join('')
}

/** Neighbouring texts as one piece, and so neighbouring unknowns. */
export function compact(pieces: readonly Piece[]): Field {
  const out: Piece[] = []
  for (const piece of pieces) {
    const last = out.at(-1)
    if (piece.kind === 'text' && last?.kind === 'text') out[out.length - 1] = { kind: 'text', text: last.text + piece.text }
    else if (piece.kind === 'unknown' && last?.kind === 'unknown' && last.carries === undefined && piece.carries === undefined) {
      out[out.length - 1] = { kind: 'unknown', origin: worstOf([last.origin, piece.origin]), splits: last.splits || piece.splits }
    } else if (piece.kind !== 'text' || piece.text !== '') out.push(piece)
  }
  return out
}
