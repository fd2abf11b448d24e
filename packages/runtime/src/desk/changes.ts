import {
  type ApproverRule,
  type Clock,
  type Decision,
  declaredFacts,
  declarationText,
  diffPolicySets,
  foldRun,
  type Entropy,
  type Hasher,
  type Journal,
  type Json,
  type JsonObject,
  NEUTRAL_FACTS,
  type ObservedFacts,
  type Operation,
  type PolicyEngine,
  type PolicyRequest,
  quarantined,
  redecide,
  resolveVerdict,
} from '@tidegate/kernel'
import type { Person, TriggerAnswer, TriggerRequest, UndoAnswer } from '../api.ts'
import { POLICY_WORKFLOW, TOOL_WORKFLOW } from '../builtin/layer.ts'
import { POLICY_OPERATIONS, type PolicyGround, policyWorkflow, sayFaults } from '../builtin/policy.ts'
import type {
  ChangeAnswer,
  ChangeDesk,
  ChangeRefusal,
  PolicyPlan,
  PolicyPlanRequest,
  PolicyTexts,
  PolicyVersion,
} from '../changes.ts'
import type { Control } from '../control.ts'
import { createUlid } from '../id.ts'
import type { Registry } from '../registry.ts'
import { backtestLedger, type LedgerBacktest } from './backtest.ts'
import type { RecordedVersion } from './change-history.ts'
import { explainRun } from './explain.ts'
import { BUILTIN_LAYER, type Candidate, type PolicyStore } from './policies.ts'
import { type LayeredText, problemOfTexts } from './policy-texts.ts'
import { OPERATOR } from './stops.ts'

/** What changing Tidegate is made of; the composition root brings it. */
export interface ChangeParts {
  readonly store: PolicyStore
  readonly reviewers: readonly ApproverRule[]
  /** An engine as the harness asks it: with what the built-in parts add. */
  readonly judged: (engine: PolicyEngine) => PolicyEngine
  /** What is observed of an action that nobody has taken yet: the time, and every declared meter at rest. */
  readonly facts: (nowMs: number) => Pick<ObservedFacts, 'time' | 'meters'>
}

/** What the desk has of the Tidegate that it belongs to. */
export interface ChangeGround extends ChangeParts {
  readonly journal: Journal
  readonly control: Control
  readonly registry: Registry
  readonly clock: Clock
  readonly entropy: Entropy
  readonly hasher: Hasher
  readonly open: (request: TriggerRequest) => Promise<TriggerAnswer>
  readonly undo: (run: string, request: { readonly person: Person; readonly why: string }) => Promise<UndoAnswer>
}

/** Through which program changes are proposed: it stands in the actor chain. */
const CLIENT = 'client:tidegate'
/** How long one backtest may take. */
const BACKTEST_MS = 60_000

/** Creates the desk where changes are proposed. It decides nothing: the runs that it opens are decided like any other. */
export function createChangeDesk(ground: ChangeGround): ChangeDesk {
  const { store, control, registry } = ground
  return {
    async plan(request) {
      const planned = await planSet(ground, request)
      return 'kind' in planned ? planned : { kind: 'planned', plan: planned.plan }
    },
    apply: (request) => applySet(ground, request),
    rollback: (request) => rollBack(ground, request),
    versions: () => store.history.versions.toReversed().map((version) => versionOf(store, version)),
    show(version) {
      const found = version === undefined ? store.history.versions.at(-1) : store.history.version(version)
      return found === undefined ? undefined : textsOf(store, found)
    },
    explain: (request) => explainRun(ground, request),
    reviewTools() {
      const open = quarantined(control.state, registry.operations)
      return registry.operations
        .filter(({ id }) => open.has(id))
        .map((operation) => {
          const { id, schemaVersion } = operation
          const accepted = control.state.accepted[id] ?? null
          const before = accepted === null ? undefined : store.history.declaration(id, accepted)
          const after = JSON.parse(declarationText(operation)) as Json // a text that we wrote ourselves
          return {
            operation: id,
            version: schemaVersion,
            accepted: accepted === '' ? null : accepted,
            before: before === undefined ? null : (JSON.parse(before) as Json),
            after,
          }
        })
    },
    acceptTool: (request) => acceptTool(ground, request),
  }
}

interface Planned {
  readonly plan: PolicyPlan
  readonly candidate: Candidate
}

async function planSet(ground: ChangeGround, { person, files, backtest }: PolicyPlanRequest): Promise<Planned | ChangeRefusal> {
  const { store } = ground
  const problem = problemOfTexts(files as unknown as Json)
  if (problem !== undefined) return refuse('invalid_input', problem)
  const loading = await store.load(files)
  if (loading.kind === 'refused')
    return { kind: 'refused', code: 'policy_refused', message: sayFaults(loading), faults: loading.faults }
  const { candidate } = loading
  const locked = lockedOut(ground, candidate, person)
  if (locked !== undefined) return locked
  const { engine } = candidate.set
  const plan: PolicyPlan = {
    from: store.version,
    to: engine.version,
    same: candidate.digest === store.inForce.digest,
    files: fileChanges(store.inForce.texts, files),
    diff: diffPolicySets(store.inForce.set.rules, candidate.set.rules),
    backtest: backtest === null ? null : await runBacktest(ground, engine, backtest),
    approvers: approversNow(ground, person),
  }
  return { plan, candidate }
}

