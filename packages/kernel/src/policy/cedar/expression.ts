import { KernelError } from '../../error.ts'
import { attributeAccess, attributePresence, tagAccess, tagPresence } from './access.ts'
import { isObject, readNode } from './est.ts'
import { EXTENSION_FUNCTIONS, type ExtensionFunction } from './extension.ts'
import { argumentCountFailure, typeFailure } from './failure.ts'
import { decodeValue } from './json-value.ts'
import { compilePattern, type PatternPart } from './like.ts'
import { asTest, type Compiled, constant, fold, type Term, type Test, termOf, testOf } from './node.ts'
import { BINARY_OPERATORS, emptiness, negation, recordFrom, setOf } from './operator.ts'
import { checkedValue } from './set.ts'
import { type CedarRecord, EntityUid } from './value.ts'

/** How deep an expression may nest. Chains of `&&` and `||` count once. */
export const MAX_EXPRESSION_DEPTH = 400

/**
 * Compiles expressions in Cedar's JSON form. Reading the same attribute compiles to the same code in every expression of one compiler,
 * so that thousands of policies that read it have it at hand.
 */
export interface ExpressionCompiler {
  /** @throws KernelError `cedar_policy` for what is no expression of the language, or nests too deep. */
  compile(expression: unknown): Compiled
}

/** Creates a compiler. Attributes of the context that are `known` for all requests are taken as constants. */
export function createExpressionCompiler(known: CedarRecord = {}): ExpressionCompiler {
  const reads = new Map<string, Compiled>(
    Object.entries(known).map(([name, value]) => [pathText('context', [name]), constant(checkedValue(value))]),
  )
  const compile = (expression: unknown, depth: number): Compiled => {
    if (depth > MAX_EXPRESSION_DEPTH) throw refuse(`an expression may nest ${MAX_EXPRESSION_DEPTH} levels at most`)
    const path = pathOf(expression)
    const known = path === undefined ? undefined : reads.get(path)
    if (known !== undefined) return known
    const compiled = compileNode(expression, (part) => compile(part, depth + 1))
    if (path !== undefined) reads.set(path, compiled)
    return compiled
  }
  return { compile: (expression) => compile(expression, 0) }
}

/** The variable and attributes of `context.a.b`, in one text; undefined for any other expression. */
function pathOf(expression: unknown): string | undefined {
  const names: string[] = []
  let rest = expression
  for (let node = readNode(rest); node?.operator === '.'; node = readNode(rest)) {
    const { left, attr } = fieldsOf('.', node.operand)
    if (typeof attr !== 'string') return undefined
    names.push(attr)
    rest = left
  }
  const variable = readNode(rest)
  return variable?.operator === 'Var' && typeof variable.operand === 'string' ? pathText(variable.operand, names) : undefined
}

function pathText(variable: string, names: readonly string[]): string {
  return JSON.stringify([variable, ...names])
}

function compileNode(expression: unknown, compilePart: (part: unknown) => Compiled): Compiled {
  const node = readNode(expression)
  if (node === undefined) throw refuse('an expression must be an object with one key: its operator')
  const { operator, operand } = node
  const binary = BINARY_OPERATORS.get(operator)
  if (binary !== undefined) {
    const { left, right } = fieldsOf(operator, operand)
    return binary(compilePart(left), compilePart(right))
  }
  const extension = EXTENSION_FUNCTIONS.get(operator)
  if (extension !== undefined) return extensionCall(operator, extension, listOf(operator, operand).map(compilePart))
  const compile = FORMS.get(operator)
  if (compile === undefined) throw refuse(`\`${operator}\` is not an operator of the language`)
  return compile(operand, compilePart, operator)
}

type Form = (operand: unknown, compilePart: (part: unknown) => Compiled, operator: string) => Compiled

