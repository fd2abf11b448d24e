import type { Json, JsonObject } from '../canonical/json.ts'
import type { OperationId, RiskClass } from '../action/operation.ts'
import type { Question } from '../approval/question.ts'
import type { Grant } from '../label/grant.ts'
import type { Origin } from '../label/origin.ts'
import type { Finding } from '../label/sanitise.ts'
import type { Metered } from '../limit/meter.ts'
import type { ApproverRule, Confidences, DeterminingPolicy, Outcome } from '../policy/decision.ts'
import type { RecordedFacts } from '../policy/observed.ts'
import type { FailureKind, FinalState } from './failure.ts'

/**
 * Events of one run. What stands in `sealed` is encrypted beside the leaf and can be erased; everything else is in the ledger for
 * good, so no customer data may stand there.
 */
export type RunEvent =
  | RunOpened
  | {
      readonly type: 'plan.noted'
      readonly node: string
      /** 0 to 10,000; absent when the note says nothing about confidence. */
      readonly confidence?: number
      /** What it is the confidence of. */
      readonly of?: keyof Confidences
      readonly sealed: { readonly value: Json; readonly origins: readonly Origin[] }
    }
  /** The model had no useful answer; ask again at the given time. */
  | { readonly type: 'plan.paused'; readonly untilMs: number; readonly sealed: { readonly reason: string } }
  | {
      readonly type: 'model.called'
      readonly model: string
      readonly inputTokens: number
      readonly outputTokens: number
      /** Millionths of the currency of the budget. */
      readonly costMicros: number
      readonly durationMs: number
      readonly result: string
      readonly sealed: { readonly request: Json; readonly reply: Json }
    }
  /** The planner narrowed the run to a plan, before it had seen anything untrusted. */
  | {
      readonly type: 'plan.granted'
      readonly operations: readonly OperationId[]
      readonly sealed: { readonly grants: readonly Grant[] }
    }
  | { readonly type: 'plan.finished'; readonly escalate: boolean; readonly sealed: { readonly reason: string } }
  | ActionProposed
  | {
      readonly type: 'action.decided'
      readonly action: number
      readonly outcome: Outcome
      readonly policies: readonly DeterminingPolicy[]
      readonly approvers: readonly ApproverRule[]
      readonly policyVersion: string
      /** How the run as a whole fails when this denial is its end; null for an ordinary policy denial. */
      readonly failure: FailureKind | null
      /** What policy was told, besides what is declared and the arguments; null when a guard decided before policy was asked. */
      readonly facts: RecordedFacts | null
      /** In a run that only observes: what policy would have said. The outcome is `allow` all the same; the policies are those of this. */
      readonly would?: Exclude<Outcome, 'allow'>
    }
  | {
      readonly type: 'preview.taken'
      readonly action: number
      readonly digest: string
      readonly sealed: { readonly preview: Json }
    }
  | { readonly type: 'preview.failed'; readonly action: number; readonly sealed: { readonly message: string } }
  | {
      readonly type: 'approval.opened'
      readonly question: Question
      /** Of a question that covers a plan: what each of its calls says and would change, in their order. */
      readonly sealed?: { readonly plan: readonly { readonly arguments: Json; readonly preview: Json }[] }
    }
  | {
      readonly type: 'approval.voted'
      readonly approval: string
      readonly voter: string
      readonly roles: readonly string[]
      readonly vote: 'approve' | 'refuse'
      /** The yes is to the whole plan of the question. */
      readonly plan?: true
      readonly sealed: { readonly why: string }
    }
  | {
      readonly type: 'approval.closed'
      readonly approval: string
      readonly state: 'granted' | 'refused' | 'lapsed' | 'voided'
      readonly why: string
    }
  | ValueEndorsed
  | {
      readonly type: 'effect.started'
      readonly action: number
      readonly attempt: number
      readonly digest: string
      /** The approval that this effect consumes, if the decision needed one. */
      readonly approval: string | null
      /** Names of the secrets that the connector may ask for. */
      readonly lease: readonly string[]
      /** What meters count of the arguments; absent when no meter looks at them. */
      readonly metered?: Metered
      /** The records that it changes under taint, as keyed hashes, and what brought the taint; absent while nothing untrusted was seen. */
      readonly wrote?: { readonly keys: readonly string[]; readonly sources: readonly string[] }
      /** A record that it is about was written under taint before: what it answers is nobody's word. */
      readonly distrusted?: true
    }
  | EffectFinished
  | {
      readonly type: 'effect.ambiguous'
      readonly action: number
      readonly attempt: number
      readonly why: 'crashed' | 'unknown_outcome'
    }
  | {
      readonly type: 'effect.reconciled'
      readonly action: number
      readonly attempt: number
      /** `repeatable`: nobody can look, but the same call may be made again without harm. */
      readonly found: 'happened' | 'absent' | 'doubled' | 'repeatable' | 'unknown'
      /** When to look again; null when this answer is final. */
      readonly lookAgainAtMs: number | null
      readonly sealed: { readonly output: Json; readonly message: string }
    }
  | {
      readonly type: 'effect.verified'
      readonly action: number
      readonly holds: boolean
      readonly sealed: { readonly detail: string }
    }
  | { readonly type: 'retry.scheduled'; readonly action: number; readonly atMs: number }
  | { readonly type: 'run.failing'; readonly failure: FailureKind; readonly sealed: { readonly reason: string } }
  | { readonly type: 'check.executed'; readonly ok: boolean; readonly sealed: { readonly detail: string } }
  | {
      readonly type: 'queue.added'
      readonly item: string
      readonly kind: QueueKind
      readonly action: number | null
      /** Number of the effect that could not be undone (in an undo run: of the undone run), or null. */
      readonly effect: number | null
      readonly sealed: { readonly title: string; readonly detail: string }
    }
  | { readonly type: 'queue.resolved'; readonly item: string; readonly by: string; readonly sealed: { readonly why: string } }
  | { readonly type: 'run.held'; readonly stop: string }
  | { readonly type: 'run.resumed' }
  | { readonly type: 'run.undone'; readonly by: string }
  | { readonly type: 'run.finished'; readonly state: FinalState; readonly failure: FailureKind | null }

