import { quotedText } from '@tidegate/kernel'

/** An expression in Cedar's JSON form; whole numbers may be bigints. */
export interface Tree {
  readonly [operator: string]: unknown
}

type Fields = Readonly<Record<string, unknown>>

const INFIX = ['==', '!=', '<', '<=', '>', '>=', '+', '-', '*', '&&', '||', 'in']
const METHODS = ['contains', 'containsAll', 'containsAny', 'getTag', 'hasTag']
const FUNCTIONS = ['ip', 'decimal', 'datetime', 'duration']
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/
const RESERVED = ['true', 'false', 'if', 'then', 'else', 'in', 'is', 'like', 'has']

/** Prints an expression as Cedar text, in brackets wherever they could matter. */
export function printExpression(tree: Tree): string {
  const [operator = '', operand] = Object.entries(tree)[0] ?? []
  const fields = fieldsOf(operand)
  const part = (name: string) => printOperand(treeOf(fields[name]))
  if (INFIX.includes(operator)) return `${part('left')} ${operator} ${part('right')}`
  if (METHODS.includes(operator)) return `${part('left')}.${operator}(${printExpression(treeOf(fields.right))})`
  switch (operator) {
    case 'Value':
      return printValue(operand)
    case 'Var':
      return String(operand)
    case '!':
      return `!${part('arg')}`
    case 'neg':
      return `-${part('arg')}`
    case 'isEmpty':
      return `${part('arg')}.isEmpty()`
    case '.':
      return `${part('left')}${printAttribute(String(fields.attr))}`
    case 'has':
      return `${part('left')} has ${printHas(fields.attr)}`
    case 'like':
      return `${part('left')} like "${printPattern(fields.pattern)}"`
    case 'is':
      return `${part('left')} is ${String(fields.entity_type)}${fields.in === undefined ? '' : ` in ${part('in')}`}`
    case 'if-then-else':
      return `if ${part('if')} then ${part('then')} else ${part('else')}`
    case 'Set':
      return `[${treesOf(operand).map(printExpression).join(', ')}]`
    case 'Record':
      return `{${Object.entries(fields)
        .map(([name, value]) => `${quotedText(name)}: ${printExpression(treeOf(value))}`)
        .join(', ')}}`
    default:
      return printCall(operator, treesOf(operand))
  }
}

/** The expressions that an expression is made of. */
export function partsOf(tree: Tree): readonly Tree[] {
  const [operator = '', operand] = Object.entries(tree)[0] ?? []
  if (operator === 'Value' || operator === 'Var') return []
  if (Array.isArray(operand)) return treesOf(operand)
  const fields = fieldsOf(operand)
  if (operator === 'Record') return Object.values(fields).map(treeOf)
  return ['left', 'right', 'arg', 'if', 'then', 'else', 'in'].flatMap((name) =>
    fields[name] === undefined ? [] : [treeOf(fields[name])],
  )
}

/** The same expression with one of its parts replaced. */
export function withPart(tree: Tree, from: Tree, to: Tree): Tree {
  const [operator = '', operand] = Object.entries(tree)[0] ?? []
  const swap = (value: unknown): unknown => (value === from ? to : value)
  if (Array.isArray(operand)) return { [operator]: operand.map(swap) }
  return { [operator]: Object.fromEntries(Object.entries(fieldsOf(operand)).map(([name, value]) => [name, swap(value)])) }
}

function printOperand(tree: Tree): string {
  const text = printExpression(tree)
  return /^(?:[A-Za-z_][A-Za-z0-9_:]*|"[^"\\]*"|[0-9]+)$/.test(text) ? text : `(${text})`
}

function printCall(name: string, args: readonly Tree[]): string {
  if (FUNCTIONS.includes(name)) return `${name}(${args.map(printExpression).join(', ')})`
  const [first = {}, ...rest] = args
  return `${printOperand(first)}.${name}(${rest.map(printExpression).join(', ')})`
}

function printValue(value: unknown): string {
  if (typeof value === 'string') return quotedText(value)
  if (typeof value !== 'object' || value === null) return String(value)
  const entity = fieldsOf(fieldsOf(value).__entity)
  return `${String(entity.type)}::${quotedText(String(entity.id))}`
}

function printAttribute(name: string): string {
  return IDENTIFIER.test(name) && !RESERVED.includes(name) ? `.${name}` : `[${quotedText(name)}]`
}

function printHas(attr: unknown): string {
  if (Array.isArray(attr)) return attr.join('.')
  const name = String(attr)
  return IDENTIFIER.test(name) && !RESERVED.includes(name) ? name : quotedText(name)
}

function printPattern(pattern: unknown): string {
  if (!Array.isArray(pattern)) return ''
  return pattern
    .map((part: unknown) => {
      if (part === 'Wildcard') return '*'
      return quotedText(String(fieldsOf(part).Literal))
        .slice(1, -1)
        .replaceAll('*', '\\*')
    })
    .join('')
}

function treesOf(value: unknown): readonly Tree[] {
  return Array.isArray(value) ? value.map(treeOf) : []
}

/** Keeps the identity of the part, which {@link withPart} looks for. */
function treeOf(value: unknown): Tree {
  return fieldsOf(value)
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {} // sound: read-only access to own properties
}