/** Every other operator. */
const FORMS: ReadonlyMap<string, Form> = new Map<string, Form>([
  ['Value', (operand) => constant(decodeValue(operand))],
  ['Var', compileVariable],
  ['&&', compileChain(false)],
  ['||', compileChain(true)],
  ['!', (operand, compilePart) => notOf(compilePart(fieldsOf('!', operand).arg))],
  ['neg', (operand, compilePart) => negation(compilePart(fieldsOf('neg', operand).arg))],
  ['isEmpty', (operand, compilePart) => emptiness(compilePart(fieldsOf('isEmpty', operand).arg))],
  ['if-then-else', compileConditional],
  ['.', compileAttribute],
  ['has', compileHas],
  ['like', compileLike],
  ['is', compileIs],
  ['getTag', (operand, compilePart) => onBoth(operand, compilePart, tagAccess)],
  ['hasTag', (operand, compilePart) => onBoth(operand, compilePart, tagPresence)],
  ['Set', (operand, compilePart) => setOf(listOf('Set', operand).map(compilePart))],
  ['Record', compileRecord],
])

function compileVariable(operand: unknown): Compiled {
  switch (operand) {
    case 'principal':
      return termOf((environment) => environment.principal)
    case 'action':
      return termOf((environment) => environment.action)
    case 'resource':
      return termOf((environment) => environment.resource)
    case 'context':
      return termOf((environment) => environment.context)
    default:
      throw refuse('a variable is one of principal, action, resource and context')
  }
}

/** `&&` and `||`: from left to right, no further than needed. A chain is flattened, so that it costs no depth. */
function compileChain(decisive: boolean): Form {
  return (operand, compilePart, operator) => {
    const parts: unknown[] = []
    let rest: unknown = { [operator]: operand }
    for (let node = readNode(rest); node?.operator === operator; node = readNode(rest)) {
      const { left, right } = fieldsOf(operator, node.operand)
      parts.unshift(right)
      rest = left
    }
    return joinChain([rest, ...parts].map(compilePart), decisive)
  }
}

/** A chain without the parts that are known not to decide it. What is known to decide it decides it, unless a part before it may fail. */
function joinChain(compiled: readonly Compiled[], decisive: boolean): Compiled {
  const open = compiled.filter((part) => part.form !== 'constant' || part.value !== !decisive)
  const [first] = open
  if (first === undefined) return constant(!decisive)
  if (first.form === 'constant' && first.value === decisive) return first
  return fold(testOf(chainOf(open.map(asTest), decisive)), open)
}

function chainOf(tests: readonly Test[], decisive: boolean): Test {
  const [first, second] = tests
  if (tests.length === 1 && first !== undefined) return first
  if (tests.length === 2 && first !== undefined && second !== undefined)
    return decisive
      ? (environment) => first(environment) || second(environment)
      : (environment) => first(environment) && second(environment)
  return (environment) => {
    for (const test of tests) if (test(environment) === decisive) return decisive
    return !decisive
  }
}

function notOf(arg: Compiled): Compiled {
  const test = asTest(arg)
  return fold(
    testOf((environment) => !test(environment)),
    [arg],
  )
}

function compileConditional(operand: unknown, compilePart: (part: unknown) => Compiled): Compiled {
  const fields = fieldsOf('if-then-else', operand)
  const parts = [fields.if, fields.then, fields.else].map(compilePart)
  const [condition, consequent, alternative] = parts
  if (condition === undefined || consequent === undefined || alternative === undefined) throw refuse('an if needs three parts')
  const test = asTest(condition)
  const yes: Term = consequent.run
  const no: Term = alternative.run
  return fold(
    termOf((environment) => (test(environment) ? yes(environment) : no(environment))),
    parts,
  )
}

function compileAttribute(operand: unknown, compilePart: (part: unknown) => Compiled): Compiled {
  const { left, attr } = fieldsOf('.', operand)
  if (typeof attr !== 'string') throw refuse('an attribute must be named by a text')
  return attributeAccess(compilePart(left), attr, isObject(left) && left.Var === 'context')
}

