import type { Outcome } from '@tidegate/kernel'
import {
  GLOBAL_RULES,
  LEAST_CONFIDENCE,
  MOST_CALLS_PER_HOUR,
  type PolicyQuestion,
  type PolicySet,
  type ScopedRule,
} from './set.ts'

/** What an engine decides. */
export interface Answer {
  readonly outcome: Outcome
  /** Ids of every rule that restricts, in any order; left out by an engine that does not name them all. */
  readonly policies?: readonly string[]
}

type Decide = (question: PolicyQuestion) => Required<Answer>

const GLOBALS: Readonly<Record<keyof typeof GLOBAL_RULES, (question: PolicyQuestion) => boolean>> = {
  'not-cleared': ({ clearances, dataClass }) => !clearances.includes(dataClass),
  'critical-risk': ({ risk }) => risk === 'critical',
  'high-risk-production': ({ environment, risk }) => environment === 'production' && risk === 'high',
  'low-confidence': ({ confidence }) => confidence < LEAST_CONFIDENCE,
  'no-way-back': ({ mutability, reversible }) => mutability === 'write' && !reversible,
  'too-many-calls': ({ callsPerHour }) => callsPerHour > MOST_CALLS_PER_HOUR,
}

const GLOBAL_LIST = (Object.keys(GLOBAL_RULES) as (keyof typeof GLOBAL_RULES)[]).map((id) => ({
  id,
  outcome: GLOBAL_RULES[id].outcome,
  matches: GLOBALS[id],
}))

/** What is right: every rule of the set is looked at, one after the other, and the one that restricts most wins. */
export function decideByReference(set: PolicySet): Decide {
  return (question) => {
    const globals = GLOBAL_LIST.filter(({ matches }) => matches(question))
    const scoped = set.scoped.filter(
      ({ agent, tool, over }) => agent === question.agent && tool === question.tool && question.amount > over,
    )
    return worstOf([...globals, ...scoped])
  }
}

/** The same by hand with an index, as fast as TypeScript goes: what a policy language costs can be read off it. */
export function decideByIndex(set: PolicySet): Decide {
  const index = new Map<string, Map<string, ScopedRule[]>>()
  for (const rule of set.scoped) {
    const tools = index.get(rule.agent) ?? new Map<string, ScopedRule[]>()
    tools.set(rule.tool, [...(tools.get(rule.tool) ?? []), rule])
    index.set(rule.agent, tools)
  }
  return (question) => {
    const matched: { id: string; outcome: Outcome }[] = []
    for (const rule of GLOBAL_LIST) if (rule.matches(question)) matched.push(rule)
    for (const rule of index.get(question.agent)?.get(question.tool) ?? []) if (question.amount > rule.over) matched.push(rule)
    return worstOf(matched)
  }
}

/** Deny beats ask, ask beats dry run, and what no rule restricts is allowed. */
export function worstOf(matched: readonly { readonly id: string; readonly outcome: Outcome }[]): Required<Answer> {
  let outcome: Outcome = 'allow'
  for (const rule of matched) if (SEVERITY[rule.outcome] > SEVERITY[outcome]) outcome = rule.outcome
  return { outcome, policies: matched.map(({ id }) => id) }
}

const SEVERITY: Readonly<Record<Outcome, number>> = { allow: 0, dry_run: 1, ask: 2, deny: 3 }

/** True when an engine decided what the reference decides, for the same rules if it names its rules. */
export function isSameAnswer(answer: Answer, reference: Required<Answer>): boolean {
  if (answer.outcome !== reference.outcome) return false
  return answer.policies === undefined || answer.policies.toSorted().join() === reference.policies.toSorted().join()
}
