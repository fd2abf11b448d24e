import {
  type ActionState,
  type Admission,
  type Admitted,
  admit,
  type Decision,
  deny,
  type Metered,
  NEUTRAL_FACTS,
  observeAction,
  type Observed,
  type ObservedFacts,
  type Origin,
  type Outcome,
  packFacts,
  type PolicyEngine,
  type PolicyRequest,
  type PolicyVerdict,
  policyRequest,
  type Proposal,
  type Question,
  type Rejected,
  resolveVerdict,
  type RunEvent,
  type RunState,
  type Workflow,
} from '@tidegate/kernel'
import { knownLeaves } from './labels.ts'
import { isStopped, isUnclaimed } from './execute.ts'
import { holdPlanned, surveyPlan } from './plan-approval.ts'
import { previewEvent, previewOf, shownPreview } from './preview.ts'
import type { HarnessParts } from './parts.ts'
import type { Progress } from './progress.ts'

/** An action that is about to be decided: a new proposal, or one that is decided again. */
export interface Candidate {
  readonly n: number
  readonly proposal: Proposal
  readonly purpose: 'act' | 'check' | 'compensate'
  readonly compensates: number | null
  /** Undefined for a new proposal. */
  readonly action?: ActionState
  /** The granted (or, on another attempt, consumed) approval that it may run under. */
  readonly approval: string | null
}

/** What was decided, as the events to record; `start` says that the last of them starts the effect. */
export interface Decided {
  readonly events: readonly RunEvent[]
  readonly start: boolean
  /** A dry run: take the preview after the decision is recorded. */
  readonly rehearse: boolean
}

/** The one door (DESIGN section 1): whatever reaches a connector has come through here. Answers at once unless an approval or a plan is held against the world. */
export function decide(
  parts: HarnessParts,
  { state, waiting }: Pick<Progress, 'state' | 'waiting'>,
  workflow: Workflow,
  candidate: Candidate,
): Decided | Promise<Decided> {
  const { policy } = parts
  const refused = candidate.purpose === 'act' ? state.opened.call?.refused : undefined
  if (refused !== undefined) {
    const decision = deny(refused.id, refused.reason, policy.version)
    return denied(candidate, { kind: 'rejected', decision, failure: 'policy_denial', digest: null })
  }
  const admission = {
    state: withoutCandidate(state, candidate),
    workflow,
    find: parts.registry.find,
    hasher: parts.hasher,
    policyVersion: policy.version,
    breakers: parts.control.state.breakers,
    nowMs: parts.clock.nowMs(),
    compensates: candidate.compensates,
    isCheck: candidate.purpose === 'check',
    ...(parts.quarantined === undefined ? {} : { quarantined: parts.quarantined() }),
  }
  const admitted = admit(candidate.proposal, admission)
  if (admitted.kind === 'rejected') return denied(candidate, admitted)
  const proposed = candidate.action === undefined ? [proposedEvent(candidate, admitted.digest, admitted)] : []
  if (candidate.action === undefined && isStopped(parts, state, admitted.operation)) {
    // Recorded, and decided when the stop over its tool is lifted (I7): not even a preview is asked for before.
    return { events: proposed, start: false, rehearse: false }
  }
  if (candidate.action !== undefined && candidate.action.proposed.digest !== admitted.digest) {
    const changed = deny(
      'tidegate:schema-changed',
      'the operation is no longer declared as it was when this was proposed',
      policy.version,
    )
    return { events: [decidedEvent(candidate.n, changed, 'planning')], start: false, rehearse: false }
  }
  const judging = { candidate, admitted, admission, waiting, proposed }
  const isFree = candidate.approval === null && (candidate.purpose !== 'act' || state.plans.size === 0)
  return isFree ? conclude(parts, state, workflow, judging, undefined) : decideHeld(parts, state, workflow, judging)
}

