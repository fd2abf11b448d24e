import type { ArrayValue, CommandExpansionPart, Word } from 'unbash'
import { type Atom, expandBraces } from './brace.ts'
import type { Expander } from './expander.ts'
import { EMPTY, compact, type Field, originOf, type Piece, text, textOf, unknown, type Value } from './field.ts'
import { LIMITS } from './limits.ts'
import { expandParameter } from './parameter.ts'
import { readVariable, type State } from './state.ts'

/** One way in which a word may turn out: the fields that it becomes. */
type Way = readonly Field[]

interface Building {
  readonly done: readonly Field[]
  readonly pieces: readonly Piece[]
  /** A quoted part keeps an empty field alive. */
  readonly kept: boolean
}

/** Expands words to the ways in which they may turn out, each a list of fields, in the order and with the rules of the shell. */
export function expandWords(words: readonly Word[], state: State, shell: Expander): readonly Way[] {
  shell.spend(words.length > LIMITS.maxWords ? Number.POSITIVE_INFINITY : words.length / 16)
  let ways: Field[][] = [[]]
  for (const word of words) {
    let next = expandWord(word, state, shell)
    if (ways.length * next.length > LIMITS.maxWays) next = [[unknown('content', { splits: true })]]
    const [only] = next
    if (next.length === 1 && only !== undefined) for (const way of ways) way.push(...only)
    else ways = ways.flatMap((before) => next.map((fields) => [...before, ...fields]))
    for (const way of ways) if (way.length > LIMITS.maxWords) shell.spend(Number.POSITIVE_INFINITY)
  }
  return ways
}

function expandWord(word: Word, state: State, shell: Expander): readonly Way[] {
  const variants = (word.parts?.length ?? 0) > LIMITS.maxParts ? null : expandBraces(word)
  if (variants === null) {
    for (const part of word.parts ?? []) shell.visit(part, state)
    return [[unknown('derived', { splits: true })]]
  }
  let ways: readonly Way[] = [[]]
  for (const atoms of variants) {
    const next = expandAtoms(atoms, word.text.startsWith('~'), state, shell)
    if (ways.length * next.length > LIMITS.maxWays) return [[unknown('content', { splits: true })]]
    ways = ways.flatMap((before) => next.map((fields) => [...before, ...fields]))
  }
  return ways
}

/** The value of a word where it is not split into fields: an assignment, the target of a redirection, a here-string. */
export function expandValue(word: Word, state: State, shell: Expander): Value {
  const atoms: readonly Atom[] = word.parts ?? [{ type: 'Plain', text: word.value }]
  return expandParts(atoms, state, shell, { tilde: word.text.startsWith('~') })
}

/** The value of a text with expansions in it, such as a here-document. */
export function expandParts(
  parts: readonly Atom[],
  state: State,
  shell: Expander,
  { tilde = false }: { readonly tilde?: boolean } = {},
): Value {
  if (parts.length > LIMITS.maxParts * 4) shell.spend(Number.POSITIVE_INFINITY)
  let value: Value = EMPTY
  for (const [index, part] of parts.entries()) {
    const next = atomValue(index === 0 && tilde ? withTilde(part, parts.length === 1, state, shell) : part, state, shell)
    value = value.length * next.length > LIMITS.maxWays ? [unknown('content')] : combine(value, next)
    shell.spend(1 / 16)
  }
  return value.map((field) =>
    field.length > LIMITS.maxPieces || sizeOf(field) > LIMITS.maxTextLength
      ? unknown(originOf(field) === 'derived' ? 'derived' : 'content')
      : field,
  )
}

/** The elements of an array. */
export function expandElements(array: ArrayValue, state: State, shell: Expander): readonly Field[] | null {
  const ways = expandWords(array.elements, state, shell)
  return ways.length === 1 ? (ways[0] ?? []) : null
}

export function combine(left: Value, right: Value): Value {
  return left.flatMap((before) => right.map((after) => compact([...before, ...after])))
}

