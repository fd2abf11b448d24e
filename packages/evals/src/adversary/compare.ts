import { createCedarEngine, generateSchema, type PolicyFile } from '@tidegate/cedar'
import { type Baseline, BASELINES } from './baselines.ts'
import { FLOOR, readProfile } from './judge.ts'
import type { SuiteReport } from './measure.ts'
import { type AdversaryOptions, runAdversary } from './run-adversary.ts'

/** One set of policies and what it comes to over all suites. */
export interface Comparison {
  readonly name: string
  readonly title: string
  readonly overall: SuiteReport
}

/**
 * Measures a profile about provenance, the same without each of its rules in turn, and the policies of the literature, all over the same
 * facts and suites. Shows what each rule buys and what it costs. Takes as many runs as there are rows.
 */
export function comparePolicies(options: Omit<AdversaryOptions, 'policies' | 'scope'>): readonly Comparison[] {
  const { profile = 'balanced' } = options
  const [provenance] = readProfile(profile, 'provenance')
  const rules = rulesOf(provenance)
  const measure = (name: string, title: string, policies: readonly PolicyFile[]): Comparison => {
    return { name, title, overall: runAdversary({ ...options, policies }).overall }
  }
  const baselines = (Object.keys(BASELINES) as Baseline[]).map((name) => {
    return measure(name, BASELINES[name].title, [{ file: `${name}.cedar`, text: BASELINES[name].text }, FLOOR])
  })
  const whole = measure(profile, `the profile ${profile}`, [
    { file: profile, text: rules.map((rule) => rule.text).join('\n') },
    FLOOR,
  ])
  const without = rules.map(({ id }) => {
    const text = rules.flatMap((rule) => (rule.id === id ? [] : rule.text)).join('\n')
    return measure(`without ${id}`, `${profile} without this rule`, [{ file: profile, text }, FLOOR])
  })
  return [...baselines, whole, ...without]
}

function rulesOf(file: PolicyFile | undefined): readonly { readonly id: string; readonly text: string }[] {
  if (file === undefined) return []
  const schema = generateSchema([{ id: 'suite.any', tool: 'suite' }], [{ name: 'evals', agent: 'planner' }])
  return createCedarEngine({ policies: [file], schema }).policies.map(({ id, text }) => ({ id, text }))
}
