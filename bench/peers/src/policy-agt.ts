import { ConflictResolutionStrategy, PolicyEngine, type PolicyRule } from '@microsoft/agent-governance-sdk'
import { parseMeasureOptions } from '../../src/policy/contender-line.ts'
import { type EngineUnderTest, type LoadedEngine, measureEngine } from '../../src/policy/measure.ts'
import type { Answer } from '../../src/policy/reference.ts'
import { LEAST_CONFIDENCE, MOST_CALLS_PER_HOUR, type PolicyQuestion, type PolicySet } from '../../src/policy/set.ts'
import { installedVersion } from './installed-version.ts'

const [name, ...options] = process.argv.slice(2)

/** Its engine reports the one rule of the highest priority, so the outcome that restricts most has to have the highest. */
const OUTCOMES = {
  deny: { ruleAction: 'deny', priority: 300 },
  ask: { ruleAction: 'require_approval', priority: 200, approvers: ['lead'] },
  dry_run: { ruleAction: 'warn', priority: 100 },
  allow: { ruleAction: 'allow', priority: 0 },
} as const satisfies Record<Answer['outcome'], Partial<PolicyRule>>

const ANSWERS: Readonly<Record<string, Answer['outcome']>> = {
  deny: 'deny',
  require_approval: 'ask',
  warn: 'dry_run',
  allow: 'allow',
}

type Native = { readonly agent: string; readonly context: Record<string, unknown> }

const agt: EngineUnderTest<Native> = {
  version: installedVersion('@microsoft/agent-governance-sdk'),
  notes:
    name === 'agt-sliced'
      ? 'an engine for each agent, which holds the rules for everybody and its own; names one rule'
      : 'one engine, one policy document per agent, one for everybody; names one rule',
  load: name === 'agt-sliced' ? loadSliced : loadOne,
}

function loadOne(set: PolicySet): LoadedEngine<Native> {
  const engine = createEngine()
  engine.loadPolicy({ name: 'everybody', rules: globalRules(), default_action: 'deny' })
  for (const [agent, clearances] of set.clearances) {
    engine.loadPolicy({ name: agent, agent, scope: 'agent', rules: ownRules(set, agent, clearances), default_action: 'deny' })
  }
  return loaded(() => engine)
}

function loadSliced(set: PolicySet): LoadedEngine<Native> {
  const engines = new Map(
    [...set.clearances].map(([agent, clearances]) => {
      const engine = createEngine()
      const rules = [...globalRules(), ...ownRules(set, agent, clearances)]
      engine.loadPolicy({ name: agent, rules, default_action: 'deny' })
      return [agent, engine]
    }),
  )
  return loaded((agent) => engines.get(agent))
}

function createEngine(): PolicyEngine {
  return new PolicyEngine([], ConflictResolutionStrategy.PriorityFirstMatch)
}

function loaded(engineOf: (agent: string) => PolicyEngine | undefined): LoadedEngine<Native> {
  return {
    prepare: (question: PolicyQuestion) => ({ agent: question.agent, context: { ...question } }),
    decide: ({ agent, context }) => {
      const action = engineOf(agent)?.evaluatePolicy(agent, context).action
      return { outcome: ANSWERS[action ?? 'deny'] ?? 'deny' }
    },
  }
}

function globalRules(): PolicyRule[] {
  return [
    { name: 'everything', condition: '', ...OUTCOMES.allow },
    { name: 'critical-risk', condition: "risk == 'critical'", ...OUTCOMES.deny },
    { name: 'high-risk-production', condition: "environment == 'production' and risk == 'high'", ...rule('ask') },
    { name: 'low-confidence', condition: `confidence < ${LEAST_CONFIDENCE}`, ...OUTCOMES.dry_run },
    { name: 'no-way-back', condition: "mutability == 'write' and reversible == false", ...rule('ask') },
    { name: 'too-many-calls', condition: `callsPerHour > ${MOST_CALLS_PER_HOUR}`, ...OUTCOMES.deny },
  ]
}

/** Its conditions compare a field with a literal only, so the rule about clearances is written out for each agent. */
function ownRules(set: PolicySet, agent: string, clearances: readonly string[]): PolicyRule[] {
  const cleared = clearances.map((dataClass) => `'${dataClass}'`).join(', ')
  const scoped = set.scoped
    .filter((candidate) => candidate.agent === agent)
    .map(({ id, tool, over, outcome }) => ({ name: id, condition: `tool == '${tool}' and amount > ${over}`, ...rule(outcome) }))
  return [{ name: 'not-cleared', condition: `dataClass not in [${cleared}]`, ...OUTCOMES.deny }, ...scoped]
}

function rule(outcome: Answer['outcome']): Partial<PolicyRule> {
  const found = OUTCOMES[outcome]
  return 'approvers' in found ? { ...found, approvers: [...found.approvers] } : found
}

console.log(JSON.stringify(await measureEngine(agt, parseMeasureOptions(options))))
