import { canonicalJson, isObject, type Json } from '@tidegate/kernel'

/** One question about one attribute of the context. Numbers are whole; decimals are scaled by 10,000, times are milliseconds. */
export type Test =
  | { readonly kind: 'flag' }
  | { readonly kind: 'equals'; readonly text: string }
  | { readonly kind: 'atMost'; readonly bound: number; readonly unit: Unit }
  | { readonly kind: 'contains'; readonly text: string }
  | { readonly kind: 'empty' }
  | { readonly kind: 'present' }

/** What the numbers of an attribute count. */
export type Unit = 'long' | 'decimal' | 'datetime'

/**
 * The condition of a policy as a formula over questions about single attributes. What is none of these (arithmetic, patterns, two
 * attributes compared) is `opaque`: a question of its own that may be answered either way, whatever the others are.
 */
export type Formula =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'not'; readonly of: Formula }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Formula[] }
  | { readonly kind: 'test'; readonly path: string; readonly test: Test }
  | { readonly kind: 'opaque'; readonly key: string; readonly paths: readonly string[] }

/** A policy's `when` and `unless` clauses in Cedar's JSON form. */
export interface Conditioned {
  readonly conditions: readonly { readonly kind: 'when' | 'unless'; readonly body: unknown }[]
}

/** When a policy matches, scope aside. */
export function formulaOf({ conditions }: Conditioned): Formula {
  return all(
    conditions.map(({ kind, body }) => {
      const formula = read(body)
      return kind === 'when' ? formula : not(formula)
    }),
  )
}

export function not(of: Formula): Formula {
  if (of.kind === 'constant') return { kind: 'constant', value: !of.value }
  return of.kind === 'not' ? of.of : { kind: 'not', of }
}

export function all(of: readonly Formula[]): Formula {
  const [only] = of
  return of.length === 1 && only !== undefined ? only : { kind: 'all', of }
}

function any(of: readonly Formula[]): Formula {
  const [only] = of
  return of.length === 1 && only !== undefined ? only : { kind: 'any', of }
}

/** Every test in a formula with its attribute, and every opaque question. */
export function leavesOf(formula: Formula): readonly Extract<Formula, { kind: 'test' | 'opaque' }>[] {
  if (formula.kind === 'test' || formula.kind === 'opaque') return [formula]
  if (formula.kind === 'constant') return []
  return formula.kind === 'not' ? leavesOf(formula.of) : formula.of.flatMap(leavesOf)
}

function read(node: unknown): Formula {
  const [operator, operand] = single(node)
  const { left, right, arg } = isObject(operand as Json) ? (operand as Readonly<Record<string, unknown>>) : {}
  switch (operator) {
    case 'Value':
      return typeof operand === 'boolean' ? { kind: 'constant', value: operand } : opaque(node)
    case '!':
      return not(read(arg))
    case '&&':
      return all([...spread('all', read(left)), ...spread('all', read(right))])
    case '||':
      return any([...spread('any', read(left)), ...spread('any', read(right))])
    case 'if-then-else':
      return choice(operand)
    case '.':
      return test(pathOf(node), { kind: 'flag' }) ?? opaque(node)
    case 'has':
      return present(operand) ?? opaque(node)
    case 'isEmpty':
      return test(pathOf(arg), { kind: 'empty' }) ?? opaque(node)
    default:
      return compare(operator, left, right) ?? compareDecimals(operator, operand) ?? opaque(node)
  }
}

function spread(kind: 'all' | 'any', formula: Formula): readonly Formula[] {
  return formula.kind === kind ? formula.of : [formula]
}

function choice(operand: unknown): Formula {
  const parts = operand as Readonly<Record<string, unknown>>
  const [condition, yes, no] = [read(parts.if), read(parts.then), read(parts.else)]
  return any([all([condition, yes]), all([not(condition), no])])
}

function compare(operator: string, left: unknown, right: unknown): Formula | undefined {
  switch (operator) {
    case '==':
      return equal(pathOf(left), right) ?? equal(pathOf(right), left)
    case '!=': {
      const same = compare('==', left, right)
      return same === undefined ? undefined : not(same)
    }
    case '<=':
      return atMost(pathOf(left), right, 0) ?? negated(atMost(pathOf(right), left, -1))
    case '<':
      return atMost(pathOf(left), right, -1) ?? negated(atMost(pathOf(right), left, 0))
    case '>':
      return compare('<', right, left)
    case '>=':
      return compare('<=', right, left)
    case 'contains':
      return containsText(pathOf(left), right) ?? oneOf(pathOf(right), left)
    case 'containsAny':
      return members(left, right)?.(any)
    case 'containsAll':
      return members(left, right)?.(all)
    default:
      return undefined
  }
}

function equal(path: string | undefined, literal: unknown): Formula | undefined {
  const value = literalOf(literal)
  if (typeof value === 'string') return test(path, { kind: 'equals', text: value })
  if (typeof value === 'boolean') {
    const flag = test(path, { kind: 'flag' })
    return flag === undefined || value ? flag : not(flag)
  }
  const [upTo, below] = [atMost(path, literal, 0), atMost(path, literal, -1)]
  return upTo === undefined || below === undefined ? undefined : all([upTo, not(below)])
}