/** Why something waits for a person. */
export type QueueKind = 'cannot_undo' | 'ambiguous' | 'doubled' | 'blocked' | 'low_confidence' | 'stopped_midway' | 'unfinished'

export interface RunOpened {
  readonly type: 'run.opened'
  readonly run: string
  readonly workflow: string
  readonly workflowVersion: string
  readonly agent: string
  /** The actor chain, user first: user -> client -> agent (RFC 8693 `act`, outermost last). */
  readonly actors: readonly string[]
  readonly trigger: { readonly source: string; readonly event: string }
  readonly environment: string
  readonly stage: number
  readonly policyVersion: string
  /** The finished run that this one undoes, or null. */
  readonly undoes: string | null
  /** Present when the run is one call of an agent that is not ours. */
  readonly call?: HostCallMark
  readonly sealed: { readonly input: JsonObject; readonly undo: readonly UndoStep[] }
}

/** Where a call run comes from, and how it is governed. */
export interface HostCallMark {
  /** The name of the host, as the project lists it. */
  readonly host: string
  /** Keyed hash of the conversation that the call belongs to: the host's own name for it may tell who speaks. */
  readonly session: string
  /** Everything is decided and recorded, and nothing is stopped. */
  readonly observes?: true
  /** Refused before policy is asked, such as a call without the ticket that it needs. */
  readonly refused?: { readonly id: string; readonly reason: string }
}

/** One effect of another run that this run has to undo: what was done, and what it answered. */
export interface UndoStep {
  readonly action: number
  readonly operation: OperationId
  readonly arguments: Json
  readonly output: Json
}

export interface ActionProposed {
  readonly type: 'action.proposed'
  readonly action: number
  readonly operation: OperationId
  /** Why the run does it: to act, to look whether it succeeded, or to take something back. */
  readonly purpose: 'act' | 'check' | 'compensate'
  /** True when the operation is declared to change the world. */
  readonly effect: boolean
  readonly node: string | null
  readonly confidence: number
  readonly claimedRisk: RiskClass | null
  /** Null when the arguments could not be normalised. */
  readonly digest: string | null
  /** The action of this run (or, in an undo run, of the undone run) that this one makes up for. */
  readonly compensates: number | null
  readonly sealed: {
    readonly goal: string
    readonly justification: string
    /** In normal form when `digest` is set; as the planner wrote them otherwise. */
    readonly arguments: Json
    /** Who wrote the arguments, joined over all leaves. */
    readonly origins: readonly Origin[]
    /** Who wrote each leaf, by JSON pointer, when our own code built the arguments; else the untrusted leaves that a model passed by reference. */
    readonly leaves?: Readonly<Record<string, readonly Origin[]>>
  }
}

/** A person said that one value may be used for one sink in this run. It counts once enough have said so. */
export interface ValueEndorsed {
  readonly type: 'value.endorsed'
  readonly operation: OperationId
  readonly pointer: string
  /** The action in whose arguments it stood, or null when it was given as it is. */
  readonly action: number | null
  /** The question under which it was endorsed, or null. */
  readonly approval: string | null
  readonly policyVersion: string
  readonly approvers: readonly ApproverRule[]
  readonly voter: string
  readonly roles: readonly string[]
  /** `open`: more people have to say so. */
  readonly state: 'open' | 'endorsed'
  readonly sealed: { readonly value: string | number; readonly why: string }
}

export interface EffectFinished {
  readonly type: 'effect.finished'
  readonly action: number
  readonly attempt: number
  readonly result: 'done' | 'failed'
  readonly durationMs: number
  /** False when the far side said that its answer was cut short. */
  readonly complete: boolean
  /** What sanitising removed from the output. */
  readonly findings: readonly Finding[]
  readonly failure: 'timeout' | 'unavailable' | 'semantic' | 'invalid_output' | 'refused' | null
  readonly retry: 'never' | 'safe' | 'unknown' | null
  readonly code: string | null
  readonly sealed: { readonly output: Json; readonly message: string }
}
