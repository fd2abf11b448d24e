import type { ParameterExpansionPart, ParameterOperation, Word } from 'unbash'
import type { Expander } from './expander.ts'
import { EMPTY, type Field, joinValues, originOf, patternOf, text, textOf, unknown, type Value } from './field.ts'
import type { State } from './state.ts'

interface Reading {
  readonly word: (word: Word) => Value
  readonly read: (name: string) => Value
}

/** The value of `${...}`: computed where everything is known, with the honest origin where it is not. */
export function expandParameter(part: ParameterExpansionPart, state: State, shell: Expander, reading: Reading): Value {
  if (part.index !== undefined) shell.visit(part.index, state)
  if (part.prefix === '#') return [unknown('token')]
  const isList = part.parameter === '@' || part.parameter === '*' || part.index?.text === '@' || part.index?.text === '*'
  if (isList && part.operation !== undefined) {
    for (const operand of operandsOf(part.operation)) reading.word(operand)
    return [unknown('content')]
  }
  if (part.operation?.type === 'Default' && part.operation.operator.endsWith('=')) {
    shell.setDefault(part.parameter, reading.word(part.operation.operand))
  }
  const value = part.prefix === '!' ? indirect(part, shell, reading) : element(part, state, reading)
  return part.operation === undefined ? value : operate(part.operation, value, shell, reading)
}

function operandsOf(operation: ParameterOperation): readonly Word[] {
  const found: Word[] = []
  for (const operand of Object.values(operation)) {
    if (typeof operand === 'object' && operand !== null && 'type' in operand && operand.type === 'Word') found.push(operand)
  }
  return found
}

function element(part: ParameterExpansionPart, state: State, { read }: Reading): Value {
  const elements = state.arrays.get(part.parameter)
  if (part.index === undefined || elements === undefined) return read(part.parameter)
  if (elements === null) return [unknown('content')]
  const index = part.index.text
  if (/^\d{1,6}$/.test(index)) return [elements[Number(index)] ?? []]
  if (index === '@' || index === '*') return [elements.flatMap((field, at) => (at === 0 ? field : [...text(' '), ...field]))]
  return elements.reduce<Value>((all, field) => joinValues(all, [field]), EMPTY)
}

/** `${!name}` reads the variable whose name is in another one. */
function indirect(part: ParameterExpansionPart, shell: Expander, { read }: Reading): Value {
  if (part.operation?.type === 'Names') return [unknown('token')]
  const names = read(part.parameter).map((field) => textOf(field))
  if (names.some((name) => name === null || !/^\w+$/.test(name))) {
    shell.note('obfuscated')
    return [unknown('derived')]
  }
  return names.map((name) => read(name ?? '')).reduce((all, value) => joinValues(all, value))
}

function operate(operation: ParameterOperation, value: Value, shell: Expander, { word }: Reading): Value {
  switch (operation.type) {
    case 'Default':
      return byDefault(operation.operator, value, word(operation.operand))
    case 'Slice':
      return slice(value, word(operation.offset), operation.length === undefined ? null : word(operation.length))
    case 'Remove':
      return withPattern(value, word(operation.operand), (source, pattern) => remove(source, pattern, operation.operator))
    case 'Replace': {
      const replacement = word(operation.replacement)
      const by = replacement.length === 1 ? textOf(replacement[0] ?? []) : null
      if (by === null) return value.map((field) => unknown(worse(field)))
      return withPattern(value, word(operation.pattern), (source, pattern) => replace(source, pattern, operation.operator, by))
    }
    case 'CaseModification':
      return value.map((field) => changeCase(field, operation.operator, operation.operand !== undefined))
    case 'Transform': {
      const kind = operation.operand.value
      if (kind === 'U' || kind === 'L') return value.map((field) => changeCase(field, kind === 'U' ? '^^' : ',,', false))
      if (kind === 'Q') return value.map((field) => (textOf(field) === null ? field : unknown('content')))
      shell.note('obfuscated')
      return [unknown('derived')]
    }
    case 'Names':
      return [unknown('token')]
    default:
      shell.note('unsupported-syntax')
      return [unknown('derived')]
  }
}

