import { type JsonObject, NEUTRAL_FACTS, type PolicyContext, type PolicyEngine, type PolicyRequest } from '@tidegate/kernel'
import { createCedarEngine, generateSchema } from '../src/index.ts'

/** The shape of an object with these optional members. */
export function inputOf(properties: JsonObject, required: readonly string[] = []) {
  return { jsonSchema: { type: 'object', properties, required, additionalProperties: false } }
}

/** A desk with three operations and one other tool. */
export const operations = [
  { id: 'desk.ticket.read', tool: 'desk', input: inputOf({ amountMinor: { type: 'integer' } }) },
  { id: 'desk.refund.create', tool: 'desk', input: inputOf({ amountMinor: { type: 'integer' }, reason: { type: 'string' } }) },
  { id: 'desk.invoice.export', tool: 'desk' },
  { id: 'mail.send', tool: 'mail' },
]
const workflows = [
  { name: 'refunds', agent: 'triage' },
  { name: 'reports', agent: 'clerk' },
]
export const schema = generateSchema(operations, workflows)

/** An engine over one text of policies. */
export function engineOf(text: string): PolicyEngine {
  return createCedarEngine({ policies: [{ file: 'policies/desk.cedar', text }], schema })
}

/** 12:00 UTC on Monday, 2 November 2026. */
export const MONDAY_NOON = { nowMs: 1_793_620_800_000, hour: 12, weekday: 1 }

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
    client: 'client:web',
    ...rest,
    context: {
      ...NEUTRAL_FACTS,
      time: MONDAY_NOON,
      environment: 'production',
      risk: 'low',
      mutability: 'read',
      dataClass: 'internal',
      blastRadius: 'single',
      nature: [],
      reversible: true,
      stage: 4,
      origins: ['user'],
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