/** `x has a.b.c` asks for each name in turn, on what the names before it lead to. */
function compileHas(operand: unknown, compilePart: (part: unknown) => Compiled): Compiled {
  const { left, attr } = fieldsOf('has', operand)
  const names: readonly unknown[] = Array.isArray(attr) ? attr : [attr]
  const tests: Compiled[] = []
  let owner = compilePart(left)
  for (const name of names) {
    if (typeof name !== 'string') throw refuse('an attribute must be named by a text')
    tests.push(attributePresence(owner, name))
    owner = attributeAccess(owner, name, false)
  }
  if (tests.length === 0) throw refuse('`has` needs an attribute')
  return tests.length === 1 && tests[0] !== undefined ? tests[0] : fold(testOf(chainOf(tests.map(asTest), false)), tests)
}

function compileLike(operand: unknown, compilePart: (part: unknown) => Compiled): Compiled {
  const { left, pattern } = fieldsOf('like', operand)
  const matches = compilePattern(listOf('like', pattern).map(readPatternPart))
  const text = compilePart(left)
  const { run } = text
  const node = testOf((environment) => {
    const value = run(environment)
    if (typeof value === 'string') return matches(value)
    throw typeFailure(['string'], value)
  })
  return fold(node, [text])
}

function readPatternPart(part: unknown): PatternPart {
  if (part === 'Wildcard') return part
  if (isObject(part) && typeof part.Literal === 'string') return { Literal: part.Literal }
  throw refuse('a part of a pattern is "Wildcard" or a Literal')
}

/** `x is T` and `x is T in y`. */
function compileIs(operand: unknown, compilePart: (part: unknown) => Compiled): Compiled {
  const fields = fieldsOf('is', operand)
  const type = fields.entity_type
  if (typeof type !== 'string') throw refuse('`is` needs the name of a type')
  const left = compilePart(fields.left)
  const { run } = left
  const node = testOf((environment) => {
    const value = run(environment)
    if (value instanceof EntityUid) return value.type === type
    throw typeFailure(['entity'], value)
  })
  const isType = fold(node, [left])
  if (fields.in === undefined) return isType
  const within = BINARY_OPERATORS.get('in')?.(left, compilePart(fields.in))
  return within === undefined ? isType : testOf(chainOf([asTest(isType), asTest(within)], false))
}

function compileRecord(operand: unknown, compilePart: (part: unknown) => Compiled): Compiled {
  if (!isObject(operand)) throw refuse('`Record` needs an object')
  return recordFrom(Object.entries(operand).map(([name, part]) => [name, compilePart(part)] as const))
}

function extensionCall(name: string, called: ExtensionFunction, args: readonly Compiled[]): Compiled {
  const [first, second] = args
  if (args.length !== called.arity || first === undefined) return miscalled(name, called.arity, args)
  const { run: a } = first
  if (called.arity === 1)
    return fold(
      termOf((environment) => called.call(a(environment))),
      args,
    )
  if (second === undefined) return miscalled(name, called.arity, args)
  const { run: b } = second
  return fold(
    termOf((environment) => called.call(a(environment), b(environment))),
    args,
  )
}

/** A wrong number of arguments fails when it is evaluated, after the arguments. */
function miscalled(name: string, arity: number, args: readonly Compiled[]): Compiled {
  return termOf((environment) => {
    for (const { run } of args) run(environment)
    throw argumentCountFailure(name, arity, args.length)
  })
}

function onBoth(
  operand: unknown,
  compilePart: (part: unknown) => Compiled,
  compile: (left: Compiled, right: Compiled) => Compiled,
): Compiled {
  const { left, right } = fieldsOf('getTag', operand)
  return compile(compilePart(left), compilePart(right))
}

function fieldsOf(operator: string, operand: unknown): Readonly<Record<string, unknown>> {
  if (isObject(operand)) return operand
  throw refuse(`\`${operator}\` must have an object beside it`)
}

function listOf(operator: string, operand: unknown): readonly unknown[] {
  if (Array.isArray(operand)) return operand
  throw refuse(`\`${operator}\` must have a list beside it`)
}

function refuse(message: string): KernelError {
  return new KernelError('cedar_policy', message)
}