function byDefault(operator: string, value: Value, operand: Value): Value {
  if (operator.endsWith('?')) return value
  const isSet = value.every((field) => (textOf(field) ?? '') !== '')
  if (operator.endsWith('+')) {
    const isUnset = operator === ':+' && value.every((field) => textOf(field) === '')
    return isSet ? operand : isUnset ? EMPTY : joinValues(operand, EMPTY)
  }
  if (isSet) return value
  const known = value.filter((field) => field.length > 0 && (textOf(field) === null || textOf(field) !== ''))
  return known.length === 0 ? operand : joinValues(known, operand)
}

function slice(value: Value, offset: Value, length: Value | null): Value {
  const from = numberOf(offset)
  const count = length === null ? Number.POSITIVE_INFINITY : numberOf(length)
  return value.map((field) => {
    const source = textOf(field)
    if (source !== null && from !== null && count !== null) return text(sliceText(source, from, count))
    // Picking single characters out of something is how words are built that nobody is to read.
    return unknown(count !== null && count > 2 && originOf(field) !== null ? worse(field) : 'derived')
  })
}

function sliceText(source: string, from: number, count: number): string {
  const start = from < 0 ? Math.max(0, source.length + from) : from
  return count < 0 ? source.slice(start, source.length + count) : source.slice(start, start + count)
}

function numberOf(value: Value): number | null {
  const source = value.length === 1 ? textOf(value[0] ?? []) : null
  return source !== null && /^\s*-?\d{1,6}\s*$/.test(source) ? Number(source) : null
}

function withPattern(value: Value, pattern: Value, change: (source: string, pattern: RegExp) => string): Value {
  const expression = pattern.length === 1 ? expressionOf(pattern[0] ?? []) : null
  return value.map((field) => {
    const source = textOf(field)
    if (source === null || expression === null || source.length > 256) return unknown(worse(field))
    return text(change(source, expression))
  })
}

/** A glob as a regular expression; null for one with brackets, extended globs or unknown parts, or with many wildcards. */
function expressionOf(pattern: Field): RegExp | null {
  let stars = 0
  let source = ''
  for (const piece of pattern) {
    if (piece.kind === 'unknown') return null
    if (piece.kind === 'text') source += piece.text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    else if (piece.text === '*') {
      stars++
      source += '[^]*'
    } else if (piece.text === '?') source += '[^]'
    else return null
  }
  return stars <= 2 ? new RegExp(source) : null
}

function remove(source: string, { source: pattern }: RegExp, operator: string): string {
  const lengths = Array.from({ length: source.length + 1 }, (_, index) => index)
  const whole = new RegExp(`^(?:${pattern})$`)
  const isFront = operator.startsWith('#')
  const wanted = operator.length === 2 ? lengths.toReversed() : lengths
  for (const length of wanted) {
    const piece = isFront ? source.slice(0, length) : source.slice(source.length - length)
    if (whole.test(piece)) return isFront ? source.slice(length) : source.slice(0, source.length - length)
  }
  return source
}

function replace(source: string, { source: pattern }: RegExp, operator: string, by: string): string {
  if (pattern === '') return source
  const anchored = operator === '/#' ? `^(?:${pattern})` : operator === '/%' ? `(?:${pattern})$` : pattern
  return source.replace(new RegExp(anchored, operator === '//' ? 'g' : ''), () => by)
}

function changeCase(field: Field, operator: string, hasPattern: boolean): Field {
  const source = textOf(field)
  if (source === null || hasPattern) return originOf(field) === null && source === null ? field : unknown(worse(field))
  const change = (part: string) => (operator.startsWith('^') ? part.toUpperCase() : part.toLowerCase())
  return text(operator.length === 2 ? change(source) : change(source.slice(0, 1)) + source.slice(1))
}

/** The origin after a change that was not computed: known text that was changed out of sight was built. */
function worse(field: Field) {
  const origin = originOf(field)
  if (origin === null) return patternOf(field).length === 0 ? 'token' : 'derived'
  return origin
}
