import type { PolicyContext, PolicyEngine, PolicyRequest } from '@tidegate/kernel'
import { createCedarEngine, generateSchema } from '../src/index.ts'

/** A desk with three operations and one other tool. */
export const operations = [
  { id: 'desk.ticket.read', tool: 'desk' },
  { id: 'desk.refund.create', tool: 'desk' },
  { id: 'desk.invoice.export', tool: 'desk' },
  { id: 'mail.send', tool: 'mail' },
]
const workflows = [
  { name: 'refunds', agent: 'triage' },
  { name: 'reports', agent: 'clerk' },
]
export const schema = generateSchema(operations, workflows)

/** An engine over one text of policies, without a cache unless asked for one. */
export function engineOf(text: string, cacheSize = 0): PolicyEngine {
  return createCedarEngine({ policies: [{ file: 'policies/desk.cedar', text }], schema, cacheSize })
}

/** A harmless read, changed as said. */
export function requestOf(
  context: Partial<PolicyContext> = {},
  rest: Partial<Omit<PolicyRequest, 'context'>> = {},
): PolicyRequest {
  return {
    agent: 'triage',
    workflow: 'refunds',
    operation: 'desk.ticket.read',
    tool: 'desk',
    user: 'user:mei',
    ...rest,
    context: {
      environment: 'production',
      risk: 'low',
      mutability: 'read',
      dataClass: 'internal',
      blastRadius: 'single',
      reversible: true,
      confidence: 10_000,
      stage: 4,
      attempts: 0,
      origins: ['user'],
      compensating: false,
      mode: 'live',
      approvals: [],
      arguments: {},
      ...context,
    },
  }
}

/** Policies by what they do, each under its own name. */
export const PERMIT = '@id("permit") permit (principal, action, resource);'
export const ASK = `@id("ask") @outcome("ask") @approvers("role:lead") @reason("ask")
  forbid (principal, action, resource) unless { context.approvals.contains("ask") };`
export const DRY = '@id("dry") @outcome("dry_run") @reason("dry") forbid (principal, action, resource);'
export const DENY = '@id("deny") @reason("deny") forbid (principal, action, resource);'
/** Passes every check and fails when it is evaluated with a large amount: Cedar's integers do not wrap around. */
export const BREAKS = `@id("breaks") @reason("breaks") forbid (principal, action, resource)
  when { context.arguments has amountMinor && context.arguments.amountMinor * 9000000000000000 > 1 };`
