import { questionsOf, type Sample, samplesOf, type Words } from './answers.ts'
import { all, type Formula, leavesOf, not } from './formula.ts'
import { holds } from './holds.ts'

/** Cases that are looked at before the question is given up. */
const MAX_CASES = 50_000

/** An attribute with its samples, or an opaque question with its two answers. */
type Variable =
  | { readonly kind: 'attribute'; readonly name: string; readonly samples: readonly (Sample | undefined)[] }
  | { readonly kind: 'opaque'; readonly name: string; readonly samples: readonly boolean[] }

/** Answers chosen so far. */
interface Choice {
  readonly attributes: Map<string, Sample | undefined>
  readonly opaque: Map<string, boolean>
}

/**
 * True when every request that satisfies `premise` certainly satisfies `conclusion`.
 *
 * Sound and incomplete: attributes are enumerated by values that answer every question in every possible way, and questions that are
 * not understood are answered both ways; so what holds in all these cases holds for all requests. Undefined when there are too many cases to look at.
 */
export function implies(premise: Formula, conclusion: Formula, words: Words): boolean | undefined {
  const counterexample = satisfiable(all([premise, not(conclusion)]), words)
  return counterexample === undefined ? undefined : !counterexample
}

/**
 * Whether some request may satisfy a formula: false only when certainly none does; undefined when there are too many cases, or some
 * could not be enumerated.
 */
export function satisfiable(formula: Formula, words: Words): boolean | undefined {
  const { variables, complete } = variablesOf(formula, words)
  const cases = variables.reduce((product, { samples }) => product * samples.length, 1)
  if (cases > MAX_CASES) return undefined
  const found = search(formula, variables, { attributes: new Map(), opaque: new Map() })
  return found || complete ? found : undefined
}

function variablesOf(formula: Formula, words: Words): { readonly variables: readonly Variable[]; readonly complete: boolean } {
  const sampled = [...questionsOf([formula])].map(([path, tests]) => ({ path, ...samplesOf(path, tests, words) }))
  const opaque = new Set(leavesOf(formula).flatMap((leaf) => (leaf.kind === 'opaque' ? [leaf.key] : [])))
  const attributes = sampled.map(({ path, samples }): Variable => {
    // An attribute that is only asked for presence has a value of no interest.
    const values = samples.some(({ kind }) => kind !== 'absent') ? samples : [...samples, PRESENT]
    return { kind: 'attribute', name: path, samples: values }
  })
  return {
    variables: [...attributes, ...[...opaque].map((name): Variable => ({ kind: 'opaque', name, samples: [false, true] }))],
    complete: sampled.every(({ complete }) => complete),
  }
}

const PRESENT: Sample = { kind: 'flag', value: false }

function search(formula: Formula, variables: readonly Variable[], choice: Choice): boolean {
  const [first, ...rest] = variables
  if (first === undefined) return evaluate(formula, choice)
  if (first.kind === 'opaque') {
    return first.samples.some((sample) => {
      choice.opaque.set(first.name, sample)
      return search(formula, rest, choice)
    })
  }
  return first.samples.some((sample) => {
    choice.attributes.set(first.name, sample)
    return search(formula, rest, choice)
  })
}

function evaluate(formula: Formula, choice: Choice): boolean {
  return (
    holds(
      formula,
      (path) => choice.attributes.get(path),
      (key) => choice.opaque.get(key),
    ) === true
  )
}
