import type { CalibrationView } from './desk/calibration.ts'
import type {
  Approval,
  Json,
  JsonObject,
  LedgerHead,
  MeterView,
  Operation,
  QueueItem,
  RunHead,
  RunQuery,
  RunState,
  Stop,
  StopScope,
  VoteRefusal,
  Workflow,
} from '@tidegate/kernel'
import type { ChangeDesk } from './changes.ts'
import type { HostDesk } from './host/host.ts'
import type { Person } from './person.ts'

export type { Person }

/** Something happened outside that a workflow is for. */
export interface TriggerRequest {
  readonly workflow: string
  /** Where the event comes from, and its id there. The same event opens one run, however often it is delivered. */
  readonly source: string
  readonly event: string
  readonly input: JsonObject
  /** On whose behalf: `user:...`. */
  readonly user: string
  /** The program that delivered it: `client:...`. */
  readonly client: string
}

export type TriggerAnswer =
  | { readonly kind: 'opened'; readonly run: string }
  | { readonly kind: 'duplicate'; readonly run: string }
  | {
      readonly kind: 'refused'
      readonly code: 'unknown_workflow' | 'input_too_large' | 'invalid_input' | 'stopped'
      readonly message: string
    }

/** An approval with what a person needs in order to decide. */
export interface ApprovalView {
  readonly approval: Approval
  readonly workflow: string
  readonly operation: string
  readonly title: string
  readonly goal: string
  readonly justification: string
  readonly arguments: Json
  /** What would change, or null for an operation without a preview. */
  readonly preview: Json
  readonly reasons: readonly string[]
  readonly risk: string
  readonly reversibility: string
  /** The rest of the run's plan, when a yes may cover it as well: a vote that names its digest says yes to all of it. */
  readonly plan: PlanView | null
}

/** Calls that a question covers besides its own. */
export interface PlanView {
  readonly digest: string
  /** Enough people have said yes to all of it. */
  readonly isApproved: boolean
  readonly calls: readonly {
    readonly operation: string
    readonly title: string
    readonly risk: string
    readonly reversibility: string
    readonly digest: string
    /** The policies that would have asked about it. */
    readonly policies: readonly string[]
    readonly arguments: Json
    readonly preview: Json
    /** The action that started under it, or null. */
    readonly usedBy: number | null
  }[]
}

/**
 * Values that a person endorses, each for one sink, for the rest of a run: what stands in the arguments of an action (of an open question, or of
 * any action of the run), or what is given as it is.
 */
export interface EndorseRequest {
  readonly person: Person
  readonly why: string
  /** An open question: its approvers may endorse. Without it those may whom the workflow names. */
  readonly approval?: string
  /** Number of the action whose arguments are meant, when there is no question. */
  readonly action?: number
  /** The operation, when there is neither a question nor an action. */
  readonly operation?: string
  /** Digest of the action that the person saw; needed for values that stand in its arguments. */
  readonly digest?: string
  /** JSON pointers into the arguments; a value that is given as it is replaces what stands there. */
  readonly values: readonly { readonly pointer: string; readonly value?: string | number }[]
}

export type EndorseAnswer =
  | {
      readonly kind: 'endorsed'
      readonly run: string
      readonly values: readonly {
        readonly operation: string
        readonly pointer: string
        /** `open`: more people have to say so. */
        readonly state: 'open' | 'endorsed'
      }[]
      /** True when the question is closed and its action is decided again, since what was endorsed may have settled it. */
      readonly reopened: boolean
    }
  | { readonly kind: 'rejected'; readonly code: EndorseRefusal; readonly message: string }

export type EndorseRefusal = VoteRefusal | 'not_found' | 'not_a_sink' | 'value_unusable'

export type VoteAnswer =
  | { readonly kind: 'counted'; readonly state: Approval['state']; readonly run: string }
  | { readonly kind: 'rejected'; readonly code: VoteRefusal | 'not_found'; readonly message: string }

export interface StopReport {
  readonly stop: Stop
  readonly epoch: number
  /** From the request to the durable, fenced stop. */
  readonly acknowledgedMs: number
  /** Effects that had started before the stop and whose outcome was not known when it was acknowledged. */
  readonly running: readonly { readonly run: string; readonly operation: string; readonly sinceMs: number }[]
}

