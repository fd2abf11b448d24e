import {
  GLOBAL_RULES,
  LEAST_CONFIDENCE,
  MOST_CALLS_PER_HOUR,
  type PolicyQuestion,
  type PolicySet,
  type ScopedRule,
} from './set.ts'

/** One policy as Cedar text, under the id that its annotation has. */
export interface CedarText {
  readonly id: string
  readonly outcome: 'allow' | ScopedRule['outcome']
  /** The only agent it is about, if it names one. */
  readonly agent?: string
  readonly text: string
}

/**
 * The set in Cedar, in the words that Tidegate's policies are written in. Cedar permits nothing by itself, so one permit stands
 * beside the rules of the set and is not counted.
 */
export function cedarTexts(set: PolicySet): readonly CedarText[] {
  const permit = '@id("everything")\npermit (principal, action, resource);'
  const globals = (Object.keys(GLOBAL_RULES) as (keyof typeof GLOBAL_RULES)[]).map((id): CedarText => {
    const { outcome, reason } = GLOBAL_RULES[id]
    return {
      id,
      outcome,
      text: forbid({ id, outcome, reason, scope: 'principal, action, resource', when: GLOBAL_CONDITIONS[id] }),
    }
  })
  const scoped = set.scoped.map(({ id, agent, tool, over, outcome }): CedarText => {
    const scope = `principal == Agent::"${agent}", action, resource == Tool::"${tool}"`
    return {
      id,
      outcome,
      agent,
      text: forbid({ id, outcome, reason: 'the amount', scope, when: `context.arguments.amount > ${over}` }),
    }
  })
  return [{ id: 'everything', outcome: 'allow', text: permit }, ...globals, ...scoped]
}

const GLOBAL_CONDITIONS: Readonly<Record<keyof typeof GLOBAL_RULES, string>> = {
  'not-cleared': '!context.roles.contains(context.dataClass)',
  'critical-risk': 'context.risk == "critical"',
  'high-risk-production': 'context.environment == "production" && context.risk == "high"',
  'low-confidence': `context.confidence < ${LEAST_CONFIDENCE}`,
  'no-way-back': 'context.mutability == "write" && !context.reversible',
  'too-many-calls': `context.meters.callsPerHour > ${MOST_CALLS_PER_HOUR}`,
}

interface Forbid {
  readonly id: string
  readonly outcome: ScopedRule['outcome']
  readonly reason: string
  readonly scope: string
  readonly when: string
}

/** An `ask` yields to its own approval, as every policy of Tidegate that asks has to. */
function forbid({ id, outcome, reason, scope, when }: Forbid): string {
  const approvers = outcome === 'ask' ? ' @approvers("role:lead")' : ''
  const unless = outcome === 'ask' ? `\nunless { context.approvals.contains("${id}") }` : ''
  return `@id("${id}") @outcome("${outcome}")${approvers} @reason("${reason}")\nforbid (${scope})\nwhen { ${when} }${unless};`
}

/** A request as these policies are asked it, as plain JSON. */
export interface CedarCall {
  readonly principal: { readonly type: string; readonly id: string }
  readonly action: { readonly type: string; readonly id: string }
  readonly resource: { readonly type: string; readonly id: string }
  readonly context: {
    readonly environment: string
    readonly risk: string
    readonly mutability: string
    readonly dataClass: string
    readonly reversible: boolean
    readonly confidence: number
    readonly roles: string[]
    readonly approvals: string[]
    readonly meters: { readonly callsPerHour: number }
    readonly arguments: { readonly amount: number }
  }
}

/** A question with no more context than the set reads. */
export function cedarCall(question: PolicyQuestion): CedarCall {
  return {
    principal: { type: 'Agent', id: question.agent },
    action: { type: 'Action', id: `${question.tool}.call` },
    resource: { type: 'Tool', id: question.tool },
    context: {
      environment: question.environment,
      risk: question.risk,
      mutability: question.mutability,
      dataClass: question.dataClass,
      reversible: question.reversible,
      confidence: question.confidence,
      roles: [...question.clearances],
      approvals: [],
      meters: { callsPerHour: question.callsPerHour },
      arguments: { amount: question.amount },
    },
  }
}
