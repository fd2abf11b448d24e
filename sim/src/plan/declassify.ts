import type { FlowDeclaration, Grant, MatchedForbid, Operation, PolicyContext } from '@tidegate/kernel'
import { createChance } from '@tidegate/testkit'
import type { PolicyPlan, Rule } from './policies.ts'
import type { WorkflowPlan } from './scenario.ts'

/** What people may let pass in a seed, besides single calls. Its chance is its own, so that the other seeds stay as they were. */
export interface Declassifying {
  /** Who the mail goes to stands in text that anybody could have written, and policy asks about it. */
  readonly isWary: boolean
  /** Some planners make a plan, and their workflows let one yes cover it. */
  readonly isPlanned: boolean
}

export function drawDeclassifying(seed: number): Declassifying {
  const chance = createChance(seed * 86_028_121 + 11)
  return { isWary: chance.oneIn(4), isPlanned: chance.oneIn(5) }
}

/** The workflows of a seed as they are then: one makes a plan, and one gets its input from a stranger. */
export function declassify(plan: WorkflowPlan, { isWary, isPlanned }: Declassifying): WorkflowPlan {
  const { name } = plan.workflow
  if (isPlanned && name === 'w0') return withPlan(plan, ['desk.set', 'mail.send', 'mail.send'])
  if (isPlanned && name === 'w2') return withPlan(plan, ['desk.set', 'mail.post'])
  if (!isWary || name !== 'w1') return plan
  const wary = withGoals(plan, ['mail.send', 'mail.post'])
  return { ...wary, planner: 'honest', workflow: { ...wary.workflow, inputOrigins: { '/id': 'third-party' } } }
}

/** Announces its goals and some more, one of them twice, of which the plan covers one. */
function withPlan(plan: WorkflowPlan, more: readonly string[]): WorkflowPlan {
  const longer = withGoals({ ...plan, goals: plan.goals.slice(0, 1) }, more)
  return { ...longer, planner: 'planned', workflow: { ...longer.workflow, approvals: { plan: 'whole', endorsers: [] } } }
}

function withGoals(plan: WorkflowPlan, more: readonly string[]): WorkflowPlan {
  const { workflow, goals } = plan
  const { success } = workflow
  const operations = new Map([...more.map((id) => [id, { confine: {} }] as const), ...workflow.operations])
  const flags = Object.fromEntries(more.map((goal) => [`/${goal.replace('.', '-')}`, true]))
  const changed = { operations, success: success === null ? null : { ...success, expect: { ...success.expect, ...flags } } }
  return { ...plan, goals: [...more, ...goals], workflow: { ...workflow, ...changed } }
}

/** The policies of a seed as they are then: where plans are made, nearly everything is asked about; where targets are, nothing else of them. */
export function askingMore(plan: PolicyPlan, { isPlanned, isWary }: Declassifying): PolicyPlan {
  if (!isPlanned && !isWary) return plan
  const count = plan.version === 'p2' ? 2 : 1
  const rules = [...plan.rules].map(([id, rule]): [string, Rule] => {
    if (!isPlanned) return [id, isTargeted(id) ? { kind: 'allow' } : rule]
    const asks = (rule.kind === 'allow' || rule.kind === 'ask') && !/read|cancel|revoke|recall/.test(id)
    return [id, asks ? { kind: 'ask', asks: [{ id: 'one', approvers: [{ role: 'billing-lead', count }] }] } : rule]
  })
  return { ...plan, rules: new Map(rules) }
}

/** The rule about targets that nothing trusted names. */
export const TARGET_RULE = 'target'
export const TARGET_APPROVERS = [{ role: 'security', count: 1 }] as const

/** The operations that name a target, and say so. */
export function isTargeted(operation: string): boolean {
  return operation === 'mail.send' || operation === 'mail.post'
}

const TARGETED: FlowDeclaration = {
  inputs: { '/id': { role: 'sink', type: 'identifier' }, '/text': { role: 'text', type: 'text' } },
  outputs: {},
  egress: 'external',
}

/** The operations as they are declared in a seed. */
export function declaredIn({ isWary }: Declassifying, operation: Operation): Operation {
  return isWary && isTargeted(operation.id) ? { ...operation, flow: TARGETED } : operation
}

/** What the rule about targets says. */
export function untrustedTarget(operation: string, { flow, compensating, approvals }: PolicyContext): readonly MatchedForbid[] {
  const asks = isTargeted(operation) && flow.declared && flow.tainted && flow.sinks === 'unknown' && !compensating
  if (!asks || approvals.includes(TARGET_RULE)) return []
  return [{ id: TARGET_RULE, reason: 'nobody knows the target', outcome: 'ask', approvers: TARGET_APPROVERS }]
}

/** A step of a plan that pins every argument. */
export function pinned(operation: string, args: Readonly<Record<string, string | number>>): Grant {
  const constraints = Object.entries(args).map(([name, value]) => [`/${name}`, { kind: 'exact', value }] as const)
  return {
    ...{ id: operation, operation, arguments: Object.fromEntries(constraints) },
    ...{ maxCalls: null, notAfterMs: null, environment: null, budget: null },
  }
}
