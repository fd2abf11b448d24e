import {
  type ApproverRule,
  type ChangeAuthor,
  type Connector,
  type ConnectorCall,
  type ConnectorFailure,
  diffPolicySets,
  isObject,
  type Json,
  type JsonObject,
  type Operation,
  type PolicyDiff,
  type Workflow,
  writeApprovers,
} from '@tidegate/kernel'
import type { Candidate, CandidateLoading, PolicyStore } from '../desk/policies.ts'
import { type LayeredText, problemOfTexts } from '../desk/policy-texts.ts'
import { createOneCallPlanner, objectShape, ownOperation, ownWorkflow, textField, VERSION_FIELD } from './declare.ts'
import { changesLayer, POLICY_APPLY, POLICY_READ, POLICY_WORKFLOW } from './layer.ts'
import type { BuiltinPart } from './part.ts'

/** What changes the policies works on. */
export interface PolicyGround {
  readonly store: PolicyStore
  /** Who asked for an effect, and who said yes to it. */
  readonly authorOf: (effectId: string) => Promise<Pick<ChangeAuthor, 'by' | 'reviewers' | 'run'>>
}

/** What brings policies into force: texts that somebody sent, or (without files) those of an earlier version. */
export interface PolicyChange {
  readonly version: string
  /** The version that is replaced. Another one in force by then refuses the change. */
  readonly previous: string
  readonly files?: readonly LayeredText[]
  readonly why: string
  /** What the new policies would have decided in the past, as it was computed when the change was proposed. */
  readonly backtest?: JsonObject
}

const FILES_SCHEMA: JsonObject = {
  type: 'array',
  items: {
    type: 'object',
    properties: { file: { type: 'string' }, layer: { type: 'string' }, text: { type: 'string' } },
    required: ['file', 'layer', 'text'],
  },
}

const WHY = textField(1_000)

const APPLY: Operation = ownOperation(POLICY_APPLY, {
  title: 'Change the policies',
  description: 'Brings a set of policies into force. The set in force until then decides whether it may.',
  input: objectShape({
    version: VERSION_FIELD,
    previous: VERSION_FIELD,
    files: { optional: true, schema: FILES_SCHEMA, refuse: (value) => problemOfTexts(value) },
    why: WHY,
    backtest: {
      optional: true,
      schema: { type: 'object' },
      refuse: (value) => (isObject(value) ? undefined : 'expected an object'),
    },
  }),
  output: objectShape({ version: VERSION_FIELD, previous: VERSION_FIELD, texts: VERSION_FIELD }),
  records: ['/version'],
  canPreview: true,
  canReconcile: true,
  canVerify: true,
  maxAttempts: 3,
  compensation: ({ output }) => {
    const { version = null, previous = null } = output as JsonObject // accepted by the output shape above
    return { operation: POLICY_APPLY, arguments: { version: previous, previous: version, why: 'taken back' } }
  },
  schemaVersion: 'tidegate.policy.apply/1',
})

const READ: Operation = ownOperation(POLICY_READ, {
  title: 'Look at the policies in force',
  description: 'Tells which version of the policies decides.',
  mutability: 'read',
  risk: 'low',
  blastRadius: 'single',
  reversibility: 'irreversible',
  input: objectShape({ version: VERSION_FIELD }),
  output: objectShape({
    version: VERSION_FIELD,
    inForce: { schema: { type: 'boolean' }, refuse: (value) => (typeof value === 'boolean' ? undefined : 'expected a boolean') },
  }),
  records: ['/version'],
  maxAttempts: 3,
  schemaVersion: 'tidegate.policy.read/1',
})

/** The operations that change policies; what they do needs a {@link PolicyGround}. */
export const POLICY_OPERATIONS: readonly Operation[] = [APPLY, READ]

/** The workflow that changes policies. */
export function policyWorkflow(environment: string): Workflow {
  return ownWorkflow(
    {
      name: POLICY_WORKFLOW,
      title: 'Change the policies',
      operations: new Map([APPLY, READ].map(({ id }) => [id, { confine: {} }])),
      success: { operation: POLICY_READ, arguments: { version: `$seen/${POLICY_APPLY}/version` }, expect: { '/inForce': true } },
    },
    environment,
  )
}

/** What is declared about changing policies. */
export function policyPart(
  ground: PolicyGround,
  { environment, reviewers }: { readonly environment: string; readonly reviewers: readonly ApproverRule[] },
): BuiltinPart {
  const planner = createOneCallPlanner(POLICY_APPLY, { goal: 'Change the policies' })
  return {
    operations: POLICY_OPERATIONS,
    connector: createPolicyConnector(ground),
    workflows: [{ workflow: policyWorkflow(environment), planner, internal: true }],
    layer: [changesLayer(reviewers)],
  }
}

