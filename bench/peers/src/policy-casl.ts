import { createMongoAbility, type MongoAbility, type RawRuleOf } from '@casl/ability'
import { parseMeasureOptions } from '../../src/policy/contender-line.ts'
import { type EngineUnderTest, measureEngine } from '../../src/policy/measure.ts'
import { LEAST_CONFIDENCE, MOST_CALLS_PER_HOUR, type PolicyQuestion, type PolicySet } from '../../src/policy/set.ts'
import { installedVersion } from './installed-version.ts'

type Rule = RawRuleOf<MongoAbility>

/** CASL knows can and cannot: what an action can be is denied, asked about or tried dry, and the first of these that it can be, it is. */
const OUTCOMES = ['deny', 'ask', 'dry_run'] as const

const casl: EngineUnderTest<PolicyQuestion> = {
  version: installedVersion('@casl/ability'),
  notes: 'one ability per agent, rules found by outcome and tool; names no rules',
  load(set) {
    const abilities = new Map(
      [...set.clearances].map(([agent, clearances]) => {
        const options = { detectSubjectType: (question: object) => ('tool' in question ? String(question.tool) : 'none') }
        return [agent, createMongoAbility<MongoAbility>([...globalRules(clearances), ...scopedRules(set, agent)], options)]
      }),
    )
    return {
      prepare: (question) => question,
      decide: (question) => {
        const ability = abilities.get(question.agent)
        if (ability === undefined) return { outcome: 'deny' }
        return { outcome: OUTCOMES.find((outcome) => ability.can(outcome, question)) ?? 'allow' }
      },
    }
  },
}

function globalRules(clearances: readonly string[]): Rule[] {
  const rules: [action: string, conditions: Record<string, unknown>][] = [
    ['deny', { dataClass: { $nin: clearances } }],
    ['deny', { risk: 'critical' }],
    ['ask', { environment: 'production', risk: 'high' }],
    ['dry_run', { confidence: { $lt: LEAST_CONFIDENCE } }],
    ['ask', { mutability: 'write', reversible: false }],
    ['deny', { callsPerHour: { $gt: MOST_CALLS_PER_HOUR } }],
  ]
  return rules.map(([action, conditions]) => ({ action, subject: 'all', conditions }))
}

function scopedRules(set: PolicySet, agent: string): Rule[] {
  return set.scoped
    .filter((rule) => rule.agent === agent)
    .map(({ tool, over, outcome }) => ({ action: outcome, subject: tool, conditions: { amount: { $gt: over } } }))
}

console.log(JSON.stringify(await measureEngine(casl, parseMeasureOptions(process.argv.slice(3)))))