/** The backtest under way, if one is: many who ask at once wait for each other, and not the server for them. */
const underWay = new WeakMap<PolicyStore, Promise<unknown>>()

function runBacktest(
  { journal, store, clock, judged }: ChangeGround,
  engine: PolicyEngine,
  range: NonNullable<PolicyPlanRequest['backtest']>,
): Promise<LedgerBacktest> {
  const parts = { journal, history: store.history, clock }
  const next = (underWay.get(store) ?? Promise.resolve()).then(() =>
    backtestLedger(parts, judged(engine), { ...range, timeMs: BACKTEST_MS }),
  )
  const settled = next.catch(() => undefined) // whoever asked has the rejection
  underWay.set(store, settled)
  return next
}

async function applySet(ground: ChangeGround, request: PolicyPlanRequest & { readonly why: string }): Promise<ChangeAnswer> {
  const unentitled = refuseUnentitled(ground, request.person)
  if (unentitled !== undefined) return unentitled
  const planned = await planSet(ground, request)
  if ('kind' in planned) return planned
  const { plan } = planned
  if (plan.same) return refuse('nothing_to_change', 'These policies are in force already.')
  const backtest = plan.backtest === null ? {} : { backtest: summarise(plan.backtest) }
  const files = request.files.map(({ file, layer, text }) => ({ file, layer, text }))
  return openChange(ground, request, POLICY_WORKFLOW, plan.to, { version: plan.to, previous: plan.from, files, ...backtest })
}

/** What the people who are asked are shown of the past: counts, and what would be let through. */
function summarise({ decided, changed, loosened, complete, undecidable, groups }: LedgerBacktest): JsonObject {
  const lines = groups.slice(0, 20).map(({ from, to, operation, policies, count, examples }) => {
    return `${from} -> ${to}: ${count} x ${operation} (${policies.join(', ')}), such as run ${examples[0]?.run ?? '-'}`
  })
  return { decided, changed, loosened, complete, undecidable: { ...undecidable }, changes: lines }
}

async function rollBack(
  ground: ChangeGround,
  { person, version, why }: { readonly person: Person; readonly version?: string; readonly why: string },
): Promise<ChangeAnswer> {
  const { store } = ground
  const unentitled = refuseUnentitled(ground, person)
  if (unentitled !== undefined) return unentitled
  const current = store.record
  const target = version ?? previousOf(store)
  const recorded = target === undefined ? undefined : store.history.version(target)
  if (recorded === undefined) return refuse('not_found', 'The ledger has no such version. `tidegate policy versions` lists them.')
  if (recorded.texts === store.inForce.digest) return refuse('nothing_to_change', 'The policies of this version are in force.')
  if (version === undefined && current.run !== null && person.roles.includes(OPERATOR)) {
    const undone = await ground.undo(current.run, { person, why })
    if (undone.kind === 'opened') return { kind: 'opened', run: undone.run, version: recorded.version }
  }
  const input = { version: recorded.version, previous: store.version }
  return openChange(ground, { person, why }, POLICY_WORKFLOW, recorded.version, input)
}

/** The version before the one in force that had other texts. */
function previousOf(store: PolicyStore): string | undefined {
  return store.history.versions.findLast(({ texts }) => texts !== store.inForce.digest)?.version
}

async function acceptTool(
  ground: ChangeGround,
  { person, operation, why }: { readonly person: Person; readonly operation: string; readonly why: string },
): Promise<ChangeAnswer> {
  const unentitled = refuseUnentitled(ground, person)
  if (unentitled !== undefined) return unentitled
  const declared = ground.registry.find(operation)
  if (declared === undefined) return refuse('not_found', `No tool declares the operation ${operation.slice(0, 80)}.`)
  if (!quarantined(ground.control.state, [declared]).has(operation))
    return refuse('nothing_to_change', `${operation} is accepted as it is declared now.`)
  const version = declared.schemaVersion
  return openChange(ground, { person, why }, TOOL_WORKFLOW, version, { operation, version })
}

async function openChange(
  { open, clock, entropy }: ChangeGround,
  { person, why }: { readonly person: Person; readonly why: string },
  workflow: string,
  version: string,
  input: JsonObject,
): Promise<ChangeAnswer> {
  const answer = await open({
    workflow,
    source: 'tidegate:change',
    event: createUlid(clock, entropy),
    input: { ...input, why },
    user: person.id,
    client: CLIENT,
  })
  return answer.kind === 'refused' ? refuse('invalid_input', answer.message) : { kind: 'opened', run: answer.run, version }
}