function createPolicyConnector({ store, authorOf }: PolicyGround): Connector {
  const resolve = async (call: ConnectorCall): Promise<Candidate | ConnectorFailure> => {
    const change = call.arguments as unknown as PolicyChange // accepted by the input shape above
    if (change.previous !== store.version)
      return refused('policy_superseded', 'Other policies have come into force since this change was proposed. Plan it again.')
    const recorded = store.history.version(change.version)
    const texts = change.files ?? (recorded === undefined ? undefined : store.textsOf(recorded))
    if (texts === undefined) return refused('policy_unknown', 'The ledger has no texts of this version.')
    const loading = await store.load(texts)
    if (loading.kind === 'refused') return refused('policy_refused', sayFaults(loading))
    if (change.files !== undefined && loading.candidate.set.engine.version !== change.version)
      return refused('policy_superseded', 'What is declared has changed since this change was proposed. Plan it again.')
    return loading.candidate
  }

  return {
    async preview(call) {
      const candidate = await resolve(call)
      if ('kind' in candidate) return candidate
      return { kind: 'done', output: previewOf(store, candidate, call.arguments as unknown as PolicyChange), complete: true }
    },
    async execute(call) {
      if (call.operation === POLICY_READ) return { kind: 'done', output: look(store, call), complete: true }
      const candidate = await resolve(call)
      if ('kind' in candidate) return candidate
      const { previous, why } = call.arguments as unknown as PolicyChange // accepted by the input shape above
      const author = { ...(await authorOf(call.effectId)), effect: call.effectId, why }
      const answer = await store.adopt(candidate, author, { previous, cause: 'change' })
      if (answer === 'superseded')
        return refused('policy_superseded', 'Other policies came into force in the same moment. Plan it again.')
      const output = { version: candidate.set.engine.version, previous, texts: candidate.digest }
      return { kind: 'done', output, complete: true }
    },
    async reconcile({ effectId }) {
      await store.idle() // what is being written is looked for when it is there, or is not
      const record = store.history.adoptedBy(effectId)
      if (record === undefined) return { kind: 'absent' }
      const { version, previous, texts } = record
      return { kind: 'happened', output: { version, previous, texts } }
    },
    async verify(_, output) {
      const { texts } = output as JsonObject // accepted by the output shape above
      const holds = store.inForce.digest === texts
      return {
        holds,
        detail: holds ? `version ${store.version} decides` : `version ${store.version} decides, which is another one`,
      }
    },
  }
}

/** A version that differs only in what it was checked against has the same texts. */
function look(store: PolicyStore, call: ConnectorCall): Json {
  const { version } = call.arguments as JsonObject // accepted by the input shape above
  const asked = store.history.version(String(version))
  return { version: store.version, inForce: version === store.version || asked?.texts === store.inForce.digest }
}

function refused(code: string, message: string): ConnectorFailure {
  return { kind: 'failed', failure: 'semantic', retry: 'never', code, message }
}

/** The faults of a set as people read them. */
export function sayFaults({ faults, cause }: Extract<CandidateLoading, { kind: 'refused' }>): string {
  if (faults.length === 0) return cause.message
  const shown = faults.slice(0, 20).map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`)
  return [...shown, ...(faults.length > 20 ? [`and ${faults.length - 20} more`] : [])].join('\n')
}

/** How many policies a preview spells out. */
const SHOWN_POLICIES = 100

/** What would change, as people are asked about it. The same policies in force give the same answer, whatever happens meanwhile. */
function previewOf(store: PolicyStore, candidate: Candidate, { why, backtest }: PolicyChange): JsonObject {
  const diff = diffPolicySets(store.inForce.set.rules, candidate.set.rules)
  const { before, after } = speakDiff(diff)
  return {
    before: { version: store.version, policies: before },
    after: {
      version: candidate.set.engine.version,
      policies: after,
      unchanged: diff.unchanged,
      ...(backtest === undefined ? {} : { backtest }),
    },
    why,
  }
}

/** Both sides of a difference, with nothing but what differs: policy -> aspect -> what it says. */
function speakDiff({ added, removed, changed }: PolicyDiff): { readonly before: JsonObject; readonly after: JsonObject } {
  const whole = (list: PolicyDiff['added']) =>
    list.slice(0, SHOWN_POLICIES).map(({ id, effect, outcome, approvers, scope, condition, reason }) => {
      const does = effect === 'permit' || outcome === 'deny' ? effect : `${effect}, ${outcome}`
      const asks = approvers.length === 0 ? {} : { asks: writeApprovers(approvers) }
      return [id, { does, ...asks, scope: inLines(scope), condition: inLines(condition), reason }] as const
    })
  const parts = (side: 'before' | 'after') =>
    changed.slice(0, SHOWN_POLICIES).map(({ id, changes }) => {
      return [id, Object.fromEntries(changes.map((change) => [change.aspect, inLines(change[side])]))] as const
    })
  return {
    before: Object.fromEntries([...whole(removed), ...parts('before')]),
    after: Object.fromEntries([...whole(added), ...parts('after')]),
  }
}

/** Faces show a value on one line and cut what is too long: nobody may approve a condition whose end was cut away. */
const LINE = 160

function inLines(text: string): Json {
  if (text.length <= LINE) return text
  const lines: string[] = []
  for (let rest = text; rest !== ''; ) {
    const space = rest.length <= LINE ? rest.length : rest.lastIndexOf(' ', LINE)
    const end = space > 0 ? space : LINE
    lines.push(rest.slice(0, end))
    rest = rest.slice(end).trimStart()
  }
  return lines
}
