import { type CedarSchema, describePolicies, type LoadedPolicy } from '@tidegate/cedar'
import { questionsOf, type Sample, samplesOf, type Words } from '../condition/answers.ts'
import { type Formula, formulaOf, not } from '../condition/formula.ts'
import { implies, satisfiable, witnessesOf } from '../condition/implies.ts'
import { shotsOf, within } from '../condition/scope.ts'
import { type Choice, type Effort, satisfies } from '../condition/search.ts'
import { about, type LintFinding } from './finding.ts'

/** A policy as this rule sees it. */
interface Subject {
  readonly policy: LoadedPolicy
  readonly formula: Formula
  /** What its scope admits, as keys. */
  readonly reach: ReadonlySet<string>
  /** Scope and condition in canonical form. */
  readonly meaning: string
  /** Some requests that it matches, scope aside. */
  readonly witnesses: readonly Choice[]
}

/** What a comparison may use. */
interface Means {
  readonly words: Words
  readonly effort: Effort
}

/** Policies beyond this are not compared pair by pair, and pairs beyond this effort neither: nobody waits that long. */
const MAX_COMPARED = 1_000
const MAX_EFFORT = 5_000_000

/**
 * Policies whose condition can never hold or says nothing, that say the same twice, or that a stronger one hides: a soft forbid where
 * a hard one denies whatever it matches, and a permit or a forbid where a wider one of the same kind matches in any case.
 */
export function findConditions(policies: readonly LoadedPolicy[], schema: CedarSchema): readonly LintFinding[] {
  const means = { words: schema.words, effort: { left: MAX_EFFORT } }
  const subjects = subjectsOf(policies, schema, means)
  return [
    ...subjects.flatMap((subject) => constant(subject, schema.words)),
    ...(subjects.length > MAX_COMPARED ? [] : subjects.flatMap((subject, at) => hidden(subject, at, subjects, means))),
  ]
}

function subjectsOf(policies: readonly LoadedPolicy[], schema: CedarSchema, { words, effort }: Means): readonly Subject[] {
  const shots = shotsOf(schema)
  const described = describePolicies(policies)
  const formulas = policies.map(({ json }) => formulaOf(json))
  // What a policy does not ask about has some value all the same: the same one in every witness.
  const usual = [...questionsOf(formulas)].map(([path, tests]): readonly [string, Sample | undefined] => [
    path,
    samplesOf(path, tests, words).samples.find(({ kind }) => kind !== 'absent'),
  ])
  return policies.map((policy, i): Subject => {
    const { scope = '', condition = '' } = described[i] ?? {}
    const formula = formulas[i] ?? formulaOf(policy.json)
    const witnesses = witnessesOf(formula, words, effort).map(({ attributes, opaque }) => ({
      attributes: new Map([...usual, ...attributes]),
      opaque,
    }))
    const reach = new Set(within(policy.json, shots).map(({ agent, operation }) => `${agent} ${operation}`))
    return { policy, formula, reach, meaning: `${scope}\n${condition}`, witnesses }
  })
}

function constant({ policy, formula }: Subject, words: Words): readonly LintFinding[] {
  if (policy.json.conditions.length === 0) return []
  if (satisfiable(formula, words) === false)
    return [about(policy, 'warning', 'never-matches', 'no request satisfies its condition: it changes nothing')]
  if (satisfiable(not(formula), words) === false)
    return [
      about(policy, 'info', 'always-matches', 'every request within its scope satisfies its condition: leave the condition out'),
    ]
  return []
}

/** What hides a policy: the first of these that does. Of two that say the same, the later one is the duplicate. */
function hidden(subject: Subject, at: number, all: readonly Subject[], means: Means): readonly LintFinding[] {
  const { policy } = subject
  for (const [i, other] of all.entries()) {
    if (i === at) continue
    const twin = other.meaning === subject.meaning && isSameAnswer(policy, other.policy)
    const where = `"${other.policy.id}" at ${other.policy.file}:${other.policy.line}`
    if (twin && i < at) return [about(policy, 'warning', 'duplicate', `says the same as ${where}: leave one of them out`)]
    if (twin || !outranks(other.policy, policy) || !covers(other, subject, { ...means, earlier: i < at })) continue
    const same = isSameAnswer(policy, other.policy)
    const why = same ? 'matches whenever this does, with the same answer' : 'denies whatever this would match'
    return [about(policy, 'warning', 'shadowed', `shadowed by ${where}, which ${why}`)]
  }
  return []
}

/** Whether a match of `other` makes a match of `policy` of no account. */
function outranks(other: LoadedPolicy, policy: LoadedPolicy): boolean {
  if (other.effect !== policy.effect) return false
  return isSameAnswer(policy, other) || (other.outcome === 'deny' && policy.outcome !== 'deny')
}

function isSameAnswer(a: LoadedPolicy, b: LoadedPolicy): boolean {
  return a.outcome === b.outcome && a.outcome !== 'ask'
}

/** Certainly matches whatever `inner` matches; of two that each cover the other, the earlier one does. */
function covers(outer: Subject, inner: Subject, { words, effort, earlier }: Means & { readonly earlier: boolean }): boolean {
  if (inner.reach.size === 0 || !inner.reach.isSubsetOf(outer.reach)) return false
  // Without a witness it never matches, which is said elsewhere; a witness that the outer one does not match settles it at once.
  if (inner.witnesses.length === 0 || !inner.witnesses.every((witness) => satisfies(outer.formula, witness))) return false
  if (implies(inner.formula, outer.formula, words, effort) !== true) return false
  return earlier || outer.reach.size > inner.reach.size || implies(outer.formula, inner.formula, words, effort) !== true
}
