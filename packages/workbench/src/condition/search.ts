import { questionsOf, type Sample, samplesOf, type Words } from './answers.ts'
import { type Formula, leavesOf } from './formula.ts'
import { holds } from './holds.ts'

/** Cases of one question that are looked at before it is given up. */
export const MAX_CASES = 50_000

/** How much may still be looked at, over several questions; counted down. */
export interface Effort {
  left: number
}

/** Values of attributes, and answers to questions that are not understood. */
export interface Choice {
  readonly attributes: ReadonlyMap<string, Sample | undefined>
  readonly opaque: ReadonlyMap<string, boolean>
}

/** What a search found. */
export interface Search {
  /** A case that satisfies the formula; undefined when none of those that were looked at does. */
  readonly found: Choice | undefined
  /** Whether these were all cases that there are. */
  readonly complete: boolean
}

/**
 * Looks for a case that satisfies a formula, among values that answer every question in it in every way. Undefined when there are too
 * many, or `effort` is used up. `backwards` begins with the last values, so that another case is found where there are several.
 */
export function searchCase(
  formula: Formula,
  words: Words,
  { effort, backwards = false }: { readonly effort: Effort; readonly backwards?: boolean },
): Search | undefined {
  const { variables, complete } = variablesOf(formula, words)
  const cases = variables.reduce((product, { samples }) => product * samples.length, 1)
  if (cases > Math.min(MAX_CASES, effort.left)) return undefined
  effort.left -= cases
  const choice = { attributes: new Map<string, Sample | undefined>(), opaque: new Map<string, boolean>() }
  const ordered = backwards ? variables.map(reversed) : variables
  return { found: search(formula, ordered, choice) ? choice : undefined, complete }
}

/** Whether a formula holds of a case. */
export function satisfies(formula: Formula, choice: Choice): boolean {
  const sampleAt = (path: string): Sample | undefined => choice.attributes.get(path)
  return holds(formula, sampleAt, (key) => choice.opaque.get(key)) === true
}

/** An attribute with its samples, or an opaque question with its two answers. */
type Variable =
  | { readonly kind: 'attribute'; readonly name: string; readonly samples: readonly Sample[] }
  | { readonly kind: 'opaque'; readonly name: string; readonly samples: readonly boolean[] }

const PRESENT: Sample = { kind: 'flag', value: false }

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

function reversed(variable: Variable): Variable {
  return variable.kind === 'opaque'
    ? { ...variable, samples: variable.samples.toReversed() }
    : { ...variable, samples: variable.samples.toReversed() }
}

interface Chosen {
  readonly attributes: Map<string, Sample | undefined>
  readonly opaque: Map<string, boolean>
}

/** Stops at the first case that satisfies, and leaves it in `choice`. */
function search(formula: Formula, [first, ...rest]: readonly Variable[], choice: Chosen): boolean {
  if (first === undefined) return satisfies(formula, choice)
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
