import {
  compact,
  EMPTY,
  type Field,
  originOf,
  type Piece,
  patternOf,
  text,
  textOf,
  unknown,
  type Value,
  worstOf,
} from './field.ts'
import type { Output } from './program.ts'

/** What a program prints, as far as it can become somebody's word. */
export function outputOf(
  model: Output,
  {
    operands,
    stdin,
    options,
  }: { readonly operands: readonly Field[]; readonly stdin: Value | null; readonly options: readonly string[] },
): Value {
  switch (model) {
    case 'none':
      return EMPTY
    case 'token':
      return [unknown('token')]
    case 'names':
      return [unknown('names')]
    case 'same':
    case 'dirname':
    case 'basename':
      return operands.length === 0 ? [unknown('content')] : [pathPart(model, operands[0] ?? [])]
    case 'echo':
      return [echo(operands)]
    case 'printf':
      return [printf(operands)]
    case 'cat':
      return operands.length === 0 || textOf(operands[0] ?? []) === '-' ? (stdin ?? [unknown('content')]) : [unknown('content')]
    case 'filter': {
      if (options.some((name) => /^(?:-l|-L|--files(?:-with(?:out)?-match(?:es)?)?)$/.test(name))) return [unknown('names')]
      const origins = (stdin ?? []).map((field) => originOf(field))
      return operands.length > 0 || origins.length === 0 || origins.includes(null)
        ? [unknown('content')]
        : [unknown(worstOf(origins.filter((origin) => origin !== null)))]
    }
    case 'decode':
      return [
        unknown(
          options.some((name) => /^(?:-d|-D|-r|--decode|--reverse|-di|-id)$/.test(name)) || options.length === 0
            ? 'derived'
            : 'content',
        ),
      ]
    default:
      return [unknown('content')]
  }
}

/** A path, its folder or its last part, computed when it is known. */
function pathPart(model: 'same' | 'dirname' | 'basename', field: Field): Field {
  const source = textOf(field)
  if (model === 'same') return compact(field.map(unglobbed))
  if (source === null) return [{ kind: 'unknown', origin: worstOf([originOf(field) ?? 'names']), splits: false }]
  const path = source.replace(/(?<=[^/])\/+$/, '')
  const slash = path.lastIndexOf('/')
  if (model === 'basename') return text(path.slice(slash + 1))
  return text(slash === -1 ? '.' : slash === 0 ? '/' : path.slice(0, slash))
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\u0007',
  b: '\b',
  f: '\f',
  v: '\v',
  e: '\u001b',
  E: '\u001b',
  '\\': '\\',
  '"': '"',
  "'": "'",
}

function decodeEscapes(source: string): string {
  return source.replace(
    /\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|(0?[0-7]{1,3})|([\s\S]))/g,
    (
      whole,
      hex: string | undefined,
      short: string | undefined,
      long: string | undefined,
      octal: string | undefined,
      char: string | undefined,
    ) => {
      const digits = hex ?? short ?? long
      if (digits !== undefined) {
        const code = Number.parseInt(digits, 16)
        return code <= 0x10ffff ? String.fromCodePoint(code) : whole
      }
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 255)
      return ESCAPES[char ?? ''] ?? whole
    },
  )
}

/** True when escapes stand for characters that could have been typed. */
export function hidesLetters(source: string): boolean {
  return [...source.matchAll(/\\(?:x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}|0?[0-7]{2,3})/g)].some(([escaped]) => {
    const code = decodeEscapes(escaped).charCodeAt(0)
    return code > 32 && code < 127
  })
}

function echo(operands: readonly Field[]): Field {
  let rest = operands
  let escapes = false
  while (/^-[neE]+$/.test(textOf(rest[0] ?? []) ?? '')) {
    if ((textOf(rest[0] ?? []) ?? '').includes('e')) escapes = true
    rest = rest.slice(1)
  }
  const pieces = rest.flatMap((field, index) => (index === 0 ? field : [...text(' '), ...field]))
  const all = escapes
    ? pieces.map((piece) => (piece.kind === 'text' ? { ...piece, text: decodeEscapes(piece.text) } : piece))
    : pieces
  return compact([...all.map(unglobbed), ...text('\n')])
}

/** A pattern becomes names when it is printed. */
function unglobbed(piece: Piece): Piece {
  return piece.kind === 'glob' ? { kind: 'unknown', origin: 'names', splits: false } : piece
}

function printf(operands: readonly Field[]): Field {
  const [format, ...given] = textOf(operands[0] ?? []) === '--' ? operands.slice(1) : operands
  const source = format === undefined ? '' : textOf(format)
  if (source === null) return unknown(originOf(format ?? []) ?? 'content')
  if (!/%[^%]/.test(source)) return text(decodeEscapes(source).replaceAll('%%', '%'))
  const out: Piece[] = []
  let left = given
  for (let round = 0; round === 0 || (left.length > 0 && round < 32); round++) {
    let used = 0
    for (const [part] of source.matchAll(/%%|%[-+ 0#]*[\d*]*(?:\.[\d*]*)?[a-zA-Z]|[^%]+|%/g)) {
      if (part === '%%') out.push(...text('%'))
      else if (!part.startsWith('%') || part === '%') out.push(...text(decodeEscapes(part)))
      else {
        out.push(...converted(part, left[used] ?? []))
        used++
      }
    }
    left = left.slice(used)
    if (used === 0) break
  }
  return compact(out.map(unglobbed))
}

function converted(conversion: string, value: Field): Field {
  const source = textOf(value)
  if (conversion === '%s') return value
  if (conversion === '%c' && source !== null) return text(source.slice(0, 1))
  if (conversion === '%b' && source !== null) return text(decodeEscapes(source))
  if (/[dioux]$/i.test(conversion)) return unknown('token')
  return unknown(patternOf(value) === '' ? 'token' : 'derived')
}
