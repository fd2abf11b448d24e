import { typeFailure } from './failure.ts'
import { addLong, asLong, multiplyLong, negateLong, negationOverflow, overflow, subtractLong } from './long.ts'
import { type Compiled, contextAttributeOf, fold, type Term, type Test, termOf, testOf } from './node.ts'
import { asSet, isEmptySet, isEqual, setContains, setContainsAll, setsMeet } from './set.ts'
import { type CedarRecord, Datetime, Duration, type Long, type Value } from './value.ts'
import { isIn } from './hierarchy.ts'

/** What an operator with two sides makes of two compiled sides. Both sides are evaluated, the left one first. */
export type Binary = (left: Compiled, right: Compiled) => Compiled

/** Every operator that has two sides and evaluates both. */
export const BINARY_OPERATORS: ReadonlyMap<string, Binary> = new Map<string, Binary>([
  ['==', equality(true)],
  ['!=', equality(false)],
  ['<', comparison((left, right) => left < right)],
  ['<=', comparison((left, right) => left <= right)],
  ['>', comparison((left, right) => left > right)],
  ['>=', comparison((left, right) => left >= right)],
  ['+', arithmetic('add', addLong)],
  ['-', arithmetic('subtract', subtractLong)],
  ['*', arithmetic('multiply', multiplyLong)],
  ['in', membership],
  ['contains', testing(setContains)],
  ['containsAll', testing(setContainsAll)],
  ['containsAny', testing(setsMeet)],
])

/** Unary minus. */
export function negation(arg: Compiled): Compiled {
  const { run } = arg
  const node = termOf((environment) => {
    const value = asLong(run(environment))
    const negated = negateLong(value)
    if (negated === undefined) throw negationOverflow(value)
    return negated
  })
  return fold(node, [arg])
}

/** The method `isEmpty`. */
export function emptiness(arg: Compiled): Compiled {
  const { run } = arg
  return fold(
    testOf((environment) => isEmptySet(run(environment))),
    [arg],
  )
}

/** A set of expressions. */
export function setOf(elements: readonly Compiled[]): Compiled {
  const terms = elements.map((element): Term => element.run)
  return fold(
    termOf((environment) => asSet(terms.map((term) => term(environment)))),
    elements,
  )
}

/** A record of expressions, which are evaluated in the order of their names. */
export function recordFrom(attributes: readonly (readonly [string, Compiled])[]): Compiled {
  const sorted = attributes.toSorted(([a], [b]) => (a < b ? -1 : 1))
  const node = termOf((environment): CedarRecord => {
    return Object.fromEntries(sorted.map(([name, { run }]) => [name, run(environment)]))
  })
  return fold(
    node,
    attributes.map(([, compiled]) => compiled),
  )
}

/** Comparing with a scalar that is fixed needs no more than `===`, since each value has one form. */
function equality(wanted: boolean): Binary {
  return (left, right) => {
    const { run: a } = left
    const { run: b } = right
    if (isFixedScalar(right)) return fold(equalityWithFixed(left, right.value, wanted), [left, right])
    return fold(
      testOf((environment) => isEqual(a(environment), b(environment)) === wanted),
      [left, right],
    )
  }
}

function equalityWithFixed(left: Compiled, fixed: Value, wanted: boolean): Compiled {
  const { run } = left
  const attribute = contextAttributeOf(left)
  if (attribute === undefined) return testOf((environment) => (run(environment) === fixed) === wanted)
  return testOf((environment) => {
    const value = environment.context[attribute]
    if (value === fixed) return wanted
    if (typeof value === 'string' || typeof value === 'boolean') return !wanted
    return (run(environment) === fixed) === wanted
  })
}

function isFixedScalar(compiled: Compiled): compiled is Extract<Compiled, { form: 'constant' }> {
  return compiled.form === 'constant' && typeof compiled.value !== 'object'
}

function comparison(isTrue: (left: Long, right: Long) => boolean): Binary {
  return (left, right) => {
    const { run: a } = left
    const { run: b } = right
    if (right.form === 'constant' && typeof right.value === 'number')
      return fold(withFixed(left, isTrue, right.value), [left, right])
    const node = testOf((environment) => {
      const x = a(environment)
      const y = b(environment)
      return typeof x === 'number' && typeof y === 'number' ? isTrue(x, y) : isTrue(...comparable(x, y))
    })
    return fold(node, [left, right])
  }
}

/** Comparing with a number that is fixed, which is what limits are: nothing but the number is looked up. */
function withFixed(left: Compiled, isTrue: (left: Long, right: Long) => boolean, fixed: number): Compiled {
  const { run } = left
  const slow: Test = (environment) => {
    const value = run(environment)
    return typeof value === 'number' ? isTrue(value, fixed) : isTrue(...comparable(value, fixed))
  }
  const attribute = contextAttributeOf(left)
  if (attribute === undefined) return testOf(slow)
  return testOf((environment) => {
    const value = environment.context[attribute]
    return typeof value === 'number' && Number.isSafeInteger(value) ? isTrue(value, fixed) : slow(environment)
  })
}

/** The two as integers that compare as the values do: both whole numbers, both points in time, or both lengths of time. */
function comparable(left: Value, right: Value): readonly [Long, Long] {
  if (isLong(left)) return [asLong(left), asLong(right)]
  if (isLong(right)) throw typeFailure(['long'], left)
  if (left instanceof Datetime) {
    if (right instanceof Datetime) return [left.epochMs, right.epochMs]
    throw typeFailure(['datetime'], right)
  }
  if (left instanceof Duration) {
    if (right instanceof Duration) return [left.ms, right.ms]
    throw typeFailure(['duration'], right)
  }
  if (right instanceof Datetime) throw typeFailure(['datetime'], left)
  if (right instanceof Duration) throw typeFailure(['duration'], left)
  throw typeFailure(['long', 'datetime', 'duration'], left)
}

function isLong(value: Value): boolean {
  return typeof value === 'number' || typeof value === 'bigint'
}

function arithmetic(verb: 'add' | 'subtract' | 'multiply', compute: (a: Long, b: Long) => Long | undefined): Binary {
  return (left, right) => {
    const { run: a } = left
    const { run: b } = right
    const node = termOf((environment) => {
      const x = a(environment)
      const y = b(environment)
      const first = asLong(x)
      const second = asLong(y)
      const result = compute(first, second)
      if (result === undefined) throw overflow(verb, first, second)
      return result
    })
    return fold(node, [left, right])
  }
}

/** Not folded: what is above an entity is known only with the request. */
function membership(left: Compiled, right: Compiled): Compiled {
  const { run: a } = left
  const { run: b } = right
  return testOf((environment) => isIn(environment, a(environment), b(environment)))
}

function testing(isTrue: (left: Value, right: Value) => boolean): Binary {
  return (left, right) => {
    const { run: a } = left
    const { run: b } = right
    return fold(
      testOf((environment) => isTrue(a(environment), b(environment))),
      [left, right],
    )
  }
}
