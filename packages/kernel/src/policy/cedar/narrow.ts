import { type CompiledPolicies, type CompiledPolicy, type Conditions, compileConditions } from './compile.ts'
import { createExpressionCompiler } from './expression.ts'
import type { CedarRecord, Value } from './value.ts'

/** How many policies one request may have to be worth narrowing, and for how many combinations of what is known it is done. */
const MAX_POLICIES = 512
const MAX_COMBINATIONS = 8
/** How many policies are compiled once more, all in all: a kilobyte each at most, however many names scopes tell apart. */
const MAX_COMPILED = 50_000

interface Narrowed {
  readonly known: CedarRecord
  readonly policies: readonly CompiledPolicy[]
}

/**
 * The same policies for requests of which some attributes of the context hardly ever change, such as what is declared about an operation.
 *
 * For each combination of their values the conditions are compiled once more with these values in place of the attributes, and a policy
 * that is then certain neither to be satisfied nor to fail is left out. The answers are those of the given policies, to the last failure:
 * a condition that could fail before a known one decides is kept.
 */
export function narrowPolicies(compiled: CompiledPolicies, attributes: readonly string[]): CompiledPolicies {
  // By the list that the index answers, which is one for all requests that no scope can tell apart. Empty after the first of them, since
  // other lists are made for one request.
  const kept = new WeakMap<readonly CompiledPolicy[], Narrowed[]>()
  let room = MAX_COMPILED

  function isFor({ known }: Narrowed, context: CedarRecord): boolean {
    for (const name of attributes) if (!isSame(known[name], context[name])) return false
    return true
  }

  function narrow(candidates: readonly CompiledPolicy[], context: CedarRecord): readonly CompiledPolicy[] {
    const combinations = kept.get(candidates)
    if (combinations === undefined) {
      kept.set(candidates, [])
      return candidates
    }
    for (const combination of combinations) if (isFor(combination, context)) return combination.policies
    const isFull = combinations.length >= MAX_COMBINATIONS || candidates.length > room
    if (isFull || !attributes.every((name) => isPlain(context[name]))) return candidates
    room -= candidates.length
    const known = Object.fromEntries(attributes.map((name) => [name, copyOf(context[name] ?? '')]))
    const policies = withKnown(candidates, known)
    combinations.push({ known, policies })
    return policies
  }

  return {
    ...compiled,
    index: {
      find(environment) {
        const candidates = compiled.index.find(environment)
        return candidates.length > MAX_POLICIES ? candidates : narrow(candidates, environment.context)
      },
    },
  }
}

function withKnown(policies: readonly CompiledPolicy[], known: CedarRecord): readonly CompiledPolicy[] {
  const expressions = createExpressionCompiler(known)
  return policies.flatMap((policy) => {
    const conditions: Conditions = compileConditions(policy.clauses, expressions)
    return conditions === 'never' ? [] : [{ ...policy, test: conditions }]
  })
}

/** What is compared by its value: scalars, and lists of texts. */
function isPlain(value: Value | undefined): boolean {
  if (Array.isArray(value)) return (value as readonly Value[]).every((element) => typeof element === 'string')
  return typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value)
}

/** The caller's list may change later. */
function copyOf(value: Value): Value {
  return Array.isArray(value) ? [...(value as readonly Value[])] : value
}

function isSame(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return true
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
  const [left, right]: readonly (readonly Value[])[] = [a, b]
  return left?.every((element, at) => element === right?.[at]) === true
}