function atMost(path: string | undefined, literal: unknown, shift: number): Formula | undefined {
  const number = numberOf(literal)
  return number === undefined ? undefined : test(path, { kind: 'atMost', bound: number.value + shift, unit: number.unit })
}

function negated(formula: Formula | undefined): Formula | undefined {
  return formula === undefined ? undefined : not(formula)
}

const DECIMAL_ORDER: Readonly<Record<string, string>> = {
  lessThan: '<',
  lessThanOrEqual: '<=',
  greaterThan: '>',
  greaterThanOrEqual: '>=',
}

function compareDecimals(operator: string, operand: unknown): Formula | undefined {
  const symbol = DECIMAL_ORDER[operator]
  if (symbol === undefined || !Array.isArray(operand)) return undefined
  return compare(symbol, operand[0], operand[1])
}

function containsText(path: string | undefined, literal: unknown): Formula | undefined {
  const value = literalOf(literal)
  return typeof value === 'string' ? test(path, { kind: 'contains', text: value }) : undefined
}

/** `["a", "b"].contains(context.x)`: one of the literals. */
function oneOf(path: string | undefined, set: unknown): Formula | undefined {
  const literals = itemsOf(set)?.map((item) => equal(path, item))
  const tests = literals?.filter((each) => each !== undefined)
  return path === undefined || tests === undefined || tests.length !== literals?.length ? undefined : any(tests)
}

function members(left: unknown, right: unknown) {
  const path = pathOf(left)
  const items = itemsOf(right)?.map((item) => containsText(path, item))
  const tests = items?.filter((each) => each !== undefined)
  if (path === undefined || tests === undefined || tests.length !== items?.length) return undefined
  return (join: (of: readonly Formula[]) => Formula) => join(tests)
}

function present(operand: unknown): Formula | undefined {
  const { left, attr } = operand as { readonly left?: unknown; readonly attr?: unknown }
  const names = (Array.isArray(attr) ? attr : [attr]).filter((name) => typeof name === 'string')
  const owner = contextPath(left)
  if (owner === undefined || names.length === 0) return undefined
  const paths = names.map((_, i) => [...owner, ...names.slice(0, i + 1)].join('.'))
  return all(paths.map((path) => ({ kind: 'test', path, test: { kind: 'present' } })))
}

function test(path: string | undefined, question: Test): Formula | undefined {
  return path === undefined ? undefined : { kind: 'test', path, test: question }
}

function opaque(node: unknown): Formula {
  const paths = new Set<string>()
  collect(node, paths)
  // Sound: Cedar's JSON form is JSON.
  return { kind: 'opaque', key: canonicalJson(JSON.parse(JSON.stringify(node)) as Json), paths: [...paths].toSorted() }
}

function collect(node: unknown, paths: Set<string>): void {
  const path = pathOf(node)
  if (path !== undefined) paths.add(path)
  else if (Array.isArray(node)) for (const item of node) collect(item, paths)
  else if (typeof node === 'object' && node !== null) for (const item of Object.values(node)) collect(item, paths)
}

/** `context.flow.tainted` as `flow.tainted`; undefined for anything else. */
function pathOf(node: unknown): string | undefined {
  const path = contextPath(node)
  return path === undefined || path.length === 0 ? undefined : path.join('.')
}

function contextPath(node: unknown): readonly string[] | undefined {
  const [operator, operand] = single(node)
  if (operator === 'Var') return operand === 'context' ? [] : undefined
  if (operator !== '.') return undefined
  const { left, attr } = operand as { readonly left?: unknown; readonly attr?: unknown }
  const owner = contextPath(left)
  return owner === undefined || typeof attr !== 'string' ? undefined : [...owner, attr]
}

function literalOf(node: unknown): unknown {
  const [operator, operand] = single(node)
  return operator === 'Value' ? operand : undefined
}

function numberOf(node: unknown): { readonly value: number; readonly unit: Unit } | undefined {
  const [operator, operand] = single(node)
  if (operator === 'Value') return Number.isSafeInteger(operand) ? { value: Number(operand), unit: 'long' } : undefined
  if (operator === 'neg') {
    const inner = numberOf((operand as { readonly arg?: unknown }).arg)
    return inner === undefined ? undefined : { ...inner, value: -inner.value }
  }
  const text = Array.isArray(operand) ? literalOf(operand[0]) : undefined
  if (typeof text !== 'string') return undefined
  const value =
    operator === 'decimal' ? Math.round(Number(text) * 10_000) : operator === 'datetime' ? Date.parse(text) : Number.NaN
  return Number.isSafeInteger(value) ? { value, unit: operator === 'decimal' ? 'decimal' : 'datetime' } : undefined
}

function itemsOf(node: unknown): readonly unknown[] | undefined {
  const [operator, operand] = single(node)
  if (operator === 'Set') return Array.isArray(operand) ? operand : undefined
  return undefined
}

/** The one key of a node and what stands under it. */
function single(node: unknown): readonly [string, unknown] {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return ['', undefined]
  const [entry] = Object.entries(node)
  return entry ?? ['', undefined]
}