export type StopAnswer =
  | ({ readonly kind: 'stopped' } & StopReport)
  | { readonly kind: 'refused'; readonly code: 'not_entitled' | 'invalid_scope'; readonly message: string }
export type LiftAnswer =
  | { readonly kind: 'lifted'; readonly stops: readonly Stop[]; readonly epoch: number }
  | { readonly kind: 'refused'; readonly code: 'not_entitled' | 'not_found'; readonly message: string }

export type UndoAnswer =
  | { readonly kind: 'opened'; readonly run: string; readonly effects: number }
  | {
      readonly kind: 'refused'
      readonly code: 'not_found' | 'not_finished' | 'nothing_to_undo' | 'already_undone' | 'not_entitled'
      readonly message: string
    }

export interface QueueView extends QueueItem {
  readonly run: string
  readonly workflow: string
}

export type ResolveAnswer =
  | { readonly kind: 'resolved' }
  | { readonly kind: 'refused'; readonly code: 'not_found' | 'already_resolved' | 'not_entitled'; readonly message: string }

export type ReceiptAnswer =
  | { readonly kind: 'receipt'; readonly text: string; readonly index: number }
  | { readonly kind: 'not_found'; readonly message: string }

/** What recomputing the whole ledger from its stored entries found. */
export interface LedgerVerification {
  readonly verified: boolean
  readonly size: number
  readonly root: string
  readonly problems: readonly string[]
  readonly durationMs: number
}

/**
 * Everything that a face of Tidegate can ask of it. Answers are values; what is thrown is a defect or a storage failure
 * (RuntimeError, JournalError).
 */
export interface Tidegate {
  trigger(request: TriggerRequest): Promise<TriggerAnswer>
  runs(query: RunQuery): Promise<readonly RunHead[]>
  run(id: string): Promise<RunState | undefined>
  /** Resolves when the run is at rest or waits for a person or a stop, or the time is up; answers its head. */
  settled(id: string, timeoutMs: number): Promise<RunHead | undefined>
  approvals(query: { readonly state?: 'open' | 'all' }): Promise<readonly ApprovalView[]>
  approval(id: string): Promise<ApprovalView | undefined>
  /** `digest` is the action digest that the person saw; it must be the one that is asked. */
  vote(
    id: string,
    ballot: { readonly person: Person; readonly vote: 'approve' | 'refuse'; readonly why: string; readonly digest: string },
  ): Promise<VoteAnswer>
  /** Endorses values for the rest of a run. All of them are taken, or none. */
  endorse(run: string, request: EndorseRequest): Promise<EndorseAnswer>
  stop(request: {
    readonly person: Person
    readonly scope: StopScope
    readonly mode: 'hold' | 'kill'
    readonly why: string
  }): Promise<StopAnswer>
  /** Lifts one stop by id, or all stops over a scope. */
  lift(request: {
    readonly person: Person
    readonly stop?: string
    readonly scope?: StopScope
    readonly why: string
  }): Promise<LiftAnswer>
  stops(): readonly Stop[]
  undo(run: string, request: { readonly person: Person; readonly why: string }): Promise<UndoAnswer>
  queue(query: { readonly all: boolean }): Promise<readonly QueueView[]>
  /** What became of what runs were sure of; of all workflows when none is named. */
  calibration(workflow?: string): Promise<CalibrationView>
  /** What every declared meter shows now, with its limits, in the order of their declaration. */
  limits(): readonly MeterView[]
  resolve(item: string, request: { readonly person: Person; readonly why: string }): Promise<ResolveAnswer>
  ledgerHead(): LedgerHead
  ledgerVerify(): Promise<LedgerVerification>
  /** Receipt of one entry by its index, or of the last entry of a run. */
  receipt(of: { readonly index: number } | { readonly run: string }): Promise<ReceiptAnswer>
  /** Writes an export that `tidegate-verify` checks offline; the directory must be empty or absent. */
  exportLedger(
    directory: string,
    options: { readonly payloads: boolean },
  ): Promise<{ readonly size: number; readonly files: number }>
  operations(): readonly Operation[]
  workflows(): readonly Workflow[]
  /** Where changes of policies and tools are proposed; absent where nothing can be changed. */
  readonly changes?: ChangeDesk
  /** The door for agents that are not ours; absent where the project lists none. */
  readonly hostDesk?: HostDesk
  /** Rejects further work, waits for effects in flight, closes the journal. */
  close(): Promise<void>
}
