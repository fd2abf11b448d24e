import {
  type Grant,
  isObject,
  type Json,
  type JsonObject,
  type ModelTool,
  type Operation,
  type PlannerView,
} from '@tidegate/kernel'

/** The tool with which a model makes its plan. Operation ids hold a dot, so that it can never be mistaken for one. */
export const PLAN_TOOL = 'plan'

const MAX_PLANNED = 50
const MAX_CALLS = 1_000

/** The tool that is offered while a plan is made: a list of the workflow's operations. */
export function planTool({ workflow, find }: PlannerView): ModelTool {
  const ids = [...workflow.operations.keys()].filter((id) => find(id) !== undefined)
  const step: JsonObject = {
    type: 'object',
    properties: {
      operation: { type: 'string', enum: ids },
      maxCalls: { type: 'integer', minimum: 1, maximum: MAX_CALLS, description: 'How often it may be called.' },
      arguments: {
        type: 'object',
        description: 'Arguments that you know already, by name, each with its exact value. Leave out what you do not know yet.',
        additionalProperties: { type: ['string', 'number', 'boolean'] },
      },
    },
    required: ['operation', 'maxCalls'],
    additionalProperties: false,
  }
  const inputSchema: JsonObject = {
    type: 'object',
    properties: { operations: { type: 'array', items: step, minItems: 1, maxItems: MAX_PLANNED } },
    required: ['operations'],
    additionalProperties: false,
  }
  return { name: PLAN_TOOL, description: 'Lists every operation that the goal may need.', inputSchema }
}

/**
 * Reads a plan. Undefined when it is of no use: an operation that the workflow does not list, an argument that it does not have, a number
 * of calls that is none. Nothing of it is repaired: a plan that was not meant would deny what was.
 */
export function readPlan({ operations, ...rest }: JsonObject, view: PlannerView): readonly Grant[] | undefined {
  if (!Array.isArray(operations) || Object.keys(rest).length > 0) return undefined
  const steps = operations as readonly Json[]
  if (steps.length === 0 || steps.length > MAX_PLANNED) return undefined
  const grants = steps.map((step, i) => readStep(step, i, view))
  return grants.every((grant) => grant !== undefined) ? grants : undefined
}

function readStep(step: Json, i: number, { workflow, find }: PlannerView): Grant | undefined {
  if (!isObject(step)) return undefined
  const { operation: id, maxCalls, arguments: args = {}, ...rest } = step
  const operation = typeof id === 'string' && workflow.operations.has(id) ? find(id) : undefined
  const isCount = typeof maxCalls === 'number' && Number.isInteger(maxCalls) && maxCalls >= 1 && maxCalls <= MAX_CALLS
  if (operation === undefined || !isCount || !isObject(args) || Object.keys(rest).length > 0) return undefined
  const constraints = Object.entries(args).map(([name, value]) => {
    const isKnown = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    return isKnown && hasArgument(operation, name) ? ([toPointer(name), { kind: 'exact', value }] as const) : undefined
  })
  if (!constraints.every((constraint) => constraint !== undefined)) return undefined
  return {
    id: `plan-${i}`,
    operation: operation.id,
    arguments: Object.fromEntries(constraints),
    maxCalls,
    notAfterMs: null,
    environment: null,
    budget: null,
  }
}

/** An operation that says nothing about its arguments may have any. */
function hasArgument({ input }: Operation, name: string): boolean {
  const { properties } = input.jsonSchema
  return !isObject(properties) || Object.hasOwn(properties, name)
}

function toPointer(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}
