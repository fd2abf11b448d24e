import {
  declaredIn,
  type Decision,
  type Entry,
  type Journal,
  type PolicyEngine,
  type PolicyRequest,
  type PolicySet,
  type PolicyVerdict,
  requestOf,
  resolveVerdict,
  type RunEvent,
} from '@tidegate/kernel'
import type { ChangeRefusal, ExplainAnswer, ExplainedDecision, ExplainedOutcome } from '../changes.ts'
import { sayApprovers, sayExplanation } from './explain-words.ts'
import { decisionsOf, type RecordedDecision } from './backtest.ts'
import type { PolicyStore } from './policies.ts'

/** What an explanation is made from. */
export interface ExplainGround {
  readonly journal: Pick<Journal, 'read'>
  readonly store: PolicyStore
  readonly judged: (engine: PolicyEngine) => PolicyEngine
}

/** How many decisions of one run are explained. */
const MAX_DECISIONS = 200
/** Sentences about one decision. */
const MAX_HINTS = 30

/**
 * Decides the recorded decisions of a run again, each with the policies of its day, and says whether they come out as they were
 * recorded. It needs nothing but the ledger: the texts, the schema and the declarations are in it.
 */
export async function explainRun(
  ground: ExplainGround,
  { run, action }: { readonly run: string; readonly action?: number },
): Promise<ExplainAnswer> {
  const entries = await ground.journal.read(`run/${run}`)
  if (entries.length === 0) return refuse('not_found', `there is no run ${run.slice(0, 80)}`)
  if (entries.some(({ erased }) => erased))
    return refuse('run_erased', 'The content of this run has been erased; what policy was asked about is not known any more.')
  const asked: ExplainedDecision[] = []
  for (const recorded of decisionsOf(entries).filter(({ decided }) => action === undefined || decided.action === action))
    asked.push(await explainOne(ground, recorded))
  const decisions = [...asked, ...guarded(entries)]
    .filter((decision) => action === undefined || decision.action === action)
    .toSorted((a, b) => a.atMs - b.atMs || a.action - b.action)
  if (decisions.length === 0) return refuse('not_found', 'No such action of this run was decided.')
  return { kind: 'explained', run, decisions: decisions.slice(0, MAX_DECISIONS) }
}

async function explainOne({ store, judged }: ExplainGround, recorded: RecordedDecision): Promise<ExplainedDecision> {
  const { opened, proposed, decided, index, atMs } = recorded
  const about = {
    action: decided.action,
    operation: proposed.operation,
    atMs,
    recorded: { outcome: decided.would ?? decided.outcome, policies: decided.policies, approvers: decided.approvers },
    version: decided.policyVersion,
  }
  const nothing = { recomputed: null, rules: [], hints: [] }
  const version = store.history.versions.findLast((each) => each.version === decided.policyVersion)
  const set = version === undefined ? undefined : await store.restore(version)
  if (set === undefined) return { ...about, ...nothing, verdict: 'unknown_version' }
  const listing = store.history.listingAt(index)
  const declared = listing === undefined ? undefined : declaredIn(listing, proposed.operation, opened.workflow)
  const request = declared === undefined ? undefined : requestOf({ opened, proposed, decided }, declared, set.engine.meters)
  if (request === undefined) return { ...about, ...nothing, verdict: 'unrecorded' }
  const verdict = evaluate(judged(set.engine), request)
  const decision = resolveVerdict(verdict, set.engine.version)
  const { outcome, policies, approvers } = decision
  return {
    ...about,
    verdict: isSame(about.recorded, decision) ? 'agrees' : 'differs',
    recomputed: { outcome, policies, approvers },
    rules: rulesOf(set, decision),
    hints: hintsFor(set, request, verdict, decision),
  }
}

function evaluate(engine: PolicyEngine, request: PolicyRequest): PolicyVerdict {
  try {
    return engine.evaluate(request)
  } catch {
    return { kind: 'broken', message: 'the policy engine failed' } // I6: as the harness takes it
  }
}

function rulesOf({ rules }: PolicySet, { policies }: Decision): ExplainedDecision['rules'] {
  return policies.flatMap(({ id }) => rules.filter((rule) => rule.id === id))
}

/** Why it came out so, and what would have let it through. What a built-in part has added is told from its verdict alone. */
function hintsFor({ explain }: PolicySet, request: PolicyRequest, verdict: PolicyVerdict, decision: Decision): readonly string[] {
  const explanation = explain(request)
  if (isSame(explanation.decision, decision)) return sayExplanation(explanation).slice(0, MAX_HINTS)
  if (verdict.kind !== 'forbidden') return []
  return verdict.forbids.map(({ id, outcome, approvers }) =>
    outcome === 'ask' ? `${id} asks: the approval of ${sayApprovers(approvers)} satisfies it.` : `${id} does not let it through.`,
  )
}

/** Decisions that a guard made before policy was asked: there is nothing to decide again. */
function guarded(entries: readonly Entry[]): readonly ExplainedDecision[] {
  const operations = new Map<number, string>()
  return entries.flatMap(({ atMs, events }) =>
    (events as readonly RunEvent[]).flatMap((event): readonly ExplainedDecision[] => {
      if (event.type === 'action.proposed') operations.set(event.action, event.operation)
      if (event.type !== 'action.decided' || event.facts !== null) return []
      const { action, outcome, policies, approvers, policyVersion } = event
      const operation = operations.get(action) ?? ''
      const recorded = { outcome, policies, approvers }
      return [
        { action, operation, atMs, recorded, version: policyVersion, verdict: 'guard', recomputed: null, rules: [], hints: [] },
      ]
    }),
  )
}

function isSame(recorded: ExplainedOutcome, decision: Decision): boolean {
  const of = ({ outcome, policies, approvers }: ExplainedOutcome): string =>
    JSON.stringify([outcome, policies.map(({ id, reason }) => [id, reason]), approvers.map(({ role, count }) => [role, count])])
  return of(recorded) === of(decision)
}

function refuse(code: ChangeRefusal['code'], message: string): ChangeRefusal {
  return { kind: 'refused', code, message, faults: [] }
}