/** Decides under what people have said: to this very action, or to a plan that it is a part of. */
async function decideHeld(parts: HarnessParts, state: RunState, workflow: Workflow, judging: Concluding): Promise<Decided> {
  const { candidate, admitted } = judging
  const planned = { digest: admitted.digest, action: candidate.n }
  const held =
    candidate.approval === null
      ? await holdPlanned(parts, state, planned, () => shownPreview(parts, state, candidate.n, admitted))
      : await hold(parts, state, candidate, admitted)
  if (held !== undefined && 'void' in held) {
    const closed: RunEvent = { type: 'approval.closed', approval: held.approval, state: held.state, why: held.void }
    return { events: [closed], start: false, rehearse: false }
  }
  return conclude(parts, state, workflow, judging, held)
}

/** From here to the verdict nothing may wait: what is reserved holds its room against every other run. */
function conclude(
  parts: HarnessParts,
  state: RunState,
  workflow: Workflow,
  judging: Concluding,
  held: Held | undefined,
): Decided | Promise<Decided> {
  let judged = judge(parts, state, workflow, judging, held)
  const isUncovered = held?.isPlanned === true && judged.decision.outcome !== 'allow'
  if (isUncovered) judged = judge(parts, state, workflow, judging, undefined) // whatever is asked then is asked whole
  const approval = held === undefined || isUncovered ? {} : { approval: held.approval }
  return settle(parts, state, workflow, { ...judging, ...judged, ...approval })
}

interface Judging {
  readonly candidate: Candidate
  readonly admitted: Admitted
  readonly waiting: readonly RunEvent[]
}

interface Concluding extends Judging {
  readonly admission: Admission
  readonly proposed: readonly RunEvent[]
}

/** What people have approved, and still holds. */
interface Held {
  readonly approval: string
  readonly policies: readonly string[]
  readonly isPlanned?: true
}

interface Judged {
  readonly decision: Observing
  /** What policy was told. */
  readonly facts: ObservedFacts
  readonly metered: Metered | undefined
}

/** Asks the meters and then policy. Nothing may wait in between: what is reserved holds its room against every other run. */
function judge(
  parts: HarnessParts,
  state: RunState,
  workflow: Workflow,
  { candidate, admitted, waiting }: Judging,
  held: Pick<Held, 'policies' | 'isPlanned'> | undefined,
): Judged {
  const { policy } = parts
  const { action: before, n, proposal, compensates } = candidate
  const { arguments: args, operation } = admitted
  const nowMs = Math.max(parts.clock.nowMs(), state.updatedAtMs) // a clock that jumps back gives a plan no more time
  const reserved = parts.meters.reserve({ state, waiting, action: n, isNew: before === undefined, operation, arguments: args })
  const isCovered = held?.isPlanned === true
  const observed: Observed = {
    confidence: proposal.confidence,
    confidences: { ...NEUTRAL_FACTS.confidences, ...state.confidences },
    attempts: before?.failures ?? 0,
    compensates,
    approvals: held?.policies ?? [],
    roles: parts.rolesOf(state.opened.actors[0] ?? ''),
    time: parts.timeFacts(nowMs),
    meters: reserved.values,
    flow: parts.labels.factsOf({ state, workflow, candidate, admitted, nowMs, isCovered }),
  }
  const facts = observeAction(admitted, observed, state)
  const verdict = resolveVerdict(evaluate(policy, policyRequest(admitted, facts, state, workflow)), policy.version)
  const decision = onlyObserved(verdict, state)
  if (decision.outcome !== 'allow') parts.meters.release(state.opened.run)
  return { decision, facts, metered: reserved.metered }
}

/** A decision, and what it would have been had it counted. */
type Observing = Decision & { readonly would?: Exclude<Outcome, 'allow'> }

/** In a run that only observes everything is allowed; that it would not have been is what is recorded. */
function onlyObserved(decision: Decision, { opened }: RunState): Observing {
  const { outcome } = decision
  return opened.call?.observes === true && outcome !== 'allow' ? { ...decision, outcome: 'allow', would: outcome } : decision
}

/** I6: an engine that breaks its contract and throws is a broken policy, and denies. */
function evaluate(policy: PolicyEngine, request: PolicyRequest): PolicyVerdict {
  try {
    return policy.evaluate(request)
  } catch {
    return { kind: 'broken', message: 'the policy engine failed' }
  }
}

interface Settling extends Concluding, Judged {
  readonly approval?: string
}