function expandAtoms(atoms: readonly Atom[], tilde: boolean, state: State, shell: Expander): readonly Way[] {
  let ways: Building[] = [{ done: [], pieces: [], kept: false }]
  for (const [index, atom] of atoms.entries()) {
    const now = index === 0 && tilde ? withTilde(atom, atoms.length === 1, state, shell) : atom
    const choices = choicesOf(now, state, shell)
    if (ways.length * choices.length > LIMITS.maxWays) return [[unknown('content', { splits: true })]]
    ways = ways.flatMap((way) => choices.map((fields) => append(way, fields, isKept(now))))
  }
  return ways.map(({ done, pieces, kept }) => (pieces.length > 0 || kept ? [...done, compact(pieces)] : done))
}

/** An atom as choices of one or more fields: the first goes on the current field, the last stays open. */
function choicesOf(atom: Atom, state: State, shell: Expander): readonly (readonly Field[])[] {
  const list = listOf(atom, state)
  if (list !== null) {
    const isQuoted = atom.type === 'DoubleQuoted' || atom.type === 'LocaleString'
    const fields = isQuoted ? list : list.flatMap((field) => splitField(field, state, shell))
    return [fields.length === 0 ? [[]] : fields]
  }
  const value = atomValue(atom, state, shell)
  const isSplit = atom.type === 'SimpleExpansion' || atom.type === 'ParameterExpansion' || atom.type === 'CommandExpansion'
  return isSplit ? value.map((field) => splitField(field, state, shell)) : value.map((field) => [field])
}

function append(way: Building, fields: readonly Field[], kept: boolean): Building {
  const [first = [], ...rest] = fields
  const pieces = [...way.pieces, ...first]
  if (rest.length === 0) return { done: way.done, pieces, kept: way.kept || kept }
  const last = rest.at(-1) ?? []
  const closed = pieces.length > 0 || way.kept ? [compact(pieces)] : []
  return { done: [...way.done, ...closed, ...rest.slice(0, -1).filter((field) => field.length > 0)], pieces: last, kept: false }
}

function isKept(atom: Atom): boolean {
  if (atom.type === 'DoubleQuoted' || atom.type === 'LocaleString') return !/^\$?"\$\{?(?:@|\w+\[@\])\}?"$/.test(atom.text)
  return atom.type === 'SingleQuoted' || atom.type === 'AnsiCQuoted'
}

/** `$@`, `$*` and `${array[@]}`, which become several fields even in quotes. Null for everything else. */
function listOf(atom: Atom, state: State): readonly Field[] | null {
  const isQuoted = atom.type === 'DoubleQuoted' || atom.type === 'LocaleString'
  const part = isQuoted && atom.parts.length === 1 ? atom.parts[0] : atom
  if (part === undefined || part.type === 'Plain') return null
  // In quotes, `$*` and `${array[*]}` are one word.
  if (isQuoted && /^\$(?:\*|\{\*\}|\{\w+\[\*\]\})$/.test(part.text)) return null
  if (part.type === 'SimpleExpansion') {
    if (part.text !== '$@' && part.text !== '$*') return null
    return state.positional ?? [unknown('content', { splits: true })]
  }
  if (part.type !== 'ParameterExpansion' || part.operation !== undefined || part.prefix !== undefined) return null
  if (part.parameter === '@' || part.parameter === '*') return state.positional ?? [unknown('content', { splits: true })]
  if (part.index?.text !== '@' && part.index?.text !== '*') return null
  const elements = state.arrays.get(part.parameter)
  return elements === undefined ? null : (elements ?? [unknown('content', { splits: true })])
}

/** Splits what an expansion gave outside of quotes, and lets its wildcards work. */
function splitField(field: Field, state: State, shell: Expander): readonly Field[] {
  const separators = readVariable(state, 'IFS', shell).map((value) => textOf(value))
  const only = separators.length === 1 ? separators[0] : null
  if (only === null || only === undefined) return [field.length === 0 ? [] : unknown('derived', { splits: true })]
  const fields: Piece[][] = [[]]
  for (const piece of field) {
    if (piece.kind === 'unknown') fields.at(-1)?.push({ ...piece, splits: true })
    else if (piece.kind === 'glob') fields.at(-1)?.push(piece)
    else
      for (const char of piece.text) {
        if (only.includes(char)) fields.push([])
        else if (char === '*' || char === '?' || char === '[') fields.at(-1)?.push({ kind: 'glob', text: char })
        else fields.at(-1)?.push({ kind: 'text', text: char })
      }
  }
  return fields.map((pieces) => compact(pieces))
}

