import type { FlowDeclaration, Grant, MatchedForbid, Operation, PolicyContext } from '@tidegate/kernel'
import { createChance } from '@tidegate/testkit'
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
  return { isWary: chance.oneIn(3), isPlanned: chance.oneIn(3) }
}

/** The workflow of a seed as it is then: some make plans, the others get their input from a stranger. */
export function declassify(plan: WorkflowPlan, { isWary, isPlanned }: Declassifying): WorkflowPlan {
  const { workflow, planner } = plan
  if (isPlanned && (planner === 'honest' || planner === 'stubborn'))
    return { ...plan, planner: 'planned', workflow: { ...workflow, approvals: { plan: 'whole', endorsers: [] } } }
  return isWary ? { ...plan, workflow: { ...workflow, inputOrigins: { '/id': 'third-party' } } } : plan
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