function settle(parts: HarnessParts, state: RunState, workflow: Workflow, settling: Settling): Decided | Promise<Decided> {
  const { candidate, admitted, decision, facts, metered, proposed, approval } = settling
  const { n } = candidate
  const decided = decidedEvent(n, decision, null, facts)
  if (decision.outcome === 'deny') return { events: [...proposed, decided], start: false, rehearse: false }
  if (decision.outcome === 'dry_run') return { events: [...proposed, decided], start: false, rehearse: true }
  if (decision.outcome === 'ask') {
    if (approval !== undefined) {
      const closed: RunEvent = { type: 'approval.closed', approval, state: 'voided', why: 'policy now asks for something else' }
      return { events: [closed], start: false, rehearse: false }
    }
    const asked = ask(parts, state, workflow, settling)
    return asked.then((events) => ({ events: [...proposed, ...events], start: false, rehearse: false }))
  }
  // Nobody is there to take the answer: it is allowed, and starts when they come for it.
  if (isUnclaimed(parts, state, candidate.purpose)) return { events: [...proposed, decided], start: false, rehearse: false }
  const attempt = (candidate.action?.attempts ?? 0) + 1
  const lease = admitted.operation.secrets
  const started: RunEvent = {
    action: n,
    approval: approval ?? null,
    attempt,
    digest: admitted.digest,
    ...parts.taint?.mark(admitted.operation, admitted.arguments, facts.flow),
    lease,
    ...(metered === undefined ? {} : { metered }),
    type: 'effect.started',
  }
  return { events: [...proposed, decided, started], start: true, rehearse: false }
}

/** Opens the question, with the preview that the people will see bound into it. No preview, no question: nobody approves blind. */
async function ask(parts: HarnessParts, state: RunState, workflow: Workflow, settling: Settling): Promise<readonly RunEvent[]> {
  const { candidate, admitted, decision, facts } = settling
  const { n } = candidate
  const taken = await previewOf(parts, state, candidate.n, admitted.operation, admitted.arguments)
  if (taken.kind === 'failed') {
    const denied = deny(
      'tidegate:preview-failed',
      'it cannot be shown what this would change, so nobody can be asked',
      decision.policyVersion,
    )
    const failed: RunEvent = { type: 'preview.failed', action: n, sealed: { message: taken.message } }
    return [failed, decidedEvent(n, denied, taken.failure === 'semantic' ? 'connector_semantic' : 'connector_timeout')]
  }
  const nowMs = Math.max(state.updatedAtMs, parts.clock.nowMs())
  const question: Question = {
    id: `${state.opened.run}.a${n}.${(candidate.action?.voided ?? 0) + (candidate.action?.attempts ?? 0) * 10}`,
    run: state.opened.run,
    action: n,
    digest: admitted.digest,
    previewDigest: taken.kind === 'taken' ? taken.digest : null,
    policyVersion: decision.policyVersion,
    policies: decision.policies.map((policy) => policy.id),
    approvers: decision.approvers,
    requesters: [...state.opened.actors, state.opened.agent],
    openedAtMs: nowMs,
    deadlineMs: nowMs + workflow.limits.approvalMs,
  }
  const shown: readonly RunEvent[] = taken.kind === 'taken' ? [previewEvent(n, taken)] : []
  const surveyed = await survey(parts, state, workflow, settling, question)
  const opened: RunEvent =
    surveyed === undefined
      ? { type: 'approval.opened', question }
      : { type: 'approval.opened', question: { ...question, plan: surveyed.plan }, sealed: { plan: surveyed.shown } }
  return [decidedEvent(n, decision, null, facts), ...shown, opened]
}