function sizeOf(field: Field): number {
  return field.reduce((size, piece) => size + (piece.kind === 'unknown' ? 1 : piece.text.length), 0)
}

function atomValue(atom: Atom, state: State, shell: Expander): Value {
  switch (atom.type) {
    case 'Plain':
      return [text(atom.text)]
    case 'Literal':
    case 'SingleQuoted':
      return [text(atom.value)]
    case 'AnsiCQuoted':
      if (hidesLetters(atom.text)) shell.note('obfuscated')
      return [text(atom.value)]
    case 'Glob':
      return [[{ kind: 'glob', text: atom.text }]]
    case 'ExtendedGlob':
      for (const part of atom.parts ?? []) shell.visit(part, state)
      return [[{ kind: 'glob', text: atom.text }]]
    case 'DoubleQuoted':
    case 'LocaleString':
      return expandParts(atom.parts, state, shell)
    case 'SimpleExpansion':
      return joined(atom.text.slice(1), state, shell)
    case 'ParameterExpansion':
      return expandParameter(atom, state, shell, {
        word: (word) => expandValue(word, state, shell),
        read: (name) => joined(name, state, shell),
      })
    case 'CommandExpansion':
      return outputOf(atom, state, shell)
    case 'ProcessSubstitution':
      return [shell.pipe(atom, state)]
    case 'ArithmeticExpansion':
      shell.visit(atom, state)
      return [unknown('token')]
    case 'BraceExpansion':
      return [text(atom.text)]
    default:
      return unsupported(atom, shell)
  }
}

function unsupported(_part: never, shell: Expander): Value {
  shell.note('unsupported-syntax')
  return [unknown('derived')]
}

function joined(name: string, state: State, shell: Expander): Value {
  if (name !== '@' && name !== '*') return readVariable(state, name, shell)
  if (state.positional === null) return [unknown('content')]
  return [compact(state.positional.flatMap((field, index) => (index === 0 ? field : [...text(' '), ...field])))]
}

function outputOf(part: CommandExpansionPart, state: State, shell: Expander): Value {
  if (part.script === undefined) {
    shell.note('unsupported-syntax')
    return [unknown('derived')]
  }
  return shell.output(part.script, state).map(withoutLastNewlines)
}

function withoutLastNewlines(field: Field): Field {
  const last = field.at(-1)
  if (last?.kind !== 'text') return field
  return compact([...field.slice(0, -1), { kind: 'text', text: last.text.replace(/\n+$/, '') }])
}

/** `~`, `~/x`, `~name/x`, `~+` and `~-` at the beginning of a word. */
function withTilde(atom: Atom, isWhole: boolean, state: State, shell: Expander): Atom {
  if (atom.type !== 'Plain' && atom.type !== 'Literal') return atom
  const source = atom.type === 'Plain' ? atom.text : atom.value
  const match = /^~([A-Za-z0-9_.+-]*)(?=\/|$)/.exec(source)
  // The name must end within this piece of text: `~"x"` is no home.
  if (match === null || (match[0].length === source.length && !isWhole)) return atom
  const user = match[1] ?? ''
  const home = readVariable(state, 'HOME', shell)
  const own = home.length === 1 ? textOf(home[0] ?? []) : null
  const other = (name: string, places: readonly string[] | null): string => {
    const value = readVariable(state, name, shell)
    return (value.length === 1 ? textOf(value[0] ?? []) : null) ?? places?.[0] ?? '/'
  }
  const place =
    user === ''
      ? (own ?? shell.home)
      : user === '+'
        ? other('PWD', state.cwds)
        : user === '-'
          ? other('OLDPWD', state.previous)
          : user === 'root'
            ? '/root'
            : `/home/${user}`
  return { type: 'Plain', text: place + source.slice(match[0].length) }
}

/** True for `$'..'` whose escapes stand for characters that could have been typed. */
function hidesLetters(source: string): boolean {
  for (const match of source.matchAll(/\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3}))/g)) {
    const hex = match[1] ?? match[2] ?? match[3]
    const code = hex === undefined ? Number.parseInt(match[4] ?? '0', 8) : Number.parseInt(hex, 16)
    if (code > 32 && code < 127) return true
  }
  return false
}
