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

/** How much may still be looked at, over several questions; counted down. */
export interface Effort {
  left: number
}

/**
 * True when every request that satisfies `premise` certainly satisfies `conclusion`.
 *
 * Sound and incomplete: attributes are enumerated by values that answer every question in every possible way, and questions that are
 * not understood are answered both ways; so what holds in all these cases holds for all requests. What must hold together is taken
 * apart: each part of the conclusion is held against those parts of the premise that ask about the same. Undefined when there are too
 * many cases to look at, or `effort` is used up.
 */
export function implies(premise: Formula, conclusion: Formula, words: Words, effort?: Effort): boolean | undefined {
  const answers = partsOf(conclusion).map((part) => {
    const denied = not(part)
    const related = componentsOf([...partsOf(premise), denied]).find((component) => component.includes(denied))
    return satisfiable(all(related ?? [denied]), words, effort)
  })
  if (answers.includes(true)) return false
  return answers.includes(undefined) ? undefined : true
}

/**
 * Whether some request may satisfy a formula: false only when certainly none does; undefined when there are too many cases, or some
 * could not be enumerated.
 */
export function satisfiable(formula: Formula, words: Words, effort: Effort = { left: MAX_CASES }): boolean | undefined {
  const answers = componentsOf(partsOf(formula)).map((component) => satisfiableTogether(all(component), words, effort))
  if (answers.includes(false)) return false
  return answers.includes(undefined) ? undefined : true
}

function satisfiableTogether(formula: Formula, words: Words, effort: Effort): boolean | undefined {
  const { variables, complete } = variablesOf(formula, words)
  const cases = variables.reduce((product, { samples }) => product * samples.length, 1)
  if (cases > Math.min(MAX_CASES, effort.left)) return undefined
  effort.left -= cases
  const found = search(formula, variables, { attributes: new Map(), opaque: new Map() })
  return found || complete ? found : undefined
}

/** What must hold together. */
function partsOf(formula: Formula): readonly Formula[] {
  if (formula.kind === 'not' && formula.of.kind === 'any') return formula.of.of.flatMap((each) => partsOf(not(each)))
  return formula.kind === 'all' ? formula.of.flatMap(partsOf) : [formula]
}

/** Parts that ask about the same, directly or through others, stand together; different groups can be answered independently. */
function componentsOf(parts: readonly Formula[]): readonly (readonly Formula[])[] {
  let groups: readonly { readonly parts: readonly Formula[]; readonly asks: ReadonlySet<string> }[] = []
  for (const part of parts) {
    const asks = new Set(leavesOf(part).map((leaf) => (leaf.kind === 'test' ? `.${leaf.path}` : leaf.key)))
    const touching = groups.filter((group) => !group.asks.isDisjointFrom(asks))
    const joined = {
      parts: [...touching.flatMap((group) => group.parts), part],
      asks: touching.reduce((sum, group) => sum.union(group.asks), asks),
    }
    groups = [...groups.filter((group) => !touching.includes(group)), joined]
  }
  return groups.map((group) => group.parts)
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
