import type { Words } from './answers.ts'
import { all, type Formula, leavesOf, not } from './formula.ts'
import { type Choice, type Effort, MAX_CASES, searchCase } from './search.ts'

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
  const answers = componentsOf(partsOf(formula)).map((component) => {
    const search = searchCase(all(component), words, { effort })
    if (search === undefined) return undefined
    return search.found !== undefined || (search.complete ? false : undefined)
  })
  if (answers.includes(false)) return false
  return answers.includes(undefined) ? undefined : true
}

/** Some cases that satisfy a formula, with values for what it asks about; none when none was found. */
export function witnessesOf(formula: Formula, words: Words, effort: Effort): readonly Choice[] {
  const components = componentsOf(partsOf(formula))
  return [false, true].flatMap((backwards) => {
    const found = components.map((component) => searchCase(all(component), words, { effort, backwards })?.found)
    const cases = found.filter((each) => each !== undefined)
    if (cases.length < components.length) return []
    const attributes = new Map(cases.flatMap((each) => [...each.attributes]))
    return [{ attributes, opaque: new Map(cases.flatMap((each) => [...each.opaque])) }]
  })
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
    const joined = touching.reduce((sum, group) => sum.union(group.asks), asks)
    const together = [...touching.flatMap((group) => group.parts), part]
    groups = [...groups.filter((group) => !touching.includes(group)), { parts: together, asks: joined }]
  }
  return groups.map((group) => group.parts)
}
