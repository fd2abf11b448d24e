import type { Json, JsonObject } from '../canonical/json.ts'
import type { Endorsement } from '../approval/endorsement.ts'
import type { PlannedState } from '../approval/plan.ts'
import type { Approval } from '../approval/question.ts'
import type { Grant } from '../label/grant.ts'
import type { Origin } from '../label/origin.ts'
import type { Finding } from '../label/sanitise.ts'
import type { ApproverRule, Confidences, DeterminingPolicy, Outcome } from '../policy/decision.ts'
import type { RecordedFacts } from '../policy/observed.ts'
import type { ActionProposed, EffectFinished, QueueKind, RunOpened } from './event.ts'
import type { FailureKind, FinalState } from './failure.ts'

export type RunStateName = 'running' | 'waiting' | 'undoing' | FinalState

/** Everything known about one run: a fold of its records, and of nothing else. */
export interface RunState {
  readonly opened: RunOpened
  readonly openedAtMs: number
  readonly updatedAtMs: number
  /** Number of records folded so far. */
  readonly seq: number
  readonly phase: 'acting' | 'checking' | 'undoing' | 'finished'
  readonly final: FinalState | null
  readonly failure: FailureKind | null
  readonly reason: string
  readonly escalate: boolean
  readonly actions: readonly ActionState[]
  readonly approvals: ReadonlyMap<string, Approval>
  readonly notes: ReadonlyMap<string, Note>
  readonly items: ReadonlyMap<string, QueueItem>
  readonly spent: { readonly steps: number; readonly tokens: number; readonly costMicros: number }
  /** 0 to 10,000: the lowest confidence that anything in this run has earned. */
  readonly confidence: number
  /** The same, by what it is the confidence of; only what something was said about. */
  readonly confidences: Partial<Confidences>
  readonly check: { readonly ok: boolean; readonly detail: string } | null
  readonly undoneBy: string | null
  /** The stop that holds this run, and since when. */
  readonly held: { readonly stop: string; readonly sinceMs: number } | null
  /** Time spent waiting for people or under a stop: it does not count against the limit on time. */
  readonly waitedMs: number
  /** The planner is not asked before this time. */
  readonly pausedUntilMs: number
  readonly modelCalls: readonly ModelCallNote[]
  /** The plan that the run is narrowed to; null when there is none. */
  readonly grants: readonly Grant[] | null
  /** The plans that questions cover besides their own action, by id of the question. */
  readonly plans: ReadonlyMap<string, readonly PlannedState[]>
  /** What people endorsed, in the order in which it was first endorsed. */
  readonly endorsements: readonly Endorsement[]
}

export interface Note {
  readonly node: string
  readonly value: Json
  readonly origins: readonly Origin[]
}

export interface ModelCallNote {
  readonly model: string
  readonly inputTokens: number
  readonly outputTokens: number
  readonly reply: Json
}

export interface QueueItem {
  readonly item: string
  readonly kind: QueueKind
  readonly action: number | null
  readonly effect: number | null
  readonly title: string
  readonly detail: string
  readonly atMs: number
  readonly resolvedBy: string | null
}

/**
 * One action of a run.
 *
 * `proposed` -> `denied` | `rehearsed` (dry run) | `asking` | `started`; `asking` -> `started` | `denied` | `retryable`; `started` ->
 * `done` | `failed` | `ambiguous`; `ambiguous` -> `done` | `failed`; `failed` -> `retryable`; `retryable` -> `started` | `denied` |
 * `asking` | `rehearsed`; `done` -> `undone`. An action that was voided too often becomes `denied`. In a call run, an action that is allowed
 * stays `proposed` until whoever asked for it is there to take its answer.
 */
export interface ActionState {
  readonly n: number
  readonly proposed: ActionProposed
  readonly state:
    | 'proposed'
    | 'denied'
    | 'rehearsed'
    | 'asking'
    | 'started'
    | 'done'
    | 'failed'
    | 'ambiguous'
    | 'retryable'
    | 'undone'
  readonly decision: ActionDecision | null
  /** The policies that asked people last, with their reasons; a later decision does not replace them. */
  readonly asked: readonly DeterminingPolicy[]
  readonly preview: { readonly digest: string; readonly value: Json } | null
  readonly approval: string | null
  /** The question whose approved plan it started under, when that is not its own. */
  readonly planned?: string
  /** How many times the world had changed between the question and the act. */
  readonly voided: number
  readonly attempts: number
  /** Attempts that failed at the far side; a start that a stop or a deadline refused is none. */
  readonly failures: number
  readonly startedAtMs: number
  readonly retryAtMs: number
  readonly outcome: EffectFinished | null
  /** What looking found, after an outcome that was not known. */
  readonly found: 'happened' | 'absent' | 'doubled' | 'repeatable' | 'unknown' | null
  readonly looks: number
  /** An earlier attempt may have had its effect, and only an answer under the same idempotency key can tell (I4). */
  readonly doubt: boolean
  readonly output: Json
  /** A record that it is about was written under taint before it started. */
  readonly distrusted?: true
  readonly findings: readonly Finding[]
  /** Of a compensation: whether the world was seen to be back as it was. */
  readonly verified: boolean | null
  /** A queue item was made for it: a person takes over. */
  readonly queued: boolean
}

export interface ActionDecision {
  readonly outcome: Outcome
  readonly policies: readonly DeterminingPolicy[]
  readonly approvers: readonly ApproverRule[]
  readonly policyVersion: string
  readonly failure: FailureKind | null
  /** What policy was told; null when a guard decided. */
  readonly facts: RecordedFacts | null
  /** What policy would have said, in a run that only observes. */
  readonly would?: Exclude<Outcome, 'allow'>
}

/** What the planner and references may look at: the input, what was seen last through each operation, and the planner's notes. */
export interface RunFacts {
  readonly input: JsonObject
  readonly seen: ReadonlyMap<string, Json>
  readonly notes: ReadonlyMap<string, Note>
}

/** The facts of a run so far. Only outputs of actions that were really executed count as seen. */
export function factsOf(state: RunState): RunFacts {
  const before = known.get(state)
  if (before !== undefined) return before
  const seen = new Map<string, Json>()
  for (const action of state.actions) {
    if (action.state === 'done' || action.state === 'undone') seen.set(action.proposed.operation, action.output)
  }
  const facts = { input: state.opened.sealed.input, seen, notes: state.notes }
  known.set(state, facts)
  return facts
}

/** A state never changes, and several ask for its facts in one step. */
const known = new WeakMap<RunState, RunFacts>()

/** The name under which lists show a run. */
export function runStateName(state: RunState): RunStateName {
  if (state.final !== null) return state.final
  const last = state.actions.at(-1)
  const asked = last?.state === 'asking' && last.approval !== null && state.approvals.get(last.approval)?.state === 'open'
  if (asked) return 'waiting' // also while it takes something back: whoever lists what waits for people must find it
  return state.phase === 'undoing' ? 'undoing' : 'running'
}
