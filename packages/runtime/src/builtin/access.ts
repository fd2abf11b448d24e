import {
  type Connector,
  type ConnectorCall,
  type ConnectorResult,
  digestOf,
  type Hasher,
  isObject,
  type Json,
  type JsonObject,
  type Operation,
  type Planner,
  type PlannerAnswer,
  type PlannerView,
  type PolicyRequest,
  type PolicyVerdict,
  type RunState,
  type Shape,
  type Workflow,
} from '@tidegate/kernel'
import { textsOf } from '../authzen/binding.ts'
import { approvalId, GRANT, grantOf, LOOK, REVOKE, runBehind } from '../authzen/grant.ts'
import { ACCESS_WORKFLOW, approversOf, readRecord, USE_WORKFLOW } from '../authzen/request-record.ts'
import type { WorkflowWithPlanner } from '../registry.ts'
import { type Field, objectShape, ownOperation, ownWorkflow, textField } from './declare.ts'
import type { BuiltinPart } from './part.ts'

/** What the granting of access is made of. */
export interface AccessOptions {
  readonly hasher: Hasher
  readonly nowMs: () => number
  /** Loads a run, as its records tell it. */
  readonly load: (run: string) => Promise<RunState | undefined>
  readonly environment: string
  /** How long people have to answer. */
  readonly answerMs: number
  /** How long a grant is good for. */
  readonly grantMs: number
}

/** The policy that asks people for access where another policy said that they may be asked. */
const ASK = 'tidegate:access-request'
const DAY_MS = 86_400_000

/**
 * Access requests as governed runs: the people whom the denying policy names are asked, whoever asks may not answer, silence is no,
 * and an operator takes a grant back by undoing its run. A grant is what the journal says about the run; there is no other store.
 */
export function createAccessPart(options: AccessOptions): BuiltinPart {
  return {
    operations: operationsOf(options.hasher),
    connector: connectorOf(options),
    workflows: [requestWorkflow(options), useWorkflow(options)],
    judge,
  }
}

/**
 * Asks the approvers that the request names: they come from the policy that denied, through our own code, and never from whoever
 * asks. Policies of the project that forbid still forbid, and those that ask are asked besides.
 */
function judge(request: PolicyRequest, verdict: PolicyVerdict): PolicyVerdict {
  const needsPeople = request.operation === GRANT && !request.context.approvals.includes(ASK)
  if (!needsPeople) return verdict.kind === 'unmatched' ? PERMITTED : verdict
  const approvers = approversOf(request.context.arguments.approvers) ?? []
  const ask = {
    id: ASK,
    reason: 'somebody asks for access that policy denies unless people approve it',
    outcome: 'ask',
    approvers,
  } as const
  return { kind: 'forbidden', forbids: verdict.kind === 'forbidden' ? [...verdict.forbids, ask] : [ask] }
}

const PERMITTED: PolicyVerdict = {
  kind: 'permitted',
  permits: [{ id: 'tidegate:access', reason: 'access is granted by the people whom policy names, and may be taken back' }],
}

function field(schema: JsonObject, wanted: string, fits: (value: Json) => boolean): Field {
  return { schema, refuse: (value) => (fits(value) ? undefined : `expected ${wanted}`) }
}

function named(properties: JsonObject): Field {
  return field({ type: 'object', properties, required: Object.keys(properties) }, 'an object', isObject)
}

const TEXT = { type: 'string' }
const COUNT = field(
  { type: 'integer', minimum: 0 },
  'a whole number from 0',
  (value) => Number.isSafeInteger(value) && Number(value) >= 0,
)
const APPROVAL = textField(64)

const GRANT_INPUT = objectShape({
  request: textField(64),
  subject: named({ type: TEXT, id: TEXT }),
  action: named({ name: TEXT }),
  resource: named({ type: TEXT, id: TEXT }),
  context: named({}),
  approvers: field(
    { type: 'array', items: { type: 'object' } },
    'rules about approvers',
    (value) => approversOf(value) !== undefined,
  ),
  policies: field({ type: 'array', items: TEXT }, 'ids of policies', (value) => textsOf(value) !== undefined),
  emergency: field({ type: 'boolean' }, 'true or false', (value) => typeof value === 'boolean'),
  requestedUntilMs: COUNT,
})
const STATE = objectShape({ approval: APPROVAL, state: textField(16) })

function operationsOf(hasher: Hasher): readonly Operation[] {
  const shared = { blastRadius: 'single', maxAttempts: 3, timeoutMs: 10_000, canReconcile: true } as const
  const versionOf = (id: string, shape: Shape): string => digestOf(hasher, { id, input: shape.jsonSchema, version: 1 })
  const grant = ownOperation(GRANT, {
    ...shared,
    title: 'Grant access',
    description: 'Lets one subject do one thing to one resource, once and for a while.',
    input: GRANT_INPUT,
    output: objectShape({ approval: APPROVAL, approvedAtMs: COUNT, approvedUntilMs: COUNT }),
    schemaVersion: versionOf(GRANT, GRANT_INPUT),
    risk: 'medium',
    nature: ['sharing'],
    records: ['/request'],
    compensation: takeBack,
  })
  const input = objectShape({ approval: APPROVAL })
  const revoke = ownOperation(REVOKE, {
    ...shared,
    title: 'Take back a grant of access',
    description: 'From now on the approval is worth nothing.',
    input,
    output: STATE,
    schemaVersion: versionOf(REVOKE, input),
    risk: 'low',
    reversibility: 'irreversible',
    records: ['/approval'],
    canVerify: true,
  })
  const look = ownOperation(LOOK, {
    ...shared,
    title: 'Look at a grant of access',
    description: 'Says whether the approval is good.',
    input,
    output: STATE,
    schemaVersion: versionOf(LOOK, input),
    mutability: 'read',
    risk: 'low',
    records: ['/approval'],
  })
  return [grant, revoke, look]
}