/** The rest of the plan, when the action is a part of it: each call is decided as it would be now, and nothing of that is kept. */
async function survey(parts: HarnessParts, state: RunState, workflow: Workflow, settling: Settling, question: Question) {
  const { candidate, facts, admission, waiting } = settling
  if (candidate.purpose !== 'act' || facts.flow.grant !== 'within') return undefined
  const later = (nth: number): number => candidate.n + 1 + nth
  return surveyPlan(
    parts,
    { state, workflow, question },
    {
      admission,
      foresee(proposal, admitted, nth) {
        const { confidence } = candidate.proposal
        const foreseen = {
          n: later(nth),
          proposal: { ...proposal, confidence },
          purpose: 'act',
          compensates: null,
          approval: null,
        } as const
        const { decision } = judge(parts, state, workflow, { candidate: foreseen, admitted, waiting }, undefined)
        parts.meters.release(state.opened.run)
        return decision.outcome === 'ask'
          ? { policies: decision.policies.map(({ id }) => id), approvers: decision.approvers }
          : undefined
      },
      preview: async (admitted, nth) =>
        isStopped(parts, state, admitted.operation) ? undefined : shownPreview(parts, state, later(nth), admitted),
    },
  )
}

/**
 * Checks that what was approved is what would run now, and in time (I2, I5); says why not. A grant that nobody used in time lapses;
 * one whose first attempt came in time but had no effect is voided, and people are asked again.
 */
async function hold(parts: HarnessParts, state: RunState, candidate: Candidate, admitted: Admitted): Promise<Held | Unheld> {
  const id = candidate.approval ?? ''
  const approval = state.approvals.get(id)
  const voided = (why: string): Unheld => ({ approval: id, state: 'voided', void: why })
  if (approval === undefined) return voided('the approval is not known')
  const { question } = approval
  if (question.digest !== admitted.digest) return voided('the action is not the one that was approved')
  if (question.policyVersion !== parts.policy.version) return voided('the policy has changed since it was asked')
  const taken = await previewOf(parts, state, candidate.n, admitted.operation, admitted.arguments)
  const digest = taken.kind === 'taken' ? taken.digest : null
  if (digest !== question.previewDigest) return voided('the world has changed since it was asked: it would now do something else')
  if (Math.max(parts.clock.nowMs(), state.updatedAtMs) < question.deadlineMs) return { approval: id, policies: question.policies }
  if (approval.state === 'consumed') return voided('the deadline passed before the next attempt')
  return { approval: id, state: 'lapsed', void: 'the deadline passed before it could run' }
}

interface Unheld {
  readonly approval: string
  readonly state: 'voided' | 'lapsed'
  readonly void: string
}

function denied(candidate: Candidate, rejected: Rejected): Decided {
  const proposed = candidate.action === undefined ? [proposedEvent(candidate, rejected.digest)] : []
  const failure = rejected.failure === 'policy_denial' ? null : rejected.failure
  return { events: [...proposed, decidedEvent(candidate.n, rejected.decision, failure)], start: false, rehearse: false }
}

function decidedEvent(
  action: number,
  decision: Observing,
  failure: Rejected['failure'] | null,
  facts: ObservedFacts | null = null,
): RunEvent {
  const { outcome, policies, approvers, policyVersion, would } = decision
  const recorded = facts === null ? null : packFacts(facts)
  const event = { action, approvers, facts: recorded, failure, outcome, policies, policyVersion, type: 'action.decided' } as const
  return would === undefined ? event : { ...event, would }
}

const NO_ORIGINS: readonly Origin[] = []

/** Records even what makes no sense, as the planner wrote it: a refused attempt is evidence. */
function proposedEvent(candidate: Candidate, digest: string | null, admitted?: Admitted): RunEvent {
  const { n, proposal, purpose, compensates } = candidate
  const leaves = knownLeaves(candidate)
  const { operation, node = null, confidence, claimedRisk = null, goal, justification } = proposal
  const args = admitted?.arguments ?? proposal.arguments
  const origins = admitted?.origins ?? NO_ORIGINS
  const sealed = { goal, justification, arguments: args, origins }
  return {
    action: n,
    claimedRisk,
    compensates,
    confidence,
    digest,
    effect: admitted !== undefined && admitted.operation.mutability !== 'read',
    node,
    operation: operation.length > 200 ? `${operation.slice(0, 200)}...` : operation,
    purpose,
    sealed: leaves === undefined ? sealed : { ...sealed, leaves },
    type: 'action.proposed',
  }
}

/** An action that is decided again does not count as a repetition of itself. */
function withoutCandidate(state: RunState, { action }: Candidate): RunState {
  return action === undefined ? state : { ...state, actions: state.actions.filter((other) => other.n !== action.n) }
}
