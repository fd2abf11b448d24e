import type { Confidences } from '../policy/decision.ts'
import type { FailureKind } from './failure.ts'
import type { RunStateName } from './state.ts'

/** One run as a list shows it. Derived from its events; rebuilt from them when in doubt. */
export interface RunHead {
  readonly run: string
  readonly workflow: string
  readonly agent: string
  readonly state: RunStateName
  readonly failure: FailureKind | null
  /** One line for people. */
  readonly summary: string
  readonly openedAtMs: number
  readonly updatedAtMs: number
  /** When the run wants to be woken although nothing happens; null when only an event wakes it. */
  readonly wakeAtMs: number | null
  /** Effects done so far, and approvals still open. */
  readonly effects: number
  readonly openApprovals: readonly string[]
  /** Things that need a person: open items of the queue. */
  readonly openItems: number
  /** How sure the run was, by kind; absent in heads from before this was kept. */
  readonly confidences?: Partial<Confidences>
  /** Of a call run: the conversation that it belongs to, as a keyed hash. */
  readonly session?: string
  /** The run that this one takes back, or null. */
  readonly undoes: string | null
}
