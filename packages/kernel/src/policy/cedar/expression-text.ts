import { type EstClause, isObject, readNode } from './est.ts'
import { decodeEntityEscape, extensionEscape } from './json-value.ts'
import { quoted, uidText } from './text.ts'

const INFIX: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=', '+', '-', '*', '&&', '||', 'in'])
const METHODS: ReadonlySet<string> = new Set(['contains', 'containsAll', 'containsAny', 'getTag', 'hasTag'])
const FUNCTIONS: ReadonlySet<string> = new Set(['ip', 'decimal', 'datetime', 'duration'])
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/
const RESERVED: ReadonlySet<string> = new Set(['true', 'false', 'if', 'then', 'else', 'in', 'is', 'like', 'has', '__cedar'])
/** What needs no brackets as a part of something else, beside literals and calls. */
const PRIMARY: ReadonlySet<string> = new Set(['Var', '.', 'isEmpty', 'Set', 'Record', ...METHODS])

/** A condition as text: `when { ... }`. */
export function clauseText({ kind, body }: EstClause): string {
  return `${kind} { ${expressionText(body)} }`
}

/**
 * An expression in Cedar's JSON form as text that parses to the same expression. Brackets stand wherever they could matter.
 *
 * For people to read; what is no expression comes out as `?`.
 */
export function expressionText(expression: unknown): string {
  const node = readNode(expression)
  if (node === undefined) return '?'
  const { operator, operand } = node
  if (Array.isArray(operand) && operator !== 'Set' && operator !== 'Value') return callText(operator, operand)
  const fields = isObject(operand) ? operand : {}
  if (INFIX.has(operator)) return `${partText(fields.left)} ${operator} ${partText(fields.right)}`
  if (METHODS.has(operator)) return `${partText(fields.left)}.${operator}(${expressionText(fields.right)})`
  return FORMS.get(operator)?.(operand, fields) ?? '?'
}

type Form = (operand: unknown, fields: Readonly<Record<string, unknown>>) => string

const FORMS: ReadonlyMap<string, Form> = new Map<string, Form>([
  ['Value', (operand: unknown) => valueText(operand)],
  ['Var', (operand: unknown) => String(operand)],
  ['!', (_operand, fields) => `!${partText(fields.arg)}`],
  ['neg', (_operand, fields) => `-${partText(fields.arg)}`],
  ['isEmpty', (_operand, fields) => `${partText(fields.arg)}.isEmpty()`],
  ['.', (_operand, fields) => `${partText(fields.left)}${accessText(String(fields.attr))}`],
  ['has', (_operand, fields) => `${partText(fields.left)} has ${presenceText(fields.attr)}`],
  ['like', (_operand, fields) => `${partText(fields.left)} like "${patternText(fields.pattern)}"`],
  ['is', (_operand, fields) => `${partText(fields.left)} is ${String(fields.entity_type)}${withinText(fields.in)}`],
  ['if-then-else', (_operand, fields) => conditionalText(fields)],
  ['Set', (operand: unknown) => `[${listOf(operand).map(expressionText).join(', ')}]`],
  ['Record', (_operand, fields) => recordText(fields, expressionText)],
])

function conditionalText({ if: condition, then: consequent, else: alternative }: Readonly<Record<string, unknown>>): string {
  return `if ${partText(condition)} then ${partText(consequent)} else ${partText(alternative)}`
}

function partText(part: unknown): string {
  const text = expressionText(part)
  return isPrimary(part) ? text : `(${text})`
}

function isPrimary(part: unknown): boolean {
  const node = readNode(part)
  if (node === undefined) return false
  const { operator, operand } = node
  if (operator === 'Value') return !((typeof operand === 'number' || typeof operand === 'bigint') && operand < 0)
  return PRIMARY.has(operator) || Array.isArray(operand)
}

function callText(name: string, args: readonly unknown[]): string {
  if (FUNCTIONS.has(name)) return `${name}(${args.map(expressionText).join(', ')})`
  const [first, ...rest] = args
  return `${partText(first)}.${name}(${rest.map(expressionText).join(', ')})`
}

function valueText(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`
  const uid = decodeEntityEscape(value)
  if (uid !== undefined) return uidText(uid)
  const called = extensionEscape(value)
  if (called !== undefined)
    return callText(
      called.name,
      called.args.map((arg) => ({ Value: arg })),
    )
  return isObject(value) ? recordText(value, valueText) : String(value)
}

function recordText(fields: Readonly<Record<string, unknown>>, text: (value: unknown) => string): string {
  return `{${Object.entries(fields)
    .map(([name, value]) => `${isIdentifier(name) ? name : quoted(name)}: ${text(value)}`)
    .join(', ')}}`
}

function accessText(name: string): string {
  return isIdentifier(name) ? `.${name}` : `[${quoted(name)}]`
}

function presenceText(attr: unknown): string {
  if (Array.isArray(attr)) return attr.join('.')
  const name = String(attr)
  return isIdentifier(name) ? name : quoted(name)
}

function patternText(pattern: unknown): string {
  return listOf(pattern)
    .map((part) => (part === 'Wildcard' ? '*' : literalText(isObject(part) ? part.Literal : '')))
    .join('')
}

function literalText(literal: unknown): string {
  return quoted(String(literal)).slice(1, -1).replaceAll('*', '\\*')
}

function withinText(within: unknown): string {
  return within === undefined ? '' : ` in ${partText(within)}`
}

function isIdentifier(name: string): boolean {
  return IDENTIFIER.test(name) && !RESERVED.has(name)
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