/** Whoever may propose: operators, and whoever may review (but never their own proposal). */
function refuseUnentitled({ reviewers }: ChangeGround, { roles }: Person): ChangeRefusal | undefined {
  const entitled = [OPERATOR, ...reviewers.map(({ role }) => role)]
  if (entitled.some((role) => roles.includes(role))) return undefined
  return refuse('not_entitled', `only these roles may propose a change: ${entitled.join(', ')}`)
}

/**
 * Refuses a set under which nobody could ever change the policies again: it would be in force for good. It is asked what it would say
 * of the next change and of looking at its result, by the same person, with and without the approvals that it asks for.
 */
function lockedOut(ground: ChangeGround, { set }: Candidate, person: Person): ChangeRefusal | undefined {
  const engine = ground.judged(set.engine)
  for (const operation of POLICY_OPERATIONS) {
    const request = changeRequest(ground, operation, person)
    const first = decideOn(engine, request)
    const approvals = first.policies.map(({ id }) => id)
    const granted = { ...request, context: { ...request.context, approvals } }
    const decision = first.outcome === 'ask' ? redecide(engine, granted) : first
    if (decision.outcome === 'allow') continue
    const because = decision.policies.map(({ id, reason }) => `${id} (${reason})`).join('; ')
    return refuse(
      'policy_locks_out',
      `Under these policies nobody could change the policies again: ${operation.id} comes out as ${decision.outcome}, by ${because}. Except Tidegate's own changes: unless { principal == Agent::"tidegate" }`,
    )
  }
  return undefined
}

/** Who would be asked about a change by the policies in force. */
function approversNow(ground: ChangeGround, person: Person): readonly ApproverRule[] {
  const [apply] = POLICY_OPERATIONS
  return apply === undefined ? [] : decideOn(ground.judged(ground.store), changeRequest(ground, apply, person)).approvers
}

function decideOn(engine: PolicyEngine, request: PolicyRequest): Decision {
  return resolveVerdict(engine.evaluate(request), engine.version)
}

/** The question that policy is asked about a step of a change. */
function changeRequest({ registry, clock, facts }: ChangeGround, operation: Operation, person: Person): PolicyRequest {
  const workflow = registry.workflow(POLICY_WORKFLOW)?.workflow ?? policyWorkflow('')
  const version = '0'.repeat(64)
  return {
    agent: workflow.agent,
    workflow: workflow.name,
    operation: operation.id,
    tool: operation.tool,
    user: person.id,
    client: CLIENT,
    context: {
      ...declaredFacts(operation, workflow),
      ...NEUTRAL_FACTS,
      actors: [person.id, CLIENT],
      roles: person.roles,
      records: 1,
      origins: ['user'],
      ...facts(clock.nowMs()),
      arguments: operation.mutability === 'read' ? { version } : { version, previous: version, why: '' },
    },
  }
}

function fileChanges(before: readonly LayeredText[], after: readonly LayeredText[]): PolicyPlan['files'] {
  const old = new Map(before.map(({ file, text }) => [file, text]))
  const fresh = new Map(after.map(({ file, text }) => [file, text]))
  return [...new Set([...old.keys(), ...fresh.keys()])].toSorted().flatMap((file) => {
    const [from, to] = [old.get(file), fresh.get(file)]
    if (from === to) return []
    return [
      { file, change: from === undefined ? ('added' as const) : to === undefined ? ('removed' as const) : ('changed' as const) },
    ]
  })
}

function versionOf(store: PolicyStore, recorded: RecordedVersion): PolicyVersion {
  const { version, atMs, index, cause, by, reviewers, why, run, previous, files } = recorded
  const inForce = store.history.versions.at(-1) === recorded
  return { version, inForce, atMs, index, cause, by, reviewers, why, run, previous, files: files.length }
}

function textsOf(store: PolicyStore, recorded: RecordedVersion): PolicyTexts {
  const texts = recorded.files.map(({ file, layer, digest }) => ({ file, layer, text: store.history.texts.get(digest) ?? '' }))
  const own = texts.filter(({ layer }) => layer !== BUILTIN_LAYER)
  return { ...versionOf(store, recorded), texts: [...own, ...texts.filter(({ layer }) => layer === BUILTIN_LAYER)] }
}

function refuse(code: ChangeRefusal['code'], message: string): ChangeRefusal {
  return { kind: 'refused', code, message, faults: [] }
}

/** Looks up who asked for an effect, and who said yes to it, in the records of its run. */
export function createAuthorLookup(journal: Pick<Journal, 'read'>): PolicyGround['authorOf'] {
  return async (effectId) => {
    const [run = '', action = ''] = effectId.split('.')
    const state = foldRun(await journal.read(`run/${run}`))
    const approvals = [...state.approvals.values()].filter(
      ({ question, state: became }) => String(question.action) === action && (became === 'consumed' || became === 'granted'),
    )
    const voters = approvals.flatMap(({ votes }) => votes.flatMap(({ voter, vote }) => (vote === 'approve' ? [voter] : [])))
    return { by: state.opened.actors[0] ?? state.opened.agent, reviewers: [...new Set(voters)], run }
  }
}