function takeBack({ output }: { readonly output: Json }): { readonly operation: string; readonly arguments: Json } | null {
  return isObject(output) && typeof output.approval === 'string'
    ? { operation: REVOKE, arguments: { approval: output.approval } }
    : null
}

/** Nothing outside is touched: what is granted or revoked is what the run's own records say, so a call may be made again at will. */
function connectorOf(options: AccessOptions): Connector {
  return {
    execute: (call) => execute(options, call),
    preview: async () => refused('this operation has no preview'),
    // An answer that was lost with the process granted nothing that anybody could have used.
    reconcile: async () => ({ kind: 'absent' }),
    verify: async () => ({ holds: true, detail: 'a grant that its run takes back is worth nothing from then on' }),
  }
}

async function execute(options: AccessOptions, { operation, arguments: args }: ConnectorCall): Promise<ConnectorResult> {
  if (!isObject(args)) return refused('the arguments are not an object')
  if (operation === GRANT) return grant(options, args)
  const approval = typeof args.approval === 'string' ? args.approval : ''
  if (operation === REVOKE) return done({ approval, state: 'revoked' })
  const run = runBehind('apr', approval)
  const state = run === undefined ? undefined : await options.load(run)
  return done({ approval, state: state === undefined ? 'unknown' : (grantOf(state)?.state ?? 'none') })
}

function grant({ nowMs, grantMs }: AccessOptions, { request, requestedUntilMs }: JsonObject): ConnectorResult {
  const approvedAtMs = nowMs()
  const wanted = typeof requestedUntilMs === 'number' && requestedUntilMs > 0 ? requestedUntilMs : Number.POSITIVE_INFINITY
  if (wanted <= approvedAtMs) return refused('the time for which access was asked for has passed')
  return done({ approval: approvalId(String(request)), approvedAtMs, approvedUntilMs: Math.min(approvedAtMs + grantMs, wanted) })
}

function done(output: Json): ConnectorResult {
  return { kind: 'done', output, complete: true }
}

function refused(message: string): ConnectorResult {
  return { kind: 'failed', failure: 'refused', retry: 'never', message }
}

function requestWorkflow(options: AccessOptions): WorkflowWithPlanner {
  const approval = `$seen/${GRANT}/approval`
  const workflow = workflowOf(options, {
    name: ACCESS_WORKFLOW,
    title: 'Ask people for access',
    operations: [GRANT, LOOK],
    approval,
  })
  return { workflow, planner: { immediate: true, next: async (view) => proposeGrant(view) }, internal: true }
}

/** The use of a grant is a run of its own: its first record claims the approval, so that it serves once, and says who used it. */
function useWorkflow(options: AccessOptions): WorkflowWithPlanner {
  const workflow = workflowOf(options, {
    name: USE_WORKFLOW,
    title: 'Use a grant of access',
    operations: [LOOK],
    approval: '$input/approval',
  })
  const finish: PlannerAnswer = { kind: 'finish', reason: 'the approval is used', escalate: false }
  const planner: Planner = { immediate: true, next: async () => finish }
  return { workflow, planner, internal: true }
}

function proposeGrant({ state }: PlannerView): PlannerAnswer {
  const record = readRecord(state.opened.sealed.input)
  const last = state.actions.at(-1)
  if (last?.state === 'done') return { kind: 'finish', reason: 'access is granted', escalate: false }
  if (record === undefined || last !== undefined) return { kind: 'give_up', reason: 'access cannot be granted' }
  const { subject, action, resource, context, approvers, policies, emergency, requestedUntilMs, justification } = record
  const args = {
    request: state.opened.run,
    subject: { ...subject },
    action: { ...action },
    resource: { ...resource },
    context,
    approvers: approvers.map(({ role, count }) => ({ role, count })),
    policies: [...policies],
    emergency,
    requestedUntilMs,
  }
  const proposal = {
    goal: `Let ${subject.type} ${subject.id} do ${action.name} on ${resource.type} ${resource.id}`.slice(0, 500),
    operation: GRANT,
    arguments: args,
    justification,
    confidence: 10_000,
  }
  return { kind: 'propose', proposal }
}

interface Named {
  readonly name: string
  readonly title: string
  readonly operations: readonly string[]
  readonly approval: string
}

function workflowOf({ hasher, environment, answerMs }: AccessOptions, { name, title, operations, approval }: Named): Workflow {
  const success = { operation: LOOK, arguments: { approval }, expect: { '/state': 'valid' } }
  const declared = {
    name,
    title,
    version: digestOf(hasher, { name, operations: [...operations], success, answerMs }),
    operations: new Map(operations.map((id) => [id, { confine: {} }])),
    success,
    limits: { steps: 20, wallMs: answerMs + DAY_MS, tokens: 1, costMicros: 1, repeats: 2, approvalMs: answerMs },
  }
  return ownWorkflow(declared, environment)
}
